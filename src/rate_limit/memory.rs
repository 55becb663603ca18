//! Rate limits in this process's memory, by governor.

use std::convert::Infallible;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foldhash::fast::RandomState;
use governor::clock::{Clock as _, DefaultClock};
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};
use governor::{Quota as GovernorQuota, RateLimiter};

use super::Quota;

/// The maximum number of keys with a count of their own, some 70 bytes each. Those of the second
/// until the next sweep come on top.
const MAX_KEYS: usize = 100_000;

/// Beyond the maximum all keys share this many counts, so that a flood of keys uses no more memory:
/// governor has no bound.
const SHARED_COUNTS: u64 = 1 << 16;

/// One limit.
pub(super) struct MemoryLimiter {
    limiter: RateLimiter<(Key, Access), PeekableStore, DefaultClock>,
    clock: DefaultClock,
    is_full: AtomicBool,
    /// Seeded anew at each start, so that no client can aim at another's shared count.
    hasher: RandomState,
}

impl MemoryLimiter {
    pub(super) fn new(quota: Quota) -> Self {
        // A period divided by a count is zero only for more than a thousand million a second.
        let quota = GovernorQuota::with_period(quota.period / quota.count.get())
            .unwrap_or_else(|| GovernorQuota::per_second(quota.count))
            .allow_burst(quota.count);
        let hasher = RandomState::default();
        let store = PeekableStore(DashMapStateStore::with_hasher(hasher.clone()));
        let clock = DefaultClock::default();
        Self {
            limiter: RateLimiter::new(quota, store, clock.clone()),
            clock,
            is_full: AtomicBool::new(false),
            hasher,
        }
    }

    /// Whether the next one is accepted. The error is the time to wait.
    pub(super) fn check(&self, key: u64, access: Access) -> Result<(), Duration> {
        let key = if self.is_full.load(Ordering::Relaxed) {
            Key::Shared(self.hasher.hash_one(key) % SHARED_COUNTS)
        } else {
            Key::Own(key)
        };
        self.limiter
            .check_key(&(key, access))
            .map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Evicts keys whose whole quota is available again; returns how many are left.
    pub(super) fn sweep(&self) -> usize {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        let keys = self.limiter.len();
        self.is_full.store(keys > MAX_KEYS, Ordering::Relaxed);
        keys
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Own(u64),
    Shared(u64),
}

/// What a check does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Access {
    /// It counts nothing.
    Peek,
    /// It counts one.
    Count,
}

/// governor's store, with a check that counts nothing, which governor itself does not have.
struct PeekableStore(DashMapStateStore<Key, RandomState>);

impl StateStore for PeekableStore {
    type Key = (Key, Access);

    fn measure_and_replace<T, F, E>(&self, (key, access): &Self::Key, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        match access {
            Access::Count => self.0.measure_and_replace(key, decide),
            Access::Peek => {
                // The store replaces nothing on an error.
                let peek = |state| Err::<(Infallible, Nanos), _>(decide(state));
                let Err(decision) = self.0.measure_and_replace(key, peek);
                decision.map(|(outcome, _)| outcome)
            }
        }
    }
}

impl ShrinkableKeyedStateStore<(Key, Access)> for PeekableStore {
    fn retain_recent(&self, drop_below: Nanos) {
        self.0.retain_recent(drop_below);
    }

    fn shrink_to_fit(&self) {
        self.0.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl MemoryLimiter {
        fn peek(&self, key: u64) -> Result<(), Duration> {
            self.check(key, Access::Peek)
        }

        fn count(&self, key: u64) -> Result<(), Duration> {
            self.check(key, Access::Count)
        }
    }

    #[test]
    fn a_peek_counts_nothing() {
        let limiter = MemoryLimiter::new(Quota::parse("2/h").unwrap());
        let (peek, count) = (|| limiter.peek(1), || limiter.count(1));
        assert_eq!([peek(), peek(), peek()], [Ok(()); 3]);
        assert_eq!([count(), peek(), count()], [Ok(()); 3]);
        let wait = peek().unwrap_err();
        assert!((Duration::from_mins(29)..=Duration::from_mins(30)).contains(&wait));
        limiter.sweep();
        assert!(peek().is_err() && count().is_err());
        assert_eq!(limiter.peek(2), Ok(()), "another key");
        assert_eq!(limiter.sweep(), 1, "a peek leaves no key behind");
    }

    #[test]
    fn a_quota_is_a_burst_and_then_a_rate() {
        let limiter = MemoryLimiter::new(Quota::parse("3/h").unwrap());
        for _ in 0..3 {
            assert_eq!(limiter.count(1), Ok(()));
        }
        let wait = limiter.count(1).unwrap_err();
        assert!(
            (Duration::from_mins(19)..=Duration::from_mins(20)).contains(&wait),
            "{wait:?}"
        );
        assert_eq!(limiter.count(2), Ok(()), "each key has its own count");
    }

    #[test]
    fn a_flood_of_keys_is_bounded_and_still_limited() {
        let limiter = MemoryLimiter::new(Quota::parse("1/h").unwrap());
        for key in 1..=MAX_KEYS as u64 {
            limiter.count(key).unwrap();
        }
        assert_eq!(limiter.sweep(), MAX_KEYS);
        assert!(!limiter.is_full.load(Ordering::Relaxed));
        limiter.count(0).unwrap();
        assert_eq!(limiter.sweep(), MAX_KEYS + 1);
        let accepted = (1_000_000..2_000_000)
            .filter(|key| limiter.count(*key).is_ok())
            .count();
        assert!(accepted <= 1 << 16, "{accepted}");
        assert!(limiter.sweep() <= MAX_KEYS + 1 + (1 << 16));
    }

    #[test]
    fn a_key_with_its_whole_quota_is_evicted() {
        let limiter = MemoryLimiter::new(Quota::parse("1000000/s").unwrap());
        limiter.count(1).unwrap();
        // The quota is whole again after a microsecond.
        let mut left = limiter.sweep();
        let deadline = std::time::Instant::now() + Duration::from_mins(5);
        while left > 0 && std::time::Instant::now() < deadline {
            left = limiter.sweep();
        }
        assert_eq!(left, 0);
    }
}
