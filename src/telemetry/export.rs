//! Sends spans to an OpenTelemetry collector, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceState, TracerProvider as _,
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use percent_encoding::percent_decode_str;
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;

use super::Unexportable;
use super::failures::{CountingExporter, Failures};
use super::trace::TraceId;
use super::trace_parent::TraceParent;

/// How long the last spans may take at the end of the process, for which what kills it waits.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// The exporter of spans. When it is dropped, it sends those that are queued.
pub struct Export {
    provider: SdkTracerProvider,
    failures: Arc<Failures>,
}

impl Export {
    /// Configures it by OpenTelemetry's standard variables. Sends nothing yet.
    pub fn from_env() -> Result<Self, Unexportable> {
        let exporter = SpanExporter::builder()
            .with_http()
            .build()
            .map_err(|error| unexportable(&error))?;
        let failures = Arc::<Failures>::default();
        let exporter = CountingExporter {
            exporter,
            failures: Arc::clone(&failures),
        };
        let resource = Resource::builder().with_service_name(service_name());
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            // Only a sampled request has spans.
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource.build())
            .build();
        Ok(Self { provider, failures })
    }

    /// How often spans could not be sent.
    pub(super) fn failures(&self) -> u64 {
        self.failures.count()
    }

    /// Sends the spans that are queued, and none after that.
    pub(super) fn end(&self) {
        // A collector that is away is no error here.
        let _ = self.provider.shutdown_with_timeout(END_TIMEOUT);
    }

    /// Takes the spans of this target, and no others.
    pub(super) fn layer<S>(&self, target: &str) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("open-chat"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(Targets::new().with_target(target, Level::TRACE))
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        self.end();
    }
}

/// The service's name, by OpenTelemetry's rules: an empty variable counts as unset.
fn service_name() -> String {
    let set = |variable| {
        let text = std::env::var(variable).unwrap_or_default();
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    set("OTEL_SERVICE_NAME")
        .or_else(|| name_in(&set("OTEL_RESOURCE_ATTRIBUTES")?))
        .unwrap_or_else(|| "open-chat".into())
}

/// `service.name` among attributes: `deployment.environment=test,service.name=chat`.
fn name_in(attributes: &str) -> Option<String> {
    let mut pairs = attributes
        .split(',')
        .filter_map(|pair| pair.split_once('='));
    let (_, name) = pairs.find(|(key, _)| key.trim() == "service.name")?;
    let name = percent_decode_str(name.trim()).decode_utf8_lossy();
    Some(name.into_owned()).filter(|name| !name.is_empty())
}

/// The error names the variable, then its value, which may hold a password.
fn unexportable(error: &ExporterBuildError) -> Unexportable {
    let variable = match error {
        ExporterBuildError::InvalidConfiguration(text) => text
            .split_once(':')
            .map(|(variable, _)| variable)
            .filter(|variable| variable.starts_with("OTEL_")),
        ExporterBuildError::InternalFailure(_) => None,
    };
    Unexportable {
        variable: variable.unwrap_or("OTEL_EXPORTER_OTLP_ENDPOINT").into(),
        what: "spans cannot be sent with it",
    }
}

pub(super) fn set_parent(span: &Span, parent: Option<TraceParent>) {
    if let Some(parent) = parent {
        let parent = SpanContext::new(
            parent.trace_id.0.into(),
            SpanId::from(parent.span_id),
            TraceFlags::SAMPLED,
            true,
            TraceState::default(),
        );
        // It fails for a span that is not exported, which needs no parent.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

pub(super) fn trace_id(span: &Span) -> Option<TraceId> {
    let context = valid_context(span)?;
    Some(TraceId(u128::from_be_bytes(context.trace_id().to_bytes())))
}

/// The header that tells another service of the current span.
pub fn traceparent() -> Option<String> {
    let context = valid_context(&Span::current())?;
    Some(format!(
        "00-{}-{}-01",
        context.trace_id(),
        context.span_id()
    ))
}

fn valid_context(span: &Span) -> Option<SpanContext> {
    let context = span.context().span().span_context().clone();
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_s_name_is_read_from_its_attributes() {
        let chat = Some("chat prod".to_owned());
        assert_eq!(name_in("service.name=chat%20prod"), chat);
        assert_eq!(name_in("a=b, service.name = chat prod ,c=d"), chat);
        assert_eq!(name_in("my.service.name=other,service.name="), None);
        assert_eq!(name_in("nonsense"), None);
    }
}
