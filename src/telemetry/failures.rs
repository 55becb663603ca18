//! Counts spans that could not be sent, and logs the first failure of a row of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// How exports have gone so far.
#[derive(Debug, Default)]
pub(super) struct Failures {
    count: AtomicU64,
    is_failing: AtomicBool,
}

impl Failures {
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn record(&self, outcome: &OTelSdkResult) {
        match outcome {
            Ok(()) => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the collector takes traces again");
                }
            }
            Err(error) => {
                self.count.fetch_add(1, Ordering::Relaxed);
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        trouble = trouble(error),
                        "traces cannot be sent to the collector, and are lost: look at OTEL_EXPORTER_OTLP_ENDPOINT and its family"
                    );
                }
            }
        }
    }
}

/// What is wrong, in words of our own: the exporter's text may repeat the collector's URL, which
/// may hold a password.
fn trouble(error: &OTelSdkError) -> String {
    let text = match error {
        OTelSdkError::Timeout(_) => return "no answer in time".into(),
        OTelSdkError::AlreadyShutdown => return "it has ended".into(),
        OTelSdkError::InternalFailure(text) => text,
    };
    let status = text.rsplit_once("status code: ").map(|(_, status)| status);
    match status.and_then(|status| status.parse::<u16>().ok()) {
        Some(status) => format!("status {status}"),
        None if text.contains("network error") => "no connection, or no answer in time".into(),
        None => "it failed".into(),
    }
}

/// An exporter whose failures are counted.
#[derive(Debug)]
pub(super) struct CountingExporter {
    pub(super) exporter: Otlp,
    pub(super) failures: Arc<Failures>,
}

impl SpanExporter for CountingExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.exporter.export(batch).await;
        self.failures.record(&outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_described_without_the_exporter_s_words() {
        let failed = |text: &str| trouble(&OTelSdkError::InternalFailure(text.into()));
        assert_eq!(
            failed("HTTP export failed with status code: 401"),
            "status 401"
        );
        assert_eq!(
            failed("HTTP export failed: network error"),
            "no connection, or no answer in time"
        );
        assert_eq!(failed("http://user:canary@collector"), "it failed");
        let late = OTelSdkError::Timeout(Duration::from_secs(1));
        assert_eq!(trouble(&late), "no answer in time");
    }
}
