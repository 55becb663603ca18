//! The line that a request leaves, which is its audit event: only closed sets, numbers and what
//! has been checked.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::Method;
use arrayvec::ArrayString;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use tracing::Level;

use super::metrics::method_name;
use crate::access::DeviceId;
use crate::config::LogPhones;
use crate::http::context::{Outcome, RequestContext};
use crate::http::problem::Kind;
use crate::http::route::Route;
use crate::source::ChatSource;
use crate::telemetry::{RequestLog, TraceId};

/// The fields of the line, in their order. What stayed unknown of a click is left out.
#[derive(Serialize)]
struct Record<'a> {
    request_id: &'a str,
    route: &'static str,
    method: &'static str,
    status: u16,
    duration_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<TraceId>,
    client: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// `pass:` and the key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Concat<'a, 2>>,
    /// The installation of the CRM that has proven the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    installation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<u64>,
    /// Masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Concat<'a, 3>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    /// The first digits of the token's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_outcome: Option<&'static str>,
    /// The device that an invitation makes of a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceId>,
    /// When an invitation that is refused was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<DateTime<Utc>>,
}

/// One text in several pieces.
struct Concat<'a, const PIECES: usize>([&'a str; PIECES]);

impl<const PIECES: usize> Concat<'_, PIECES> {
    /// The text, where it is short.
    fn joined(&self) -> Option<ArrayString<64>> {
        let mut text = ArrayString::new();
        let mut pieces = self.0.iter();
        pieces.try_for_each(|piece| text.try_push_str(piece)).ok()?;
        Some(text)
    }
}

impl<const PIECES: usize> fmt::Display for Concat<'_, PIECES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

impl<const PIECES: usize> Serialize for Concat<'_, PIECES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.joined() {
            Some(text) => serializer.serialize_str(&text),
            None => serializer.collect_str(self),
        }
    }
}

/// Writes the line.
pub(super) fn write(
    log: &mut RequestLog,
    context: &RequestContext,
    method: &Method,
    status: u16,
    took: Duration,
    phones: LogPhones,
) {
    let level = if status >= 500 {
        Level::WARN
    } else {
        Level::INFO
    };
    let known = context.record.borrow();
    let phone = known.client.phone.as_ref();
    let outcome = known.outcome;
    let token = outcome.and_then(Outcome::token);
    let record = Record {
        request_id: context.request_id.as_str(),
        route: context.route.name(),
        method: method_name(method),
        status,
        duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        trace_id: context.trace.id(),
        client: context.client,
        outcome: outcome.and_then(Outcome::name),
        kind: outcome.and_then(Outcome::kind).map(Kind::name),
        caller: known.caller.as_ref().map(|c| Concat(c.kind_and_name())),
        installation: known.installation.as_deref(),
        operator: known.operator.map(|operator| operator.0),
        phone: phone
            .filter(|_| phones == LogPhones::Masked)
            .map(|phone| Concat(phone.masked().pieces())),
        format: outcome.and_then(Outcome::format),
        source: known.client.source.map(ChatSource::name),
        token: token.as_ref().map(|(token, _)| token.as_str()),
        token_outcome: token.map(|(_, outcome)| outcome.name()),
        device: outcome.and_then(Outcome::device),
        used_at: known.used_at,
    };
    log.write(level, message(context.route), &record);
}

const fn message(route: Route) -> &'static str {
    match route {
        Route::OpenChat => "click",
        Route::Links => "link",
        Route::Widget | Route::WidgetToken => "widget",
        Route::Pair => "pairing",
        Route::ConnectBitrix24
        | Route::ConnectBitrix24Install
        | Route::ConnectKommo
        | Route::ConnectZendesk
        | Route::ConnectHubspot
        | Route::ConnectPipedrive
        | Route::ConnectOpen
        | Route::ConnectTicket => "connector",
        _ => "request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown() -> Record<'static> {
        Record {
            request_id: "7b",
            route: "/open-chat",
            method: "GET",
            status: 302,
            duration_us: 171,
            trace_id: None,
            client: "192.0.2.10".parse().unwrap(),
            outcome: None,
            kind: None,
            caller: None,
            installation: None,
            operator: None,
            phone: None,
            format: None,
            source: None,
            token: None,
            token_outcome: None,
            device: None,
            used_at: None,
        }
    }

    #[test]
    fn what_stayed_unknown_is_left_out() {
        assert_eq!(
            serde_json::to_string(&unknown()).unwrap(),
            r#"{"request_id":"7b","route":"/open-chat","method":"GET","status":302,"duration_us":171,"client":"192.0.2.10"}"#
        );
    }

    #[test]
    fn fields_keep_their_order() {
        let record = Record {
            outcome: Some("redirect"),
            kind: Some("none"),
            caller: Some(Concat(["pass:", "crm"])),
            operator: Some(101),
            phone: Some(Concat(["+38050", "***", "4567"])),
            format: Some(4),
            source: Some("viber"),
            token: Some("0123456789abcdef"),
            token_outcome: Some("reused"),
            ..unknown()
        };
        let line = serde_json::to_string(&record).unwrap();
        let (_, line) = line.split_once(r#""client":"192.0.2.10","#).unwrap();
        assert_eq!(
            line,
            r#""outcome":"redirect","kind":"none","caller":"pass:crm","operator":101,"phone":"+38050***4567","format":4,"source":"viber","token":"0123456789abcdef","token_outcome":"reused"}"#
        );
    }
}
