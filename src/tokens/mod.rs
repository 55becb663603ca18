//! Operator tokens: minted once, reused for a while, refreshed ahead, one call to ChatHub for many
//! clicks.
//!
//! Owns who waits for what. How a token is got is `mint`'s, how long it is any good `held`'s, what
//! is known of one operator `place`'s, and of how many it is kept `places`'s.

mod held;
mod mint;
mod moment;
mod place;
mod places;

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus::IntCounter;
use tokio::runtime::Handle;
use tokio::time::timeout_at;

pub use self::held::CachedToken;
use chathub::{ChatHub, ErrorKind, OperatorId, Unreachable};

use self::mint::Mint;
use self::moment::Clock;
use self::place::{Minted, TokenEntry, Work};
use self::places::TokenCache;
use crate::metrics::{self, Metrics};
use crate::single_flight::SingleFlight;

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
    clock: Clock,
    places: Arc<TokenCache>,
    /// Where ChatHub is asked: not on the threads that answer clicks.
    runtime: Handle,
    counters: Counters,
}

/// What a click finds that comes to an operator without a token.
enum Joined {
    Landed(Arc<CachedToken>),
    SingleFlight(SingleFlight<Minted>, Outcome),
}

impl OperatorTokens {
    /// Must be called within a Tokio runtime, on which ChatHub will be asked.
    pub fn new(chathub: Arc<ChatHub>, settings: &Settings, metrics: &Metrics) -> Self {
        let clock = Clock::new(Arc::clone(&chathub));
        Self {
            mint: Arc::new(Mint::new(chathub, clock.clone(), settings)),
            clock,
            places: Arc::new(TokenCache::new(settings.cache_size)),
            runtime: Handle::current(),
            counters: Counters::new(metrics),
        }
    }

    /// A token that opens the panel as `operator`, and where it came from; waited for until
    /// `deadline`.
    pub async fn get(
        &self,
        operator: OperatorId,
        deadline: Instant,
    ) -> Result<(Arc<CachedToken>, Outcome), ErrorKind> {
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
        place: &Arc<TokenEntry>,
        deadline: Instant,
    ) -> Result<(Arc<CachedToken>, Outcome), ErrorKind> {
        let (mut flight, outcome) = match self.join(operator, place)? {
            Joined::Landed(held) => return Ok((held, Outcome::Reused)),
            Joined::SingleFlight(flight, outcome) => (flight, outcome),
        };
        let landed = timeout_at(deadline.into(), flight.wait())
            .await
            .map_err(|_| ErrorKind::TimedOut)?;
        let held = landed.unwrap_or(Err(ErrorKind::Unavailable(Unreachable::Broken)))?;
        Ok((held, outcome))
    }

    /// How long a token still lives, by the clock that says less.
    pub fn left(&self, held: &CachedToken) -> Duration {
        held.ends.left(self.clock.now())
    }

    /// The directory has been read, from `began` on: where ChatHub refused to refresh an operator's
    /// token before that, and the operator `is_out` by the directory too, the refusal is believed.
    pub fn directory_read(&self, began: Instant, is_out: impl Fn(OperatorId) -> bool) {
        self.places.each(|operator, place| {
            if place.is_refused_since(began) && is_out(operator) {
                place.believe();
            }
        });
    }

    /// For how many operators something is kept.
    pub fn entries(&self) -> usize {
        self.places.len()
    }

    /// Forgets operators of whom nothing is known any more, a part of them at a time. Call it every
    /// second.
    pub fn sweep(&self) {
        self.places.sweep();
    }

    /// A token that can be handed out again. One that is past its time of reuse is refreshed behind
    /// the click's back.
    fn reusable(&self, operator: OperatorId, place: &Arc<TokenEntry>) -> Option<Arc<CachedToken>> {
        let now = self.clock.now();
        let held = place.usable(now)?;
        if held.fresh_until.is_over(now) {
            let mut work = place.work();
            if work.in_flight().is_none() && !work.is_refresh_too_early(now.monotonic) {
                self.spawn_mint(operator, place, &mut work);
            }
        }
        Some(held)
    }

    /// Joins the mint that is on its way, or starts one.
    fn join(&self, operator: OperatorId, place: &Arc<TokenEntry>) -> Result<Joined, ErrorKind> {
        let mut work = place.work();
        let now = self.clock.now();
        // It may have landed while this click came to the lock.
        if let Some(held) = place.usable(now) {
            return Ok(Joined::Landed(held));
        }
        if let Some(error) = work.refusal(now.monotonic) {
            return Err(error.clone());
        }
        if let Some(flight) = work.in_flight() {
            return Ok(Joined::SingleFlight(flight.clone(), Outcome::Shared));
        }
        let flight = self.spawn_mint(operator, place, &mut work);
        Ok(Joined::SingleFlight(flight, Outcome::Minted))
    }

    fn spawn_mint(
        &self,
        operator: OperatorId,
        place: &Arc<TokenEntry>,
        work: &mut Work,
    ) -> SingleFlight<Minted> {
        let (mint, place) = (Arc::clone(&self.mint), Arc::clone(place));
        let clock = self.clock.clone();
        let places = Arc::clone(&self.places);
        let minted = self.counters.0[Outcome::Minted as usize].clone();
        let flight = SingleFlight::start(&self.runtime, async move {
            let outcome = mint.token(operator).await.map(Arc::new);
            if outcome.is_ok() {
                minted.inc();
            }
            if !place.complete(&outcome, clock.now()) {
                places.forget(operator, &place);
            }
            outcome
        });
        work.flight.insert(flight).clone()
    }
}

/// By outcome. Minted counts tokens, also those that were refreshed behind the scenes; the others
/// count clicks.
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use chathub::{Credentials, HttpsUrl};
    use chathub_simulator::{Endpoint, Rules, Simulator};

    use super::*;

    fn tokens_of(url: &str, reuse: Duration) -> OperatorTokens {
        let url = HttpsUrl::parse(url).unwrap();
        let key = Credentials::ProfileKey("demo-profile-key".into());
        let chathub = ChatHub::new(chathub::ClientConfig::new(url, key)).unwrap();
        let settings = Settings {
            ttl: Duration::from_hours(1),
            reuse,
            cache_size: 100_000,
            validate: false,
            click_budget: Duration::from_secs(5),
        };
        let metrics = Metrics::new().unwrap();
        OperatorTokens::new(Arc::new(chathub), &settings, &metrics)
    }

    const REUSE: Duration = Duration::from_mins(5);

    #[tokio::test]
    async fn operators_of_whom_nothing_is_known_are_forgotten() {
        let tokens = tokens_of("http://127.0.0.1:1/", REUSE);
        for operator in 0..50 {
            let place = tokens.places.of(OperatorId(operator));
            if operator < 20 {
                place.complete(&Err(ErrorKind::NotFound), tokens.clock.now());
            }
        }
        assert_eq!(tokens.entries(), 50);
        for _ in 0..1000 {
            tokens.sweep();
        }
        assert_eq!(tokens.entries(), 20);
    }

    /// A machine that sleeps for two hours wakes with tokens of one hour, as its monotonic clock
    /// has stood. A clock that is set back lengthens none of them.
    #[tokio::test(flavor = "multi_thread")]
    async fn after_a_suspension_no_token_is_handed_out_that_has_ended() {
        let simulator = Simulator::start(Rules::default()).unwrap();
        let tokens = tokens_of(&simulator.url(), REUSE);
        let got = async || {
            let deadline = Instant::now() + Duration::from_mins(2);
            let (held, _) = tokens.get(OperatorId(101), deadline).await.unwrap();
            let mints = simulator.calls(Endpoint::OperatorToken);
            (mints, tokens.left(&held).as_secs().div_ceil(60))
        };
        let suspend = |seconds| tokens.clock.suspended.fetch_add(seconds, Ordering::Relaxed);
        assert_eq!(got().await, (1, 60));
        suspend(1800);
        assert_eq!(got().await, (1, 30), "the token has half an hour left");
        suspend(7200);
        assert_eq!(got().await, (2, 60), "another token");
        suspend(-36_000);
        assert_eq!(got().await, (2, 60), "nothing lives longer by that");
    }
}
