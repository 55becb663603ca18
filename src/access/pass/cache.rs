//! A cache of verified passes, so that the signature behind a button that an agent clicks all day
//! is verified once.
//!
//! A valid signature stays valid as long as its key is in force, and the cache belongs to the keys:
//! new keys begin with an empty one. What may change is checked for each request: whether the pass
//! is in force, and whether a one-time pass was used.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use moka::sync::Cache;
use serde_json::{Map, Value};

/// The maximum number of passes, some 1,000 bytes each. Only the holder of a key can fill it.
const MAX_PASSES: u64 = 10_000;

/// After this time without a request a pass is evicted.
const IDLE: Duration = Duration::from_mins(30);

/// By the SHA-256 of the pass, which identifies a pass and opens nothing.
pub(super) struct VerifiedPasses(Cache<[u8; 32], Arc<VerifiedPass>>);

/// The claims of a pass, and the index of the key that has signed it.
pub(super) struct VerifiedPass {
    pub(super) key: usize,
    pub(super) claims: Map<String, Value>,
}

impl Default for VerifiedPasses {
    fn default() -> Self {
        let passes = Cache::builder().max_capacity(MAX_PASSES);
        Self(passes.time_to_idle(IDLE).build())
    }
}

impl VerifiedPasses {
    /// The cached pass, or the result of `verify`. A pass without a valid signature is not cached:
    /// any client can make one.
    pub(super) fn get_or(
        &self,
        pass: &str,
        verify: impl FnOnce() -> Option<VerifiedPass>,
    ) -> Option<Arc<VerifiedPass>> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, pass.as_bytes()).as_ref());
        if let Some(verified) = self.0.get(&hash) {
            return Some(verified);
        }
        let verified = Arc::new(verify()?);
        self.0.insert(hash, Arc::clone(&verified));
        Some(verified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_verified_passes_are_cached() {
        let passes = VerifiedPasses::default();
        let verified = || {
            Some(VerifiedPass {
                key: 3,
                claims: Map::new(),
            })
        };
        assert!(passes.get_or("pass", || None).is_none());
        assert!(passes.get_or("pass", verified).is_some());
        assert_eq!(passes.get_or("pass", || None).unwrap().key, 3);
        assert!(passes.get_or("pass ", || None).is_none());
    }
}
