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
    /// Nothing: nobody waited for the outcome, or it says nothing of the others.
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
    /// Lets a request out, or says why not. What goes out must come back with [`Self::close_behind`].
    pub(super) fn pass(&self, now: Instant) -> Result<(), Error> {
        let mut state = self.state();
        if let Some(until) = state.held_until.filter(|until| *until > now) {
            return Err(Error::Throttled {
                retry_after: Some(until - now),
            });
        }
        let Some(until) = state.open_until else {
            return Ok(());
        };
        if until > now || state.probe_is_out {
            let retry_after = until.saturating_duration_since(now);
            return Err(Error::Unavailable(Unreachable::CircuitOpen { retry_after }));
        }
        state.probe_is_out = true;
        Ok(())
    }

    /// Learns from a request that was let out. `jitter` is from 0 to 1. Says whether the circuit is open now.
    pub(super) fn close_behind(&self, verdict: Verdict, now: Instant, jitter: f64) -> bool {
        let mut state = self.state();
        let was_probe = std::mem::take(&mut state.probe_is_out);
        match verdict {
            Verdict::Answers => {
                state.failures = 0;
                state.throttled = 0;
                state.open_until = None;
            }
            Verdict::Fails => {
                state.failures += 1;
                if was_probe || state.failures >= FAILURES {
                    state.failures = 0;
                    state.open_until = Some(now + OPEN_FOR + OPEN_FOR.mul_f64(jitter / 10.0));
                }
            }
            Verdict::Throttles(asked) => {
                let step = state.throttled.min(ADVISED_WAITS.len() - 1);
                state.throttled += 1;
                let wait = asked.unwrap_or(Duration::from_secs(ADVISED_WAITS[step]));
                state.held_until = Some(now + wait.min(LONGEST_HOLD));
                // It is not down: it answers.
                state.failures = 0;
                state.open_until = None;
            }
            Verdict::Unknown => {}
        }
        state.open_until.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fail(gate: &Gate, now: Instant) -> bool {
        gate.pass(now).unwrap();
        gate.close_behind(Verdict::Fails, now, 0.0)
    }

    #[test]
    fn five_failures_in_a_row_open_it_for_ten_seconds() {
        let (gate, now) = (Gate::default(), Instant::now());
        for _ in 0..4 {
            assert!(!fail(&gate, now));
        }
        assert!(fail(&gate, now));
        assert_eq!(
            gate.pass(now + 9 * SECOND),
            Err(Error::Unavailable(Unreachable::CircuitOpen {
                retry_after: SECOND
            }))
        );
        assert_eq!(gate.pass(now + 10 * SECOND), Ok(()));
    }

    #[test]
    fn an_answer_between_starts_the_count_again() {
        let (gate, now) = (Gate::default(), Instant::now());
        for _ in 0..4 {
            fail(&gate, now);
        }
        gate.close_behind(Verdict::Answers, now, 0.0);
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
        assert_eq!(gate.pass(later), Ok(()), "the probe");
        assert!(gate.pass(later).is_err(), "nobody beside it");
        assert!(gate.close_behind(Verdict::Fails, later, 0.0), "open again");
        assert!(gate.pass(later + 9 * SECOND).is_err());

        let much_later = later + 10 * SECOND;
        assert_eq!(gate.pass(much_later), Ok(()));
        assert!(!gate.close_behind(Verdict::Answers, much_later, 0.0));
        assert_eq!(gate.pass(much_later), Ok(()));
        assert_eq!(gate.pass(much_later), Ok(()), "for everybody");
    }

    #[test]
    fn a_probe_that_nobody_waits_for_makes_room_for_another() {
        let (gate, start) = (Gate::default(), Instant::now());
        for _ in 0..5 {
            fail(&gate, start);
        }
        let later = start + 10 * SECOND;
        gate.pass(later).unwrap();
        gate.close_behind(Verdict::Unknown, later, 0.0);
        assert_eq!(gate.pass(later), Ok(()));
    }

    #[test]
    fn jitter_adds_up_to_a_second() {
        let (gate, now) = (Gate::default(), Instant::now());
        for _ in 0..5 {
            gate.pass(now).unwrap();
            gate.close_behind(Verdict::Fails, now, 1.0);
        }
        assert!(gate.pass(now + 10_900 * SECOND / 1000).is_err());
        assert_eq!(gate.pass(now + 11 * SECOND), Ok(()));
    }

    #[test]
    fn retry_after_is_kept() {
        let (gate, now) = (Gate::default(), Instant::now());
        gate.close_behind(Verdict::Throttles(Some(7 * SECOND)), now, 0.0);
        assert_eq!(
            gate.pass(now + 2 * SECOND),
            Err(Error::Throttled {
                retry_after: Some(5 * SECOND)
            })
        );
        assert_eq!(gate.pass(now + 7 * SECOND), Ok(()));
    }

    #[test]
    fn without_retry_after_the_waits_double() {
        let (gate, mut now) = (Gate::default(), Instant::now());
        for wait in [1, 2, 4, 8, 8] {
            gate.close_behind(Verdict::Throttles(None), now, 0.0);
            assert!(gate.pass(now + wait * SECOND * 99 / 100).is_err(), "{wait}");
            now += wait * SECOND;
            assert_eq!(gate.pass(now), Ok(()), "{wait}");
        }
        gate.close_behind(Verdict::Throttles(Some(Duration::MAX)), now, 0.0);
        assert_eq!(gate.pass(now + 3600 * SECOND), Ok(()), "an hour at most");
    }
}
