//! A token in the cache, and how long it is fresh, usable and valid.

use std::time::Duration;

use super::moment::Moment;
use crate::secret::Fingerprint;
use chathub::OperatorToken;

/// A token is handed out while it is valid for at least this long, so that the agent can work with
/// it. A token with a shorter life is handed out during the first half of it.
const LEAST_VALIDITY: Duration = Duration::from_mins(5);

/// An operator token and its times.
#[derive(Debug)]
pub struct CachedToken {
    /// The token.
    pub token: OperatorToken,
    /// The first digits of its hash, for the log.
    pub fingerprint: Fingerprint,
    /// When ChatHub stops accepting it.
    pub(super) expires: Moment,
    /// Until then it is handed out as it is. After that a click also starts a refresh.
    pub(super) fresh_until: Moment,
    /// Until then it is handed out.
    pub(super) usable_until: Moment,
}

impl CachedToken {
    pub(super) fn new(token: OperatorToken, reuse: Duration, now: Moment) -> Self {
        let left = (token.expires_at - now.chathub)
            .to_std()
            .unwrap_or_default();
        let usable = if reuse.is_zero() {
            Duration::ZERO
        } else {
            left.saturating_sub(LEAST_VALIDITY.min(left / 2))
        };
        Self {
            fingerprint: Fingerprint::of(token.expose()),
            token,
            expires: now.after(left),
            fresh_until: now.after(reuse.min(usable)),
            usable_until: now.after(usable),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use chrono::{TimeDelta, Utc};
    use rstest::rstest;

    use super::*;

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
        let now = Moment {
            monotonic: Instant::now(),
            wall: Utc::now(),
            chathub: Utc::now(),
        };
        let token = OperatorToken {
            secret: "token".into(),
            expires_at: now.chathub + TimeDelta::seconds(left),
        };
        let cached = CachedToken::new(token, Duration::from_secs(reuse), now);
        let seconds = Duration::from_secs;
        assert_eq!(cached.fresh_until.remaining(now), seconds(fresh));
        assert_eq!(cached.usable_until.remaining(now), seconds(usable));
        let left = u64::try_from(left).unwrap_or_default();
        assert_eq!(cached.expires.remaining(now), seconds(left));
    }
}
