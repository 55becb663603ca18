//! One call to ChatHub with everything around it: circuit breaker, rate limit, timeouts, and one
//! retry where that is safe.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument as _;

use crate::circuit::Permit;
use crate::circuit_breaker::{CircuitBreaker, Verdict};
use crate::clock::Clock;
use crate::connections::Connections;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, Unreachable};
use crate::observe::{Observer, Outcome};
use crate::rate_limiter::RateLimiter;
use crate::retry_budget::RetryBudget;
use crate::transport::{Authorization, Call, Transport};

/// Before the second attempt: long enough for a restart, short enough for an agent.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// How an answer's body is read.
pub(crate) type Read<T> = fn(&[u8]) -> Result<T, ErrorKind>;

/// The way to ChatHub.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) transport: Transport,
    pub(crate) connections: Connections,
    pub(crate) clock: Clock,
    pub(crate) breaker: CircuitBreaker,
    pub(crate) limiter: RateLimiter,
    pub(crate) retries: RetryBudget,
    pub(crate) attempt_timeout: Duration,
    /// A request that would have less time than this when its turn comes is not sent.
    pub(crate) least_time: Duration,
    pub(crate) observer: Arc<dyn Observer>,
}

impl Upstream {
    /// Makes the call and reads its answer. Repeats it once where the failure may be transient and
    /// a repetition does nothing twice.
    pub(crate) async fn call<T>(
        &self,
        call: &Call,
        authorization: &Authorization,
        deadline: Instant,
        read: Read<T>,
    ) -> Result<T, Error> {
        self.retries.earn();
        let attempt = async |client| {
            let attempt = self.attempt(call, client, authorization, deadline, read);
            attempt.await.map_err(|error| error.at(call.endpoint))
        };
        let pooled = self.connections.pooled();
        let first = attempt(Arc::clone(&pooled)).await;
        let may_pass = matches!(
            first.as_ref().map_err(Error::kind),
            Err(ErrorKind::TimedOut
                | ErrorKind::Unavailable(
                    Unreachable::NoConnection(_) | Unreachable::Broken | Unreachable::Status(_)
                ))
        );
        if !may_pass || !call.endpoint.is_repeatable() || !self.retries.spend() {
            return first;
        }
        sleep(RETRY_AFTER.mul_f64(1.0 + fastrand::f64())).await;
        let second = attempt(self.connections.unpooled()).await;
        match second.as_ref().map_err(Error::kind) {
            // The first error says more than that there was no second attempt.
            Err(
                ErrorKind::Overloaded | ErrorKind::Unavailable(Unreachable::CircuitOpen { .. }),
            ) => {
                return first;
            }
            // A new connection works where a pooled one did not, so the others may be dead too.
            Ok(_) => self.connections.discard(&pooled),
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
        // A request that is not permitted neither waits for a turn nor takes one.
        self.breaker.check(std::time::Instant::now(), is_list)?;
        let wait = self.limiter.reserve(
            std::time::Instant::now(),
            deadline.into_std(),
            self.least_time,
        )?;
        if !wait.is_zero() {
            sleep(wait).await;
        }
        let permit = self.breaker.acquire(std::time::Instant::now(), is_list)?;
        let client = match permit {
            // The pooled connections may be what has failed so far.
            Permit::Probe => self.connections.unpooled(),
            Permit::Normal | Permit::List => client,
        };
        let mut in_flight = InFlight {
            upstream: self,
            client: &client,
            permit,
            verdict: Verdict::Unknown,
        };
        let started = Instant::now();
        let end = deadline.min(started + self.attempt_timeout);
        let span = self.observer.span(call.endpoint);
        let traceparent = span.in_scope(|| self.observer.traceparent());
        let answer = self
            .transport
            .send(call, &client, authorization, traceparent, &self.clock);
        let outcome = timeout_at(end, answer.instrument(span.clone()))
            .await
            .unwrap_or(Err(ErrorKind::TimedOut.into()))
            .and_then(|body| Ok(read(&body)?));
        span.record("chathub.outcome", Outcome::of(&outcome).name());
        in_flight.verdict = outcome
            .as_ref()
            .map_or_else(|error| error.kind().into(), |_| Verdict::Answers);
        self.observer
            .request_ended(call.endpoint, Outcome::of(&outcome), started.elapsed());
        outcome
    }
}

/// A request in flight. Tells the circuit breaker how it has ended, even where its caller has
/// stopped waiting.
struct InFlight<'a> {
    upstream: &'a Upstream,
    client: &'a Arc<Client>,
    permit: Permit,
    verdict: Verdict,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let upstream = self.upstream;
        let health = upstream.breaker.record(
            self.permit,
            self.verdict,
            std::time::Instant::now(),
            fastrand::f64(),
        );
        if health.has_opened {
            upstream.connections.discard(self.client);
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

    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Organizations | Self::Operators)
    }
}
