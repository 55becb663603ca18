//! Whether a request may go out at all: the circuit breaker, and the waits that ChatHub asks for.
//!
//! Time comes in as a parameter, so the rules can be read, and tested, without a clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::circuit::{Circuit, Passage};
use super::error::{Error, Unreachable};

/// The waits after a 429 without `Retry-After`, as ChatHub's general page advises them.
const ADVISED_WAITS: [u64; 4] = [1, 2, 4, 8];

/// No `Retry-After` is believed beyond this.
pub(super) const LONGEST_HOLD: Duration = Duration::from_hours(1);

/// The gate before ChatHub.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    circuit: Circuit,
    /// Until when ChatHub wants no request.
    held_until: Option<Instant>,
    /// 429s in a row.
    throttled: usize,
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

/// The circuit after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) circuit_is_open: bool,
    /// It has opened, or opened again, by this request.
    pub(super) has_opened: bool,
}

impl From<&Error> for Verdict {
    fn from(error: &Error) -> Self {
        match error {
            Error::Unavailable(Unreachable::TokenRefused | Unreachable::Login(_)) => Self::Answers,
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

    /// Lets a request out, or says why not. What goes out must come back with
    /// [`Self::close_behind`].
    pub(super) fn pass(&self, now: Instant, is_list: bool) -> Result<Passage, Error> {
        let mut state = self.state();
        let passage = state.passage(now, is_list)?;
        state.circuit.leave(passage);
        Ok(passage)
    }

    /// Learns from a request that was let out. `jitter` is from 0 to 1.
    pub(super) fn close_behind(
        &self,
        passage: Passage,
        verdict: Verdict,
        now: Instant,
        jitter: f64,
    ) -> Health {
        let mut state = self.state();
        state.circuit.end(passage);
        let mut has_opened = false;
        match verdict {
            Verdict::Unknown => {}
            Verdict::Throttles(asked) => {
                state.hold(asked, now);
                // ChatHub is not down: it answers. Of a list that is no proof.
                if passage != Passage::List {
                    state.circuit.answered(passage, now);
                }
            }
            Verdict::Answers => {
                state.circuit.answered(passage, now);
                if passage != Passage::List {
                    state.throttled = 0;
                }
            }
            Verdict::Fails => has_opened = state.circuit.failed(passage, now, jitter),
        }
        Health {
            circuit_is_open: state.circuit.is_open(),
            has_opened,
        }
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
        self.circuit
            .passage(now, is_list)
            .map_err(|retry_after| Error::Unavailable(Unreachable::CircuitOpen { retry_after }))
    }

    /// Several requests that were out together may all be asked to wait: that is one time, and the
    /// longest wait counts.
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
    use super::Passage::Plain;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

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

    #[test]
    fn an_open_circuit_is_told_with_its_rest_and_ended_by_a_429() {
        let (gate, now) = (Gate::default(), Instant::now());
        for failure in 1..=5 {
            let passage = gate.pass(now, false).unwrap();
            let health = gate.close_behind(passage, Verdict::Fails, now, 0.0);
            assert_eq!(health.has_opened, failure == 5);
        }
        assert_eq!(
            gate.look(now + 9 * SECOND, false),
            Err(Error::Unavailable(Unreachable::CircuitOpen {
                retry_after: SECOND
            }))
        );
        let later = now + 10 * SECOND;
        assert_eq!(gate.look(later, false), Ok(()), "looking takes nothing");
        let probe = gate.pass(later, false).unwrap();
        let asked = Verdict::Throttles(Some(SECOND));
        assert!(!gate.close_behind(probe, asked, later, 0.0).circuit_is_open);
        assert_eq!(gate.pass(later + SECOND, false), Ok(Plain));
    }

    #[test]
    fn a_refused_token_and_a_firewall_s_page_are_answers() {
        for unreachable in [Unreachable::TokenRefused, Unreachable::Login(403)] {
            let error = Error::Unavailable(unreachable);
            assert_eq!(Verdict::from(&error), Verdict::Answers);
        }
    }
}
