//! Which share of the last requests has failed. A request counts for half after five seconds, for a
//! quarter after ten, so nothing has to be stored but two numbers.

use std::time::{Duration, Instant};

const HALF_LIFE: Duration = Duration::from_secs(5);

/// Answers and failures of the last seconds, the latest with the most weight.
#[derive(Debug, Default)]
pub(crate) struct FailureRate {
    answers: f64,
    failures: f64,
    at: Option<Instant>,
}

impl FailureRate {
    pub(crate) fn answered(&mut self, times: f64, now: Instant) {
        self.fade(now);
        self.answers += times;
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        self.fade(now);
        self.failures += 1.0;
    }

    /// From 0 to 1; 0 where there was nothing.
    pub(crate) fn value(&self) -> f64 {
        let all = self.answers + self.failures;
        if all > 0.0 { self.failures / all } else { 0.0 }
    }

    fn fade(&mut self, now: Instant) {
        let passed = self
            .at
            .map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let left = 0.5_f64.powf(passed.div_duration_f64(HALF_LIFE));
        self.answers *= left;
        self.failures *= left;
        self.at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_counts_most() {
        let (mut rate, start) = (FailureRate::default(), Instant::now());
        assert!(rate.value() < 0.01);
        for _ in 0..8 {
            rate.answered(1.0, start);
        }
        rate.failed(start);
        rate.failed(start);
        assert!((rate.value() - 0.2).abs() < 0.01);
        // Eight answers count for two by now, two failures for a half.
        rate.failed(start + 2 * HALF_LIFE);
        rate.failed(start + 2 * HALF_LIFE);
        assert!((rate.value() - 2.5 / 4.5).abs() < 0.01);
    }
}
