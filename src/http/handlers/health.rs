//! What monitoring asks.

use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, web};

use crate::http::state::AppState;

const TEXT: &str = "text/plain; charset=utf-8";

/// The content type of Prometheus' text format.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Alive: it can answer at all.
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type(TEXT).body("ok\n")
}

/// What `/readyz` says before ChatHub has answered anything.
const NOT_ACCEPTED: &str = "ChatHub has not accepted the credentials yet";

/// Ready: ChatHub has accepted the credentials once, and the service is not about to end. A later
/// outage does not undo it.
pub(crate) async fn readyz(state: web::Data<AppState>) -> HttpResponse {
    let not_ready = if state.is_draining.load(Ordering::Relaxed) {
        "draining: about to end\n".to_owned()
    } else if state.is_ready.load(Ordering::Relaxed) {
        return HttpResponse::Ok().content_type(TEXT).body("ready\n");
    } else {
        let reason = state.not_ready.load();
        format!(
            "{}\n",
            reason.as_deref().map_or(NOT_ACCEPTED, String::as_str)
        )
    };
    HttpResponse::ServiceUnavailable()
        .content_type(TEXT)
        .body(not_ready)
}

/// The metrics, for Prometheus.
pub(crate) async fn metrics(state: web::Data<AppState>) -> HttpResponse {
    let entries = i64::try_from(state.tokens.entries()).unwrap_or(i64::MAX);
    state.metrics.open_chat_token_cache_entries.set(entries);
    let age = state.directory.age().as_secs_f64();
    state.metrics.chathub_directory_age_seconds.set(age);
    let dropped = &state.metrics.open_chat_log_lines_dropped_total;
    dropped.inc_by(state.log.dropped_lines().saturating_sub(dropped.get()));
    let unsent = &state.metrics.open_chat_trace_export_failures_total;
    unsent.inc_by(state.log.failed_exports().saturating_sub(unsent.get()));
    HttpResponse::Ok()
        .content_type(PROMETHEUS_TEXT)
        .body(state.metrics.render())
}
