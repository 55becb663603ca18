//! Traces: which requests are sampled, and where spans are sent.

use url::Url;

use super::{EnvParser, Reported, Variable, on_or_off};
use crate::telemetry::{Sampling, SamplingError};

pub(super) const VARIABLES: &[Variable] = &[
    Variable::without_default("OTEL_EXPORTER_OTLP_ENDPOINT"),
    Variable::without_default("OTEL_EXPORTER_OTLP_PROTOCOL"),
    Variable::without_default("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    Variable::without_default("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"),
    Variable::without_default("OTEL_SDK_DISABLED"),
    // OpenTelemetry's own default: the caller decides, and without a caller everything is traced.
    Variable::with_default("OTEL_TRACES_SAMPLER", "parentbased_always_on"),
    Variable::without_default("OTEL_TRACES_SAMPLER_ARG"),
    // ChatHub's operator is not asked to keep our trace ids.
    Variable::with_default("TRACE_CHATHUB", "off"),
];

/// Which requests are traced, and where spans are sent.
#[derive(Clone, Copy, Debug)]
pub struct TraceConfig {
    /// Whether a collector is set; the exporter reads its address itself.
    pub are_sent: bool,
    /// Which requests are traced.
    pub sampling: Sampling,
    /// Whether requests to ChatHub carry the trace context.
    pub to_chathub: bool,
}

impl TraceConfig {
    pub(super) fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let sampling = sampling(parser);
        let to_chathub = parser.required("TRACE_CHATHUB", on_or_off);
        let for_all = parser.optional("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
        let for_traces = parser.optional("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector);
        let has_collector = for_all?.is_some() || for_traces?.is_some();
        let are_sent = has_collector && !is_disabled(parser);
        if are_sent {
            check_protocol(parser)?;
        }
        Ok(Self {
            are_sent,
            sampling: if are_sent { sampling? } else { Sampling::OFF },
            to_chathub: to_chathub?,
        })
    }
}

fn sampling(parser: &mut EnvParser) -> Result<Sampling, Reported> {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
    let name = parser.text(NAME).unwrap_or_default().trim();
    Sampling::parse(name, parser.text(ARGUMENT)).map_err(|error| {
        let variable = match error {
            SamplingError::UnknownSampler => NAME,
            SamplingError::NotARatio => ARGUMENT,
        };
        parser.problem(variable, error)
    })
}

/// By OpenTelemetry's rule: `true` in any case, and nothing else.
fn is_disabled(parser: &EnvParser) -> bool {
    let disabled = parser.text("OTEL_SDK_DISABLED").unwrap_or_default();
    disabled.trim().eq_ignore_ascii_case("true")
}

/// One of OpenTelemetry's protocols is built in. The exporter would use it whatever is set, and a
/// collector's port for gRPC does not take it.
fn check_protocol(parser: &mut EnvParser) -> Result<(), Reported> {
    const OF_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
    let variable = match parser.text(OF_TRACES) {
        Some(_) => OF_TRACES,
        None => "OTEL_EXPORTER_OTLP_PROTOCOL",
    };
    let check = |protocol: &str| match protocol {
        "http/protobuf" => Ok(()),
        _ => Err(
            "must be http/protobuf, the only one that is built in; collectors take it on port 4318",
        ),
    };
    parser.optional(variable, check).map(|_| ())
}

/// The exporter takes more than this, and its errors repeat the URL, which may hold a password.
fn collector(text: &str) -> Result<(), &'static str> {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme) && Url::parse(text).is_ok())
        .then_some(())
        .ok_or("must be a URL that begins with http:// or https://")
}
