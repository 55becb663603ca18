//! What became known of a click on its way, and how its log line tells it.

use std::net::IpAddr;
use std::time::Instant;

use chathub::OperatorId;

use super::kind::Kind;
use crate::access::Caller;
use crate::config::LogPhones;
use crate::phone::PhoneNumber;
use crate::secret::Fingerprint;
use crate::source::ChatSource;
use crate::telemetry::{Fields, Trace, field};
use crate::tokens::Outcome;

/// What became known of a click, for its log line and its counter. What stays unknown stays empty.
#[derive(Debug)]
pub(super) struct Click {
    /// Where the request comes from, proxies that are trusted aside.
    pub(super) client: IpAddr,
    /// When its answer must be out.
    pub(super) deadline: Instant,
    pub(super) trace: Trace,
    pub(super) caller: Option<Caller>,
    pub(super) operator: Option<OperatorId>,
    pub(super) phone: Option<PhoneNumber>,
    pub(super) source: Option<ChatSource>,
    /// Set where a link was handed out: its format, the head of its token's hash, and where the
    /// token came from.
    pub(super) link: Option<(u8, Fingerprint, Outcome)>,
    /// Set where a widget got a token: the head of its hash, and where it came from.
    pub(super) widget: Option<(Fingerprint, Outcome)>,
    /// Set where a link without a token was handed out: why there was none.
    pub(super) fallback: Option<Kind>,
    /// Set where a page was shown instead of the chat.
    pub(super) shown: Option<Shown>,
}

impl Click {
    pub(super) const fn new(client: IpAddr, deadline: Instant, trace: Trace) -> Self {
        Self {
            client,
            deadline,
            trace,
            caller: None,
            operator: None,
            phone: None,
            source: None,
            link: None,
            widget: None,
            fallback: None,
            shown: None,
        }
    }

    /// Adds the click's part of its log line, which is its audit event: only closed sets, numbers
    /// and what has been checked.
    pub(super) fn tell(&self, kind: Option<Kind>, phones: LogPhones, line: &mut Fields) {
        if let Some(id) = self.trace.id() {
            line.text(field!("trace_id"), [&id.to_string()]);
        }
        line.address(field!("client"), self.client);
        if let Some(outcome) = self.outcome() {
            line.plain(field!("outcome"), [outcome]);
        }
        if let Some(kind) = kind.or(self.fallback) {
            line.plain(field!("kind"), [kind.name()]);
        }
        if let Some(caller) = &self.caller {
            line.text(field!("caller"), caller.kind_and_name());
        }
        if let Some(operator) = self.operator {
            line.number(field!("operator"), operator.0);
        }
        if let (Some(phone), LogPhones::Masked) = (&self.phone, phones) {
            line.plain(field!("phone"), phone.masked().pieces());
        }
        if let Some((format, ..)) = self.link {
            line.number(field!("format"), format.into());
        }
        if let Some(source) = self.source {
            line.plain(field!("source"), [source.name()]);
        }
        if let Some((fingerprint, outcome)) = self.token() {
            line.plain(field!("token"), [fingerprint.as_str()]);
            line.plain(field!("token_outcome"), [outcome.name()]);
        }
    }

    fn outcome(&self) -> Option<&'static str> {
        if self.link.is_some() {
            Some("redirect")
        } else if self.widget.is_some() {
            Some("widget")
        } else if self.fallback.is_some() {
            Some("fallback")
        } else {
            self.shown.map(Shown::name)
        }
    }

    /// The token that was handed out, in a link or to a widget: the head of its hash, and where it
    /// came from.
    pub(super) fn token(&self) -> Option<(&Fingerprint, Outcome)> {
        let of_link = self
            .link
            .as_ref()
            .map(|(_, token, outcome)| (token, *outcome));
        of_link.or(self
            .widget
            .as_ref()
            .map(|(token, outcome)| (token, *outcome)))
    }
}

/// A page that is shown instead of the chat, and is no refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// What a link-preview crawler gets.
    Crawler,
    /// The page whose button opens the chat.
    Confirmation,
}

impl Shown {
    const fn name(self) -> &'static str {
        match self {
            Self::Crawler => "crawler",
            Self::Confirmation => "confirmation",
        }
    }
}
