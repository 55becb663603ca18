//! Whether a request may go out at all: a circuit breaker, and the waits that ChatHub asks for.
//!
//! Time comes in as a parameter, so the rules below can be read, and tested, without a clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Error, Unreachable};

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;

/// How long it stays open; up to a tenth is added, so that replicas do not come back in step.
const OPEN_FOR: Duration = Duration::from_secs(10);

/// The waits after a 429 without `Retry-After`, as ChatHub's general page advises them.
const ADVISED_WAITS: [u64; 4] = [1, 2, 4, 8];

/// No `Retry-After` is believed beyond this.
const LONGEST_HOLD: Duration = Duration::from_hours(1);

/// The gate before ChatHub.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Failures in a row.
    failures: u32,
    /// Until when nothing goes out; afterwards, one probe.
    open_until: Option<Instant>,
    probe_is_out: bool,
    /// A list has been answered since: it is back, as far as a list can tell. Tokens still begin with one probe.
    is_listed: bool,
    /// Until when ChatHub wants no request.
    held_until: Option<Instant>,
    /// 429s in a row.
    throttled: usize,
}

/// How a request was let out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// As one of many.
    Plain,
    /// Alone, to find out whether ChatHub is back.
    Probe,
    /// As a list, which is read in the background. How that goes says little of tokens: ChatHub may mint while it cannot list, or the other
    /// way round. So a list holds up no probe, and one that fails shows nothing.
    List,
}

/// What a request has shown about ChatHub's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It answers, whatever it says.
    Answers,
    /// It does not answer, or fails on its own side.
    Fails,
    /// It asks to wait.
    Throttles(Option<Duration>),
    /// Nothing: nobody waited for the outcome.
    Unknown,
}

impl From<&Error> for Verdict {
    fn from(error: &Error) -> Self {
        match error {
            Error::Unavailable(_) | Error::TimedOut => Self::Fails,
            Error::Throttled { retry_after } => Self::Throttles(*retry_after),
            _ => Self::Answers,
        }
    }
}

impl Gate {
    /// Says why a request cannot go out, if so.
    pub(super) fn look(&self, now: Instant, is_list: bool) -> Result<(), Error> {
        self.state().passage(now, is_list).map(drop)
    }

    /// Lets a request out, or says why not. What goes out must come back with [`Self::close_behind`].
    pub(super) fn pass(&self, now: Instant, is_list: bool) -> Result<Passage, Error> {
        let mut state = self.state();
        let passage = state.passage(now, is_list)?;
        state.probe_is_out |= passage == Passage::Probe;
        Ok(passage)
    }

    /// Learns from a request that was let out. `jitter` is from 0 to 1. Says whether the circuit is open now.
    pub(super) fn close_behind(
        &self,
        passage: Passage,
        verdict: Verdict,
        now: Instant,
        jitter: f64,
    ) -> bool {
        let mut state = self.state();
        if passage == Passage::Probe {
            state.probe_is_out = false;
        }
        match (passage, verdict) {
            (Passage::List, Verdict::Throttles(asked)) => state.hold(asked, now),
            (Passage::List, Verdict::Answers) => {
                state.is_listed = state.open_until.is_some_and(|until| until <= now);
            }
            (Passage::List, _) | (_, Verdict::Unknown) => {}
            (_, Verdict::Throttles(asked)) => {
                state.hold(asked, now);
                // It is not down: it answers.
                state.failures = 0;
                state.open_until = None;
            }
            (_, Verdict::Answers) => {
                state.failures = 0;
                state.throttled = 0;
                state.open_until = None;
            }
            (_, Verdict::Fails) => {
                state.failures += 1;
                if passage == Passage::Probe || state.failures >= FAILURES {
                    state.failures = 0;
                    state.is_listed = false;
                    state.open_until = Some(now + OPEN_FOR + OPEN_FOR.mul_f64(jitter / 10.0));
                }
            }
        }
        state.open_until.is_some() && !state.is_listed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn passage(&self, now: Instant, is_list: bool) -> Result<Passage, Error> {
        if let Some(until) = self.held_until.filter(|until| *until > now) {
            return Err(Error::Throttled {
                retry_after: Some(until - now),
            });
        }
        match self.open_until {
            Some(until) if until > now || (self.probe_is_out && !is_list) => {
                let retry_after = until.saturating_duration_since(now);
                Err(Error::Unavailable(Unreachable::CircuitOpen { retry_after }))
            }
            _ if is_list => Ok(Passage::List),
            Some(_) => Ok(Passage::Probe),
            None => Ok(Passage::Plain),
        }
    }

    /// Several requests that were out together may all be asked to wait: that is one time, and the longest wait counts.
    fn hold(&mut self, asked: Option<Duration>, now: Instant) {
        let held = self.held_until.filter(|until| *until > now);
        if held.is_none() || asked.is_some() {
            let step = self.throttled.min(ADVISED_WAITS.len() - 1);
            let wait = asked.unwrap_or(Duration::from_secs(ADVISED_WAITS[step]));
            self.held_until = held.max(Some(now + wait.min(LONGEST_HOLD)));
        }
        if held.is_none() {
            self.throttled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Passage::{List, Plain, Probe};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fail(gate: &Gate, now: Instant) -> bool {
        let passage = gate.pass(now, false).unwrap();
        gate.close_behind(passage, Verdict::Fails, now, 0.0)
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_ten_seconds() {
        let (gate, now) = (Gate::default(), Instant::now());
        for _ in 0..4 {
            assert!(!fail(&gate, now));
        }
        assert!(fail(&gate, now));
        assert_eq!(
            gate.pass(now + 9 * SECOND, false),
            Err(Error::Unavailable(Unreachable::CircuitOpen {
                retry_after: SECOND
            }))
        );
        assert_eq!(gate.pass(now + 10 * SECOND, false), Ok(Probe));
    }

    #[test]
    fn an_answer_between_starts_the_count_again() {
        let (gate, now) = (Gate::default(), Instant::now());
        for _ in 0..4 {
            fail(&gate, now);
        }
        gate.close_behind(Plain, Verdict::Answers, now, 0.0);
        for _ in 0..4 {
            assert!(!fail(&gate, now));
        }
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let (gate, start) = (Gate::default(), Instant::now());
        for _ in 0..5 {
            fail(&gate, start);
        }
        let later = start + 11 * SECOND;
        assert_eq!(gate.pass(later, false), Ok(Probe));
        assert!(gate.pass(later, false).is_err(), "nobody beside it");
        gate.close_behind(Plain, Verdict::Fails, later, 0.0);
        assert!(
            gate.look(later, false).is_err(),
            "who was out before decides nothing"
        );
        assert!(
            gate.close_behind(Probe, Verdict::Fails, later, 0.0),
            "open again"
        );
        assert!(gate.pass(later + 9 * SECOND, false).is_err());

        let much_later = later + 10 * SECOND;
        assert_eq!(
            gate.look(much_later, false),
            Ok(()),
            "looking takes nothing"
        );
        assert_eq!(gate.pass(much_later, false), Ok(Probe));
        assert!(!gate.close_behind(Probe, Verdict::Answers, much_later, 0.0));
        assert_eq!(gate.pass(much_later, false), Ok(Plain));
        assert_eq!(gate.pass(much_later, false), Ok(Plain), "for everybody");
    }

    #[test]
    fn a_probe_that_nobody_waits_for_makes_room_for_another() {
        let (gate, start) = (Gate::default(), Instant::now());
        for _ in 0..5 {
            fail(&gate, start);
        }
        let later = start + 10 * SECOND;
        let probe = gate.pass(later, false).unwrap();
        gate.close_behind(probe, Verdict::Unknown, later, 0.0);
        assert_eq!(gate.pass(later, false), Ok(Probe));
    }

    #[test]
    fn jitter_adds_up_to_a_second() {
        let (gate, now) = (Gate::default(), Instant::now());
        for _ in 0..5 {
            gate.pass(now, false).unwrap();
            gate.close_behind(Plain, Verdict::Fails, now, 1.0);
        }
        assert!(gate.pass(now + 10_900 * SECOND / 1000, false).is_err());
        assert_eq!(gate.pass(now + 11 * SECOND, false), Ok(Probe));
    }

    #[test]
    fn retry_after_is_kept() {
        let (gate, now) = (Gate::default(), Instant::now());
        gate.close_behind(Plain, Verdict::Throttles(Some(7 * SECOND)), now, 0.0);
        assert_eq!(
            gate.pass(now + 2 * SECOND, false),
            Err(Error::Throttled {
                retry_after: Some(5 * SECOND)
            })
        );
        assert_eq!(gate.pass(now + 7 * SECOND, false), Ok(Plain));
    }

    #[test]
    fn without_retry_after_the_waits_double() {
        let (gate, mut now) = (Gate::default(), Instant::now());
        for wait in [1, 2, 4, 8, 8] {
            gate.close_behind(Plain, Verdict::Throttles(None), now, 0.0);
            assert!(
                gate.pass(now + wait * SECOND * 99 / 100, false).is_err(),
                "{wait}"
            );
            now += wait * SECOND;
            assert_eq!(gate.pass(now, false), Ok(Plain), "{wait}");
        }
        gate.close_behind(Plain, Verdict::Throttles(Some(Duration::MAX)), now, 0.0);
        assert_eq!(
            gate.pass(now + 3600 * SECOND, false),
            Ok(Plain),
            "an hour at most"
        );
    }

    #[test]
    fn a_list_that_is_answered_ends_the_alarm_and_tokens_begin_with_one_probe() {
        let (gate, start) = (Gate::default(), Instant::now());
        for _ in 0..5 {
            fail(&gate, start);
        }
        assert!(gate.pass(start + 9 * SECOND, true).is_err());
        let answers = |now| gate.close_behind(List, Verdict::Answers, now, 0.0);
        assert!(answers(start + 9 * SECOND), "its rest is kept");
        let later = start + 10 * SECOND;
        assert_eq!(gate.pass(later, true), Ok(List));
        assert!(
            gate.close_behind(List, Verdict::Fails, later, 0.0),
            "it shows nothing"
        );
        assert!(!answers(later));
        assert_eq!(
            gate.pass(later, false),
            Ok(Probe),
            "a list holds up no probe"
        );
        assert_eq!(gate.pass(later, true), Ok(List), "nor a probe a list");
        assert!(!answers(later));
        assert!(gate.pass(later, false).is_err(), "nobody beside it");
        gate.close_behind(List, Verdict::Throttles(None), later, 0.0);
        assert!(
            gate.close_behind(Probe, Verdict::Fails, later, 0.0),
            "open again"
        );
        assert!(gate.pass(later + 9 * SECOND, false).is_err());
    }

    #[test]
    fn lists_count_for_nothing_while_it_is_closed() {
        let (gate, now) = (Gate::default(), Instant::now());
        for _ in 0..4 {
            fail(&gate, now);
        }
        gate.close_behind(List, Verdict::Answers, now, 0.0);
        assert!(fail(&gate, now), "that was the fifth");
    }

    #[test]
    fn waits_that_are_asked_for_together_are_one_and_the_longest() {
        let (gate, now) = (Gate::default(), Instant::now());
        for asked in [Some(7), Some(5), None, None] {
            let asked = asked.map(|seconds| seconds * SECOND);
            gate.close_behind(Plain, Verdict::Throttles(asked), now, 0.0);
        }
        assert!(gate.pass(now + 6 * SECOND, false).is_err());
        let later = now + 7 * SECOND;
        assert_eq!(gate.pass(later, false), Ok(Plain));
        gate.close_behind(Plain, Verdict::Throttles(None), later, 0.0);
        assert!(gate.pass(later + SECOND, false).is_err(), "the second time");
        assert_eq!(gate.pass(later + 2 * SECOND, false), Ok(Plain));
    }
}
