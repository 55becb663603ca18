//! One call to ChatHub, as it should be made: at the right pace, not while ChatHub is down or wants to be left alone, within its time, and
//! where that is safe, once more.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{Instrument as _, Span};

use super::clock::Clock;
use super::endpoint::Endpoint;
use super::error::{Error, Unreachable};
use super::gate::{Gate, Passage, Verdict};
use super::observe::{Observer, Outcome};
use super::pace::Pace;
use super::transport::{Authorization, Call, Connection, Transport};

/// Before the second attempt: long enough for a restarted connection, short enough for an agent.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// How an answer's body is read.
pub(super) type Read<T> = fn(&[u8]) -> Result<T, Error>;

/// The way to ChatHub.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) transport: Transport,
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
    /// Makes the call and reads its answer, and makes it again once where nothing can be done twice by that and the failure looks like a passing one.
    pub(super) async fn call<T>(
        &self,
        call: &Call,
        authorization: &Authorization,
        deadline: Instant,
        read: Read<T>,
    ) -> Result<T, Error> {
        self.retries.earn();
        let attempt = |connection| self.attempt(call, connection, authorization, deadline, read);
        let first = attempt(Connection::Kept).await;
        let may_pass = matches!(
            first,
            Err(Error::TimedOut
                | Error::Unavailable(
                    Unreachable::NoConnection | Unreachable::Broken | Unreachable::Status(_)
                ))
        );
        if !may_pass || !call.endpoint.is_repeatable() || !self.retries.spend() {
            return first;
        }
        sleep(RETRY_AFTER.mul_f64(1.0 + fastrand::f64())).await;
        match attempt(Connection::New).await {
            // What the first attempt has shown says more than that there was no second.
            Err(Error::Overloaded | Error::Unavailable(Unreachable::CircuitOpen { .. })) => first,
            second => second,
        }
    }

    /// How far ahead ChatHub's clock is.
    pub(super) fn clock_skew(&self) -> TimeDelta {
        self.clock.skew()
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        connection: Connection,
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
        let mut visit = Visit {
            upstream: self,
            passage,
            verdict: Verdict::Unknown,
        };
        let started = Instant::now();
        let end = deadline.min(started + self.attempt_timeout);
        let span = span(call.endpoint);
        let told = span.in_scope(|| self.observer.traceparent());
        let answer = self
            .transport
            .send(call, connection, authorization, told, &self.clock);
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

/// The span of one request, within whichever span is running; none where none is. Its target and its level are those of all this
/// program's spans, which only a trace exporter takes.
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

/// A request that is out. However it ends, even if nobody waits for it any more, the gate learns of it.
struct Visit<'a> {
    upstream: &'a Upstream,
    passage: Passage,
    verdict: Verdict,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let upstream = self.upstream;
        let is_open = upstream.gate.close_behind(
            self.passage,
            self.verdict,
            std::time::Instant::now(),
            fastrand::f64(),
        );
        upstream.observer.health(is_open, upstream.clock.skew());
    }
}

impl Endpoint {
    /// Whether the same request twice does no more than once. `synchronize` would add every operator twice.
    const fn is_repeatable(self) -> bool {
        !matches!(self, Self::Synchronize)
    }

    const fn is_list(self) -> bool {
        matches!(self, Self::Organizations | Self::Operators)
    }
}

/// Keeps second attempts under a tenth of all calls, however long an outage lasts: ten calls earn one.
#[derive(Debug)]
pub(super) struct RetryBudget {
    /// In tenths of a retry.
    tenths: AtomicI64,
}

impl RetryBudget {
    /// What is saved up at most, and at the start.
    const MOST: i64 = 100;
    const RETRY: i64 = 10;

    pub(super) const fn new() -> Self {
        Self {
            tenths: AtomicI64::new(Self::MOST),
        }
    }

    fn earn(&self) {
        let add = |tenths: i64| (tenths < Self::MOST).then_some(tenths + 1);
        // Full is as good as one more.
        let _ = self
            .tenths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn spend(&self) -> bool {
        let take = |tenths: i64| (tenths >= Self::RETRY).then_some(tenths - Self::RETRY);
        self.tenths
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_stay_under_a_tenth_of_the_calls() {
        let budget = RetryBudget::new();
        let mut retries = 0;
        for _ in 0..10_000 {
            budget.earn();
            retries += u32::from(budget.spend());
        }
        assert!((1000..=1010).contains(&retries), "{retries}");
    }
}
