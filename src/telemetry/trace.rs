//! The spans of one request.
//!
//! A span costs more than all the rest of a warm click, so it is made only where the request is
//! sampled. It tells no more than the request's log line: nothing that a caller wrote freely.

use std::fmt;

use tracing::{Level, Span};

use super::export;
use super::sampling::Sampling;
use super::trace_parent::TraceParent;

/// The `target` of all spans. Their level is below every log's, so that a log filter for lines
/// never makes spans.
pub(super) const TARGET: &str = "open_chat::trace";

/// A request's place in a trace, and its span where it is sampled.
#[derive(Debug, Default)]
pub struct Trace {
    id: Option<u128>,
    span: Option<Span>,
}

impl Trace {
    /// Begins a request's span, if it is to have one.
    pub fn begin(
        route: &'static str,
        method: &'static str,
        parent: Option<TraceParent>,
        sampling: Sampling,
    ) -> Self {
        if !sampling.wants(parent) {
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
        export::adopt(&span, parent);
        Self {
            id: export::trace_id(&span),
            span: Some(span),
        }
    }

    /// Its id, for the log: 32 hexadecimal digits.
    pub fn id(&self) -> Option<impl fmt::Display + use<>> {
        self.id
            .map(|id| fmt::from_fn(move |f| write!(f, "{id:032x}")))
    }

    /// The span of one step, which is none where the request has none.
    pub fn step(&self, name: &'static str) -> Span {
        self.span.as_ref().map_or_else(
            Span::none,
            |request| tracing::span!(target: TARGET, parent: request, Level::TRACE, "step", otel.name = name),
        )
    }

    /// Tells how the request has ended.
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
        if let Some(kind) = kind {
            span.record("open_chat.kind", kind);
        }
        if let Some(format) = format {
            span.record("open_chat.format", format);
        }
        if let Some(outcome) = token_outcome {
            span.record("open_chat.token_outcome", outcome);
        }
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
