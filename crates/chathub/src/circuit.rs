//! The states of the circuit breaker: closed, open, and half-open with one probe.
//!
//! The circuit opens after five failures in a row, if ChatHub is down and not only failing in part:
//! at least 70 % of the requests of the last seconds have failed, or none was answered for a
//! second. While it is open no request is sent; afterwards one is sent as a probe. An answer to the
//! probe closes the circuit at once and counts as five answers, so that a ChatHub that fails for
//! every other caller does not open it again at once. A failed probe opens it again. It stays open
//! for ten seconds where 70 % have failed, else for one second, then two, four, eight and ten, as
//! each probe fails.
//!
//! Lists are read in the background and say little about tokens: ChatHub may mint while it cannot
//! list, or the other way round. So a list delays no probe, and a failed list counts for nothing.
//!
//! Time is a parameter, so the rules are tested without a clock.

use std::time::{Duration, Instant};

use crate::failure_rate::FailureRate;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;

/// From this share of failures on ChatHub is down.
const DOWN: f64 = 0.7;

/// Without an answer for this long it is down too.
const SILENT: Duration = Duration::from_secs(1);

/// How long the circuit stays open; up to a tenth is added, so that replicas do not retry in step.
const OPEN_FOR: Duration = Duration::from_secs(10);

/// The first time, where ChatHub has answered much lately.
const FIRST_OPEN_FOR: Duration = Duration::from_secs(1);

/// A successful probe counts as so many answers.
const PROBE_WORTH: f64 = 5.0;

/// The circuit.
#[derive(Debug, Default)]
pub(crate) struct Circuit {
    /// Failures in a row.
    failures: u32,
    failure_rate: FailureRate,
    answered_at: Option<Instant>,
    open: Option<Open>,
    probe_is_out: bool,
    /// A list has been answered since it opened: ChatHub is back, as far as a list can tell. Tokens
    /// still begin with a probe.
    is_listed: bool,
}

/// An open circuit. No request is sent before `until`; afterwards, one probe.
#[derive(Clone, Copy, Debug)]
struct Open {
    until: Instant,
    length: Duration,
}

/// The kind of a permit to send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// The circuit is closed.
    Normal,
    /// The one request that finds out whether ChatHub is back.
    Probe,
    /// A list, which neither is a probe nor waits for one.
    List,
}

impl Circuit {
    /// The permit for a request, or for how long there is none at least.
    pub(crate) fn permit(&self, now: Instant, is_list: bool) -> Result<Permit, Duration> {
        match self.open {
            Some(Open { until, .. }) if until > now || (self.probe_is_out && !is_list) => {
                Err(until.saturating_duration_since(now))
            }
            _ if is_list => Ok(Permit::List),
            Some(_) => Ok(Permit::Probe),
            None => Ok(Permit::Normal),
        }
    }

    /// The request is sent.
    pub(crate) fn leave(&mut self, permit: Permit) {
        self.probe_is_out |= permit == Permit::Probe;
    }

    /// The request has ended, in whatever way.
    pub(crate) fn end(&mut self, permit: Permit) {
        if permit == Permit::Probe {
            self.probe_is_out = false;
        }
    }

    /// ChatHub has answered, whatever the answer.
    pub(crate) fn answered(&mut self, permit: Permit, now: Instant) {
        if permit == Permit::List {
            self.is_listed = self.open.is_some_and(|open| open.until <= now);
            return;
        }
        self.failures = 0;
        self.answered_at = Some(now);
        let worth = if self.open.take().is_some() {
            self.failure_rate = FailureRate::default();
            PROBE_WORTH
        } else {
            1.0
        };
        self.failure_rate.answered(worth, now);
    }

    /// ChatHub has not answered, or has failed on its own side. `jitter` is from 0 to 1. Says
    /// whether the circuit has opened by that.
    pub(crate) fn failed(&mut self, permit: Permit, now: Instant, jitter: f64) -> bool {
        let length = match (permit, self.open) {
            (Permit::List, _) | (Permit::Normal, Some(_)) => return false,
            (Permit::Probe, open) => open.map_or(OPEN_FOR, |open| open.length * 2),
            (Permit::Normal, None) => {
                self.failures += 1;
                self.failure_rate.failed(now);
                let is_down = self.failure_rate.value() >= DOWN;
                let answered_at = self.answered_at;
                let is_silent = || answered_at.is_none_or(|at| now - at >= SILENT);
                if self.failures < FAILURES || !(is_down || is_silent()) {
                    return false;
                }
                if is_down { OPEN_FOR } else { FIRST_OPEN_FOR }
            }
        };
        let length = length.min(OPEN_FOR);
        self.failures = 0;
        self.is_listed = false;
        self.open = Some(Open {
            until: now + length + length.mul_f64(jitter / 10.0),
            length,
        });
        true
    }

    /// Whether it is open, as far as is known.
    pub(crate) const fn is_open(&self) -> bool {
        self.open.is_some() && !self.is_listed
    }
}

#[cfg(test)]
mod tests {
    use super::Permit::{List, Normal, Probe};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fail(circuit: &mut Circuit, now: Instant) -> bool {
        circuit.permit(now, false).unwrap();
        circuit.failed(Normal, now, 0.0)
    }

    fn open(now: Instant) -> Circuit {
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            assert!(!fail(&mut circuit, now));
        }
        assert!(fail(&mut circuit, now));
        circuit
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_ten_seconds() {
        let now = Instant::now();
        let circuit = open(now);
        assert!(circuit.is_open());
        assert_eq!(circuit.permit(now + 9 * SECOND, false), Err(SECOND));
        assert_eq!(circuit.permit(now + 10 * SECOND, false), Ok(Probe));
    }

    /// A login and a first operator, and then nothing any more.
    #[test]
    fn two_answers_a_moment_ago_change_nothing() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        circuit.answered(Normal, now);
        circuit.answered(Normal, now);
        for _ in 0..4 {
            assert!(!fail(&mut circuit, now));
        }
        assert!(fail(&mut circuit, now));
        assert_eq!(circuit.permit(now + 9 * SECOND, false), Err(SECOND));
    }

    #[test]
    fn an_answer_between_starts_the_count_again() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        for _ in 0..4 {
            fail(&mut circuit, now);
        }
        circuit.answered(Normal, now);
        for _ in 0..4 {
            assert!(!fail(&mut circuit, now));
        }
    }

    /// Well and failing in turn, at twenty requests a second: it never opens.
    #[test]
    fn failures_in_part_do_not_open_it() {
        for phase in [100, 300, 500, 900] {
            let (mut circuit, start) = (Circuit::default(), Instant::now());
            for millisecond in (0..60_000).step_by(50) {
                let now = start + Duration::from_millis(millisecond);
                assert_eq!(circuit.permit(now, false), Ok(Normal), "{phase} ms");
                if millisecond / phase % 2 == 0 {
                    circuit.answered(Normal, now);
                } else {
                    circuit.failed(Normal, now, 0.0);
                }
            }
        }
    }

    /// It begins with failures, which look like an outage; the first probe that is answered ends
    /// that for good.
    #[test]
    fn failures_in_part_that_begin_with_failures_open_it_once() {
        let (mut circuit, start) = (Circuit::default(), Instant::now());
        let (mut opened, mut let_out) = (0, 0);
        for millisecond in (0..60_000).step_by(50) {
            let now = start + Duration::from_millis(millisecond);
            let Ok(permit) = circuit.permit(now, false) else {
                continue;
            };
            let_out += 1;
            circuit.leave(permit);
            circuit.end(permit);
            if millisecond / 300 % 2 == 1 {
                circuit.answered(permit, now);
            } else {
                opened += u32::from(circuit.failed(permit, now, 0.0));
            }
        }
        assert!(opened <= 2, "opened {opened} times");
        assert!(let_out >= 790, "{let_out} of 1200 let out");
    }

    #[test]
    fn after_much_that_was_answered_it_opens_for_a_second_first() {
        let (mut circuit, start) = (Circuit::default(), Instant::now());
        for millisecond in (0..10_000).step_by(50) {
            circuit.answered(Normal, start + Duration::from_millis(millisecond));
        }
        let mut now = start + 9950 * SECOND / 1000;
        let mut failures = 0;
        while !fail(&mut circuit, now) {
            now += SECOND / 20;
            failures += 1;
        }
        assert_eq!(failures, 20, "a second without an answer");
        for seconds in [1, 2, 4, 8, 10, 10] {
            let wait = seconds * SECOND;
            assert_eq!(circuit.permit(now, false), Err(wait));
            now += wait;
            assert_eq!(circuit.permit(now, false), Ok(Probe));
            circuit.failed(Probe, now, 0.0);
        }
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let start = Instant::now();
        let mut circuit = open(start);
        let later = start + 11 * SECOND;
        assert_eq!(circuit.permit(later, false), Ok(Probe));
        circuit.leave(Probe);
        assert!(circuit.permit(later, false).is_err(), "none beside it");
        circuit.failed(Normal, later, 0.0);
        assert!(
            circuit.permit(later, false).is_err(),
            "what was out before decides nothing"
        );
        circuit.end(Probe);
        assert!(circuit.failed(Probe, later, 0.0), "open again");
        assert!(circuit.permit(later + 9 * SECOND, false).is_err());

        let much_later = later + 10 * SECOND;
        assert_eq!(circuit.permit(much_later, false), Ok(Probe));
        circuit.answered(Probe, much_later);
        assert!(!circuit.is_open());
        assert_eq!(
            circuit.permit(much_later, false),
            Ok(Normal),
            "for everybody"
        );
    }

    #[test]
    fn an_abandoned_probe_makes_room_for_another() {
        let start = Instant::now();
        let mut circuit = open(start);
        let later = start + 10 * SECOND;
        circuit.leave(Probe);
        assert!(circuit.permit(later, false).is_err());
        circuit.end(Probe);
        assert_eq!(circuit.permit(later, false), Ok(Probe));
    }

    #[test]
    fn jitter_adds_up_to_a_second() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        for _ in 0..5 {
            circuit.failed(Normal, now, 1.0);
        }
        assert!(circuit.permit(now + 10_900 * SECOND / 1000, false).is_err());
        assert_eq!(circuit.permit(now + 11 * SECOND, false), Ok(Probe));
    }

    #[test]
    fn a_list_that_is_answered_ends_the_alarm_and_tokens_begin_with_one_probe() {
        let start = Instant::now();
        let mut circuit = open(start);
        assert!(circuit.permit(start + 9 * SECOND, true).is_err());
        circuit.answered(List, start + 9 * SECOND);
        assert!(circuit.is_open(), "its rest is kept");
        let later = start + 10 * SECOND;
        assert_eq!(circuit.permit(later, true), Ok(List));
        circuit.failed(List, later, 0.0);
        assert!(circuit.is_open(), "a failed list shows nothing");
        circuit.answered(List, later);
        assert!(!circuit.is_open());
        assert_eq!(
            circuit.permit(later, false),
            Ok(Probe),
            "a list holds up no probe"
        );
        circuit.leave(Probe);
        assert_eq!(circuit.permit(later, true), Ok(List), "nor a probe a list");
        assert!(circuit.permit(later, false).is_err(), "none beside it");
        circuit.end(Probe);
        assert!(circuit.failed(Probe, later, 0.0), "open again");
        assert!(circuit.permit(later + 9 * SECOND, false).is_err());
    }

    #[test]
    fn lists_count_for_nothing_while_it_is_closed() {
        let (mut circuit, now) = (Circuit::default(), Instant::now());
        for _ in 0..4 {
            fail(&mut circuit, now);
        }
        circuit.answered(List, now);
        assert!(fail(&mut circuit, now), "that was the fifth");
    }
}
