//! Metrics of the requests to ChatHub, and the trace context where ChatHub is to get it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use prometheus::{Gauge, Histogram, IntCounter, IntGauge};
use tracing::Span;

use crate::metrics::{self, Metrics};
use crate::telemetry;
use chathub::{Endpoint, Observer, Outcome};

/// Records what the ChatHub client reports. Metric handles are looked up once, at the start.
#[derive(Debug)]
pub(super) struct ChatHubMetrics {
    requests: [[IntCounter; Outcome::ALL.len()]; Endpoint::ALL.len()],
    durations: [Histogram; Endpoint::ALL.len()],
    circuit_open: IntGauge,
    clock_skew: Gauge,
    propagates_traces: bool,
}

impl ChatHubMetrics {
    pub(super) fn new(metrics: &Metrics, propagates_traces: bool) -> Arc<Self> {
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
            propagates_traces,
        })
    }
}

impl Observer for ChatHubMetrics {
    fn span(&self, endpoint: Endpoint) -> Span {
        telemetry::client_span(endpoint.name())
    }

    fn request_ended(&self, endpoint: Endpoint, outcome: Outcome, after: Duration) {
        self.requests[endpoint as usize][outcome as usize].inc();
        self.durations[endpoint as usize].observe(after.as_secs_f64());
    }

    fn traceparent(&self) -> Option<String> {
        self.propagates_traces
            .then(telemetry::traceparent)
            .flatten()
    }

    fn health(&self, circuit_is_open: bool, clock_skew: TimeDelta) {
        self.circuit_open.set(circuit_is_open.into());
        self.clock_skew.set(clock_skew.as_seconds_f64());
    }
}
