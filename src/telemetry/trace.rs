//! The spans of a request.
//!
//! A span costs more than the rest of a warm click, so only a sampled request gets one. It tells no
//! more than the request's log line: no text that a caller chose freely.

use std::fmt;

use serde::{Serialize, Serializer};
use tracing::{Level, Span};

use super::export;
use super::sampling::Sampling;
use super::trace_parent::TraceParent;

/// The `target` of all spans. Their level is below that of every log line, so that a log filter
/// creates no spans.
pub(super) const TARGET: &str = "open_chat::trace";

/// A request's trace, and its span if it is sampled.
#[derive(Debug, Default)]
pub struct Trace {
    id: Option<TraceId>,
    span: Option<Span>,
}

/// The id of a trace. It is shown as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(pub(super) u128);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Trace {
    /// Begins the request's span, if it is sampled.
    pub fn begin(
        route: &'static str,
        method: &'static str,
        parent: Option<TraceParent>,
        sampling: Sampling,
    ) -> Self {
        if !sampling.should_sample(parent) {
            return Self {
                id: parent.map(|parent| parent.trace_id),
                span: None,
            };
        }
        let span = tracing::span!(
            target: TARGET,
            Level::TRACE,
            "request",
            otel.name = route,
            otel.kind = "server",
            otel.status_code = tracing::field::Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = tracing::field::Empty,
            open_chat.kind = tracing::field::Empty,
            open_chat.format = tracing::field::Empty,
            open_chat.token_outcome = tracing::field::Empty,
        );
        export::set_parent(&span, parent);
        Self {
            id: export::trace_id(&span),
            span: Some(span),
        }
    }

    /// The trace's id, if the request belongs to one.
    pub const fn id(&self) -> Option<TraceId> {
        self.id
    }

    /// The span of one step, a disabled one if the request has none.
    pub fn step(&self, name: &'static str) -> Span {
        self.span.as_ref().map_or_else(
            Span::none,
            |request| tracing::span!(target: TARGET, parent: request, Level::TRACE, "step", otel.name = name),
        )
    }

    /// Records how the request ended.
    pub fn end(
        &self,
        status: u16,
        kind: Option<&'static str>,
        format: Option<u8>,
        token_outcome: Option<&'static str>,
    ) {
        let Some(span) = &self.span else {
            return;
        };
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
        // What is `None` is left out.
        span.record("open_chat.kind", kind);
        span.record("open_chat.format", format);
        span.record("open_chat.token_outcome", token_outcome);
    }
}

/// The span of a request to ChatHub, within whichever span is running; none where none is.
pub fn client_span(name: &'static str) -> Span {
    if Span::current().is_none() {
        return Span::none();
    }
    tracing::span!(
        target: TARGET,
        Level::TRACE,
        "chathub",
        otel.name = name,
        otel.kind = "client",
        chathub.outcome = tracing::field::Empty,
    )
}
