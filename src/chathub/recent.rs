//! Which share of the last requests has failed. A request counts for half after five seconds, for a
//! quarter after ten, so nothing has to be stored but two numbers.

use std::time::{Duration, Instant};

const HALF_LIFE: Duration = Duration::from_secs(5);

/// Answers and failures of the last seconds, the latest with the most weight.
#[derive(Debug, Default)]
pub(super) struct Recent {
    answers: f64,
    failures: f64,
    at: Option<Instant>,
}

impl Recent {
    pub(super) fn answered(&mut self, times: f64, now: Instant) {
        self.fade(now);
        self.answers += times;
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.fade(now);
        self.failures += 1.0;
    }

    /// From 0 to 1; 0 where there was nothing.
    pub(super) fn share_of_failures(&self) -> f64 {
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
        let (mut recent, start) = (Recent::default(), Instant::now());
        assert!(recent.share_of_failures() < 0.01);
        for _ in 0..8 {
            recent.answered(1.0, start);
        }
        recent.failed(start);
        recent.failed(start);
        assert!((recent.share_of_failures() - 0.2).abs() < 0.01);
        // Eight answers count for two by now, two failures for a half.
        recent.failed(start + 2 * HALF_LIFE);
        recent.failed(start + 2 * HALF_LIFE);
        assert!((recent.share_of_failures() - 2.5 / 4.5).abs() < 0.01);
    }
}
