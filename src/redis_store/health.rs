//! Whether Redis is any good at the moment, and when it is believed to be so again.
//!
//! One late answer is enough to count without it, because the next click would wait too. It takes
//! several quick ones to count with it again, and more of them the sooner it was late again: a
//! Redis that is now a little too slow and now just quick enough changes nothing, and fills no log.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use prometheus::IntGauge;

/// So many probes in a row must be quick.
const LEAST: u32 = 2;

/// However often it was late again, so many will do.
const MOST: u32 = 64;

/// What was well for so long is late for a new reason.
const STABLE: Duration = Duration::from_mins(1);

const UNKNOWN: u8 = 0;
const WELL: u8 = 1;
const AWAY: u8 = 2;

/// Whether Redis answers, and in time.
pub(super) struct Health {
    state: AtomicU8,
    /// How often it was found to be away.
    falls: AtomicU32,
    degraded: IntGauge,
}

impl Health {
    /// The first probe tells.
    pub(super) fn new(degraded: IntGauge) -> Self {
        degraded.set(1);
        Self {
            state: AtomicU8::new(UNKNOWN),
            falls: AtomicU32::new(0),
            degraded,
        }
    }

    pub(super) fn is_well(&self) -> bool {
        self.state.load(Ordering::Relaxed) == WELL
    }

    /// It is away, or too slow. Said once.
    pub(super) fn failed(&self, trouble: &str) {
        if self.state.swap(AWAY, Ordering::Relaxed) != AWAY {
            self.falls.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                trouble,
                "Redis is away or slow: each replica counts for itself, one-time links wait for it a second and are then refused"
            );
        }
        self.degraded.set(1);
    }

    /// Takes in a probe that has succeeded, and says whether Redis counts again because of it.
    pub(super) fn answered(&self, recovery: &mut Recovery, is_quick: bool, now: Instant) -> bool {
        let falls = self.falls.load(Ordering::Relaxed);
        let is_due = recovery.probed(is_quick, falls, now);
        if !is_due || self.is_well() {
            return false;
        }
        recovery.recovered = Some(now);
        self.state.store(WELL, Ordering::Relaxed);
        self.degraded.set(0);
        tracing::info!("Redis answers: all replicas share their counts");
        true
    }
}

/// How many quick answers are still wanted.
pub(super) struct Recovery {
    needed: u32,
    quick: u32,
    falls: u32,
    recovered: Option<Instant>,
}

impl Recovery {
    /// At a start one answer will do.
    pub(super) const fn new() -> Self {
        Self {
            needed: 1,
            quick: 0,
            falls: 0,
            recovered: None,
        }
    }

    /// A probe has failed.
    pub(super) const fn failed(&mut self) {
        self.quick = 0;
    }

    fn probed(&mut self, is_quick: bool, falls: u32, now: Instant) -> bool {
        if falls != self.falls {
            self.falls = falls;
            self.quick = 0;
            let is_again = self
                .recovered
                .is_some_and(|at| now.saturating_duration_since(at) < STABLE);
            self.needed = match self.recovered {
                None => 1,
                Some(_) if is_again => (self.needed * 2).clamp(LEAST, MOST),
                Some(_) => LEAST,
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

    struct Played {
        health: Health,
        recovery: Recovery,
        now: Instant,
    }

    impl Played {
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

        /// How many quick probes it takes.
        fn probes_until_well(&mut self) -> usize {
            (1..1000).find(|_| self.probe(true)).unwrap()
        }
    }

    #[test]
    fn one_answer_will_do_at_a_start_and_several_after_a_failure() {
        let mut played = Played::new();
        assert!(!played.health.is_well() && played.health.degraded.get() == 1);
        assert!(played.probe(true) && played.health.is_well());
        assert_eq!(played.health.degraded.get(), 0);
        for _ in 0..3 {
            played.now += STABLE;
            played.health.failed("NoAnswer");
            assert!(!played.health.is_well() && played.health.degraded.get() == 1);
            assert_eq!(played.probes_until_well(), 2);
        }
        played.health.failed("NoAnswer");
        assert_eq!([(); 3].map(|()| played.probe(true)), [false; 3]);
        assert!(!played.probe(false), "it begins anew");
        assert_eq!(played.probes_until_well(), 4);
    }

    #[test]
    fn what_is_late_again_and_again_changes_little() {
        let mut played = Played::new();
        played.probe(true);
        played.now += STABLE;
        let mut took = Vec::new();
        for _ in 0..7 {
            played.health.failed("NoAnswer");
            took.push(played.probes_until_well());
        }
        assert_eq!(took, [2, 4, 8, 16, 32, 64, 64]);
        // As at 20 to 60 ms, where one probe of four is quick: an hour of it.
        let mut changes = 0;
        for number in 0..7200_u32 {
            let is_quick = number % 4 == 0 || number % 97 < 2;
            changes += u32::from(played.probe(is_quick));
            if !is_quick && played.health.is_well() {
                played.health.failed("NoAnswer");
            }
        }
        assert_eq!(changes, 0);
    }
}
