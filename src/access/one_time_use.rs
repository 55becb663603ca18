//! One-time passes: which have been used, remembered until they would have expired anyway.
//!
//! Owns the uses that this replica knows of. Those of all replicas are in Redis, which this module
//! does not know.

use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use moka::Expiry;
use moka::ops::compute::{CompResult, Op};
use moka::sync::Cache;

use super::{Authenticator, Denied};

/// How long a use is remembered after the pass has expired. The clocks that decide on expiry may
/// disagree or step: those of Redis, of this machine and of other replicas. A request that arrived
/// in time may also wait for ChatHub.
const REMEMBERED_AFTER_EXPIRY: Duration = Duration::from_hours(2);

/// The maximum number of remembered uses, some 150 bytes each. Beyond it the oldest uses are
/// evicted, most of which have expired.
const MAX_USES: u64 = 500_000;

/// The single use of a one-time pass. It is consumed when nothing else can go wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct OneTimeUse {
    /// A hash that identifies the pass and does not reveal it.
    id: [u8; 32],
    expires: DateTime<Utc>,
    /// What another use is refused with.
    denied: Denied,
}

impl OneTimeUse {
    /// The use of a pass with this `jti`. Two keys may issue the same `jti`.
    pub fn new(key: &str, jti: &str, expires: DateTime<Utc>) -> Self {
        let mut hash = Context::new(&SHA256);
        for piece in [key, "\n", jti] {
            hash.update(piece.as_bytes());
        }
        let mut id = [0; 32];
        id.copy_from_slice(hash.finish().as_ref());
        Self {
            id,
            expires,
            denied: Denied::PassUsed,
        }
    }

    /// The same, of something other than a pass: another use is refused with this.
    #[must_use]
    pub const fn denied_as(self, denied: Denied) -> Self {
        Self { denied, ..self }
    }

    /// What another use is refused with.
    pub const fn denied(&self) -> Denied {
        self.denied
    }

    /// The name of the pass in the store that all replicas share.
    pub fn fingerprint(&self) -> String {
        hex::encode(self.id)
    }

    /// Whether the pass expires within this time.
    pub fn expires_within(&self, time: Duration) -> bool {
        (self.expires - Utc::now()).to_std().unwrap_or_default() <= time
    }

    /// How long the use must be remembered.
    pub fn ttl(&self) -> Duration {
        let left = (self.expires - Utc::now()).to_std().unwrap_or_default();
        left + REMEMBERED_AFTER_EXPIRY
    }
}

impl Authenticator {
    /// Whether a one-time pass was already used.
    pub fn is_used(&self, pass: &OneTimeUse) -> bool {
        self.used_passes.contains(&pass.id)
    }

    /// The number of the request that has used a one-time pass, if one has.
    pub fn used_by(&self, pass: &OneTimeUse) -> Option<u128> {
        self.used_passes.used_by(&pass.id)
    }

    /// Consumes a one-time pass for the request with the number `by`.
    pub fn consume(&self, pass: &OneTimeUse, by: u128) -> Result<(), Denied> {
        if self.used_passes.consume(&pass.id, by, pass.ttl()) {
            Ok(())
        } else {
            Err(pass.denied)
        }
    }

    /// Makes a one-time pass valid again that the request `by` has consumed in vain.
    pub fn release(&self, pass: &OneTimeUse, by: u128) {
        self.used_passes.release(&pass.id, by);
    }
}

/// The uses that this replica remembers.
///
/// Each decision is made under the lock of the entry. moka's `entry().or_insert()` would not do: it
/// is a get followed by an insert.
pub(super) struct UsedPasses(Cache<[u8; 32], Use>);

/// The request that has used a pass, which alone may release it, and how long the use is
/// remembered.
#[derive(Clone, Copy)]
struct Use {
    by: u128,
    ttl: Duration,
}

/// Expires each entry with its own time to live.
struct ByTtl;

impl Expiry<[u8; 32], Use> for ByTtl {
    fn expire_after_create(&self, _: &[u8; 32], used: &Use, _: Instant) -> Option<Duration> {
        Some(used.ttl)
    }
}

impl Default for UsedPasses {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MAX_USES)
                .expire_after(ByTtl)
                // moka's default policy may reject a new entry in favour of an old one.
                .eviction_policy(moka::policy::EvictionPolicy::lru())
                .build(),
        )
    }
}

impl UsedPasses {
    fn contains(&self, id: &[u8; 32]) -> bool {
        self.0.contains_key(id)
    }

    fn used_by(&self, id: &[u8; 32]) -> Option<u128> {
        self.0.get(id).map(|used| used.by)
    }

    /// Whether this is the first use of `id`, which is remembered for `ttl`.
    fn consume(&self, id: &[u8; 32], by: u128, ttl: Duration) -> bool {
        let entry = self.0.entry_by_ref(id);
        let outcome = entry.and_compute_with(|entry| match entry {
            Some(_) => Op::Nop,
            None => Op::Put(Use { by, ttl }),
        });
        matches!(outcome, CompResult::Inserted(_))
    }

    /// Forgets the use of `id`, if it was this request's.
    fn release(&self, id: &[u8; 32], by: u128) {
        self.0.entry_by_ref(id).and_compute_with(|entry| {
            if entry.is_some_and(|entry| entry.value().by == by) {
                Op::Remove
            } else {
                Op::Nop
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn a_one_time_pass_is_remembered_two_hours_longer_than_it_is_valid() {
        let expiring_in =
            |seconds| OneTimeUse::new("crm", "7", Utc::now() + Duration::from_secs(seconds));
        // `printf 'crm\n7' | sha256sum`
        assert_eq!(
            expiring_in(0).fingerprint(),
            "b52b9208e0d930cfefe55d7053d0491100e57bd31d233e8b5fe2b39d1b8f2bf9"
        );
        let ttl = expiring_in(3600).ttl();
        assert!((Duration::from_mins(179)..Duration::from_mins(181)).contains(&ttl));
        let expired = expiring_in(0).ttl();
        assert_eq!(expired, Duration::from_hours(2), "for clocks that step");
    }

    const MINUTE: Duration = Duration::from_mins(1);

    const fn id(number: u8) -> [u8; 32] {
        [number; 32]
    }

    #[test]
    fn a_pass_is_used_once() {
        let used = UsedPasses::default();
        assert!(used.consume(&id(1), 1, MINUTE));
        assert!(!used.consume(&id(1), 2, MINUTE));
        assert!(used.consume(&id(2), 3, MINUTE));
        assert!(used.consume(&id(3), 4, Duration::ZERO));
        assert!(used.consume(&id(3), 5, MINUTE), "it has expired");
    }

    #[test]
    fn only_the_request_that_used_a_pass_releases_it() {
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
            let mut id = [0; 32];
            id[..4].copy_from_slice(&round.to_be_bytes());
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
