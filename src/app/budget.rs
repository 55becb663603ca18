//! What all connections of a port may make the service keep at once, beyond the little that each
//! has to itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Half heads, bodies and answers that nobody reads: so many bytes of memory for them in all. It is
/// a thousand times what clicks need, and with the connections themselves still fits what the chart
/// grants.
const MOST: usize = 64 << 20;

/// The bytes that are kept for all connections of a port.
#[derive(Clone, Default)]
pub(super) struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// The part of one connection, which is nothing yet.
    pub(super) fn share(&self) -> Share {
        Share {
            budget: self.clone(),
            held: 0,
        }
    }
}

/// The part of one connection.
pub(super) struct Share {
    budget: Budget,
    held: usize,
}

impl Share {
    /// From now on so many bytes are kept; whether there is room for them. A connection that keeps
    /// nothing, as almost all do, costs nothing here.
    pub(super) fn hold(&mut self, bytes: usize) -> bool {
        let all = &*self.budget.0;
        if bytes > self.held {
            let more = bytes - self.held;
            if all.fetch_add(more, Ordering::Relaxed) + more > MOST {
                all.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else if bytes < self.held {
            all.fetch_sub(self.held - bytes, Ordering::Relaxed);
        }
        self.held = bytes;
        true
    }

    /// Nothing is kept any more.
    pub(super) fn give_back(&mut self) {
        // Less always has room.
        let _ = self.hold(0);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shares_together_stay_within_the_budget() {
        let budget = Budget::default();
        let (mut one, mut other) = (budget.share(), budget.share());
        assert!(one.hold(MOST - 10));
        assert!(other.hold(10));
        assert!(!other.hold(11), "and keeps its 10");
        assert!(!one.hold(MOST));
        assert!(one.hold(5));
        assert!(other.hold(MOST - 5));
        drop(other);
        assert!(one.hold(MOST));
        one.give_back();
        assert_eq!(budget.0.load(Ordering::Relaxed), 0);
    }
}
