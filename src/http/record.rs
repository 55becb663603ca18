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
    pub(super) caller: Option<Joined<'a, 2>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operator: Option<u64>,
    /// Masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<Joined<'a, 3>>,
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
pub(super) struct Joined<'a, const PIECES: usize>(pub(super) [&'a str; PIECES]);

impl<const PIECES: usize> fmt::Display for Joined<'_, PIECES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

impl<const PIECES: usize> Serialize for Joined<'_, PIECES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
