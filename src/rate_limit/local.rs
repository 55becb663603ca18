//! Counts in this process's memory, by governor: bounded, and swept.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota as GovernorQuota, RateLimiter};

use super::Quota;

/// Keys that are counted one by one, at most: some 70 bytes each. Those of the second that it takes
/// to notice come on top.
const MOST_KEYS: usize = 100_000;

/// Beyond, all keys share this many places, so that a flood of them costs no more memory.
const SHARED_PLACES: u64 = 1 << 16;

/// Whether it is one of the shared places, and which key or place.
type Key = (bool, u64);

type Limiter = RateLimiter<Key, DashMapStateStore<Key, RandomState>, DefaultClock>;

/// A limit's counts.
pub(super) struct Local {
    limiter: Limiter,
    clock: DefaultClock,
    is_full: AtomicBool,
    over: Over,
    /// Seeded anew at each start, so that nobody can aim at another's place.
    hasher: RandomState,
}

impl Local {
    pub(super) fn new(quota: Quota) -> Self {
        // A period divided by a count is zero only for more than a thousand million a second.
        let quota = GovernorQuota::with_period(quota.period / quota.count.get())
            .unwrap_or_else(|| GovernorQuota::per_second(quota.count))
            .allow_burst(quota.count);
        let hasher = RandomState::default();
        Self {
            limiter: RateLimiter::dashmap_with_hasher(quota, hasher.clone()),
            clock: DefaultClock::default(),
            is_full: AtomicBool::new(false),
            over: Over::default(),
            hasher,
        }
    }

    /// Counts nothing; the error is how long a key that was refused a moment ago is still over the
    /// limit.
    pub(super) fn look(&self, key: u64) -> Result<(), Duration> {
        self.over.look(key)
    }

    /// Counts one; the error is how long until another is let through.
    pub(super) fn count(&self, key: u64) -> Result<(), Duration> {
        self.check(key)
            .inspect_err(|wait| self.over.remember(key, *wait))
    }

    fn check(&self, key: u64) -> Result<(), Duration> {
        let is_full = self.is_full.load(Ordering::Relaxed);
        let key = if is_full {
            self.hasher.hash_one(key) % SHARED_PLACES
        } else {
            key
        };
        self.limiter
            .check_key(&(is_full, key))
            .map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Forgets keys that are as good as new; how many are left.
    pub(super) fn sweep(&self) -> usize {
        self.over.sweep();
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        let keys = self.limiter.len();
        self.is_full.store(keys > MOST_KEYS, Ordering::Relaxed);
        keys
    }
}

/// Who was refused a moment ago, and until when: governor counts whoever it looks at.
#[derive(Default)]
struct Over {
    until: Mutex<HashMap<u64, Instant>>,
    /// Most of the time there is nobody, and no lock is needed to know that.
    is_anybody: AtomicBool,
}

impl Over {
    fn look(&self, key: u64) -> Result<(), Duration> {
        if !self.is_anybody.load(Ordering::Relaxed) {
            return Ok(());
        }
        let until = self.until().get(&key).copied();
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        left.filter(|left| !left.is_zero()).map_or(Ok(()), Err)
    }

    /// Beyond a bound nobody more is remembered, so that a flood of keys costs no more memory.
    fn remember(&self, key: u64, wait: Duration) {
        let mut until = self.until();
        if until.len() < MOST_KEYS {
            until.insert(key, Instant::now() + wait);
            self.is_anybody.store(true, Ordering::Relaxed);
        }
    }

    fn sweep(&self) {
        let mut until = self.until();
        let now = Instant::now();
        until.retain(|_, until| *until > now);
        self.is_anybody.store(!until.is_empty(), Ordering::Relaxed);
    }

    fn until(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_refused_a_moment_ago_is_looked_at_without_being_counted() {
        let local = Local::new(Quota::parse("2/h").unwrap());
        assert_eq!([local.look(1), local.count(1), local.look(1)], [Ok(()); 3]);
        local.count(1).unwrap();
        assert_eq!(local.look(1), Ok(()), "it has not been refused yet");
        local.count(1).unwrap_err();
        local.sweep();
        let wait = local.look(1).unwrap_err();
        assert!((Duration::from_mins(29)..=Duration::from_mins(30)).contains(&wait));
        assert_eq!(local.look(2), Ok(()));

        let over = Over::default();
        over.remember(1, Duration::ZERO);
        assert_eq!(over.look(1), Ok(()), "it is over no more");
        over.sweep();
        assert!(over.until().is_empty() && !over.is_anybody.load(Ordering::Relaxed));
    }

    #[test]
    fn a_quota_at_once_and_then_one_by_one() {
        let local = Local::new(Quota::parse("3/h").unwrap());
        for _ in 0..3 {
            assert_eq!(local.count(1), Ok(()));
        }
        let wait = local.count(1).unwrap_err();
        assert!(
            (Duration::from_mins(19)..=Duration::from_mins(20)).contains(&wait),
            "{wait:?}"
        );
        assert_eq!(local.count(2), Ok(()), "each key for itself");
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_still_limited() {
        let local = Local::new(Quota::parse("1/h").unwrap());
        for key in 1..=MOST_KEYS as u64 {
            local.count(key).unwrap();
        }
        assert_eq!(local.sweep(), MOST_KEYS);
        assert!(!local.is_full.load(Ordering::Relaxed));
        local.count(0).unwrap();
        assert_eq!(local.sweep(), MOST_KEYS + 1);
        let let_through = (1_000_000..2_000_000)
            .filter(|key| local.count(*key).is_ok())
            .count();
        assert!(let_through <= 1 << 16, "{let_through}");
        assert!(local.sweep() <= MOST_KEYS + 1 + (1 << 16));
    }

    #[test]
    fn what_is_as_good_as_new_is_forgotten() {
        let local = Local::new(Quota::parse("1000000/s").unwrap());
        local.count(1).unwrap();
        // A thousandth of a second later nothing is left to remember.
        let mut left = local.sweep();
        let deadline = std::time::Instant::now() + Duration::from_mins(5);
        while left > 0 && std::time::Instant::now() < deadline {
            left = local.sweep();
        }
        assert_eq!(left, 0);
    }
}
