//! Traces: which requests are traced, and the spans of one.
//!
//! A span costs more than all the rest of a warm click, so it is made only where the request is sampled. It tells no more than the request's
//! log line: nothing that a caller wrote freely.

use std::fmt;

use thiserror::Error;
use tracing::{Level, Span};

use super::export;

/// The `target` of all spans. Their level is below every log's, so that a log filter for lines never makes spans.
pub const TARGET: &str = "open_chat::trace";

/// Where a request stands in somebody's trace: the header `traceparent` of W3C Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    pub(super) is_sampled: bool,
}

impl TraceParent {
    /// Reads `00-<trace id>-<span id>-<flags>`; a later version may go on after that.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut hex = |digits| {
            parts.next().filter(|part| {
                let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                part.len() == digits && part.bytes().all(is_hex)
            })
        };
        let (version, trace_id, span_id, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let parent = Self {
            trace_id: u128::from_str_radix(trace_id, 16).ok()?,
            span_id: u64::from_str_radix(span_id, 16).ok()?,
            is_sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
        };
        (parent.trace_id != 0 && parent.span_id != 0).then_some(parent)
    }
}

/// Which requests are traced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Whether the caller decides, where it sends a `traceparent`.
    follows_parent: bool,
    /// The part of the others that is traced, 0 to 1.
    ratio: f64,
}

/// The text names no sampler.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "not one of always_on, always_off, traceidratio, or these after parentbased_; a ratio is from 0 to 1"
)]
pub struct UnknownSampler;

impl Sampling {
    /// Nothing is traced.
    pub const OFF: Self = Self {
        follows_parent: false,
        ratio: 0.0,
    };

    /// Reads OpenTelemetry's standard names, with the argument that the ratio takes.
    pub fn parse(name: &str, argument: Option<&str>) -> Result<Self, UnknownSampler> {
        let (follows_parent, name) = match name.strip_prefix("parentbased_") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let ratio = match name {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => argument
                .map_or(Ok(1.0), |ratio| ratio.trim().parse())
                .map_err(|_| UnknownSampler)?,
            _ => return Err(UnknownSampler),
        };
        (0.0..=1.0)
            .contains(&ratio)
            .then_some(Self {
                follows_parent,
                ratio,
            })
            .ok_or(UnknownSampler)
    }

    fn wants(self, parent: Option<TraceParent>) -> bool {
        match parent {
            Some(parent) if self.follows_parent => parent.is_sampled,
            _ => self.ratio > 0.0 && fastrand::f64() < self.ratio,
        }
    }
}

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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_read_as_w3c_writes_it() {
        let parent = TraceParent::parse(PARENT).unwrap();
        assert_eq!(parent.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!(parent.span_id, 0xb7ad_6b71_6920_3331);
        assert!(parent.is_sampled);
        let later = TraceParent::parse(&PARENT.replace("00-0af", "01-0af").replace("-01", "-02-x"));
        assert!(!later.unwrap().is_sampled);
    }

    #[rstest]
    #[case::empty("")]
    #[case::capitals(&PARENT.to_uppercase())]
    #[case::short(&PARENT[..50])]
    #[case::longer_than_its_version(&format!("{PARENT}-00"))]
    #[case::no_version(&PARENT.replace("00-0af", "ff-0af"))]
    #[case::no_trace("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    #[case::no_span("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")]
    #[case::sign("00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    fn what_is_no_parent(#[case] text: &str) {
        assert_eq!(TraceParent::parse(text), None);
    }

    #[test]
    fn who_is_sampled() {
        let sampled = TraceParent::parse(PARENT);
        let unsampled = TraceParent::parse(&PARENT.replace("-01", "-00"));
        let wants = |name, parent| Sampling::parse(name, Some("0")).unwrap().wants(parent);
        assert!(wants("always_on", unsampled));
        assert!(!wants("always_off", sampled));
        assert!(wants("parentbased_always_on", None));
        assert!(!wants("parentbased_always_on", unsampled));
        assert!(wants("parentbased_traceidratio", sampled));
        assert!(!wants("traceidratio", sampled));
        for (name, argument) in [("sometimes", None), ("traceidratio", Some("2"))] {
            assert_eq!(Sampling::parse(name, argument), Err(UnknownSampler));
        }
    }
}
