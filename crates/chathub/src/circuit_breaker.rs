//! Whether a request may be sent: the circuit breaker, and the waits that ChatHub asks for.
//!
//! Time comes in as a parameter, so the rules can be read, and tested, without a clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::circuit::{Circuit, Permit};
use crate::error::{ErrorKind, Unreachable};

/// The waits after a 429 without `Retry-After`, as ChatHub's general page advises them.
const ADVISED_WAITS: [u64; 4] = [1, 2, 4, 8];

/// A longer `Retry-After` is cut to this.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// The circuit breaker for all requests to ChatHub.
#[derive(Debug, Default)]
pub(crate) struct CircuitBreaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    circuit: Circuit,
    /// Until when ChatHub has asked for no requests.
    held_until: Option<Instant>,
    /// 429s in a row.
    throttled: usize,
}

/// What a request has shown about ChatHub's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It answers, whatever it says.
    Answers,
    /// It does not answer, or fails on its own side.
    Fails,
    /// It asks to wait.
    Throttles(Option<Duration>),
    /// Nothing: the caller stopped waiting for the outcome.
    Unknown,
}

/// The circuit after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) circuit_is_open: bool,
    /// This request has opened it, or opened it again.
    pub(crate) has_opened: bool,
}

impl From<&ErrorKind> for Verdict {
    fn from(error: &ErrorKind) -> Self {
        match error {
            ErrorKind::Unavailable(Unreachable::TokenRefused | Unreachable::Login(_)) => {
                Self::Answers
            }
            ErrorKind::Unavailable(_) | ErrorKind::TimedOut => Self::Fails,
            ErrorKind::Throttled { retry_after } => Self::Throttles(*retry_after),
            _ => Self::Answers,
        }
    }
}

impl CircuitBreaker {
    /// Fails with the reason why a request cannot be sent, if there is one. Takes no permit.
    pub(crate) fn check(&self, now: Instant, is_list: bool) -> Result<(), ErrorKind> {
        self.state().permit(now, is_list).map(drop)
    }

    /// Permits a request, or says why not. How the request ends must be told by
    /// [`record`](Self::record).
    pub(crate) fn acquire(&self, now: Instant, is_list: bool) -> Result<Permit, ErrorKind> {
        let mut state = self.state();
        let permit = state.permit(now, is_list)?;
        state.circuit.leave(permit);
        Ok(permit)
    }

    /// Records how a permitted request has ended. `jitter` is from 0 to 1.
    pub(crate) fn record(
        &self,
        permit: Permit,
        verdict: Verdict,
        now: Instant,
        jitter: f64,
    ) -> Health {
        let mut state = self.state();
        state.circuit.end(permit);
        let mut has_opened = false;
        match verdict {
            Verdict::Unknown => {}
            Verdict::Throttles(asked) => {
                state.hold(asked, now);
                // ChatHub is not down: it answers. Of a list that is no proof.
                if permit != Permit::List {
                    state.circuit.answered(permit, now);
                }
            }
            Verdict::Answers => {
                state.circuit.answered(permit, now);
                if permit != Permit::List {
                    state.throttled = 0;
                }
            }
            Verdict::Fails => has_opened = state.circuit.failed(permit, now, jitter),
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
    fn permit(&self, now: Instant, is_list: bool) -> Result<Permit, ErrorKind> {
        if let Some(until) = self.held_until.filter(|until| *until > now) {
            return Err(ErrorKind::Throttled {
                retry_after: Some(until - now),
            });
        }
        self.circuit
            .permit(now, is_list)
            .map_err(|retry_after| ErrorKind::Unavailable(Unreachable::CircuitOpen { retry_after }))
    }

    /// Several concurrent requests may all be asked to wait: that counts as one 429, with the
    /// longest wait.
    fn hold(&mut self, asked: Option<Duration>, now: Instant) {
        let held = self.held_until.filter(|until| *until > now);
        if held.is_none() || asked.is_some() {
            let step = self.throttled.min(ADVISED_WAITS.len() - 1);
            let wait = asked.unwrap_or(Duration::from_secs(ADVISED_WAITS[step]));
            self.held_until = held.max(Some(now + wait.min(MAX_RETRY_AFTER)));
        }
        if held.is_none() {
            self.throttled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Permit::Normal;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn retry_after_is_kept() {
        let (breaker, now) = (CircuitBreaker::default(), Instant::now());
        breaker.record(Normal, Verdict::Throttles(Some(7 * SECOND)), now, 0.0);
        assert_eq!(
            breaker.acquire(now + 2 * SECOND, false),
            Err(ErrorKind::Throttled {
                retry_after: Some(5 * SECOND)
            })
        );
        assert_eq!(breaker.acquire(now + 7 * SECOND, false), Ok(Normal));
    }

    #[test]
    fn without_retry_after_the_waits_double() {
        let (breaker, mut now) = (CircuitBreaker::default(), Instant::now());
        for wait in [1, 2, 4, 8, 8] {
            breaker.record(Normal, Verdict::Throttles(None), now, 0.0);
            assert!(
                breaker
                    .acquire(now + wait * SECOND * 99 / 100, false)
                    .is_err(),
                "{wait}"
            );
            now += wait * SECOND;
            assert_eq!(breaker.acquire(now, false), Ok(Normal), "{wait}");
        }
        breaker.record(Normal, Verdict::Throttles(Some(Duration::MAX)), now, 0.0);
        assert_eq!(
            breaker.acquire(now + 3600 * SECOND, false),
            Ok(Normal),
            "an hour at most"
        );
    }

    #[test]
    fn waits_that_are_asked_for_together_are_one_and_the_longest() {
        let (breaker, now) = (CircuitBreaker::default(), Instant::now());
        for asked in [Some(7), Some(5), None, None] {
            let asked = asked.map(|seconds| seconds * SECOND);
            breaker.record(Normal, Verdict::Throttles(asked), now, 0.0);
        }
        assert!(breaker.acquire(now + 6 * SECOND, false).is_err());
        let later = now + 7 * SECOND;
        assert_eq!(breaker.acquire(later, false), Ok(Normal));
        breaker.record(Normal, Verdict::Throttles(None), later, 0.0);
        assert!(
            breaker.acquire(later + SECOND, false).is_err(),
            "the second time"
        );
        assert_eq!(breaker.acquire(later + 2 * SECOND, false), Ok(Normal));
    }

    #[test]
    fn an_open_circuit_is_told_with_its_rest_and_ended_by_a_429() {
        let (breaker, now) = (CircuitBreaker::default(), Instant::now());
        for failure in 1..=5 {
            let permit = breaker.acquire(now, false).unwrap();
            let health = breaker.record(permit, Verdict::Fails, now, 0.0);
            assert_eq!(health.has_opened, failure == 5);
        }
        assert_eq!(
            breaker.check(now + 9 * SECOND, false),
            Err(ErrorKind::Unavailable(Unreachable::CircuitOpen {
                retry_after: SECOND
            }))
        );
        let later = now + 10 * SECOND;
        assert_eq!(breaker.check(later, false), Ok(()), "looking takes nothing");
        let probe = breaker.acquire(later, false).unwrap();
        let asked = Verdict::Throttles(Some(SECOND));
        assert!(!breaker.record(probe, asked, later, 0.0).circuit_is_open);
        assert_eq!(breaker.acquire(later + SECOND, false), Ok(Normal));
    }

    #[test]
    fn a_refused_token_and_a_firewall_s_page_are_answers() {
        for unreachable in [Unreachable::TokenRefused, Unreachable::Login(403)] {
            let error = ErrorKind::Unavailable(unreachable);
            assert_eq!(Verdict::from(&error), Verdict::Answers);
        }
    }
}
