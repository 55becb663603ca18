//! The cookie of a paired browser: its value, how long it lives, and when a click renews it.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::DeviceKeys;
use super::keys::Kind;
use super::pairing::{Pairing, seconds};
use crate::access::{Authenticator, Denied};
use crate::secret::Secret;

/// How long renewals can keep a pairing at most, from its invitation on, in seconds: browsers keep
/// no cookie for longer than 400 days.
const MAX_AGE: i64 = 400 * 24 * 60 * 60;

/// The cookie that a navigation of a browser's own tab shows. Without `Debug`, which would print
/// it.
#[derive(Clone, Copy, Default)]
pub enum DeviceCookie<'a> {
    /// None, or the request is none that it counts for.
    #[default]
    Absent,
    /// One.
    One {
        /// Its value, as it came.
        value: &'a [u8],
        /// Whether a person has caused the request, and not another site.
        may_renew: bool,
    },
    /// Several of its name. Which one is this service's cannot be told.
    Several,
}

/// A cookie to be set.
#[derive(Debug)]
pub struct SignedCookie {
    /// Its value, of unreserved characters alone.
    pub value: Secret,
    /// How long the browser keeps it.
    pub max_age: Duration,
}

impl Authenticator {
    /// The cookie for a browser that has just been paired by this invitation.
    pub fn pair(&self, invitation: &Pairing) -> Option<SignedCookie> {
        let keys = self.device_keys.as_ref()?.get();
        keys.signed_cookie(invitation, 0, self.config.device_ttl, Utc::now())
    }
}

impl DeviceKeys {
    /// The pairing that a cookie carries, and the number of the line that has signed it.
    pub(super) fn check_cookie(
        &self,
        value: &[u8],
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Result<(Pairing, usize), Denied> {
        let now = now.timestamp();
        let (pairing, line) = self
            .verify(Kind::Cookie, value)
            .ok_or(Denied::DeviceEnded)?;
        let is_in_force = pairing.is_dated(now) && now < pairing.cookie_end(ttl);
        is_in_force
            .then_some((pairing, line))
            .ok_or(Denied::DeviceEnded)
    }

    /// A new cookie in the last third of this one's time, if it would live for longer. It is signed
    /// by the line that has signed this one, so that it ends when that line is taken out.
    pub(super) fn renewed(
        &self,
        (pairing, line): (&Pairing, usize),
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Option<SignedCookie> {
        let end = pairing.cookie_end(ttl);
        let is_due = end - now.timestamp() <= seconds(ttl / 3);
        let is_longer = pairing.signed_at(now, ttl).cookie_end(ttl) > end;
        (is_due && is_longer).then(|| self.signed_cookie(pairing, line, ttl, now))?
    }

    pub(super) fn signed_cookie(
        &self,
        pairing: &Pairing,
        line: usize,
        ttl: Duration,
        now: DateTime<Utc>,
    ) -> Option<SignedCookie> {
        let pairing = pairing.signed_at(now, ttl);
        let left = u64::try_from(pairing.exp - now.timestamp()).ok()?;
        Some(SignedCookie {
            value: self.sign(Kind::Cookie, line, &pairing)?,
            max_age: Duration::from_secs(left),
        })
    }
}

impl Pairing {
    /// The same, signed now.
    fn signed_at(&self, now: DateTime<Utc>, ttl: Duration) -> Self {
        let iat = now.timestamp().max(self.invited_at);
        let exp = iat.saturating_add(seconds(ttl));
        Self {
            iat,
            exp: exp.min(self.invited_at.saturating_add(MAX_AGE)),
            ..self.clone()
        }
    }

    fn cookie_end(&self, ttl: Duration) -> i64 {
        let latest = self.invited_at.saturating_add(MAX_AGE);
        self.end(ttl).min(latest)
    }
}
