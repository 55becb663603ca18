//! Passes whose signature has been checked, so that the button that an agent clicks all day is
//! checked once.
//!
//! A signature that is good stays good as long as its key is in force, and these are kept with the
//! keys: new keys begin with none. What may change is looked at for each click: whether the pass is
//! in force, and, where it opens a panel once only, whether it has.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use moka::sync::Cache;
use serde_json::{Map, Value};

/// So many are kept at most, some 1,000 bytes each. Only who has a key can fill this up.
const MOST: u64 = 10_000;

/// One that nobody has shown for so long is forgotten.
const IDLE: Duration = Duration::from_mins(30);

/// By the SHA-256 of the pass: it tells one pass from any other, and opens nothing.
pub(super) struct SignedPasses(Cache<[u8; 32], Arc<Signed>>);

/// What a pass says, and the place of the key that it was signed with.
pub(super) struct Signed {
    pub(super) key: usize,
    pub(super) claims: Map<String, Value>,
}

impl Default for SignedPasses {
    fn default() -> Self {
        let passes = Cache::builder().max_capacity(MOST).time_to_idle(IDLE);
        Self(passes.build())
    }
}

impl fmt::Debug for SignedPasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedPasses")
    }
}

impl SignedPasses {
    /// What a pass is known to say, or `check` says now. What has no good signature is not kept:
    /// anybody can make it.
    pub(super) fn get_or(
        &self,
        pass: &str,
        check: impl FnOnce() -> Option<Signed>,
    ) -> Option<Arc<Signed>> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, pass.as_bytes()).as_ref());
        if let Some(signed) = self.0.get(&hash) {
            return Some(signed);
        }
        let signed = Arc::new(check()?);
        self.0.insert(hash, Arc::clone(&signed));
        Some(signed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_signed_is_kept() {
        let passes = SignedPasses::default();
        let signed = || {
            Some(Signed {
                key: 3,
                claims: Map::new(),
            })
        };
        assert!(passes.get_or("pass", || None).is_none());
        assert!(passes.get_or("pass", signed).is_some());
        assert_eq!(passes.get_or("pass", || None).unwrap().key, 3);
        assert!(passes.get_or("pass ", || None).is_none());
    }
}
