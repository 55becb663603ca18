//! One moment on two clocks, because neither can be trusted alone.
//!
//! While a machine is suspended its monotonic clock stands, and the time of day goes on: by the
//! first alone a token that has ended would still be handed out. The time of day can be set back:
//! by it alone a token would live longer. So a time is over as soon as it is over on either clock.
//!
//! The time of day is ChatHub's, as its answers tell it, so a clock of our own that is wrong all
//! the time changes nothing. One that is set forward looks like a suspension, until the next
//! answer of ChatHub tells that its clock did not move; the tokens are then good again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::chathub::ChatHub;

/// A moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// It never goes back, and stands while the machine is suspended.
    pub(super) monotonic: Instant,
    /// The time of day, on ChatHub's clock.
    pub(super) chathub: DateTime<Utc>,
}

impl Moment {
    /// That much later.
    pub(super) fn after(self, wait: Duration) -> Self {
        let far = DateTime::<Utc>::MAX_UTC;
        let wait_by_day = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        Self {
            monotonic: self.monotonic + wait,
            chathub: self.chathub.checked_add_signed(wait_by_day).unwrap_or(far),
        }
    }

    /// Whether it is over at `now`, by either clock.
    pub(super) fn is_over(self, now: Self) -> bool {
        self.monotonic <= now.monotonic || self.chathub <= now.chathub
    }

    /// How long it is until then, by the clock that says less.
    pub(super) fn left(self, now: Self) -> Duration {
        let by_day = (self.chathub - now.chathub).to_std().unwrap_or_default();
        let monotonic = self.monotonic.saturating_duration_since(now.monotonic);
        monotonic.min(by_day)
    }
}

/// Tells the time.
#[derive(Clone)]
pub(super) struct Clock {
    chathub: Arc<ChatHub>,
    /// How far the time of day has run ahead of the monotonic clock, in seconds.
    #[cfg(test)]
    pub(super) suspended: Arc<std::sync::atomic::AtomicI64>,
}

impl Clock {
    pub(super) fn new(chathub: Arc<ChatHub>) -> Self {
        Self {
            chathub,
            #[cfg(test)]
            suspended: Arc::default(),
        }
    }

    pub(super) fn now(&self) -> Moment {
        Moment {
            monotonic: Instant::now(),
            chathub: self.by_chathub(),
        }
    }

    /// The time on ChatHub's clock.
    #[cfg(not(test))]
    pub(super) fn by_chathub(&self) -> DateTime<Utc> {
        self.chathub.now()
    }

    #[cfg(test)]
    pub(super) fn by_chathub(&self) -> DateTime<Utc> {
        let suspended = self.suspended.load(std::sync::atomic::Ordering::Relaxed);
        self.chathub.now() + TimeDelta::seconds(suspended)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Seconds on the monotonic clock and by the time of day, of the hour that something lasts.
    #[rstest]
    #[case::both_run_alike(600, 600, 3000)]
    #[case::the_last_second(3599, 3599, 1)]
    #[case::over(3600, 3600, 0)]
    #[case::suspended_for_two_hours(10, 7210, 0)]
    #[case::suspended_for_half_an_hour(10, 1810, 1790)]
    #[case::the_clock_set_back(600, -3000, 3000)]
    #[case::the_clock_set_back_and_over(3600, 0, 0)]
    fn it_is_over_by_either_clock(#[case] monotonic: u64, #[case] by_day: i64, #[case] left: u64) {
        let start = Moment {
            monotonic: Instant::now(),
            chathub: Utc::now(),
        };
        let end = start.after(Duration::from_hours(1));
        let now = Moment {
            monotonic: start.monotonic + Duration::from_secs(monotonic),
            chathub: start.chathub + TimeDelta::seconds(by_day),
        };
        assert_eq!(end.left(now), Duration::from_secs(left));
        assert_eq!(end.is_over(now), left == 0);
    }
}
