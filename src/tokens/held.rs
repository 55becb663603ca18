//! A token that is kept, and for how long it is any good.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::chathub::OperatorToken;
use crate::secret::Fingerprint;

/// A token is handed out as long as it has this much left: an agent should be able to work with it. One that lives shorter, as long as
/// it has half of its life left.
const LEAST_LEFT: Duration = Duration::from_mins(5);

/// An operator token with its times on this machine's clock.
#[derive(Debug)]
pub struct Held {
    /// The token.
    pub token: OperatorToken,
    /// The head of its hash, for the log.
    pub fingerprint: Fingerprint,
    /// When ChatHub stops taking it.
    ends: Instant,
    /// Until then it is handed out as it is, afterwards it is refreshed.
    pub(super) fresh_until: Instant,
    /// Until then it is handed out at all.
    pub(super) usable_until: Instant,
}

impl Held {
    /// `now` and `chathub_now` are the same moment on the two clocks.
    pub(super) fn new(
        token: OperatorToken,
        reuse: Duration,
        now: Instant,
        chathub_now: DateTime<Utc>,
    ) -> Self {
        let left = (token.expires_at - chathub_now)
            .to_std()
            .unwrap_or_default();
        let usable = if reuse.is_zero() {
            Duration::ZERO
        } else {
            left.saturating_sub(LEAST_LEFT.min(left / 2))
        };
        Self {
            fingerprint: token.secret.fingerprint(),
            token,
            ends: now + left,
            fresh_until: now + reuse.min(usable),
            usable_until: now + usable,
        }
    }

    /// How long it still lives, whatever the clocks say.
    pub fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use rstest::rstest;

    use super::*;
    use crate::secret::Secret;

    #[rstest]
    #[case::the_defaults(3600, 300, 300, 3300)]
    #[case::reuse_longer_than_its_life(3600, 7200, 3300, 3300)]
    #[case::a_short_life(60, 300, 30, 30)]
    #[case::ten_minutes(600, 60, 60, 300)]
    #[case::no_reuse(3600, 0, 0, 0)]
    #[case::already_over(-5, 300, 0, 0)]
    fn times_in_seconds(
        #[case] left: i64,
        #[case] reuse: u64,
        #[case] fresh: u64,
        #[case] usable: u64,
    ) {
        let (now, chathub_now) = (Instant::now(), Utc::now());
        let token = OperatorToken {
            secret: Secret::new("token"),
            expires_at: chathub_now + TimeDelta::seconds(left),
        };
        let held = Held::new(token, Duration::from_secs(reuse), now, chathub_now);
        assert_eq!(held.fresh_until - now, Duration::from_secs(fresh));
        assert_eq!(held.usable_until - now, Duration::from_secs(usable));
        let left = Duration::from_secs(u64::try_from(left).unwrap_or_default());
        assert_eq!(held.ends - now, left);
        assert_eq!(held.left().is_zero(), left.is_zero());
    }
}
