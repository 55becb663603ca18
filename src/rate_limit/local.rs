//! Counts in this process's memory, by governor: bounded, and swept.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota as GovernorQuota, RateLimiter};

use super::Quota;

/// Keys that are counted one by one, at most: some 70 bytes each. Those of the second that it takes to notice come on top.
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
            hasher,
        }
    }

    /// Counts one; the error is how long until another is let through.
    pub(super) fn count(&self, key: u64) -> Result<(), Duration> {
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
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        let keys = self.limiter.len();
        self.is_full.store(keys > MOST_KEYS, Ordering::Relaxed);
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while left > 0 && std::time::Instant::now() < deadline {
            left = local.sweep();
        }
        assert_eq!(left, 0);
    }
}
