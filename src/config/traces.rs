//! Which clicks are traced, and where that goes.

use url::Url;

use super::environment::Environment;
use super::reader::{Reader, Reported, on_or_off};
use crate::telemetry::Sampling;

/// Which clicks are traced, and where that goes.
#[derive(Clone, Copy, Debug)]
pub struct TraceConfig {
    /// Whether there is a collector; the exporter reads its address itself.
    pub are_sent: bool,
    /// Which requests are traced.
    pub sampling: Sampling,
    /// Whether ChatHub is told of the trace.
    pub to_chathub: bool,
}

impl TraceConfig {
    pub(super) fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Reported> {
        let argument = env.otel_traces_sampler_arg.as_deref();
        let sampling = reader.read(
            "OTEL_TRACES_SAMPLER",
            env.otel_traces_sampler.as_ref(),
            |name| Sampling::parse(name, argument),
        );
        let to_chathub = reader.read("TRACE_CHATHUB", env.trace_chathub.as_ref(), on_or_off);
        let collector = reader.read_optional(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            env.otel_exporter_otlp_endpoint.as_ref(),
            collector,
        );
        let of_traces = reader.read_optional(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            env.otel_exporter_otlp_traces_endpoint.as_ref(),
            self::collector,
        );
        let has_collector = collector?.is_some() || of_traces?.is_some();
        let are_sent = has_collector && !is_disabled(env);
        if are_sent {
            check_protocol(reader, env)?;
        }
        Ok(Self {
            are_sent,
            sampling: if are_sent { sampling? } else { Sampling::OFF },
            to_chathub: to_chathub?,
        })
    }
}

/// As OpenTelemetry has it: `true` in any case, and nothing else.
fn is_disabled(env: &Environment) -> bool {
    let disabled = env.otel_sdk_disabled.as_deref().unwrap_or_default();
    disabled.trim().eq_ignore_ascii_case("true")
}

/// Of OpenTelemetry's protocols one is built in. The exporter would go on with it whatever it is
/// told, and a collector's port for gRPC takes none of that.
fn check_protocol(reader: &mut Reader, env: &Environment) -> Result<(), Reported> {
    let (variable, protocol) = match &env.otel_exporter_otlp_traces_protocol {
        Some(protocol) => ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", Some(protocol)),
        None => (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            env.otel_exporter_otlp_protocol.as_ref(),
        ),
    };
    let check = |protocol: &str| match protocol {
        "http/protobuf" => Ok(()),
        _ => Err(
            "must be http/protobuf, the only one that is built in; collectors take it on port 4318",
        ),
    };
    reader.read_optional(variable, protocol, check).map(|_| ())
}

/// The exporter takes more than this, and repeats what it refuses, where a user and a password may
/// stand.
fn collector(text: &str) -> Result<(), &'static str> {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme) && Url::parse(text).is_ok())
        .then_some(())
        .ok_or("must be a URL that begins with http:// or https://")
}
