//! The token entries of all operators, in a bounded concurrent cache.
//!
//! Owns which entries are kept. Knows nothing of what is in one but whether it has expired.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter};

use super::entry::TokenEntry;
use chathub::OperatorId;

/// One in so many calls of [`TokenCache::sweep`] visits the entries, which takes some milliseconds
/// where there are 100,000.
const SWEEP_EVERY: usize = 60;

/// The entries by operator. A click that finds its entry takes a read lock of one shard only.
pub(super) struct TokenCache {
    entries: Cache<OperatorId, Arc<TokenEntry>, UnitWeighter, DefaultHashBuilder, PinInUse>,
    sweeps: AtomicUsize,
}

/// Keeps what a click or a mint holds: a second entry of the operator would be a second mint.
#[derive(Clone)]
struct PinInUse;

impl Lifecycle<OperatorId, Arc<TokenEntry>> for PinInUse {
    type RequestState = ();

    fn is_pinned(&self, _: &OperatorId, entry: &Arc<TokenEntry>) -> bool {
        is_in_use(entry)
    }
}

impl TokenCache {
    /// A cache of `capacity` operators, and of more only while all of them are in use.
    pub(super) fn new(capacity: u64) -> Self {
        let capacity = capacity.max(1);
        let items = usize::try_from(capacity).unwrap_or(usize::MAX);
        // The hasher is seeded at random, so that no caller can choose operators of one shard.
        let hasher = DefaultHashBuilder::default();
        Self {
            entries: Cache::with(items, capacity, UnitWeighter, hasher, PinInUse),
            sweeps: AtomicUsize::new(0),
        }
    }

    /// The operator's entry, a new one if there is none.
    pub(super) fn get_or_create(&self, operator: OperatorId) -> Arc<TokenEntry> {
        let entry = self
            .entries
            .get_or_insert_with(&operator, || Ok::<_, Infallible>(Arc::default()));
        match entry {
            Ok(entry) => entry,
        }
    }

    /// Removes this entry, if it is still the operator's.
    pub(super) fn remove(&self, operator: OperatorId, entry: &Arc<TokenEntry>) {
        let is_same = |kept: &Arc<TokenEntry>| Arc::ptr_eq(kept, entry);
        self.entries.remove_if(&operator, is_same);
    }

    /// Visits each entry.
    pub(super) fn for_each(&self, visit: impl Fn(OperatorId, &TokenEntry)) {
        for (operator, entry) in self.entries.iter() {
            visit(operator, &entry);
        }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Removes expired entries once a minute. Call it every second.
    pub(super) fn sweep(&self) {
        let count = self.sweeps.fetch_add(1, Ordering::Relaxed);
        if count % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.remove_expired();
        }
    }

    fn remove_expired(&self) {
        let now = Instant::now();
        // Not `retain`, which locks a shard's readers out while it visits all of it.
        let expired = self.entries.iter().filter(|(_, e)| e.is_expired(now));
        // The pairs are dropped here, because they count as uses.
        for operator in expired.map(|(operator, _)| operator) {
            let is_unused = |e: &Arc<TokenEntry>| !is_in_use(e) && e.is_expired(now);
            self.entries.remove_if(&operator, is_unused);
        }
    }
}

fn is_in_use(entry: &Arc<TokenEntry>) -> bool {
    Arc::strong_count(entry) > 1
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tokens::backoff::Backoff;
    use chathub::ErrorKind;

    fn refuse_until(entry: &TokenEntry, until: Instant) {
        entry.state().backoff = Some(Box::new(Backoff::Refused {
            error: ErrorKind::NotFound,
            until,
        }));
    }

    #[test]
    fn an_operator_has_one_entry() {
        let cache = TokenCache::new(100_000);
        assert!(Arc::ptr_eq(
            &cache.get_or_create(OperatorId(1)),
            &cache.get_or_create(OperatorId(1))
        ));
        let other = cache.get_or_create(OperatorId(2));
        assert_eq!(cache.len(), 2);
        cache.remove(OperatorId(1), &other);
        assert_eq!(cache.len(), 2, "not that one");
        cache.remove(OperatorId(2), &other);
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn the_capacity_is_not_exceeded() {
        for capacity in [1, 10, 1000, 20_000] {
            let cache = TokenCache::new(capacity);
            for operator in 0..3 * capacity {
                cache.get_or_create(OperatorId(operator));
            }
            let kept = cache.len() as u64;
            assert!(
                kept <= capacity && kept > capacity / 2,
                "{kept} of {capacity}"
            );
        }
        // As large as the chart lets it be set, and nothing is allocated ahead.
        TokenCache::new(9_007_199_254_740_991);
    }

    #[test]
    fn an_entry_in_use_is_kept() {
        for capacity in [1, 2] {
            let cache = TokenCache::new(capacity);
            let used = cache.get_or_create(OperatorId(1));
            for operator in 2..10 {
                cache.get_or_create(OperatorId(operator));
            }
            cache.remove_expired();
            assert!(Arc::ptr_eq(&used, &cache.get_or_create(OperatorId(1))));
        }
    }

    #[test]
    fn expired_entries_are_swept() {
        let cache = TokenCache::new(1000);
        let now = Instant::now();
        for operator in 0..90 {
            let entry = cache.get_or_create(OperatorId(operator));
            refuse_until(&entry, now + Duration::from_mins(operator % 2));
        }
        for _ in 0..SWEEP_EVERY {
            assert_eq!(cache.len(), 90);
            cache.sweep();
        }
        assert_eq!(cache.len(), 45);
    }
}
