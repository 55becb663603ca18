//! Operator tokens: minted once, reused for a while, refreshed ahead, one call to ChatHub for many clicks.
//!
//! Owns when a token may be handed out again. How one is got is `mint`'s.

mod held;
mod mint;
mod places;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use prometheus::IntCounter;
use tokio::runtime::Handle;
use tokio::time::timeout_at;

pub use self::held::Held;
use self::mint::Mint;
use self::places::Places;
use crate::chathub::{ChatHub, Error, OperatorId, Unreachable};
use crate::flight::Flight;
use crate::metrics::{self, Metrics};

/// How long ChatHub's "no such operator" and "not this one" are believed.
const REFUSAL_HOLDS: Duration = Duration::from_mins(1);

/// Between two tries to refresh a token that can still be handed out.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);

/// How operator tokens are got and kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a token lives. Its end is also the end of the operator's session in the panel.
    pub ttl: Duration,
    /// How long a token is handed out again before it is refreshed; zero mints one for every click.
    pub reuse: Duration,
    /// For how many operators tokens are kept.
    pub cache_size: u64,
    /// Whether each new token is shown to ChatHub's validate-token first.
    pub validate: bool,
    /// How long getting a token may take: a click's whole time.
    pub click_budget: Duration,
}

/// Where a click's token came from. The name is a metric's label and a field of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Outcome {
    /// This click had it minted.
    Minted,
    /// It was there already.
    Reused,
    /// Another click was having it minted.
    Shared,
    /// There is none.
    Failed,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Minted, Self::Reused, Self::Shared, Self::Failed];

    /// `minted`
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minted => "minted",
            Self::Reused => "reused",
            Self::Shared => "shared",
            Self::Failed => "failed",
        }
    }
}

/// The operator tokens of a company.
pub struct OperatorTokens {
    mint: Arc<Mint>,
    places: Arc<Places>,
    /// Where ChatHub is asked: not on the threads that answer clicks.
    runtime: Handle,
    counters: Counters,
}

type Minted = Result<Arc<Held>, Error>;

/// What is known for one operator.
#[derive(Default)]
struct Place {
    /// Read by every click, without a lock.
    held: ArcSwapOption<Held>,
    work: Mutex<Work>,
}

/// What is going on for one operator.
#[derive(Default)]
struct Work {
    flight: Option<Flight<Minted>>,
    /// In a box, because hardly anybody has one, and there may be a hundred thousand places.
    pause: Option<Box<Pause>>,
}

/// Why ChatHub is not asked for an operator, and until when.
enum Pause {
    /// It has said no, which is believed for a while.
    Refused(Error, Instant),
    /// A refresh has failed, and the token is still good.
    NotRefreshed(Instant),
}

impl OperatorTokens {
    /// Must be called within a Tokio runtime, on which ChatHub will be asked.
    pub fn new(chathub: Arc<ChatHub>, settings: &Settings, metrics: &Metrics) -> Self {
        Self {
            mint: Arc::new(Mint::new(chathub, settings)),
            places: Arc::new(Places::new(settings.cache_size)),
            runtime: Handle::current(),
            counters: Counters::new(metrics),
        }
    }

    /// A token that opens the panel as `operator`, and where it came from; waited for until `deadline`.
    pub async fn get(
        &self,
        operator: OperatorId,
        deadline: Instant,
    ) -> Result<(Arc<Held>, Outcome), Error> {
        let place = self.places.of(operator);
        if let Some(held) = self.reusable(operator, &place) {
            self.counters.add(Outcome::Reused);
            return Ok((held, Outcome::Reused));
        }
        // In a box, because a click's own future is copied about, and almost none waits.
        let waited = Box::pin(self.wait(operator, &place, deadline)).await;
        match &waited {
            Err(_) => self.counters.add(Outcome::Failed),
            // The flight itself has counted what was minted.
            Ok((_, Outcome::Minted)) => {}
            Ok((_, outcome)) => self.counters.add(*outcome),
        }
        waited
    }

    async fn wait(
        &self,
        operator: OperatorId,
        place: &Arc<Place>,
        deadline: Instant,
    ) -> Result<(Arc<Held>, Outcome), Error> {
        let (mut flight, outcome) = match self.join(operator, place)? {
            Joined::Landed(held) => return Ok((held, Outcome::Reused)),
            Joined::Flight(flight, outcome) => (flight, outcome),
        };
        let landed = timeout_at(deadline.into(), flight.landing())
            .await
            .map_err(|_| Error::TimedOut)?;
        let held = landed.unwrap_or(Err(Error::Unavailable(Unreachable::Broken)))?;
        Ok((held, outcome))
    }

    /// For how many operators something is kept.
    pub fn entries(&self) -> usize {
        self.places.len()
    }

    /// Forgets operators of whom nothing is known any more, a part of them at a time. Call it every second.
    pub fn sweep(&self) {
        self.places.sweep();
    }

    /// A token that can be handed out again. One that is past its time of reuse is refreshed behind the click's back.
    fn reusable(&self, operator: OperatorId, place: &Arc<Place>) -> Option<Arc<Held>> {
        let held = place.held.load_full()?;
        let now = Instant::now();
        if now >= held.usable_until {
            return None;
        }
        if now >= held.fresh_until {
            let mut work = place.work();
            if work.in_the_air().is_none() && !work.is_refresh_too_early(now) {
                self.take_off(operator, place, &mut work);
            }
        }
        Some(held)
    }

    /// Joins the mint that is on its way, or starts one.
    fn join(&self, operator: OperatorId, place: &Arc<Place>) -> Result<Joined, Error> {
        let mut work = place.work();
        let now = Instant::now();
        // It may have landed while this click came to the lock.
        if let Some(held) = place
            .held
            .load_full()
            .filter(|held| now < held.usable_until)
        {
            return Ok(Joined::Landed(held));
        }
        if let Some(Pause::Refused(error, until)) = work.pause.as_deref() {
            if now < *until {
                return Err(error.clone());
            }
            work.pause = None;
        }
        if let Some(flight) = work.in_the_air() {
            return Ok(Joined::Flight(flight.clone(), Outcome::Shared));
        }
        let flight = self.take_off(operator, place, &mut work);
        Ok(Joined::Flight(flight, Outcome::Minted))
    }

    fn take_off(
        &self,
        operator: OperatorId,
        place: &Arc<Place>,
        work: &mut Work,
    ) -> Flight<Minted> {
        let (mint, place) = (Arc::clone(&self.mint), Arc::clone(place));
        let places = Arc::clone(&self.places);
        let minted = self.counters.0[Outcome::Minted as usize].clone();
        let flight = Flight::start(&self.runtime, async move {
            let outcome = mint.token(operator).await.map(Arc::new);
            if outcome.is_ok() {
                minted.inc();
            }
            if !place.land(&outcome) {
                places.forget(operator, &place);
            }
            outcome
        });
        work.flight.insert(flight).clone()
    }
}

impl Work {
    /// A lost flight would never land, and nobody should wait for it.
    fn in_the_air(&self) -> Option<&Flight<Minted>> {
        self.flight.as_ref().filter(|flight| !flight.is_lost())
    }

    fn is_refresh_too_early(&self, now: Instant) -> bool {
        matches!(self.pause.as_deref(), Some(Pause::NotRefreshed(again)) if now < *again)
    }

    fn refused_until(&self) -> Option<Instant> {
        match self.pause.as_deref() {
            Some(Pause::Refused(_, until)) => Some(*until),
            _ => None,
        }
    }
}

enum Joined {
    Landed(Arc<Held>),
    Flight(Flight<Minted>, Outcome),
}

impl Place {
    /// Takes the outcome in. Says whether there is anything worth keeping: a flood of operators that nobody could be asked about must not
    /// fill the memory.
    fn land(&self, outcome: &Minted) -> bool {
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

    /// Until when anything is known of the operator, if at all. While a token is being minted, that is not near.
    fn ends(&self) -> Option<Instant> {
        let work = self.work();
        let busy = work.in_the_air().map(|_| Instant::now() + REFUSAL_HOLDS);
        let refused = work.refused_until();
        let usable = self.held.load().as_ref().map(|held| held.usable_until);
        busy.max(refused).max(usable)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.ends().is_none_or(|end| end <= now)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By outcome. Minted counts tokens, also those that were refreshed behind the scenes; the others count clicks.
struct Counters([IntCounter; Outcome::ALL.len()]);

impl Counters {
    fn new(metrics: &Metrics) -> Self {
        Self(Outcome::ALL.map(|outcome| {
            metrics::counter(&metrics.open_chat_operator_tokens_total, &[outcome.name()])
        }))
    }

    fn add(&self, outcome: Outcome) {
        self.0[outcome as usize].inc();
    }
}
