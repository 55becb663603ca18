//! One-time passes that have been used, remembered until they would have ended by themselves.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;

use super::caller::OnceId;

/// Used passes that are remembered at most, some 150 bytes each. Beyond, the first to go are those
/// that were used longest ago, most of which have ended.
const MOST: u64 = 500_000;

/// The used ones of this replica.
///
/// Everything that decides on a pass happens under the key's own lock. moka's `entry().or_insert()`
/// would not do: it looks, and then inserts.
pub(super) struct UsedPasses(Cache<OnceId, Use>);

/// By whom a pass was used, so that nobody else gives it back, and for how long that is remembered.
#[derive(Clone, Copy)]
struct Use {
    by: u128,
    ttl: Duration,
}

/// Each is forgotten when its pass has ended.
struct WithThePass;

impl Expiry<OnceId, Use> for WithThePass {
    fn expire_after_create(&self, _: &OnceId, used: &Use, _: Instant) -> Option<Duration> {
        Some(used.ttl)
    }
}

impl Default for UsedPasses {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MOST)
                .expire_after(WithThePass)
                // A new one must never be turned away in favour of an old one.
                .eviction_policy(moka::policy::EvictionPolicy::lru())
                .build(),
        )
    }
}

impl UsedPasses {
    pub(super) fn contains(&self, id: &OnceId) -> bool {
        self.0.contains_key(id)
    }

    /// Makes `id` good again, if it was used by this one.
    pub(super) fn release(&self, id: &OnceId, by: u128) {
        self.0.entry_by_ref(id).and_compute_with(|entry| {
            if entry.is_some_and(|entry| entry.value().by == by) {
                Op::Remove
            } else {
                Op::Nop
            }
        });
    }

    /// Whether this is the first use of `id`, which is remembered for `ttl`.
    pub(super) fn consume(&self, id: &OnceId, by: u128, ttl: Duration) -> bool {
        let outcome = self
            .0
            .entry_by_ref(id)
            .and_compute_with(|entry| match entry {
                Some(_) => Op::Nop,
                None => Op::Put(Use { by, ttl }),
            });
        matches!(outcome, CompResult::Inserted(_))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn id(number: u8) -> OnceId {
        OnceId([number; 32])
    }

    #[test]
    fn once_is_once() {
        let used = UsedPasses::default();
        assert!(used.consume(&id(1), 1, MINUTE));
        assert!(!used.consume(&id(1), 2, MINUTE));
        assert!(used.consume(&id(2), 3, MINUTE));
        assert!(used.consume(&id(3), 4, Duration::ZERO));
        assert!(used.consume(&id(3), 5, MINUTE), "it has ended by itself");
    }

    #[test]
    fn only_whoever_used_a_pass_gives_it_back() {
        let used = UsedPasses::default();
        assert!(used.consume(&id(1), 1, MINUTE));
        used.release(&id(1), 2);
        used.release(&id(2), 1);
        assert!(used.contains(&id(1)) && !used.consume(&id(1), 2, MINUTE));
        used.release(&id(1), 1);
        assert!(!used.contains(&id(1)) && used.consume(&id(1), 2, MINUTE));
    }

    #[test]
    fn of_many_at_once_one_is_first() {
        const THREADS: u128 = 8;
        let used = UsedPasses::default();
        for round in 0..500_u32 {
            let mut id = OnceId([0; 32]);
            id.0[..4].copy_from_slice(&round.to_be_bytes());
            let barrier = Barrier::new(8);
            let consume = |by| {
                barrier.wait();
                used.consume(&id, by, MINUTE)
            };
            let first = std::thread::scope(|scope| {
                let consume = &consume;
                let threads: Vec<_> = (0..THREADS)
                    .map(|by| scope.spawn(move || consume(by)))
                    .collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap())
                    .filter(|is_first| *is_first)
                    .count()
            });
            assert_eq!(first, 1, "round {round}");
        }
    }
}
