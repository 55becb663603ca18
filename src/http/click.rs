//! What became known of a click on its way, and how its log line tells it.

use std::net::IpAddr;
use std::time::Instant;

use serde::Serialize;

use super::kind::Kind;
use crate::access::Caller;
use crate::chathub::OperatorId;
use crate::config::LogPhones;
use crate::phone::PhoneNumber;
use crate::secret::Fingerprint;
use crate::source::ChatSource;
use crate::telemetry::Trace;
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
    /// Set where a link was handed out: its format, the head of its token's hash, and where the token came from.
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

/// A click's part of its log line, which is its audit event.
#[derive(Serialize)]
pub(super) struct ClickFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    client: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<OperatorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    /// The head of the token's SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_outcome: Option<&'static str>,
}

impl ClickFields {
    pub(super) fn of(click: &Click, kind: Option<Kind>, phones: LogPhones) -> Self {
        let phone = match phones {
            LogPhones::Masked => click.phone.as_ref().map(PhoneNumber::masked),
            LogPhones::None => None,
        };
        let of_link = click
            .link
            .map(|(_, fingerprint, outcome)| (fingerprint, outcome));
        let token = of_link.or(click.widget);
        Self {
            trace_id: click.trace.id().map(|id| id.to_string()),
            client: click.client.to_string(),
            outcome: click
                .link
                .map(|_| "redirect")
                .or(click.widget.map(|_| "widget"))
                .or(click.fallback.map(|_| "fallback"))
                .or(click.shown.map(Shown::name)),
            kind: kind.or(click.fallback).map(Kind::name),
            caller: click.caller.as_ref().map(ToString::to_string),
            operator: click.operator,
            phone: phone.map(|phone| phone.to_string()),
            format: click.link.map(|(format, ..)| format),
            source: click.source.map(ChatSource::name),
            token: token.map(|(fingerprint, _)| fingerprint.to_string()),
            token_outcome: token.map(|(_, outcome)| outcome.name()),
        }
    }
}
