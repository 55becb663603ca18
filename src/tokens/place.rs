//! What is known of one operator: the token that is kept, the mint that is on its way, and why ChatHub is not asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::held::Held;
use crate::chathub::Error;
use crate::flight::Flight;

/// How long ChatHub's "no such operator" and "not this one" are believed.
const REFUSAL_HOLDS: Duration = Duration::from_mins(1);

/// Between two tries to refresh a token that can still be handed out.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);

/// How a mint ends.
pub(super) type Minted = Result<Arc<Held>, Error>;

/// What is known of one operator.
#[derive(Default)]
pub(super) struct Place {
    /// Read by every click, without a lock.
    held: ArcSwapOption<Held>,
    work: Mutex<Work>,
}

/// What is going on for one operator.
#[derive(Default)]
pub(super) struct Work {
    pub(super) flight: Option<Flight<Minted>>,
    /// In a box, because hardly anybody has one, and there may be a hundred thousand places.
    pub(super) pause: Option<Box<Pause>>,
}

/// Why ChatHub is not asked for an operator, and until when.
pub(super) enum Pause {
    /// It has said no, which is believed for a while.
    Refused(Error, Instant),
    /// A refresh has failed, and the token is still good.
    NotRefreshed(Instant),
}

impl Place {
    /// Takes the outcome in. Says whether there is anything worth keeping: a flood of operators that nobody could be asked about must not
    /// fill the memory.
    pub(super) fn land(&self, outcome: &Minted) -> bool {
        let mut work = self.work();
        work.flight = None;
        work.pause = None;
        match outcome {
            Ok(held) => self.held.store(Some(Arc::clone(held))),
            Err(
                refused @ (Error::NotFound | Error::NotPermitted | Error::InvalidRequest { .. }),
            ) => {
                self.held.store(None);
                let until = Instant::now() + REFUSAL_HOLDS;
                work.pause = Some(Box::new(Pause::Refused(refused.clone(), until)));
            }
            Err(_) if self.held.load().is_some() => {
                let again = Instant::now() + REFRESH_AGAIN;
                work.pause = Some(Box::new(Pause::NotRefreshed(again)));
            }
            Err(_) => {}
        }
        work.pause.is_some() || self.held.load().is_some()
    }

    /// The token, if it can be handed out at this moment.
    pub(super) fn usable(&self, now: Instant) -> Option<Arc<Held>> {
        self.held.load_full().filter(|held| now < held.usable_until)
    }

    /// Until when anything is known of the operator, if at all. While a token is being minted, that is not near.
    pub(super) fn ends(&self) -> Option<Instant> {
        let work = self.work();
        let busy = work.in_the_air().map(|_| Instant::now() + REFUSAL_HOLDS);
        let refused = work.refused_until();
        let usable = self.held.load().as_ref().map(|held| held.usable_until);
        busy.max(refused).max(usable)
    }

    /// Whether nothing is known any more.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.ends().is_none_or(|end| end <= now)
    }

    /// What is going on, to look at or to change.
    pub(super) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// A lost flight would never land, and nobody should wait for it.
    pub(super) fn in_the_air(&self) -> Option<&Flight<Minted>> {
        self.flight.as_ref().filter(|flight| !flight.is_lost())
    }

    /// Whether a refresh has failed a moment ago.
    pub(super) fn is_refresh_too_early(&self, now: Instant) -> bool {
        matches!(self.pause.as_deref(), Some(Pause::NotRefreshed(again)) if now < *again)
    }

    /// Why the operator is refused at this moment, if so.
    pub(super) fn refusal(&self, now: Instant) -> Option<&Error> {
        match self.pause.as_deref() {
            Some(Pause::Refused(error, until)) if now < *until => Some(error),
            _ => None,
        }
    }

    fn refused_until(&self) -> Option<Instant> {
        match self.pause.as_deref() {
            Some(Pause::Refused(_, until)) => Some(*until),
            _ => None,
        }
    }
}
