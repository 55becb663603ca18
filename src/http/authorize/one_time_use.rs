//! One-time passes: checks whether one was used, uses it up, and releases it where that led to no
//! chat.
//!
//! This replica remembers those that it has let through, and all replicas agree on them where they
//! share a store. While the store does not answer no such pass is taken, because another replica
//! may have taken it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::reject;
use chrono::{DateTime, Utc};

use crate::access::OneTimeUse;
use crate::http::problem::{Detail, Kind, Problem, RETRY_SOON};
use crate::http::state::AppState;
use crate::redis_store::Unavailable;

/// How long a click waits for the store in all. Other clicks do not wait for it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// What is known of a one-time pass, if the request has one, before it is used up.
#[derive(Clone, Copy)]
pub(crate) struct Checked<'a> {
    once: Option<&'a OneTimeUse>,
    /// It is known to be unused, or is no one-time pass.
    pub(crate) is_unused: bool,
    /// Set where the store did not answer: until when it may be waited for in all.
    until: Option<Instant>,
}

/// Rejects a pass that was already used. It is used up later, when nothing else can go wrong; but a
/// caller with a used one is not let in, and must not count for the operator. Nor must a caller
/// whose pass may have been used.
pub(crate) async fn check<'a>(
    once: Option<&'a OneTimeUse>,
    client: IpAddr,
    state: &AppState,
) -> Result<Checked<'a>, Problem> {
    let unused = Checked {
        once,
        is_unused: true,
        until: None,
    };
    let Some(once) = once else {
        return Ok(unused);
    };
    let until = Instant::now() + TIMEOUT;
    let is_used = match &state.redis {
        _ if state.authenticator.is_used(once) => Ok(true),
        None => Ok(false),
        Some(redis) => redis.is_used(&once.fingerprint(), until).await,
    };
    match is_used {
        Ok(true) => Err(used(once, client, state).await),
        Ok(false) => Ok(unused),
        Err(Unavailable) => Ok(Checked {
            once: Some(once),
            is_unused: false,
            until: Some(until),
        }),
    }
}

/// Uses it up, if this is the first use. Waits for the store until the `deadline` at most.
pub(crate) async fn consume<'a>(
    checked: Checked<'a>,
    client: IpAddr,
    deadline: Instant,
    state: &'a AppState,
) -> Result<InUse<'a>, Problem> {
    let mut in_use = InUse {
        once: None,
        is_shared: false,
        by: 0,
        state,
    };
    let Some(once) = checked.once else {
        return Ok(in_use);
    };
    in_use.by = new_use();
    if state.authenticator.consume(once, in_use.by).is_err() {
        return Err(used(once, client, state).await);
    }
    // From now on it is released however this ends: refused, failed, or dropped because the caller
    // goes away while the store is asked.
    in_use.once = Some(once);
    let Some(redis) = &state.redis else {
        return Ok(in_use);
    };
    in_use.is_shared = true;
    let until = checked.until.unwrap_or_else(|| Instant::now() + TIMEOUT);
    let (id, by) = (once.fingerprint(), in_use.by());
    let consume = redis.consume(&id, &by, once.ttl(), until.min(deadline));
    match consume.await {
        Ok(true) => Ok(in_use),
        Ok(false) => {
            // Another click has it, perhaps to release it; nothing of ours is in the store.
            in_use.is_shared = false;
            drop(in_use);
            Err(used(once, client, state).await)
        }
        Err(Unavailable) => Err(unknown()),
    }
}

/// A one-time pass, if the request has one, that is used up for something that may still fail.
/// Dropped, it is good again: the caller has gone away before there was a token.
pub(crate) struct InUse<'a> {
    once: Option<&'a OneTimeUse>,
    /// The store may know it as used by this click.
    is_shared: bool,
    by: u128,
    state: &'a AppState,
}

impl InUse<'_> {
    /// Keeps it used: it has opened what it is for.
    pub(crate) fn keep(mut self) {
        self.once = None;
    }

    /// Makes it good again: ChatHub had no token, and trying again should open the chat.
    pub(crate) async fn release(mut self) {
        if let (Some(once), Some(redis)) = (self.once, &self.state.redis) {
            self.once = None;
            self.state.authenticator.release(once, self.by);
            Arc::clone(redis)
                .release(once.fingerprint(), self.by())
                .await;
        }
    }

    /// What the store knows this click by.
    fn by(&self) -> String {
        format!("{:032x}", self.by)
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let Some(once) = self.once else { return };
        self.state.authenticator.release(once, self.by);
        if let Some(redis) = self.state.redis.as_ref().filter(|_| self.is_shared) {
            Arc::clone(redis).release_in_background(once.fingerprint(), self.by());
        }
    }
}

/// A number for one use: the time, in seconds since 1970, and 64 random bits.
fn new_use() -> u128 {
    let now = u64::try_from(Utc::now().timestamp()).unwrap_or_default();
    u128::from(now) << 64 | u128::from(fastrand::u64(..))
}

/// The time of the use that has this number.
pub(super) fn moment(by: u128) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(by >> 64).ok()?, 0)
}

async fn used(once: &OneTimeUse, client: IpAddr, state: &AppState) -> Problem {
    reject(once.denied(), client, state).await
}

fn unknown() -> Problem {
    Problem::new(Kind::Overloaded, Detail::OnceUnknown).retry_after(RETRY_SOON)
}
