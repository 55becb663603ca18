//! How many second attempts there may be.

use std::sync::atomic::{AtomicI64, Ordering};

/// Keeps second attempts under a tenth of all calls, however long an outage lasts: ten calls earn
/// one.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    /// In tenths of a retry.
    tenths: AtomicI64,
}

impl RetryBudget {
    /// What is saved up at most, and at the start.
    const MOST: i64 = 100;
    const RETRY: i64 = 10;

    pub(crate) const fn new() -> Self {
        Self {
            tenths: AtomicI64::new(Self::MOST),
        }
    }

    /// A call begins.
    pub(crate) fn earn(&self) {
        let add = |tenths: i64| (tenths < Self::MOST).then_some(tenths + 1);
        // Full is as good as one more.
        let _ = self
            .tenths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Whether there may be a second attempt; it is taken then.
    pub(crate) fn spend(&self) -> bool {
        let take = |tenths: i64| (tenths >= Self::RETRY).then_some(tenths - Self::RETRY);
        self.tenths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_stay_under_a_tenth_of_the_calls() {
        let budget = RetryBudget::new();
        let mut retries = 0;
        for _ in 0..10_000 {
            budget.earn();
            retries += u32::from(budget.spend());
        }
        assert!((1000..=1010).contains(&retries), "{retries}");
    }
}
