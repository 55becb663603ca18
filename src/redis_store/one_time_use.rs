//! One-time passes in Redis: which have been used, and by which click.
//!
//! Each click writes a value of its own and deletes no other, so that it never releases a pass that
//! another click has consumed.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use redis::aio::ConnectionManager;
use redis::{RedisResult, Script};

/// Sets the key for this click if it is not set; returns whether it is this click's. A click that
/// got no answer may repeat it.
const CONSUME_TEXT: &str = r"
local by = redis.call('GET', KEYS[1])
if by then return by == ARGV[1] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
";

static CONSUME: LazyLock<Script> = LazyLock::new(|| Script::new(CONSUME_TEXT));

/// Deletes the key, if it is this click's.
const RELEASE_TEXT: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
";

static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(RELEASE_TEXT));

/// The maximum number of releases that wait for a retry.
const MAX_WAITING: usize = 10_000;

/// The number of releases that may find no key: a command that was sent over an abandoned
/// connection may be executed after one that was sent over the next.
const MAX_ANSWERS: u8 = 3;

/// After this time a release is given up. Most passes have expired by then.
const GIVE_UP: Duration = Duration::from_hours(1);

/// The releases that wait for a retry.
#[derive(Default)]
pub(super) struct Releases(Mutex<Vec<Release>>);

/// A pass that a click may have consumed in vain.
pub(super) struct Release {
    id: String,
    by: String,
    since: Instant,
    answers: u8,
}

/// The click that has consumed `id`, if one has.
pub(super) async fn used_by(
    id: &str,
    mut connection: ConnectionManager,
) -> RedisResult<Option<String>> {
    let mut command = redis::cmd("GET");
    command.arg(key(id));
    command.query_async(&mut connection).await
}

/// Consumes `id` for `by`, unless another click has, and remembers that for `ttl`.
pub(super) async fn consume(
    id: &str,
    by: &str,
    ttl: Duration,
    mut connection: ConnectionManager,
) -> RedisResult<bool> {
    let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
    let mut call = CONSUME.prepare_invoke();
    call.key(key(id)).arg(by).arg(milliseconds);
    call.invoke_async(&mut connection).await
}

impl Release {
    pub(super) fn new(id: String, by: String) -> Self {
        Self {
            id,
            by,
            since: Instant::now(),
            answers: 0,
        }
    }

    /// Releases the pass; returns whether its key was there.
    pub(super) async fn run(&self, mut connection: ConnectionManager) -> RedisResult<bool> {
        let mut call = RELEASE.prepare_invoke();
        call.key(key(&self.id)).arg(&self.by);
        call.invoke_async(&mut connection).await
    }
}

impl Releases {
    /// Keeps a release for a retry, unless that is hopeless.
    pub(super) fn retry_later(&self, mut release: Release, has_answered: bool) {
        release.answers += u8::from(has_answered);
        let mut waiting = self.0.lock();
        if release.answers < MAX_ANSWERS
            && release.since.elapsed() < GIVE_UP
            && waiting.len() < MAX_WAITING
        {
            waiting.push(release);
        }
    }

    /// Takes the releases that wait for a retry.
    pub(super) fn take_waiting(&self) -> Vec<Release> {
        std::mem::take(&mut *self.0.lock())
    }
}

fn key(id: &str) -> String {
    super::key("once", id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_release_is_retried_and_given_up() {
        let uses = Releases::default();
        let release = || Release::new("id".into(), "by".into());
        uses.retry_later(release(), true);
        uses.retry_later(release(), false);
        let waiting = uses.take_waiting();
        assert_eq!(waiting.len(), 2);
        assert!(uses.take_waiting().is_empty());
        for release in waiting {
            uses.retry_later(release, true);
        }
        for release in uses.take_waiting() {
            uses.retry_later(release, true);
        }
        assert_eq!(uses.take_waiting().len(), 1, "the other got 3 answers");
        for _ in 0..=MAX_WAITING {
            uses.retry_later(release(), false);
        }
        assert_eq!(uses.take_waiting().len(), MAX_WAITING);
    }
}
