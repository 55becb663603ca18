//! The company token: what opens calls.
//!
//! Owns the credentials and what they were last exchanged for. One login serves all callers. A
//! profile key needs no exchange. Credentials are refused where a login is, or a call that shows a
//! profile key; a token that is refused is replaced by another login, because a revocation, its end
//! or another replica's login may have ended it. How long refused credentials rest is
//! `rejection`'s, what else a login waits for `login_pause`'s.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::time::{Instant as Deadline, sleep_until, timeout_at};

use super::credentials::{Credentials, Shown};
use super::error::{Error, Unreachable};
use super::login::{Ends, ends, get_token};
use super::login_pause::LoginPause;
use super::rejection::Rejection;
use super::transport::Authorization;
use super::upstream::Upstream;
use crate::single_flight::SingleFlight;

/// Between two tries to renew a token that still opens calls.
const RENEW_AGAIN: Duration = Duration::from_secs(10);

/// A call is made so many times more, each after another login, where its token is refused.
const NEW_TOKENS: usize = 2;

/// The company's standing with ChatHub.
#[derive(Debug)]
pub(super) struct Session {
    credentials: Credentials,
    /// How long a login may take, whoever waits for it.
    login_budget: Duration,
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
    /// When to get the next one while this one still opens calls, and when it ends; unknown for
    /// most tokens.
    ends: Option<Ends>,
}

#[derive(Debug, Default)]
struct Standing {
    admitted: Option<Arc<Admitted>>,
    login: Option<SingleFlight<Admission>>,
    rejection: Rejection,
    pause: LoginPause,
    /// A token that is about to end could not be renewed: not to be tried again before.
    renew_after: Option<Instant>,
}

impl Session {
    pub(super) fn new(credentials: Credentials, login_budget: Duration) -> Self {
        Self {
            credentials,
            login_budget,
            last: Mutex::default(),
            standing: Mutex::default(),
        }
    }

    pub(super) const fn is_by_key(&self) -> bool {
        matches!(self.credentials, Credentials::ProfileKey(_))
    }

    /// What opens the next call, waited for until `deadline`. Logs in where that has not been done
    /// yet; callers who come meanwhile wait for that one login, and it goes on when they leave.
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
                            self.login(&mut standing, upstream);
                        }
                        return Ok(admitted);
                    }
                    _ => return Ok(admitted),
                }
            }
            if standing.rejection.holds(now, || self.shown()) {
                return Err(Error::CredentialsRejected);
            }
            if let Some(why) = standing.pause.refuses(deadline.into_std()) {
                return Err(why);
            }
            self.login(&mut standing, upstream)
        };
        timeout_at(deadline, wait_for(login))
            .await
            .unwrap_or(Err(Error::TimedOut))
    }

    /// ChatHub has refused this, for the same call as `refusals` others before it. Says whether
    /// another try is worth it: a token can be replaced, a key only where its file was corrected.
    pub(super) fn refused(&self, refused: &Arc<Admitted>, refusals: usize) -> bool {
        let is_key = self.is_by_key();
        let is_worth_it = if is_key {
            refusals == 0 && self.shown() != refused.shown
        } else {
            refusals < NEW_TOKENS
        };
        let now = Instant::now();
        let mut standing = self.standing();
        let is_current = standing
            .admitted
            .as_ref()
            .is_some_and(|admitted| Arc::ptr_eq(admitted, refused));
        if is_current {
            standing.admitted = None;
            if !is_key {
                let jitter = fastrand::f64();
                standing.pause.token_refused(refused.made, now, jitter);
            } else if !is_worth_it {
                standing.rejection.record(refused.shown.clone(), now);
            }
        }
        is_worth_it
    }

    /// A call has succeeded, so what opened it was made with the right credentials.
    pub(super) fn proven(&self, admitted: &Admitted) {
        self.standing().rejection.disprove(admitted.made);
    }

    /// Joins the login that is on its way, or starts one.
    fn login(
        self: &Arc<Self>,
        standing: &mut Standing,
        upstream: &Arc<Upstream>,
    ) -> SingleFlight<Admission> {
        if let Some(login) = standing.login.as_ref().filter(|login| !login.is_lost()) {
            return login.clone();
        }
        let (session, upstream) = (Arc::clone(self), Arc::clone(upstream));
        let not_before = standing.pause.until();
        let login = SingleFlight::start(&Handle::current(), async move {
            if let Some(not_before) = not_before {
                sleep_until(not_before.into()).await;
            }
            let admission = session.log_in(&upstream).await;
            session.standing().logged_in(&admission);
            admission
        });
        standing.login.insert(login).clone()
    }

    async fn log_in(&self, upstream: &Upstream) -> Admission {
        let shown = self.shown();
        let deadline = Deadline::now() + self.login_budget;
        let made = match &shown {
            None => Err(Error::CredentialsRejected),
            Some(Shown::ProfileKey(key)) => Ok((Authorization::ProfileKey(key.clone()), None)),
            Some(Shown::Login { login, password }) => {
                get_token(upstream, login, password, deadline)
                    .await
                    .map(|token| {
                        let ends = ends(&token, upstream.clock.now());
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
                    self.standing().rejection.record(shown, Instant::now());
                }
                Err(error)
            }
        }
    }

    /// Whether a token that is about to end may be renewed at this moment. It still opens calls, so
    /// whatever makes a login wait can be waited for.
    fn may_renew(&self, standing: &mut Standing, now: Instant) -> bool {
        standing.renew_after.is_none_or(|after| after <= now)
            && standing.pause.until().is_none_or(|until| until <= now)
            && !standing.rejection.holds(now, || self.shown())
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
    fn logged_in(&mut self, admission: &Admission) {
        let now = Instant::now();
        self.login = None;
        match admission {
            Ok(admitted) => {
                self.admitted = Some(Arc::clone(admitted));
                self.pause.accepted();
            }
            Err(error) => {
                self.renew_after = Some(now + RENEW_AGAIN);
                self.pause.failed(error, now);
            }
        }
    }
}

async fn wait_for(mut login: SingleFlight<Admission>) -> Admission {
    login
        .wait()
        .await
        .unwrap_or(Err(Error::Unavailable(Unreachable::Broken)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_failed_renewal_is_tried_again_after_ten_seconds() {
        let credentials = Credentials::ProfileKey(Secret::new("canary-key").into());
        let session = Session::new(credentials, Duration::from_secs(5));
        let mut standing = Standing::default();
        let now = Instant::now();
        assert!(session.may_renew(&mut standing, now));
        standing.renew_after = Some(now + RENEW_AGAIN);
        let later = |seconds| now + Duration::from_secs(seconds);
        assert!(!session.may_renew(&mut standing, later(9)));
        assert!(session.may_renew(&mut standing, later(10)));
        standing.pause.token_refused(later(10), later(10), 0.5);
        assert!(!session.may_renew(&mut standing, later(11)));
        assert!(session.may_renew(&mut standing, later(12)));
        standing.rejection.record(session.shown(), later(12));
        assert!(!session.may_renew(&mut standing, later(71)));
        assert!(session.may_renew(&mut standing, later(72)));
    }
}
