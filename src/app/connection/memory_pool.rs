//! Bounds the memory that all connections of a port make the service keep at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes for half heads, bodies, and answers that clients do not read. It is a thousand times what
/// clicks need, and with the connections themselves still fits what the chart grants.
const CAPACITY: usize = 64 << 20;

/// Counts the bytes that are kept for all connections of a port.
#[derive(Clone, Default)]
pub(super) struct MemoryPool(Arc<AtomicUsize>);

impl MemoryPool {
    /// Creates the reservation of one connection, of no bytes yet.
    pub(super) fn reservation(&self) -> Reservation {
        Reservation {
            pool: self.clone(),
            reserved: 0,
        }
    }
}

/// The bytes of one connection. Dropping it releases them.
pub(super) struct Reservation {
    pool: MemoryPool,
    reserved: usize,
}

impl Reservation {
    /// Sets the reservation to `bytes`. Returns false, and changes nothing, where the pool has no
    /// room. A connection that keeps nothing, as almost all do, costs no atomic operation.
    pub(super) fn resize(&mut self, bytes: usize) -> bool {
        let all = &*self.pool.0;
        if bytes > self.reserved {
            let more = bytes - self.reserved;
            if all.fetch_add(more, Ordering::Relaxed) + more > CAPACITY {
                all.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        } else if bytes < self.reserved {
            all.fetch_sub(self.reserved - bytes, Ordering::Relaxed);
        }
        self.reserved = bytes;
        true
    }

    /// Releases all bytes.
    pub(super) fn release(&mut self) {
        // Shrinking always succeeds.
        let _ = self.resize(0);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_reservations_together_stay_within_the_capacity() {
        let pool = MemoryPool::default();
        let (mut one, mut other) = (pool.reservation(), pool.reservation());
        assert!(one.resize(CAPACITY - 10));
        assert!(other.resize(10));
        assert!(!other.resize(11), "and keeps its 10");
        assert!(!one.resize(CAPACITY));
        assert!(one.resize(5));
        assert!(other.resize(CAPACITY - 5));
        drop(other);
        assert!(one.resize(CAPACITY));
        one.release();
        assert_eq!(pool.0.load(Ordering::Relaxed), 0);
    }
}
