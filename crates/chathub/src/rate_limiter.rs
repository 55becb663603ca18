//! How fast requests are sent: evenly, in the order in which they came.
//!
//! Each request reserves the next free slot and waits for it, which is fair. A request that could
//! not be sent in time reserves none, so it delays no other.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::ErrorKind;

/// A rate limiter that allows a burst of one second's requests after a pause.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    interval: Duration,
    /// The latest reserved slot; at least a second ago after a pause.
    next: Mutex<Instant>,
}

impl RateLimiter {
    /// At most `per_second` requests a second, over any time that is long enough.
    pub(crate) fn new(per_second: u32, now: Instant) -> Self {
        Self {
            interval: Duration::from_secs(1) / per_second.max(1),
            next: Mutex::new(now.checked_sub(Duration::from_secs(1)).unwrap_or(now)),
        }
    }

    /// Reserves a slot for a request that `needs` some time before its `deadline`, and returns how
    /// long to wait for it.
    pub(crate) fn reserve(
        &self,
        now: Instant,
        deadline: Instant,
        needs: Duration,
    ) -> Result<Duration, ErrorKind> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        let slot = (*next).max(earliest) + self.interval;
        if slot.max(now) + needs > deadline {
            return Err(ErrorKind::Overloaded);
        }
        *next = slot;
        Ok(slot.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_second_s_worth_at_once_then_one_after_another() {
        let now = Instant::now();
        let limiter = RateLimiter::new(40, now);
        for _ in 0..40 {
            assert_eq!(
                limiter.reserve(now, now + 5 * SECOND, SECOND),
                Ok(Duration::ZERO)
            );
        }
        assert_eq!(
            limiter.reserve(now, now + 5 * SECOND, SECOND),
            Ok(Duration::from_millis(25))
        );
        assert_eq!(
            limiter.reserve(now, now + 5 * SECOND, SECOND),
            Ok(Duration::from_millis(50))
        );
    }

    #[test]
    fn over_a_minute_no_more_than_the_rate() {
        let start = Instant::now();
        let limiter = RateLimiter::new(40, start);
        let mut sent = 0;
        for millisecond in 0..60_000 {
            let now = start + Duration::from_millis(millisecond);
            sent += u32::from(limiter.reserve(now, now, Duration::ZERO).is_ok());
        }
        assert_eq!(sent, 40 * 61 - 1);
    }

    #[test]
    fn a_request_that_cannot_be_sent_in_time_fails_at_once_and_reserves_nothing() {
        let now = Instant::now();
        let limiter = RateLimiter::new(1, now);
        limiter.reserve(now, now, Duration::ZERO).unwrap();
        for _ in 0..3 {
            assert_eq!(
                limiter.reserve(now, now + 2 * SECOND, SECOND + SECOND / 2),
                Err(ErrorKind::Overloaded)
            );
        }
        assert_eq!(limiter.reserve(now, now + 2 * SECOND, SECOND), Ok(SECOND));
    }
}
