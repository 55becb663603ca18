//! Whether Redis is available, and when it is again after a failure.
//!
//! One late answer makes it unavailable, because the next click would wait too. Several quick ones
//! make it available again, and more of them the sooner it was late again: a Redis that alternates
//! between a little too slow and just quick enough changes nothing, and fills no log.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use prometheus::IntGauge;

/// After a failure at least this many probes in a row must be quick.
const MIN_QUICK: u32 = 2;

/// However often it has failed, this many are enough.
const MAX_QUICK: u32 = 64;

/// After this time without a failure the count of required probes begins anew.
const STABLE: Duration = Duration::from_mins(1);

const UNKNOWN: u8 = 0;
const AVAILABLE: u8 = 1;
const UNAVAILABLE: u8 = 2;

/// Whether Redis answers, and in time.
pub(super) struct Health {
    state: AtomicU8,
    /// How often it has become unavailable.
    failures: AtomicU32,
    degraded: IntGauge,
}

impl Health {
    /// Unavailable until the first probe.
    pub(super) fn new(degraded: IntGauge) -> Self {
        degraded.set(1);
        Self {
            state: AtomicU8::new(UNKNOWN),
            failures: AtomicU32::new(0),
            degraded,
        }
    }

    pub(super) fn is_available(&self) -> bool {
        self.state.load(Ordering::Relaxed) == AVAILABLE
    }

    /// Redis has failed, or was too slow, with this kind of error. Logged once.
    pub(super) fn failed(&self, kind: &str) {
        if self.state.swap(UNAVAILABLE, Ordering::Relaxed) != UNAVAILABLE {
            self.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                trouble = kind,
                "Redis is away or slow: each replica counts for itself, one-time links wait for it a second and are then refused"
            );
        }
        self.degraded.set(1);
    }

    /// Records a successful probe; returns whether Redis has become available with it.
    pub(super) fn answered(&self, recovery: &mut Recovery, is_quick: bool, now: Instant) -> bool {
        let failures = self.failures.load(Ordering::Relaxed);
        let is_due = recovery.probed(is_quick, failures, now);
        if !is_due || self.is_available() {
            return false;
        }
        recovery.recovered = Some(now);
        self.state.store(AVAILABLE, Ordering::Relaxed);
        self.degraded.set(0);
        tracing::info!("Redis answers: all replicas share their counts");
        true
    }
}

/// How many quick probes are required.
pub(super) struct Recovery {
    needed: u32,
    quick: u32,
    failures: u32,
    recovered: Option<Instant>,
}

impl Recovery {
    /// At a start one quick probe is enough.
    pub(super) const fn new() -> Self {
        Self {
            needed: 1,
            quick: 0,
            failures: 0,
            recovered: None,
        }
    }

    /// A probe has failed.
    pub(super) const fn failed(&mut self) {
        self.quick = 0;
    }

    fn probed(&mut self, is_quick: bool, failures: u32, now: Instant) -> bool {
        if failures != self.failures {
            self.failures = failures;
            self.quick = 0;
            let is_again = self
                .recovered
                .is_some_and(|at| now.saturating_duration_since(at) < STABLE);
            self.needed = match self.recovered {
                None => 1,
                Some(_) if is_again => (self.needed * 2).clamp(MIN_QUICK, MAX_QUICK),
                Some(_) => MIN_QUICK,
            };
        }
        self.quick = if is_quick { self.quick + 1 } else { 0 };
        self.quick >= self.needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Duration = Duration::from_millis(500);

    struct Scenario {
        health: Health,
        recovery: Recovery,
        now: Instant,
    }

    impl Scenario {
        fn new() -> Self {
            let degraded = IntGauge::new("degraded", "degraded").unwrap();
            Self {
                health: Health::new(degraded),
                recovery: Recovery::new(),
                now: Instant::now(),
            }
        }

        fn probe(&mut self, is_quick: bool) -> bool {
            self.now += PROBE;
            self.health.answered(&mut self.recovery, is_quick, self.now)
        }

        /// The number of quick probes until Redis is available.
        fn probes_until_available(&mut self) -> usize {
            (1..1000).find(|_| self.probe(true)).unwrap()
        }
    }

    #[test]
    fn one_quick_probe_is_enough_at_a_start_and_several_after_a_failure() {
        let mut scenario = Scenario::new();
        assert!(!scenario.health.is_available() && scenario.health.degraded.get() == 1);
        assert!(scenario.probe(true) && scenario.health.is_available());
        assert_eq!(scenario.health.degraded.get(), 0);
        for _ in 0..3 {
            scenario.now += STABLE;
            scenario.health.failed("NoAnswer");
            assert!(!scenario.health.is_available() && scenario.health.degraded.get() == 1);
            assert_eq!(scenario.probes_until_available(), 2);
        }
        scenario.health.failed("NoAnswer");
        assert_eq!([(); 3].map(|()| scenario.probe(true)), [false; 3]);
        assert!(!scenario.probe(false), "it begins anew");
        assert_eq!(scenario.probes_until_available(), 4);
    }

    #[test]
    fn repeated_late_answers_change_little() {
        let mut scenario = Scenario::new();
        scenario.probe(true);
        scenario.now += STABLE;
        let mut took = Vec::new();
        for _ in 0..7 {
            scenario.health.failed("NoAnswer");
            took.push(scenario.probes_until_available());
        }
        assert_eq!(took, [2, 4, 8, 16, 32, 64, 64]);
        // As at 20 to 60 ms, where one probe of four is quick: an hour of it.
        let mut changes = 0;
        for number in 0..7200_u32 {
            let is_quick = number % 4 == 0 || number % 97 < 2;
            changes += u32::from(scenario.probe(is_quick));
            if !is_quick && scenario.health.is_available() {
                scenario.health.failed("NoAnswer");
            }
        }
        assert_eq!(changes, 0);
    }
}
