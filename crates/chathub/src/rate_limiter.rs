//! How fast requests go out: at an even limiter, in the order in which they came.
//!
//! Each request books the next free moment and waits for it. Booking is what makes it fair; a
//! request that could not go out in time books nothing, and so takes no place from those behind it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::ErrorKind;

/// A limiter, with a second's worth of requests that may go out at once after a pause.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    interval: Duration,
    /// The next free moment; up to a second back after a pause.
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

    /// Books a moment for a request that `needs` some time before its `deadline`, and says how long
    /// to wait for that moment.
    pub(crate) fn reserve(
        &self,
        now: Instant,
        deadline: Instant,
        needs: Duration,
    ) -> Result<Duration, ErrorKind> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let after_pause = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
        let booked = (*next).max(after_pause) + self.interval;
        if booked.max(now) + needs > deadline {
            return Err(ErrorKind::Overloaded);
        }
        *next = booked;
        Ok(booked.saturating_duration_since(now))
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
        let mut went_out = 0;
        for millisecond in 0..60_000 {
            let now = start + Duration::from_millis(millisecond);
            went_out += u32::from(limiter.reserve(now, now, Duration::ZERO).is_ok());
        }
        assert_eq!(went_out, 40 * 61 - 1);
    }

    #[test]
    fn who_cannot_go_out_in_time_is_told_at_once_and_takes_no_place() {
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
