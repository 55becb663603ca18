//! How long rejected credentials are not tried again.
//!
//! Repeated logins with a wrong password can lock an account. So credentials that ChatHub has
//! rejected are tried again after 1, then 5, then every 15 minutes, or as soon as they change.

use std::time::{Duration, Instant};

use crate::credentials::Credentials;

/// The wait after the first rejection, the second, and any later one.
const WAITS: [Duration; 3] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
];

/// How often a caller may look whether refused credentials have been corrected in their file.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What is known of refused credentials; nothing as long as ChatHub has refused none.
#[derive(Debug, Default)]
pub(crate) struct Rejection(Option<Rejected>);

#[derive(Debug)]
struct Rejected {
    credentials: Option<Credentials>,
    at: Instant,
    times: usize,
    until: Instant,
    look_at: Instant,
}

impl Rejection {
    /// ChatHub has refused these credentials.
    pub(crate) fn record(&mut self, credentials: Option<Credentials>, now: Instant) {
        let times = self.0.as_ref().map_or(0, |rejected| rejected.times);
        self.0 = Some(Rejected {
            credentials,
            at: now,
            times: times + 1,
            until: now + WAITS[times.min(WAITS.len() - 1)],
            look_at: now + LOOK_AGAIN,
        });
    }

    /// Whether the credentials must rest: they are the refused ones, and their time is not over.
    /// `current` reads what they are now.
    pub(crate) fn holds(
        &mut self,
        now: Instant,
        current: impl FnOnce() -> Option<Credentials>,
    ) -> bool {
        let Some(rejected) = &mut self.0 else {
            return false;
        };
        if rejected.until <= now {
            return false;
        }
        if rejected.look_at > now {
            return true;
        }
        rejected.look_at = now + LOOK_AGAIN;
        let is_same = rejected.credentials == current();
        if !is_same {
            self.0 = None;
        }
        is_same
    }

    /// Something has opened a call that was made with the credentials at `made`: they were right
    /// then. A later refusal stands all the same, because a changed password ends no token.
    pub(crate) fn disprove(&mut self, made: Instant) {
        if self.0.as_ref().is_some_and(|rejected| rejected.at < made) {
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    fn key(key: &str) -> Credentials {
        Credentials::ProfileKey(SecretString::from(key))
    }

    #[test]
    fn refused_credentials_rest_for_1_5_and_15_minutes() {
        let mut rejection = Rejection::default();
        let mut now = Instant::now();
        for minutes in [1, 5, 15, 15] {
            rejection.record(Some(key("canary-key")), now);
            let wait = Duration::from_mins(minutes);
            assert!(rejection.holds(now + wait.mul_f64(0.99), || Some(key("canary-key"))));
            now += wait;
            assert!(
                !rejection.holds(now, || Some(key("canary-key"))),
                "{minutes} minutes"
            );
        }
    }

    #[test]
    fn corrected_credentials_need_not_wait() {
        let (mut rejection, now) = (Rejection::default(), Instant::now());
        rejection.record(Some(key("canary-key")), now);
        let soon = now + Duration::from_millis(100);
        assert!(
            rejection.holds(soon, || Some(key("canary-other"))),
            "not looked at so often"
        );
        let later = now + Duration::from_millis(250);
        assert!(!rejection.holds(later, || Some(key("canary-other"))));
        assert!(
            !rejection.holds(later, || Some(key("canary-key"))),
            "and is forgotten"
        );
    }

    /// A password that was changed in ChatHub alone: the old token opens calls for an hour yet, and
    /// none of them makes another login due.
    #[test]
    fn a_token_from_before_does_not_excuse_wrong_credentials() {
        let (mut rejection, made) = (Rejection::default(), Instant::now());
        let now = made + Duration::from_hours(11);
        rejection.record(Some(key("canary-key")), now);
        rejection.disprove(made);
        let later = now + Duration::from_secs(11);
        assert!(rejection.holds(later, || Some(key("canary-key"))));
        rejection.disprove(later);
        assert!(!rejection.holds(later, || Some(key("canary-key"))));
    }
}
