//! How long to wait before the next login, where the credentials were not rejected.
//!
//! Two things ask for a wait. A company token that is refused soon after its login: where each
//! login ends the token before it, replicas that share an account end each other's, and only those
//! that wait for different times get through. And a login that was answered, but neither accepted
//! nor refused: a firewall's page, say.

use std::time::{Duration, Instant};

use crate::error::{ErrorKind, Unreachable};

/// A token that is refused within this time of its login was ended by another login.
const YOUNG: Duration = Duration::from_secs(2);

/// Before the next login then; up to as much again is added, so that replicas do not stay in step.
const AFTER_YOUNG_TOKEN: Duration = Duration::from_secs(1);

/// After a login that was neither accepted nor refused: the first in a row, the second, and so on.
const AFTER_LOGIN: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// The wait before the next login; none as long as nothing asks for one.
#[derive(Debug, Default)]
pub(crate) struct LoginPause {
    pause: Option<(Instant, ErrorKind)>,
    /// Logins in a row that were neither accepted nor refused.
    unclear: usize,
}

impl LoginPause {
    /// When the next login may begin; now where nothing asks for a wait.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.pause.as_ref().map(|(until, _)| *until)
    }

    /// Why a caller who has time until `deadline` need not wait for the next login.
    pub(crate) fn refuses(&self, deadline: Instant) -> Option<ErrorKind> {
        let (until, why) = self.pause.as_ref()?;
        (*until >= deadline).then(|| why.clone())
    }

    /// A call has refused the token of a login that was `made` then. `jitter` is from 0 to 1.
    pub(crate) fn token_refused(&mut self, made: Instant, now: Instant, jitter: f64) {
        if now.saturating_duration_since(made) < YOUNG {
            let wait = AFTER_YOUNG_TOKEN.mul_f64(1.0 + jitter);
            self.pause = Some((
                now + wait,
                ErrorKind::Unavailable(Unreachable::TokenRefused),
            ));
        }
    }

    /// A login was accepted.
    pub(crate) fn accepted(&mut self) {
        *self = Self::default();
    }

    /// A login has failed. Refused credentials rest elsewhere, and a ChatHub that is down or asks
    /// for a pause is left alone by the breaker.
    pub(crate) fn failed(&mut self, error: &ErrorKind, now: Instant) {
        self.pause = None;
        if matches!(
            error,
            ErrorKind::BadAnswer(_) | ErrorKind::Unavailable(Unreachable::Login(_))
        ) {
            let wait = AFTER_LOGIN[self.unclear.min(AFTER_LOGIN.len() - 1)];
            self.unclear += 1;
            self.pause = Some((now + wait, error.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_token_that_has_lived_is_replaced_at_once() {
        let (mut pause, made) = (LoginPause::default(), Instant::now());
        pause.token_refused(made, made + 2 * SECOND, 0.5);
        assert_eq!(pause.until(), None);
    }

    #[test]
    fn a_token_that_is_refused_at_once_is_replaced_after_one_to_two_seconds() {
        for (jitter, wait) in [(0.0, 1000), (0.5, 1500), (1.0, 2000)] {
            let (mut pause, now) = (LoginPause::default(), Instant::now());
            pause.token_refused(now, now, jitter);
            let until = now + Duration::from_millis(wait);
            assert_eq!(pause.until(), Some(until));
            assert_eq!(pause.refuses(until + SECOND), None, "it can be waited for");
            assert_eq!(
                pause.refuses(until),
                Some(ErrorKind::Unavailable(Unreachable::TokenRefused))
            );
            pause.accepted();
            assert_eq!(pause.until(), None);
        }
    }

    #[test]
    fn a_login_that_is_neither_accepted_nor_refused_waits_longer_each_time() {
        let (mut pause, now) = (LoginPause::default(), Instant::now());
        let page = ErrorKind::Unavailable(Unreachable::Login(403));
        for seconds in [1, 2, 4, 8, 8] {
            pause.failed(&page, now);
            assert_eq!(pause.until(), Some(now + seconds * SECOND));
        }
        pause.failed(&ErrorKind::TimedOut, now);
        assert_eq!(pause.until(), None, "the breaker sees to that");
        pause.accepted();
        pause.failed(&page, now);
        assert_eq!(pause.until(), Some(now + SECOND), "from the beginning");
    }
}
