//! The session: the company token that opens calls, and when it is renewed.
//!
//! Owns the credentials and the token they were last exchanged for. One login serves all callers; a
//! profile key needs no exchange. A refused token is replaced by another login, because a
//! revocation, its expiry or another replica's login may have ended it. `rejection` decides how
//! long rejected credentials are not tried again, `login_pause` what else delays a login.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tokio::time::{Instant as Deadline, sleep_until, timeout_at};
use tracing::Instrument as _;

use crate::credentials::{CredentialSource, Credentials};
use crate::error::{Error, ErrorKind, Unreachable};
use crate::login::{Ends, ends, get_token};
use crate::login_pause::LoginPause;
use crate::rejection::Rejection;
use crate::transport::Authorization;
use crate::upstream::Upstream;

/// Between two attempts to renew a token that still opens calls.
const RENEW_AGAIN: Duration = Duration::from_secs(10);

/// A call whose token is refused is repeated so many times, each time after another login.
const NEW_TOKENS: usize = 2;

/// The company's session with ChatHub.
#[derive(Debug)]
pub(crate) struct Session {
    source: Arc<dyn CredentialSource>,
    /// How long a login may take, regardless of its callers' deadlines.
    login_budget: Duration,
    /// The source's last answer, in use while the source has none.
    last: Mutex<Option<Credentials>>,
    state: Mutex<SessionState>,
}

type AuthResult = Result<Arc<AuthGrant>, Error>;

/// A login that is under way, for any number of callers. It runs in a task of its own, so it goes
/// on when the caller that started it leaves.
type Login = Shared<Pin<Box<dyn Future<Output = AuthResult> + Send>>>;

/// What opens calls, and until when.
#[derive(Debug)]
pub(crate) struct AuthGrant {
    pub(crate) authorization: Authorization,
    granted_at: Instant,
    /// The credentials that it was granted for.
    credentials: Option<Credentials>,
    /// When to renew it while it still opens calls, and when it expires; unknown for most tokens.
    ends: Option<Ends>,
}

#[derive(Debug, Default)]
struct SessionState {
    grant: Option<Arc<AuthGrant>>,
    login: Option<Login>,
    rejection: Rejection,
    pause: LoginPause,
    /// After a failed renewal: no other attempt before this.
    renew_after: Option<Instant>,
}

impl Session {
    pub(crate) fn new(source: Arc<dyn CredentialSource>, login_budget: Duration) -> Self {
        Self {
            source,
            login_budget,
            last: Mutex::default(),
            state: Mutex::default(),
        }
    }

    pub(crate) fn uses_profile_key(&self) -> bool {
        matches!(self.credentials(), Some(Credentials::ProfileKey(_)))
    }

    /// What opens the next call, waited for until `deadline`. Logs in where there is no valid token
    /// yet; concurrent callers share one login.
    pub(crate) async fn authorize(
        self: &Arc<Self>,
        upstream: &Arc<Upstream>,
        deadline: Deadline,
    ) -> AuthResult {
        let login = {
            let mut state = self.state();
            let now = Instant::now();
            if let Some(grant) = state.grant.clone() {
                match grant.ends {
                    Some(ends) if ends.at <= now => state.grant = None,
                    Some(ends) if ends.renew_at <= now => {
                        if self.may_renew(&mut state, now) {
                            drop(self.login(&mut state, upstream));
                        }
                        return Ok(grant);
                    }
                    _ => return Ok(grant),
                }
            }
            if state.rejection.holds(now, || self.credentials()) {
                return Err(ErrorKind::CredentialsRejected.into());
            }
            if let Some(error) = state.pause.refuses(deadline.into_std()) {
                return Err(error.into());
            }
            self.login(&mut state, upstream)
        };
        timeout_at(deadline, login)
            .await
            .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }

    /// Records that ChatHub has refused this grant, for the same call as `refusals` others before
    /// it. Returns whether another attempt is worth it: a token can be replaced, a profile key only
    /// where its source has a new one.
    pub(crate) fn refused(&self, refused: &Arc<AuthGrant>, refusals: usize) -> bool {
        let is_key = self.uses_profile_key();
        let is_worth_it = if is_key {
            refusals == 0 && self.credentials() != refused.credentials
        } else {
            refusals < NEW_TOKENS
        };
        let now = Instant::now();
        let mut state = self.state();
        let is_current = state
            .grant
            .as_ref()
            .is_some_and(|grant| Arc::ptr_eq(grant, refused));
        if is_current {
            state.grant = None;
            if !is_key {
                let jitter = fastrand::f64();
                state.pause.token_refused(refused.granted_at, now, jitter);
            } else if !is_worth_it {
                state.rejection.record(refused.credentials.clone(), now);
            }
        }
        is_worth_it
    }

    /// Records that a call has succeeded with this grant, so its credentials were right.
    pub(crate) fn verified(&self, grant: &AuthGrant) {
        self.state().rejection.disprove(grant.granted_at);
    }

    /// Joins the login that is under way, or starts one.
    fn login(self: &Arc<Self>, state: &mut SessionState, upstream: &Arc<Upstream>) -> Login {
        // A login that ends takes itself out of the state. One that has ended and is still there
        // has panicked.
        if let Some(login) = state.login.as_ref().filter(|login| login.peek().is_none()) {
            return login.clone();
        }
        let (session, upstream) = (Arc::clone(self), Arc::clone(upstream));
        let not_before = state.pause.until();
        let task = async move {
            if let Some(not_before) = not_before {
                sleep_until(not_before.into()).await;
            }
            let result = session.log_in(&upstream).await;
            session.state().logged_in(&result);
            result
        };
        let login = tokio::spawn(task.in_current_span())
            .map(|ended| {
                ended.unwrap_or_else(|_| Err(ErrorKind::Unavailable(Unreachable::Broken).into()))
            })
            .boxed()
            .shared();
        state.login.insert(login).clone()
    }

    async fn log_in(&self, upstream: &Upstream) -> AuthResult {
        let credentials = self.credentials();
        let deadline = Deadline::now() + self.login_budget;
        let granted = match &credentials {
            None => Err(ErrorKind::CredentialsRejected.into()),
            Some(Credentials::ProfileKey(key)) => {
                Ok((Authorization::ProfileKey(key.clone()), None))
            }
            Some(Credentials::Login { login, password }) => {
                get_token(upstream, login, password, deadline)
                    .await
                    .map(|token| {
                        let ends = ends(&token, upstream.clock.now());
                        (Authorization::Bearer(token), ends)
                    })
            }
        };
        match granted {
            Ok((authorization, ends)) => Ok(Arc::new(AuthGrant {
                granted_at: Instant::now(),
                authorization,
                credentials,
                ends,
            })),
            Err(error) => {
                if *error.kind() == ErrorKind::CredentialsRejected {
                    self.state().rejection.record(credentials, Instant::now());
                }
                Err(error)
            }
        }
    }

    /// Whether a token that is about to expire may be renewed now. It still opens calls, so the
    /// renewal can wait for anything that delays a login.
    fn may_renew(&self, state: &mut SessionState, now: Instant) -> bool {
        state.renew_after.is_none_or(|after| after <= now)
            && state.pause.until().is_none_or(|until| until <= now)
            && !state.rejection.holds(now, || self.credentials())
    }

    /// The credentials now, or the last ones that the source had.
    fn credentials(&self) -> Option<Credentials> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = self.source.current() {
            *last = Some(current);
        }
        last.clone()
    }

    fn state(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionState {
    fn logged_in(&mut self, result: &AuthResult) {
        let now = Instant::now();
        self.login = None;
        match result {
            Ok(grant) => {
                self.grant = Some(Arc::clone(grant));
                self.pause.accepted();
            }
            Err(error) => {
                self.renew_after = Some(now + RENEW_AGAIN);
                self.pause.failed(error.kind(), now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    #[test]
    fn a_failed_renewal_is_tried_again_after_ten_seconds() {
        let credentials = Credentials::ProfileKey(SecretString::from("canary-key"));
        let session = Session::new(Arc::new(credentials), Duration::from_secs(5));
        let mut state = SessionState::default();
        let now = Instant::now();
        assert!(session.may_renew(&mut state, now));
        state.renew_after = Some(now + RENEW_AGAIN);
        let later = |seconds| now + Duration::from_secs(seconds);
        assert!(!session.may_renew(&mut state, later(9)));
        assert!(session.may_renew(&mut state, later(10)));
        state.pause.token_refused(later(10), later(10), 0.5);
        assert!(!session.may_renew(&mut state, later(11)));
        assert!(session.may_renew(&mut state, later(12)));
        state.rejection.record(session.credentials(), later(12));
        assert!(!session.may_renew(&mut state, later(71)));
        assert!(session.may_renew(&mut state, later(72)));
    }
}
