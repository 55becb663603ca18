//! What became known of a click on its way, and how its log line tells it.

use std::net::IpAddr;
use std::time::Instant;

use super::kind::Kind;
use super::record::{ClickRecord, Concat};
use crate::access::Caller;
use crate::chathub::OperatorId;
use crate::config::LogPhones;
use crate::phone::PhoneNumber;
use crate::secret::Fingerprint;
use crate::source::ChatSource;
use crate::telemetry::Trace;
use crate::tokens::TokenOutcome;

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
    pub(super) link: Option<(u8, Fingerprint, TokenOutcome)>,
    /// Set where a widget got a token: the head of its hash, and where it came from.
    pub(super) widget: Option<(Fingerprint, TokenOutcome)>,
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

    /// The click's fields of the log line, which is its audit event.
    pub(super) fn record(&self, kind: Option<Kind>, phones: LogPhones) -> ClickRecord<'_> {
        let phone = self.phone.as_ref().filter(|_| phones == LogPhones::Masked);
        let token = self.token();
        ClickRecord {
            trace_id: self.trace.id(),
            client: self.client,
            outcome: self.outcome(),
            kind: kind.or(self.fallback).map(Kind::name),
            caller: self.caller.as_ref().map(|c| Concat(c.kind_and_name())),
            operator: self.operator.map(|operator| operator.0),
            phone: phone.map(|phone| Concat(phone.masked().pieces())),
            format: self.link.map(|(format, ..)| format),
            source: self.source.map(ChatSource::name),
            token: token.map(|(fingerprint, _)| fingerprint.as_str()),
            token_outcome: token.map(|(_, outcome)| outcome.name()),
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
    pub(super) fn token(&self) -> Option<(&Fingerprint, TokenOutcome)> {
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
