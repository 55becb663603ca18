//! One-time passes that have been used, remembered until they would have ended by themselves.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

/// Used passes that are remembered at most. A bound for memory: some 100 bytes each.
const MOST: u64 = 200_000;

/// The used ones of this replica.
pub(super) struct UsedPasses(Cache<String, Duration>);

/// Each is forgotten when its pass has ended.
struct WithThePass;

impl Expiry<String, Duration> for WithThePass {
    fn expire_after_create(&self, _: &String, lives: &Duration, _: Instant) -> Option<Duration> {
        Some(*lives)
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
    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn forget(&self, id: &str) {
        self.0.invalidate(id);
    }

    /// Whether this is the first use of `id`, which is remembered for `lives`.
    pub(super) fn use_up(&self, id: &str, lives: Duration) -> bool {
        self.0.entry(id.to_owned()).or_insert(lives).is_fresh()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_is_once() {
        let used = UsedPasses::default();
        let lives = Duration::from_mins(1);
        assert!(used.use_up("a", lives));
        assert!(!used.use_up("a", lives));
        assert!(used.use_up("b", lives));
        assert!(used.use_up("c", Duration::ZERO));
        assert!(used.use_up("c", lives), "it has ended by itself");
    }
}
