//! Operator tokens: minted once, reused for a while, refreshed ahead of expiry, one request to
//! ChatHub for many clicks.
//!
//! Owns which click mints, waits or reuses. `minter` gets one token, `cached_token` knows how long
//! it is good, `entry` what is known about one operator, `backoff` what a failure means, `cache`
//! keeps the entries.

mod backoff;
mod cache;
mod cached_token;
mod entry;
mod minter;
mod moment;

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus::IntCounter;
use tokio::runtime::Handle;
use tokio::time::timeout_at;

use self::cache::TokenCache;
pub use self::cached_token::CachedToken;
use self::entry::{EntryState, MintResult, TokenEntry};
use self::minter::Minter;
use self::moment::Clock;
use crate::metrics::{self, Metrics};
use crate::single_flight::SingleFlight;
use chathub::{ChatHub, ErrorKind, OperatorId, Unreachable};

/// How operator tokens are minted and cached.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// How long a token lives. The operator's session in the panel ends with it.
    pub ttl: Duration,
    /// How long a token is reused before it is refreshed. Zero mints one for every click.
    pub reuse: Duration,
    /// For how many operators tokens are cached.
    pub cache_size: u64,
    /// Whether ChatHub's validate-token checks each new token first.
    pub validate: bool,
    /// How long a mint may take: the time budget of a click.
    pub click_budget: Duration,
}

named_enum! {
    /// Where a click's token came from. The name is a metric's label and a field of the log.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(usize)]
    pub enum TokenOutcome {
        /// This click had it minted.
        Minted = "minted",
        /// It was cached.
        Reused = "reused",
        /// Another click was having it minted.
        Shared = "shared",
        /// There is none.
        Failed = "failed",
    }
}

/// The operator tokens of a company.
pub struct OperatorTokens {
    minter: Arc<Minter>,
    clock: Clock,
    cache: Arc<TokenCache>,
    /// Where mints run: not on the threads that answer clicks.
    runtime: Handle,
    /// By outcome. Minted counts tokens, those of background refreshes too; the others count
    /// clicks.
    counters: [IntCounter; TokenOutcome::ALL.len()],
}

/// What a click without a usable token gets.
enum Acquired {
    Cached(Arc<CachedToken>),
    InFlight(SingleFlight<MintResult>, TokenOutcome),
}

impl OperatorTokens {
    /// Must be called within a Tokio runtime, in which mints then run.
    pub fn new(chathub: Arc<ChatHub>, config: &TokenConfig, metrics: &Metrics) -> Self {
        let clock = Clock::new(Arc::clone(&chathub));
        Self {
            minter: Arc::new(Minter::new(chathub, clock.clone(), config.clone())),
            clock,
            cache: Arc::new(TokenCache::new(config.cache_size)),
            runtime: Handle::current(),
            counters: TokenOutcome::ALL.map(|outcome| {
                metrics::counter(&metrics.open_chat_operator_tokens_total, &[outcome.name()])
            }),
        }
    }

    /// A token that opens the panel as `operator`, and where it came from. Waits for a mint until
    /// `deadline`.
    pub async fn get(
        &self,
        operator: OperatorId,
        deadline: Instant,
    ) -> Result<(Arc<CachedToken>, TokenOutcome), ErrorKind> {
        let entry = self.cache.get_or_create(operator);
        if let Some(token) = self.reusable(operator, &entry) {
            self.count(TokenOutcome::Reused);
            return Ok((token, TokenOutcome::Reused));
        }
        // Boxed, because a click's future is moved several times, and few clicks wait.
        let result = Box::pin(self.wait(operator, &entry, deadline)).await;
        match &result {
            Err(_) => self.count(TokenOutcome::Failed),
            // The mint itself has counted it.
            Ok((_, TokenOutcome::Minted)) => {}
            Ok((_, outcome)) => self.count(*outcome),
        }
        result
    }

    fn count(&self, outcome: TokenOutcome) {
        self.counters[outcome as usize].inc();
    }

    async fn wait(
        &self,
        operator: OperatorId,
        entry: &Arc<TokenEntry>,
        deadline: Instant,
    ) -> Result<(Arc<CachedToken>, TokenOutcome), ErrorKind> {
        let (mut mint, outcome) = match self.join_or_mint(operator, entry)? {
            Acquired::Cached(token) => return Ok((token, TokenOutcome::Reused)),
            Acquired::InFlight(mint, outcome) => (mint, outcome),
        };
        let result = timeout_at(deadline.into(), mint.wait())
            .await
            .map_err(|_| ErrorKind::TimedOut)?;
        let token = result.unwrap_or(Err(ErrorKind::Unavailable(Unreachable::Broken)))?;
        Ok((token, outcome))
    }

    /// How long a token is still valid, by the clock that says least.
    pub fn left(&self, token: &CachedToken) -> Duration {
        token.expires.remaining(self.clock.now())
    }

    /// Call it when the directory has been read, from `began` on. Where ChatHub has refused to
    /// refresh a token since before that, and the operator `is_out` of the directory too, the
    /// refusal is believed and the token taken away.
    pub fn directory_read(&self, began: Instant, is_out: impl Fn(OperatorId) -> bool) {
        self.cache.for_each(|operator, entry| {
            entry.believe_refusal_before(began, || is_out(operator));
        });
    }

    /// For how many operators something is cached.
    pub fn entries(&self) -> usize {
        self.cache.len()
    }

    /// Removes expired entries. Call it every second.
    pub fn sweep(&self) {
        self.cache.sweep();
    }

    /// A token that can be handed out again. If it is no longer fresh, a refresh starts in the
    /// background.
    fn reusable(&self, operator: OperatorId, entry: &Arc<TokenEntry>) -> Option<Arc<CachedToken>> {
        let now = self.clock.now();
        let token = entry.usable(now)?;
        if token.fresh_until.has_passed(now) {
            let mut state = entry.state();
            if state.may_refresh(now.monotonic) {
                self.spawn_mint(operator, entry, &mut state);
            }
        }
        Some(token)
    }

    /// Joins the mint in flight, or starts one.
    fn join_or_mint(
        &self,
        operator: OperatorId,
        entry: &Arc<TokenEntry>,
    ) -> Result<Acquired, ErrorKind> {
        let mut state = entry.state();
        let now = self.clock.now();
        // A mint may have completed while this click waited for the lock.
        if let Some(token) = entry.usable(now) {
            return Ok(Acquired::Cached(token));
        }
        if let Some(error) = state.refusal(now.monotonic) {
            return Err(error.clone());
        }
        if let Some(mint) = state.in_flight() {
            return Ok(Acquired::InFlight(mint.clone(), TokenOutcome::Shared));
        }
        let mint = self.spawn_mint(operator, entry, &mut state);
        Ok(Acquired::InFlight(mint, TokenOutcome::Minted))
    }

    fn spawn_mint(
        &self,
        operator: OperatorId,
        entry: &Arc<TokenEntry>,
        state: &mut EntryState,
    ) -> SingleFlight<MintResult> {
        let (minter, entry) = (Arc::clone(&self.minter), Arc::clone(entry));
        let clock = self.clock.clone();
        let cache = Arc::clone(&self.cache);
        let counter = self.counters[TokenOutcome::Minted as usize].clone();
        let mint = SingleFlight::start(&self.runtime, async move {
            let result = minter.mint(operator).await.map(Arc::new);
            if result.is_ok() {
                counter.inc();
            }
            if !entry.complete(&result, clock.now()) {
                cache.remove(operator, &entry);
            }
            result
        });
        state.mint.insert(mint).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use chathub;
    use chathub::Credentials;
    use chathub::HttpsUrl;
    use chathub_simulator::{Endpoint, Rules, Simulator};

    fn tokens_of(url: &str, reuse: Duration) -> OperatorTokens {
        let url = HttpsUrl::parse(url).unwrap();
        let key = Credentials::ProfileKey("demo-profile-key".into());
        let chathub = ChatHub::new(chathub::ClientConfig::new(url, key)).unwrap();
        let config = TokenConfig {
            ttl: Duration::from_hours(1),
            reuse,
            cache_size: 100_000,
            validate: false,
            click_budget: Duration::from_secs(5),
        };
        let metrics = Metrics::new().unwrap();
        OperatorTokens::new(Arc::new(chathub), &config, &metrics)
    }

    const REUSE: Duration = Duration::from_mins(5);

    #[tokio::test]
    async fn entries_without_content_are_removed() {
        let tokens = tokens_of("http://127.0.0.1:1/", REUSE);
        for operator in 0..50 {
            let entry = tokens.cache.get_or_create(OperatorId(operator));
            if operator < 20 {
                entry.complete(&Err(ErrorKind::NotFound), tokens.clock.now());
            }
        }
        assert_eq!(tokens.entries(), 50);
        for _ in 0..60 {
            tokens.sweep();
        }
        assert_eq!(tokens.entries(), 20);
    }

    /// The monotonic clock stands still in a suspension of two hours, and the tokens of one hour
    /// must still expire. A clock that is set back must not make them live longer.
    #[tokio::test(flavor = "multi_thread")]
    async fn after_a_suspension_no_expired_token_is_handed_out() {
        let simulator = Simulator::start(Rules::default()).unwrap();
        // Long enough that no refresh runs beside the calls and is counted with them.
        let tokens = tokens_of(&simulator.url(), Duration::from_hours(1));
        let got = async || {
            let deadline = Instant::now() + Duration::from_mins(2);
            let (token, _) = tokens.get(OperatorId(101), deadline).await.unwrap();
            let mints = simulator.calls(Endpoint::OperatorToken);
            (mints, tokens.left(&token).as_secs().div_ceil(60))
        };
        let suspend = |seconds| tokens.clock.suspended.fetch_add(seconds, Ordering::Relaxed);
        assert_eq!(got().await, (1, 60));
        suspend(1800);
        assert_eq!(got().await, (1, 30), "the token has half an hour left");
        suspend(7200);
        assert_eq!(got().await, (2, 60), "another token");
        suspend(-36_000);
        assert_eq!(
            got().await,
            (2, 60),
            "a clock set back makes none live longer"
        );
    }
}
