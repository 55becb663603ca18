//! One-time passes in Redis: which have been used, and by which click.
//!
//! Each click writes a value of its own, and only that value is ever deleted again, so that nobody
//! gives back what another click has used up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::ConnectionManager;
use redis::{RedisResult, Script};

/// Says whether the key is this click's, after having made it so where it was nobody's. A click
/// that has got no answer may ask again.
const USE_UP: &str = r"
local by = redis.call('GET', KEYS[1])
if by then return by == ARGV[1] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
";

/// Deletes the key, if it is this click's.
const GIVE_BACK: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
";

/// Passes that wait to be given back, at most.
const MOST_WAITING: usize = 10_000;

/// So often one is looked for that was not there: what was sent over a connection that has been
/// given up may be carried out after what was sent over the next one.
const LOOKS: u8 = 3;

/// One that could not be given back for so long is left alone. Most passes have ended by then.
const GIVE_UP: Duration = Duration::from_hours(1);

/// The scripts, and what they could not do yet.
pub(super) struct OneTimeUse {
    consume: Script,
    release: Script,
    waiting: Mutex<Vec<GiveBack>>,
}

/// A pass that a click may have used up for nothing.
pub(super) struct GiveBack {
    id: String,
    by: String,
    since: Instant,
    looks: u8,
}

impl GiveBack {
    pub(super) fn new(id: String, by: String) -> Self {
        Self {
            id,
            by,
            since: Instant::now(),
            looks: 0,
        }
    }
}

impl OneTimeUse {
    pub(super) fn new() -> Self {
        Self {
            consume: Script::new(USE_UP),
            release: Script::new(GIVE_BACK),
            waiting: Mutex::default(),
        }
    }

    /// Whether any click has used `id` up.
    pub(super) async fn is_used(
        &self,
        id: &str,
        mut connection: ConnectionManager,
    ) -> RedisResult<bool> {
        let mut command = redis::cmd("GET");
        command.arg(key(id));
        let by: Option<String> = command.query_async(&mut connection).await?;
        Ok(by.is_some())
    }

    /// Whether `by` has used `id` up, which is remembered for `ttl`.
    pub(super) async fn consume(
        &self,
        id: &str,
        by: &str,
        ttl: Duration,
        mut connection: ConnectionManager,
    ) -> RedisResult<bool> {
        let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut call = self.consume.prepare_invoke();
        call.key(key(id)).arg(by).arg(milliseconds);
        call.invoke_async(&mut connection).await
    }

    /// Gives a pass back. Says whether it was there.
    pub(super) async fn release(
        &self,
        pass: &GiveBack,
        mut connection: ConnectionManager,
    ) -> RedisResult<bool> {
        let mut call = self.release.prepare_invoke();
        call.key(key(&pass.id)).arg(&pass.by);
        call.invoke_async(&mut connection).await
    }

    /// Keeps a pass that could not be given back for another time, unless that is hopeless.
    pub(super) fn wait(&self, mut pass: GiveBack, has_answered: bool) {
        pass.looks += u8::from(has_answered);
        let mut waiting = self.waiting();
        if pass.looks < LOOKS && pass.since.elapsed() < GIVE_UP && waiting.len() < MOST_WAITING {
            waiting.push(pass);
        }
    }

    /// Those that wait.
    pub(super) fn take_waiting(&self) -> Vec<GiveBack> {
        std::mem::take(&mut *self.waiting())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<GiveBack>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(id: &str) -> String {
    super::key("once", id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_given_back_waits_and_not_for_ever() {
        let once = OneTimeUse::new();
        let pass = || GiveBack::new("id".into(), "by".into());
        once.wait(pass(), true);
        once.wait(pass(), false);
        let waiting = once.take_waiting();
        assert_eq!(waiting.len(), 2);
        assert!(once.take_waiting().is_empty());
        for pass in waiting {
            once.wait(pass, true);
        }
        for pass in once.take_waiting() {
            once.wait(pass, true);
        }
        assert_eq!(once.take_waiting().len(), 1, "one was looked for 3 times");
        for _ in 0..=MOST_WAITING {
            once.wait(pass(), false);
        }
        assert_eq!(once.take_waiting().len(), MOST_WAITING);
    }
}
