//! The fields of a request's log line, in their order.
//!
//! They hold closed sets, numbers and what has been checked: the line is a click's audit event.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};

use crate::telemetry::TraceId;

/// The fields of every request.
#[derive(Serialize)]
pub(super) struct AccessLogRecord<'a> {
    pub(super) request_id: &'a str,
    pub(super) route: &'static str,
    pub(super) method: &'static str,
    pub(super) status: u16,
    pub(super) duration_us: u64,
    #[serde(flatten)]
    pub(super) click: ClickRecord<'a>,
}

/// What became known of a click. What stayed unknown is left out.
#[derive(Serialize)]
pub(super) struct ClickRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace_id: Option<TraceId>,
    pub(super) client: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    /// `pass:` and the key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) caller: Option<Concat<'a, 2>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operator: Option<u64>,
    /// Masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<Concat<'a, 3>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<&'static str>,
    /// The first digits of the token's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_outcome: Option<&'static str>,
}

/// One text in several pieces, which are not copied to join them.
pub(super) struct Concat<'a, const PIECES: usize>(pub(super) [&'a str; PIECES]);

impl<const PIECES: usize> fmt::Display for Concat<'_, PIECES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

impl<const PIECES: usize> Serialize for Concat<'_, PIECES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(click: ClickRecord<'_>) -> AccessLogRecord<'_> {
        AccessLogRecord {
            request_id: "7b",
            route: "/open-chat",
            method: "GET",
            status: 302,
            duration_us: 171,
            click,
        }
    }

    fn unknown() -> ClickRecord<'static> {
        ClickRecord {
            trace_id: None,
            client: "192.0.2.10".parse().unwrap(),
            outcome: None,
            kind: None,
            caller: None,
            operator: None,
            phone: None,
            format: None,
            source: None,
            token: None,
            token_outcome: None,
        }
    }

    #[test]
    fn what_stayed_unknown_is_left_out() {
        assert_eq!(
            serde_json::to_string(&record(unknown())).unwrap(),
            r#"{"request_id":"7b","route":"/open-chat","method":"GET","status":302,"duration_us":171,"client":"192.0.2.10"}"#
        );
    }

    #[test]
    fn fields_keep_their_order() {
        let click = ClickRecord {
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
        let line = serde_json::to_string(&record(click)).unwrap();
        let (_, line) = line.split_once(r#""client":"192.0.2.10","#).unwrap();
        assert_eq!(
            line,
            r#""outcome":"redirect","kind":"none","caller":"pass:crm","operator":101,"phone":"+38050***4567","format":4,"source":"viber","token":"0123456789abcdef","token_outcome":"reused"}"#
        );
    }
}
