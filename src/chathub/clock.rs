//! ChatHub's clock, as far as its answers tell it.
//!
//! A token's end is set on ChatHub's clock, so a service whose own clock is off by minutes must know by how much.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// `Date` has whole seconds, and an answer takes its time: a smaller difference says nothing.
const NOISE: TimeDelta = TimeDelta::seconds(2);

/// A larger difference is a broken `Date`, not a clock.
const NONSENSE: TimeDelta = TimeDelta::days(1);

/// How far ahead of this machine's clock ChatHub's is.
#[derive(Debug, Default)]
pub(super) struct Clock {
    skew_milliseconds: AtomicI64,
}

impl Clock {
    /// Learns from the `Date` of an answer that was asked for at `sent` and came at `received`, both on this machine's clock.
    pub(super) fn learn(&self, date: DateTime<Utc>, sent: DateTime<Utc>, received: DateTime<Utc>) {
        // The date was true at some moment within its second, between the two.
        let middle = sent + (received - sent) / 2;
        let skew = date + TimeDelta::milliseconds(500) - middle;
        if skew.abs() > NONSENSE {
            return;
        }
        let believed = if skew.abs() <= NOISE {
            TimeDelta::zero()
        } else {
            skew
        };
        self.skew_milliseconds
            .store(believed.num_milliseconds(), Ordering::Relaxed);
    }

    /// How far ahead ChatHub's clock is; zero as long as nothing else is known.
    pub(super) fn skew(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.skew_milliseconds.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_same_clock(0, 0)]
    #[case::noise(1, 0)]
    #[case::ahead(300, 300)]
    #[case::behind(-300, -300)]
    #[case::nonsense(-1_000_000, 0)]
    fn the_skew_is_what_the_date_says(#[case] ahead: i64, #[case] skew: i64) {
        let clock = Clock::default();
        let sent = DateTime::from_timestamp(1_795_309_838, 250_000_000).unwrap();
        let received = sent + TimeDelta::milliseconds(500);
        let date = DateTime::from_timestamp(1_795_309_838 + ahead, 0).unwrap();
        clock.learn(date, sent, received);
        assert_eq!(clock.skew(), TimeDelta::seconds(skew));
    }
}
