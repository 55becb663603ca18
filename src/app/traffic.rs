//! The traffic with ChatHub → metrics, and traces where ChatHub is to be told of them.

use std::sync::Arc;
use std::time::Duration;

use chathub::{Endpoint, Observer, Outcome};
use chrono::TimeDelta;
use prometheus::{Gauge, Histogram, IntCounter, IntGauge};
use tracing::Span;

use crate::metrics::{self, Metrics};
use crate::telemetry;

/// Counts what the client reports. Every handle is looked up once.
#[derive(Debug)]
pub(super) struct Traffic {
    requests: [[IntCounter; Outcome::ALL.len()]; Endpoint::ALL.len()],
    durations: [Histogram; Endpoint::ALL.len()],
    circuit_open: IntGauge,
    clock_skew: Gauge,
    tells_traces: bool,
}

impl Traffic {
    pub(super) fn new(metrics: &Metrics, tells_traces: bool) -> Arc<Self> {
        Arc::new(Self {
            requests: Endpoint::ALL.map(|endpoint| {
                Outcome::ALL.map(|outcome| {
                    let labels = [endpoint.name(), outcome.name()];
                    metrics::counter(&metrics.chathub_requests_total, &labels)
                })
            }),
            durations: Endpoint::ALL.map(|endpoint| {
                metrics::histogram(
                    &metrics.chathub_request_duration_seconds,
                    &[endpoint.name()],
                )
            }),
            circuit_open: metrics.chathub_circuit_open.clone(),
            clock_skew: metrics.chathub_clock_skew_seconds.clone(),
            tells_traces,
        })
    }
}

impl Observer for Traffic {
    fn span(&self, endpoint: Endpoint) -> Span {
        telemetry::client_span(endpoint.name())
    }

    fn request_ended(&self, endpoint: Endpoint, outcome: Outcome, after: Duration) {
        self.requests[endpoint as usize][outcome as usize].inc();
        self.durations[endpoint as usize].observe(after.as_secs_f64());
    }

    fn traceparent(&self) -> Option<String> {
        self.tells_traces.then(telemetry::traceparent).flatten()
    }

    fn health(&self, circuit_is_open: bool, clock_skew: TimeDelta) {
        self.circuit_open.set(circuit_is_open.into());
        self.clock_skew.set(clock_skew.as_seconds_f64());
    }
}
