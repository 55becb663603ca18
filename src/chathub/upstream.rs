//! One call to ChatHub, as it should be made: at the right pace, not while ChatHub is down or wants
//! to be left alone, within its time, and where that is safe, once more.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument as _, Span};

use super::circuit::Passage;
use super::clock::Clock;
use super::connections::Connections;
use super::endpoint::Endpoint;
use super::error::{Error, Unreachable};
use super::gate::{Gate, Verdict};
use super::observe::{Observer, Outcome};
use super::pace::Pace;
use super::retry_budget::RetryBudget;
use super::transport::{Authorization, Call, Transport};

/// Before the second attempt: long enough for a restarted connection, short enough for an agent.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// How an answer's body is read.
pub(super) type Read<T> = fn(&[u8]) -> Result<T, Error>;

/// The way to ChatHub.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) transport: Transport,
    pub(super) connections: Connections,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    pub(super) pace: Pace,
    pub(super) retries: RetryBudget,
    pub(super) attempt_timeout: Duration,
    /// A request that would have less time than this when its turn comes is not worth its place.
    pub(super) least_time: Duration,
    pub(super) observer: Arc<dyn Observer>,
}

impl Upstream {
    /// Makes the call and reads its answer, and makes it again once where nothing can be done twice
    /// by that and the failure looks like a passing one.
    pub(super) async fn call<T>(
        &self,
        call: &Call,
        authorization: &Authorization,
        deadline: Instant,
        read: Read<T>,
    ) -> Result<T, Error> {
        self.retries.earn();
        let attempt = |client| self.attempt(call, client, authorization, deadline, read);
        let kept = self.connections.kept();
        let first = attempt(Arc::clone(&kept)).await;
        let may_pass = matches!(
            first,
            Err(Error::TimedOut
                | Error::Unavailable(
                    Unreachable::NoConnection(_) | Unreachable::Broken | Unreachable::Status(_)
                ))
        );
        if !may_pass || !call.endpoint.is_repeatable() || !self.retries.spend() {
            return first;
        }
        sleep(RETRY_AFTER.mul_f64(1.0 + fastrand::f64())).await;
        let second = attempt(self.connections.new_one()).await;
        match &second {
            // What the first attempt has shown says more than that there was no second.
            Err(Error::Overloaded | Error::Unavailable(Unreachable::CircuitOpen { .. })) => {
                return first;
            }
            // A new connection works where a kept one does not, so the others may be dead too.
            Ok(_) => self.connections.forget(&kept),
            Err(_) => {}
        }
        second
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        client: Arc<Client>,
        authorization: &Authorization,
        deadline: Instant,
        read: Read<T>,
    ) -> Result<T, Error> {
        let is_list = call.endpoint.is_list();
        // Who cannot go out need not wait for a turn, nor take one.
        self.gate.look(std::time::Instant::now(), is_list)?;
        let wait = self.pace.book(
            std::time::Instant::now(),
            deadline.into_std(),
            self.least_time,
        )?;
        if !wait.is_zero() {
            sleep(wait).await;
        }
        let passage = self.gate.pass(std::time::Instant::now(), is_list)?;
        let client = match passage {
            // What is kept may be what has failed so far.
            Passage::Probe => self.connections.new_one(),
            Passage::Plain | Passage::List => client,
        };
        let mut visit = Visit {
            upstream: self,
            client: &client,
            passage,
            verdict: Verdict::Unknown,
        };
        let started = Instant::now();
        let end = deadline.min(started + self.attempt_timeout);
        let span = span(call.endpoint);
        let told = span.in_scope(|| self.observer.traceparent());
        let answer = self
            .transport
            .send(call, &client, authorization, told, &self.clock);
        let outcome = timeout_at(end, answer.instrument(span.clone()))
            .await
            .unwrap_or(Err(Error::TimedOut))
            .and_then(|body| read(&body));
        span.record("chathub.outcome", Outcome::of(&outcome).name());
        visit.verdict = outcome
            .as_ref()
            .map_or_else(Verdict::from, |_| Verdict::Answers);
        self.observer
            .request_ended(call.endpoint, Outcome::of(&outcome), started.elapsed());
        outcome
    }
}

/// The span of one request, within whichever span is running; none where none is. Its target and
/// its level are those of all this program's spans, which only a trace exporter takes.
fn span(endpoint: Endpoint) -> Span {
    if Span::current().is_none() {
        return Span::none();
    }
    tracing::trace_span!(
        target: "open_chat::trace",
        "chathub",
        otel.name = endpoint.name(),
        otel.kind = "client",
        chathub.outcome = tracing::field::Empty,
    )
}

/// A request that is out. However it ends, even if nobody waits for it any more, the gate learns of
/// it.
struct Visit<'a> {
    upstream: &'a Upstream,
    client: &'a Arc<Client>,
    passage: Passage,
    verdict: Verdict,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let upstream = self.upstream;
        let health = upstream.gate.close_behind(
            self.passage,
            self.verdict,
            std::time::Instant::now(),
            fastrand::f64(),
        );
        if health.has_opened {
            upstream.connections.forget(self.client);
        }
        upstream
            .observer
            .health(health.circuit_is_open, upstream.clock.skew());
    }
}

impl Endpoint {
    /// Whether the same request twice does no more than once. `synchronize` would add every
    /// operator twice.
    const fn is_repeatable(self) -> bool {
        !matches!(self, Self::Synchronize)
    }

    pub(super) const fn is_list(self) -> bool {
        matches!(self, Self::Organizations | Self::Operators)
    }
}
