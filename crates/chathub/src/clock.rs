//! ChatHub's clock, as far as its answers tell it.
//!
//! A token's end is set on ChatHub's clock, so a service whose own clock is off must know by how
//! much. What is remembered is ChatHub's time on this machine's monotonic clock: when this
//! machine's wall clock is set, what is known stays true.
//!
//! The rule for `Date`: answers to POSTs count, which no cache keeps. The first is believed; one
//! that contradicts it is believed when the next one agrees with it, so a single odd date changes
//! nothing. The answer to a list counts only as long as there is nothing better, and none that has
//! an `Age`. More than a day of difference is shown, and is either ChatHub's clock or a false date:
//! ChatHub's refusals tell which ([`Clock::doubt`]).

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

/// `Date` has whole seconds, and an answer takes its time: a smaller difference says nothing.
const NOISE: TimeDelta = TimeDelta::seconds(2);

/// Dates that differ by more than this contradict each other.
const AGREEMENT: TimeDelta = TimeDelta::seconds(5);

/// A larger difference may be a false date as well as a wrong clock.
const DOUBTFUL: TimeDelta = TimeDelta::days(1);

/// ChatHub's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    /// The moment to which the dates below belong.
    origin: Instant,
    dates: Mutex<Dates>,
    /// What counts of them, in milliseconds since 1970: each click asks for the time, and takes no
    /// lock for it.
    at_origin: AtomicI64,
}

/// Stands for no date that counts: this machine's time does.
const UNKNOWN: i64 = i64::MIN;

/// What ChatHub's clock said at the origin.
#[derive(Debug, Default)]
struct Dates {
    believed: Option<DateTime<Utc>>,
    /// By the latest answer to a POST.
    latest: Option<DateTime<Utc>>,
    /// What is believed comes from a list.
    is_provisional: bool,
    /// ChatHub takes this machine's time and not that of its own dates.
    is_doubted: bool,
}

/// An answer's `Date`, with the moments between which ChatHub wrote it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dated {
    pub(crate) date: DateTime<Utc>,
    pub(crate) sent: Instant,
    pub(crate) received: Instant,
    /// It answers a list, which may come from a cache.
    pub(crate) is_list: bool,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            dates: Mutex::default(),
            at_origin: AtomicI64::new(UNKNOWN),
        }
    }
}

impl Clock {
    /// Learns from an answer.
    pub(crate) fn learn(&self, answer: Dated) {
        let mut dates = self.dates();
        self.take_in(&mut dates, answer);
        self.publish(&dates);
    }

    fn take_in(&self, dates: &mut Dates, answer: Dated) {
        // The date was true at some moment within its second, between the two.
        let middle = answer.sent + (answer.received - answer.sent) / 2;
        let at_origin = answer.date + TimeDelta::milliseconds(500) - self.since_origin(middle);
        if answer.is_list {
            if dates.believed.is_none() {
                dates.believed = Some(at_origin);
                dates.is_provisional = true;
            }
            return;
        }
        let is_agreed = |other: Option<DateTime<Utc>>| {
            other.is_none_or(|other| (other - at_origin).abs() <= AGREEMENT)
        };
        let is_step = !is_agreed(dates.believed);
        if dates.is_provisional || !is_step || is_agreed(dates.latest) {
            dates.believed = Some(at_origin);
            dates.is_provisional = false;
            dates.is_doubted &= !is_step;
        }
        dates.latest = Some(at_origin);
    }

    fn publish(&self, dates: &Dates) {
        let counts = dates.believed.filter(|_| !dates.is_doubted);
        let counts = counts.map_or(UNKNOWN, |date| date.timestamp_millis());
        self.at_origin.store(counts, Ordering::Relaxed);
    }

    /// The time on ChatHub's clock; this machine's as long as nothing else is known.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.at(Instant::now(), Utc::now())
    }

    /// The same for one moment on this machine's two clocks.
    pub(crate) fn at(&self, now: Instant, wall: DateTime<Utc>) -> DateTime<Utc> {
        let at_origin = self.at_origin.load(Ordering::Relaxed);
        if at_origin == UNKNOWN {
            return wall;
        }
        // In whole milliseconds, because each click asks.
        let since_origin = self.since_origin(now).num_milliseconds();
        let skew = at_origin + since_origin - wall.timestamp_millis();
        if skew.abs() <= NOISE.num_milliseconds() {
            wall
        } else {
            wall + TimeDelta::milliseconds(skew)
        }
    }

    /// The time on ChatHub's clock by its latest answer alone, where that contradicts `asked`,
    /// which was taken for ChatHub's time at this moment.
    pub(crate) fn contradicts(&self, asked: DateTime<Utc>, now: Instant) -> Option<DateTime<Utc>> {
        let dates = self.dates();
        let latest = dates.latest.filter(|_| !dates.is_doubted)? + self.since_origin(now);
        ((latest - asked).abs() > AGREEMENT).then_some(latest)
    }

    /// Whether that is what is believed.
    pub(crate) fn believes(&self, said: DateTime<Utc>, now: Instant) -> bool {
        let believed = self.dates().believed;
        believed
            .is_some_and(|believed| (believed + self.since_origin(now) - said).abs() <= AGREEMENT)
    }

    /// ChatHub's time by what does not count at present: this machine's clock, or ChatHub's dates.
    pub(crate) fn by_the_other(&self) -> DateTime<Utc> {
        let wall = Utc::now();
        if self.is_doubted() {
            wall + self.skew()
        } else {
            wall
        }
    }

    /// Whether the clocks are so far apart that ChatHub's dates may be false.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.skew().abs() > DOUBTFUL
    }

    /// From now on this machine's time counts instead of ChatHub's dates, or the other way round.
    pub(crate) fn doubt(&self, is_doubted: bool) {
        let mut dates = self.dates();
        dates.is_doubted = is_doubted;
        self.publish(&dates);
    }

    /// Whether this machine's time counts instead of ChatHub's dates.
    pub(crate) fn is_doubted(&self) -> bool {
        self.dates().is_doubted
    }

    /// How far ahead ChatHub's clock is by its answers, whether they are doubted or not; zero as
    /// long as nothing is known.
    pub(crate) fn skew(&self) -> TimeDelta {
        self.skew_at(Instant::now(), Utc::now())
    }

    fn skew_at(&self, now: Instant, wall: DateTime<Utc>) -> TimeDelta {
        let believed = self.dates().believed;
        self.ahead(believed, now, wall)
    }

    /// How far a clock that showed this time at the origin is ahead of `wall`.
    fn ahead(
        &self,
        at_origin: Option<DateTime<Utc>>,
        now: Instant,
        wall: DateTime<Utc>,
    ) -> TimeDelta {
        let skew = at_origin.map_or(TimeDelta::zero(), |at_origin| {
            at_origin + self.since_origin(now) - wall
        });
        if skew.abs() <= NOISE {
            TimeDelta::zero()
        } else {
            skew
        }
    }

    fn since_origin(&self, moment: Instant) -> TimeDelta {
        let since = |later: Instant, earlier| {
            let passed: Duration = later.saturating_duration_since(earlier);
            TimeDelta::from_std(passed).unwrap_or(TimeDelta::MAX)
        };
        since(moment, self.origin) - since(self.origin, moment)
    }

    fn dates(&self) -> MutexGuard<'_, Dates> {
        self.dates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A clock, and its origin on this machine's wall clock.
    fn clock() -> (Clock, DateTime<Utc>) {
        let start = DateTime::from_timestamp(1_795_309_838, 0).unwrap();
        (Clock::default(), start)
    }

    /// An answer `after` seconds from the origin, by a clock that is `ahead`.
    fn answer(clock: &Clock, start: DateTime<Utc>, after: u64, ahead: i64, is_list: bool) {
        let received = clock.origin + Duration::from_secs(after);
        let passed = i64::try_from(after).unwrap();
        clock.learn(Dated {
            date: start + TimeDelta::seconds(passed + ahead),
            sent: received,
            received,
            is_list,
        });
    }

    fn skew(clock: &Clock, start: DateTime<Utc>, after: i64, wall_ahead: i64) -> i64 {
        let now = clock.origin + Duration::from_secs(after.unsigned_abs());
        let wall = start + TimeDelta::seconds(after + wall_ahead);
        (clock.at(now, wall) - wall).num_seconds()
    }

    #[rstest]
    #[case::the_same_clock(0, 0)]
    #[case::noise(1, 0)]
    #[case::ahead(300, 300)]
    #[case::behind(-300, -299)]
    #[case::days(-180_000, -179_999)]
    fn the_first_date_is_believed(#[case] ahead: i64, #[case] expected: i64) {
        let (clock, start) = clock();
        assert_eq!(skew(&clock, start, 0, 0), 0);
        answer(&clock, start, 1, ahead, false);
        assert_eq!(skew(&clock, start, 2, 0), expected);
    }

    #[test]
    fn an_odd_date_changes_nothing_and_two_that_agree_do() {
        let (clock, start) = clock();
        answer(&clock, start, 0, 0, false);
        for (after, ahead, expected) in [
            (10, 3500, 0),
            (20, 0, 0),
            (30, -3500, 0),
            (40, 82_800, 0),
            (50, 82_801, 82_801),
            (60, 82_800, 82_800),
        ] {
            answer(&clock, start, after, ahead, false);
            assert_eq!(skew(&clock, start, 70, 0), expected, "after {after}");
        }
    }

    #[test]
    fn a_slow_drift_is_followed() {
        let (clock, start) = clock();
        for ahead in 0_i64..240 {
            answer(&clock, start, ahead.unsigned_abs() * 60, ahead, false);
        }
        assert_eq!(skew(&clock, start, 14_400, 0), 239);
    }

    #[test]
    fn a_list_counts_only_as_long_as_there_is_nothing_better() {
        let (clock, start) = clock();
        answer(&clock, start, 0, -3500, true);
        answer(&clock, start, 1, -300, true);
        assert_eq!(skew(&clock, start, 2, 0), -3499);
        answer(&clock, start, 2, 300, false);
        assert_eq!(skew(&clock, start, 3, 0), 300);
        answer(&clock, start, 4, -3500, true);
        answer(&clock, start, 5, -3500, true);
        assert_eq!(skew(&clock, start, 6, 0), 300);
    }

    /// The wall clock is set while the service runs: ChatHub's time is known all the same.
    #[rstest]
    #[case(3600)]
    #[case(-3600)]
    #[case(180_000)]
    fn this_machine_s_clock_may_be_set(#[case] wall_ahead: i64) {
        let (clock, start) = clock();
        answer(&clock, start, 0, 300, false);
        let expected = 300 - wall_ahead;
        let seen = skew(&clock, start, 10, wall_ahead);
        assert!((expected..=expected + 1).contains(&seen), "{seen}");
    }

    #[test]
    fn the_latest_answer_contradicts_what_was_asked() {
        let (clock, start) = clock();
        assert_eq!(clock.contradicts(start, clock.origin), None);
        answer(&clock, start, 0, 0, false);
        assert_eq!(clock.contradicts(start, clock.origin), None);
        answer(&clock, start, 0, 600, false);
        let latest = start + TimeDelta::milliseconds(600_500);
        assert_eq!(clock.contradicts(start, clock.origin), Some(latest));
    }

    #[test]
    fn doubted_dates_are_shown_and_do_not_count() {
        let (clock, start) = clock();
        answer(&clock, start, 0, 180_000, false);
        clock.doubt(true);
        assert_eq!(skew(&clock, start, 1, 0), 0);
        let shown = clock.skew_at(clock.origin, start).num_seconds();
        assert_eq!(shown, 180_000);
        answer(&clock, start, 2, 180_000, false);
        assert_eq!(skew(&clock, start, 3, 0), 0, "the same once more");
        answer(&clock, start, 4, 0, false);
        answer(&clock, start, 5, 0, false);
        assert!(!clock.is_doubted(), "true dates again");
    }
}
