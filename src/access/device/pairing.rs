//! What an invitation grants, and what the browser's cookie repeats.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::DeviceId;
use chathub::OperatorId;

/// How far the clocks of replicas may differ, in seconds.
const LEEWAY: i64 = 60;

/// A browser and the operator whose chats it opens: the claims of an invitation and of a cookie.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Pairing {
    /// The browser.
    pub device: DeviceId,
    /// The operator.
    pub operator: OperatorId,
    /// When the invitation was made, in seconds since 1970. Renewals carry it unchanged.
    pub(super) invited_at: i64,
    pub(super) iat: i64,
    pub(super) exp: i64,
    /// The name of the API key that has invited, if one has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key: Option<String>,
}

impl Pairing {
    /// When the invitation was made.
    pub(super) fn invited_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.invited_at, 0).unwrap_or_default()
    }

    /// When it ends, if it may live for `ttl` after its own signature: by its own claim, or sooner
    /// where the setting has become shorter since.
    pub(super) fn end(&self, ttl: Duration) -> i64 {
        self.exp.min(self.iat.saturating_add(seconds(ttl)))
    }

    /// Whether its times are in order: it was not signed ahead of now, nor before its invitation.
    pub(super) const fn is_dated(&self, now: i64) -> bool {
        self.invited_at <= self.iat && self.iat <= now.saturating_add(LEEWAY)
    }
}

pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
