//! The company token: who the company is to ChatHub.
//!
//! Owns the credentials and what they were last exchanged for. One login serves all callers; wrong credentials are not shown again
//! and again, because an account can be locked by that. A profile key needs no exchange.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::Instant as Deadline;

use super::answer;
use super::credentials::{Credentials, Shown};
use super::endpoint::Endpoint;
use super::error::{BadAnswer, Error, Unreachable};
use super::transport::{Authorization, Call};
use super::upstream::Upstream;
use crate::flight::Flight;
use crate::secret::Secret;

/// How long refused credentials are left alone: after the first refusal, the second, and any later one.
const REJECTED_WAITS: [Duration; 3] = [
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
];

/// Between two tries to renew a token that still opens calls.
const RENEW_AGAIN: Duration = Duration::from_secs(10);

/// How often a click looks whether refused credentials have been corrected in their file.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The company's standing with ChatHub.
#[derive(Debug)]
pub(super) struct Session {
    credentials: Credentials,
    /// What they said last: a file that cannot be read any more changes nothing.
    last: Mutex<Option<Shown>>,
    standing: Mutex<Standing>,
}

type Admission = Result<Arc<Admitted>, Error>;

/// What opens calls, and until when.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) authorization: Authorization,
    made: Instant,
    /// The credentials that it was given for.
    shown: Option<Shown>,
    /// When to get the next one while this one still opens calls, and when it ends; unknown for most tokens.
    ends: Option<Ends>,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    renew_at: Instant,
    at: Instant,
}

#[derive(Debug, Default)]
struct Standing {
    admitted: Option<Arc<Admitted>>,
    login: Option<Flight<Admission>>,
    rejected: Option<Rejected>,
    /// A token that is about to end could not be renewed: not to be tried again before.
    renew_after: Option<Instant>,
}

/// ChatHub has refused the credentials.
#[derive(Debug)]
struct Rejected {
    shown: Option<Shown>,
    at: Instant,
    times: usize,
    until: Instant,
    look_at: Instant,
}

impl Session {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            last: Mutex::default(),
            standing: Mutex::default(),
        }
    }

    pub(super) const fn is_by_key(&self) -> bool {
        matches!(self.credentials, Credentials::ProfileKey(_))
    }

    /// What opens the next call. Logs in where nobody has yet; callers who come meanwhile wait for that one login, and it goes on
    /// when they leave.
    pub(super) async fn admitted(
        self: &Arc<Self>,
        upstream: &Arc<Upstream>,
        deadline: Deadline,
    ) -> Admission {
        let login = {
            let mut standing = self.standing();
            let now = Instant::now();
            if let Some(admitted) = standing.admitted.clone() {
                match admitted.ends {
                    Some(ends) if ends.at <= now => standing.admitted = None,
                    Some(ends) if ends.renew_at <= now => {
                        if self.may_renew(&mut standing, now) {
                            self.login(&mut standing, upstream, deadline);
                        }
                        return Ok(admitted);
                    }
                    _ => return Ok(admitted),
                }
            }
            if self.is_still_rejected(&mut standing, now) {
                return Err(Error::CredentialsRejected);
            }
            self.login(&mut standing, upstream, deadline)
        };
        wait_for(login).await
    }

    /// ChatHub has refused this. Says whether another try is worth it: a token can have been revoked, and a key corrected in its
    /// file; what was `just_made` is as good as it gets.
    pub(super) fn refused(&self, refused: &Arc<Admitted>, just_made: bool) -> bool {
        let is_corrected = || self.shown() != refused.shown;
        let is_worth_it = !just_made && (!self.is_by_key() || is_corrected());
        let mut standing = self.standing();
        let is_current = standing
            .admitted
            .as_ref()
            .is_some_and(|admitted| Arc::ptr_eq(admitted, refused));
        if is_current {
            standing.admitted = None;
            if !is_worth_it {
                standing.reject(refused.shown.clone(), Instant::now());
            }
        }
        is_worth_it
    }

    /// Joins the login that is on its way, or starts one.
    fn login(
        self: &Arc<Self>,
        standing: &mut Standing,
        upstream: &Arc<Upstream>,
        deadline: Deadline,
    ) -> Flight<Admission> {
        if let Some(login) = standing.login.as_ref().filter(|login| !login.is_lost()) {
            return login.clone();
        }
        let (session, upstream) = (Arc::clone(self), Arc::clone(upstream));
        let login = Flight::start(&Handle::current(), async move {
            let admission = session.log_in(&upstream, deadline).await;
            let mut standing = session.standing();
            standing.login = None;
            match &admission {
                Ok(admitted) => standing.admitted = Some(Arc::clone(admitted)),
                Err(_) => standing.renew_after = Some(Instant::now() + RENEW_AGAIN),
            }
            drop(standing);
            admission
        });
        standing.login.insert(login).clone()
    }

    async fn log_in(&self, upstream: &Upstream, deadline: Deadline) -> Admission {
        let shown = self.shown();
        let made = match &shown {
            None => Err(Error::CredentialsRejected),
            Some(Shown::ProfileKey(key)) => Ok((Authorization::ProfileKey(key.clone()), None)),
            Some(Shown::Login { login, password }) => {
                get_token(upstream, login, password, deadline)
                    .await
                    .map(|token| {
                        let ends = ends(&token, upstream.clock_skew());
                        (Authorization::Bearer(token), ends)
                    })
            }
        };
        match made {
            Ok((authorization, ends)) => Ok(Arc::new(Admitted {
                made: Instant::now(),
                authorization,
                shown,
                ends,
            })),
            Err(error) => {
                if error == Error::CredentialsRejected {
                    self.standing().reject(shown, Instant::now());
                }
                Err(error)
            }
        }
    }

    /// Whether a token that is about to end may be renewed at this moment. It still opens calls, so credentials that were refused can wait
    /// here as anywhere.
    fn may_renew(&self, standing: &mut Standing, now: Instant) -> bool {
        standing.renew_after.is_none_or(|after| after <= now)
            && !self.is_still_rejected(standing, now)
    }

    /// Whether refused credentials are to be left alone: they are the same, and their time is not over.
    fn is_still_rejected(&self, standing: &mut Standing, now: Instant) -> bool {
        let Some(rejected) = &mut standing.rejected else {
            return false;
        };
        if rejected.until <= now {
            return false;
        }
        if rejected.look_at > now {
            return true;
        }
        rejected.look_at = now + LOOK_AGAIN;
        let is_same = rejected.shown == self.shown();
        if !is_same {
            standing.rejected = None;
        }
        is_same
    }

    /// A call has succeeded, so what opened it was made with the right credentials. Later ones may be wrong all the same: a password that was
    /// changed ends no token.
    pub(super) fn proven(&self, admitted: &Admitted) {
        let mut standing = self.standing();
        if standing
            .rejected
            .as_ref()
            .is_some_and(|rejected| rejected.at < admitted.made)
        {
            standing.rejected = None;
        }
    }

    /// What the credentials say now, or said last.
    fn shown(&self) -> Option<Shown> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = self.credentials.show() {
            *last = Some(shown);
        }
        last.clone()
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    fn reject(&mut self, shown: Option<Shown>, now: Instant) {
        let times = self.rejected.as_ref().map_or(0, |rejected| rejected.times);
        self.rejected = Some(Rejected {
            shown,
            at: now,
            times: times + 1,
            until: now + REJECTED_WAITS[times.min(REJECTED_WAITS.len() - 1)],
            look_at: now + LOOK_AGAIN,
        });
    }
}

async fn wait_for(mut login: Flight<Admission>) -> Admission {
    login
        .landing()
        .await
        .unwrap_or(Err(Error::Unavailable(Unreachable::Broken)))
}

async fn get_token(
    upstream: &Upstream,
    login: &Secret,
    password: &Secret,
    deadline: Deadline,
) -> Result<Secret, Error> {
    let call = Call::new(Endpoint::CompanyToken)
        .json(&json!({"login": login.expose(), "password": password.expose()}));
    upstream
        .call(&call, &Authorization::None, deadline, answer::token)
        .await
        .map_err(|error| match error {
            // Web servers that have no such page, or only pages to look at.
            Error::NotFound | Error::InvalidRequest { status: 405 } => {
                Error::BadAnswer(BadAnswer::NoChatHub)
            }
            // Whether a wrong login answers 400 or 401 is not documented.
            Error::InvalidRequest { .. } | Error::NotPermitted => Error::CredentialsRejected,
            other => other,
        })
}

/// A token that tells its end is renewed when a tenth of its life is left.
fn ends(token: &Secret, skew: TimeDelta) -> Option<Ends> {
    let left = (answer::expiry(token)? - (Utc::now() + skew))
        .to_std()
        .ok()?;
    let now = Instant::now();
    Some(Ends {
        renew_at: now + left.mul_f64(0.9),
        at: now.checked_add(left)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_credentials_are_left_alone_for_1_5_and_15_minutes() {
        let credentials = Credentials::ProfileKey(Secret::new("key").into());
        let session = Session::new(credentials.clone());
        let mut standing = Standing::default();
        let mut now = Instant::now();
        for minutes in [1, 5, 15, 15] {
            standing.reject(credentials.show(), now);
            let wait = Duration::from_mins(minutes);
            assert!(session.is_still_rejected(&mut standing, now + wait.mul_f64(0.99)));
            now += wait;
            assert!(!session.is_still_rejected(&mut standing, now), "{minutes}");
        }
    }

    /// A password that was changed in ChatHub alone: the old token opens calls for an hour yet, and none of them makes another login due.
    #[test]
    fn a_token_that_still_opens_calls_does_not_excuse_wrong_credentials() {
        let credentials = Credentials::ProfileKey(Secret::new("key").into());
        let session = Session::new(credentials.clone());
        let admitted = |made| Admitted {
            authorization: Authorization::None,
            made,
            shown: credentials.show(),
            ends: None,
        };
        let hours_ago = Instant::now();
        let now = hours_ago + Duration::from_hours(11);
        session.standing().reject(credentials.show(), now);
        session.proven(&admitted(hours_ago));
        let may_renew = |seconds| {
            let later = now + Duration::from_secs(seconds);
            session.may_renew(&mut session.standing(), later)
        };
        assert!(!may_renew(11) && may_renew(61));
        session.proven(&admitted(now + Duration::from_secs(61)));
        assert!(session.standing().rejected.is_none());
        session.standing().renew_after = Some(now + RENEW_AGAIN);
        assert!(!may_renew(9) && may_renew(10));
    }
}
