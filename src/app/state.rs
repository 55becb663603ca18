//! Builds the state that handlers and background tasks share from the configuration.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::anyhow;
use arc_swap::ArcSwapOption;

use super::chathub_metrics::ChatHubMetrics;
use super::file_watch::WatchedSecret;
use crate::config::Config;
use crate::connect::CrmClient;
use crate::http::AppState;
use crate::metrics::Metrics;
use crate::operators::Directory;
use crate::rate_limit::Limits;
use crate::redis_store::RedisStore;
use crate::telemetry::Telemetry;
use crate::tokens::OperatorTokens;
use chathub::ChatHub;

/// Builds everything: the state, the client for ChatHub and its credentials. Nothing is sent to
/// ChatHub or Redis yet.
pub(super) fn build(
    config: Config,
    telemetry: &Telemetry,
) -> anyhow::Result<(Arc<AppState>, Arc<ChatHub>, Vec<WatchedSecret>)> {
    let metrics = metrics()?;
    let degraded = metrics.open_chat_redis_degraded.clone();
    let redis = config
        .redis
        .url
        .map(|url| RedisStore::new(url, config.redis.timeout, degraded).map(Arc::new))
        .transpose()
        .map_err(|problem| anyhow!("REDIS_URL: {problem}"))?;
    let credentials = WatchedSecret::load_all(&config.chathub_credentials)?;
    let observer = ChatHubMetrics::new(&metrics, config.traces.to_chathub);
    let chathub = Arc::new(ChatHub::with_observer(config.chathub, observer)?);
    let crm = config.connectors.as_ref().map(|_| CrmClient::new());
    let state = AppState {
        authenticator: config.access.authenticator,
        sso_header: config.access.sso_header,
        connectors: config.connectors,
        crm: crm.transpose()?,
        limits: Limits::new(&config.limits, redis.clone(), &metrics),
        redis,
        directory: Directory::new(Arc::clone(&chathub), config.directory),
        click_budget: config.click_budget,
        links: config.links,
        pages: config.pages,
        tokens: OperatorTokens::new(Arc::clone(&chathub), &config.tokens, &metrics),
        metrics,
        sampling: config.traces.sampling,
        log: telemetry.clone(),
        log_phones: config.logs.phones,
        is_ready: AtomicBool::new(false),
        not_ready: ArcSwapOption::empty(),
        is_draining: AtomicBool::new(false),
        public_url: config.server.public_url,
        widget: config.widget,
    };
    Ok((Arc::new(state), chathub, credentials))
}

fn metrics() -> anyhow::Result<Metrics> {
    let metrics = Metrics::new()?;
    metrics
        .open_chat_build_info
        .with_label_values(&[env!("CARGO_PKG_VERSION"), env!("OPEN_CHAT_REVISION")])
        .set(1);
    Ok(metrics)
}
