//! One moment on three clocks, because none can be trusted alone.
//!
//! While a machine is suspended its monotonic clock stands and its time of day goes on: by the
//! first alone a token that has ended would still be handed out. The time of day can be set back:
//! by it alone a token would live longer. ChatHub's own clock, as its answers tell it, can be
//! corrected, and ends a token earlier than was thought. So a time is over as soon as it is over on
//! any of the three.
//!
//! What counts is how far each clock has gone on since, so a clock that is wrong all the time
//! changes nothing. One that is set forward looks like a suspension, and has the tokens made anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use chathub::ChatHub;

/// A moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// It never goes back, and stands while the machine is suspended.
    pub(super) monotonic: Instant,
    /// This machine's time of day. It goes on while the machine is suspended, and can be set.
    pub(super) wall: DateTime<Utc>,
    /// ChatHub's time of day.
    pub(super) chathub: DateTime<Utc>,
}

impl Moment {
    /// That much later.
    pub(super) fn after(self, wait: Duration) -> Self {
        let by_day = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let after = |time: DateTime<Utc>| {
            time.checked_add_signed(by_day)
                .unwrap_or(DateTime::<Utc>::MAX_UTC)
        };
        Self {
            monotonic: self.monotonic + wait,
            wall: after(self.wall),
            chathub: after(self.chathub),
        }
    }

    /// Whether it is over at `now`, by any of the clocks.
    pub(super) fn is_over(self, now: Self) -> bool {
        self.monotonic <= now.monotonic || self.wall <= now.wall || self.chathub <= now.chathub
    }

    /// How long it is until then, by the clock that says least.
    pub(super) fn left(self, now: Self) -> Duration {
        let by_day = (self.chathub - now.chathub).min(self.wall - now.wall);
        let monotonic = self.monotonic.saturating_duration_since(now.monotonic);
        monotonic.min(by_day.to_std().unwrap_or_default())
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
            wall: self.wall(),
            chathub: self.chathub.now(),
        }
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self)]
    fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    #[cfg(test)]
    fn wall(&self) -> DateTime<Utc> {
        let suspended = self.suspended.load(std::sync::atomic::Ordering::Relaxed);
        Utc::now() + TimeDelta::seconds(suspended)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Seconds on the monotonic clock, by this machine's time of day and by ChatHub's, of the hour
    /// that something lasts.
    #[rstest]
    #[case::all_run_alike(600, 600, 600, 3000)]
    #[case::the_last_second(3599, 3599, 3599, 1)]
    #[case::over(3600, 3600, 3600, 0)]
    #[case::suspended_for_two_hours(10, 7210, 10, 0)]
    #[case::suspended_for_half_an_hour(10, 1810, 10, 1790)]
    #[case::the_clock_set_back(600, -3000, 600, 3000)]
    #[case::the_clock_set_back_and_over(3600, 0, 3600, 0)]
    #[case::chathub_s_clock_set_forward(10, 10, 7210, 0)]
    #[case::chathub_s_clock_set_back(600, 600, -3000, 3000)]
    fn it_is_over_by_any_clock(
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
        assert_eq!(end.left(now), Duration::from_secs(left));
        assert_eq!(end.is_over(now), left == 0);
    }
}
