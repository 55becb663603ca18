//! The service's Prometheus metrics, in a registry of its own. A field's name is the metric's name,
//! its doc comment the help text.
//!
//! Labels come from closed sets only, so the number of series is bounded. Does not know what
//! increments a metric.

use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Histogram buckets, from a warm click (under 1 ms) to the end of a click's budget. A click is
/// promised to take under 0.3 s.
const BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0,
];

/// Makes a metric of one type: with a name and a help text, and labels where the type has them.
macro_rules! new_metric {
    (HistogramVec, $name:expr, $help:expr, $labels:expr) => {
        HistogramVec::new(
            HistogramOpts::new($name, $help).buckets(BUCKETS.to_vec()),
            $labels,
        )
    };
    ($kind:ident, $name:expr, $help:expr, $labels:expr) => {
        $kind::new(Opts::new($name, $help), $labels)
    };
    ($kind:ident, $name:expr, $help:expr) => {
        $kind::new($name, $help)
    };
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $name:ident: $kind:ident $([$($label:literal),+])?,)+) => {
        /// Every metric of the service.
        pub struct Metrics {
            registry: Registry,
            $($(#[doc = $help])+ pub $name: $kind,)+
        }

        impl Metrics {
            /// Registers all metrics. Fails only if two have the same name, which a test would
            /// show.
            pub fn new() -> prometheus::Result<Self> {
                let registry = Registry::new();
                $(
                    let help = concat!($($help),+).trim();
                    let $name = new_metric!($kind, stringify!($name), help $(, &[$($label),+])?)?;
                    registry.register(Box::new($name.clone()))?;
                )+
                registry.register(Box::new(ProcessCollector::for_self()))?;
                Ok(Self { registry, $($name),+ })
            }

            /// The names of all metrics but the process collector's.
            pub const fn names() -> [&'static str; [$(stringify!($name)),+].len()] {
                [$(stringify!($name)),+]
            }
        }
    };
}

metrics! {
    /// Requests answered, by route, method and status.
    http_requests_total: IntCounterVec["route", "method", "status"],
    /// Seconds from a request's head to its answer, by route.
    http_request_duration_seconds: HistogramVec["route"],
    /// Requests being answered at this moment.
    http_requests_in_flight: IntGauge,
    /// Clicks answered with a deep link, by its format (1 chat, 2 phone, 3 sender, 4 source) and
    /// the source that the click named. Format 2 with a source is a source without a sender.
    open_chat_redirects_total: IntCounterVec["format", "source"],
    /// Requests refused, by the kind of problem.
    open_chat_refusals_total: IntCounterVec["kind"],
    /// Clicks sent to the chat panel's login page because ChatHub had no token (FALLBACK=login).
    open_chat_fallbacks_total: IntCounter,
    /// Paired browsers, by outcome: paired, renewed (by a click), unpaired (on the page), and
    /// refused (invitations and callers of the page).
    open_chat_pairings_total: IntCounterVec["outcome"],
    /// Requests of CRMs, by connector and outcome: link, page (with buttons), ticket (a page renews
    /// its own), installed (buttons were put into the CRM) and refused.
    open_chat_connector_requests_total: IntCounterVec["connector", "outcome"],
    /// Operator tokens: minted counts new tokens, refreshed ones too; reused (it was there), shared
    /// (waited for another click's mint) and failed count clicks.
    open_chat_operator_tokens_total: IntCounterVec["outcome"],
    /// Operators for whom a token, or ChatHub's refusal of one, is kept.
    open_chat_token_cache_entries: IntGauge,
    /// Clicks and refused attempts over a limit, by limit: operator, client (address), refused
    /// (attempts by address), foreign (clicks by other sites), panel (pages in CRMs, by agent).
    open_chat_rate_limited_total: IntCounterVec["limit"],
    /// Keys that are counted at this moment, by limit.
    open_chat_rate_limit_keys: IntGaugeVec["limit"],
    /// 1 while Redis does not answer in time or cannot be written, and each replica counts for
    /// itself; 0 also where no Redis is set.
    open_chat_redis_degraded: IntGauge,
    /// Requests to ChatHub, by call and how they ended.
    chathub_requests_total: IntCounterVec["endpoint", "outcome"],
    /// Seconds that a request to ChatHub took, by call.
    chathub_request_duration_seconds: HistogramVec["endpoint"],
    /// 1 while nothing is sent to ChatHub because it has failed five times in a row.
    chathub_circuit_open: IntGauge,
    /// Seconds that ChatHub's clock is ahead of ours (negative: behind), from the Date of its
    /// answers; under 2 counts as 0.
    chathub_clock_skew_seconds: Gauge,
    /// Seconds since ChatHub's organizations and operators were last read as a whole; since the
    /// start, where they never were.
    chathub_directory_age_seconds: Gauge,
    /// 1 while the newest version of a file (keys, map, secret) cannot be used or does not answer
    /// and the one before it stays in force, or it holds no key.
    open_chat_file_reload_failed: IntGaugeVec["file"],
    /// What runs beside the answers at this moment: housekeeping, mints, connections to ChatHub and
    /// Redis. It follows the load, and falls with it.
    open_chat_background_tasks: IntGauge,
    /// Connections that were ended before a request of theirs reached the service, by reason:
    /// too-many (of one address), head-too-large, head-timeout, malformed (no HTTP), write-timeout
    /// (the answer is not read), memory.
    open_chat_connections_cut_total: IntCounterVec["reason"],
    /// Lines that the log has lost because nobody could write them fast enough.
    open_chat_log_lines_dropped_total: IntCounter,
    /// Batches of spans that the OpenTelemetry collector did not take, and that are lost.
    open_chat_trace_export_failures_total: IntCounter,
    /// Always 1; the labels tell which build is running.
    open_chat_build_info: IntGaugeVec["version", "revision"],
}

impl Metrics {
    /// Encodes all metrics in Prometheus' text format 0.0.4.
    pub fn render(&self) -> String {
        // It fails only for a metric without a name.
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }
}

/// The counter of these labels. From now on it is exported, from 0.
pub fn counter(family: &IntCounterVec, labels: &[&str]) -> IntCounter {
    family.with_label_values(labels)
}

/// The histogram of these labels. From now on it is exported.
pub fn histogram(family: &HistogramVec, labels: &[&str]) -> Histogram {
    family.with_label_values(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doc_comment_is_the_help_text() {
        let metrics = Metrics::new().unwrap();
        metrics.http_requests_in_flight.set(3);
        let text = metrics.render();
        assert!(
            text.contains(
                "# HELP http_requests_in_flight Requests being answered at this moment.\n"
            )
        );
        assert!(text.contains("\nhttp_requests_in_flight 3\n"));
        assert!(text.contains("\nprocess_open_fds "));
    }
}
