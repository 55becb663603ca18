//! One moment on three clocks, because none of them is reliable alone.
//!
//! While a machine is suspended, its monotonic clock stands still and its wall clock goes on: with
//! the monotonic clock alone, an expired token would still be handed out. The wall clock can be set
//! back: with it alone, a token would live longer. ChatHub's clock, as its answers tell it, can be
//! corrected, and then a token expires earlier than expected. So a moment has passed as soon as it
//! has passed on any of the three.
//!
//! Only how far each clock has advanced counts, so a constant error changes nothing. A wall clock
//! that is set forward looks like a suspension, and has all tokens minted again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use chathub::ChatHub;

/// A moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Never goes back. Stands still while the machine is suspended.
    pub(super) monotonic: Instant,
    /// This machine's wall clock. Goes on while the machine is suspended, and can be set.
    pub(super) wall: DateTime<Utc>,
    /// ChatHub's wall clock.
    pub(super) chathub: DateTime<Utc>,
}

impl Moment {
    /// The moment that is so much later.
    pub(super) fn after(self, wait: Duration) -> Self {
        let delta = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let after = |time: DateTime<Utc>| {
            time.checked_add_signed(delta)
                .unwrap_or(DateTime::<Utc>::MAX_UTC)
        };
        Self {
            monotonic: self.monotonic + wait,
            wall: after(self.wall),
            chathub: after(self.chathub),
        }
    }

    /// Whether it has passed at `now`, by any of the clocks.
    pub(super) fn has_passed(self, now: Self) -> bool {
        self.monotonic <= now.monotonic || self.wall <= now.wall || self.chathub <= now.chathub
    }

    /// How long until then, by the clock that says least.
    pub(super) fn remaining(self, now: Self) -> Duration {
        let by_wall = (self.chathub - now.chathub).min(self.wall - now.wall);
        let monotonic = self.monotonic.saturating_duration_since(now.monotonic);
        monotonic.min(by_wall.to_std().unwrap_or_default())
    }
}

/// Reads the three clocks.
#[derive(Clone)]
pub(super) struct Clock {
    chathub: Arc<ChatHub>,
    /// How far the wall clock has run ahead of the monotonic clock, in seconds.
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
        let monotonic = Instant::now();
        let wall = Utc::now();
        Moment {
            monotonic,
            wall: self.with_suspensions(wall),
            chathub: self.chathub.now_at(monotonic, wall),
        }
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self)]
    const fn with_suspensions(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        wall
    }

    #[cfg(test)]
    fn with_suspensions(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        let suspended = self.suspended.load(std::sync::atomic::Ordering::Relaxed);
        wall + TimeDelta::seconds(suspended)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Seconds that each clock has advanced, of an hour.
    #[rstest]
    #[case::all_advance_alike(600, 600, 600, 3000)]
    #[case::the_last_second(3599, 3599, 3599, 1)]
    #[case::passed(3600, 3600, 3600, 0)]
    #[case::suspended_for_two_hours(10, 7210, 10, 0)]
    #[case::suspended_for_half_an_hour(10, 1810, 10, 1790)]
    #[case::the_clock_set_back(600, -3000, 600, 3000)]
    #[case::the_clock_set_back_and_passed(3600, 0, 3600, 0)]
    #[case::chathub_s_clock_set_forward(10, 10, 7210, 0)]
    #[case::chathub_s_clock_set_back(600, 600, -3000, 3000)]
    fn it_has_passed_by_any_clock(
        #[case] monotonic: u64,
        #[case] wall: i64,
        #[case] chathub: i64,
        #[case] left: u64,
    ) {
        let start = Moment {
            monotonic: Instant::now(),
            wall: Utc::now(),
            chathub: Utc::now() + TimeDelta::days(3),
        };
        let end = start.after(Duration::from_hours(1));
        let now = Moment {
            monotonic: start.monotonic + Duration::from_secs(monotonic),
            wall: start.wall + TimeDelta::seconds(wall),
            chathub: start.chathub + TimeDelta::seconds(chathub),
        };
        assert_eq!(end.remaining(now), Duration::from_secs(left));
        assert_eq!(end.has_passed(now), left == 0);
    }
}
