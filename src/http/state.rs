//! What requests are answered with: the state of the service, and of one worker thread.
//!
//! Knows no handler.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::middleware::metrics::RequestMetrics;
use crate::access::Authenticator;
use crate::config::{LinkConfig, LogPhones, PageConfig, WidgetConfig};
use crate::connect::{Connectors, CrmClient};
use crate::metrics::Metrics;
use crate::operators::Directory;
use crate::rate_limit::Limits;
use crate::redis_store::RedisStore;
use crate::reload::Reloadable;
use crate::telemetry::{RequestLog, Sampling, Telemetry};
use crate::tokens::OperatorTokens;
use chathub::HttpsUrl;

/// What every handler may use, shared by all worker threads.
pub struct AppState {
    /// Decides which caller may open which operator's panel.
    pub authenticator: Authenticator,
    /// The header in which a trusted proxy names the agent; empty where none does.
    pub sso_header: String,
    /// The CRMs whose buttons ask this service; unset without `CONNECTORS_FILE`.
    pub connectors: Option<Reloadable<Connectors>>,
    /// The client for those of them that are asked in turn; unset without `CONNECTORS_FILE`.
    pub crm: Option<CrmClient>,
    /// The rate limits.
    pub limits: Limits,
    /// What all replicas share; unset without `REDIS_URL`.
    pub redis: Option<Arc<RedisStore>>,
    /// How a click becomes a deep link.
    pub links: LinkConfig,
    /// The company's operators.
    pub directory: Directory,
    /// How long a click takes, at most.
    pub click_budget: Duration,
    /// Where operator tokens come from.
    pub tokens: OperatorTokens,
    /// What is counted.
    pub metrics: Metrics,
    /// Which requests are traced.
    pub sampling: Sampling,
    /// The log and the traces, for what they have lost.
    pub log: Telemetry,
    /// How much of a phone the log shows.
    pub log_phones: LogPhones,
    /// Whether ChatHub has accepted the credentials once: the first login, or the profile key.
    pub is_ready: AtomicBool,
    /// Why it has not accepted them yet; unset as long as ChatHub has not been asked.
    pub not_ready: ArcSwapOption<String>,
    /// Whether the service is about to end: clicks are still answered, and connections closed.
    pub is_draining: AtomicBool,
    /// The address of this service as callers see it; unset where no back end needs ready links.
    pub public_url: Option<HttpsUrl>,
    /// What the pages show of the company.
    pub pages: PageConfig,
    /// The operator panel for other pages.
    pub widget: WidgetConfig,
}

/// Where `/` leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// To the link builder, where there is one.
    Builder,
    /// To the demo's CRM page.
    Demo,
}

/// Which routes there are that not every service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalRoutes {
    /// The link builder.
    pub builder: bool,
    /// What CRMs ask.
    pub connectors: bool,
}

/// The state as one worker thread sees it, with what the thread has for itself.
pub struct WorkerState {
    pub(super) state: Arc<AppState>,
    pub(super) metrics: RequestMetrics,
    pub(super) log: RefCell<RequestLog>,
}

impl WorkerState {
    /// Looks the thread's metric handles up; `log` is the thread's own.
    pub fn new(state: Arc<AppState>, log: RequestLog) -> Self {
        Self {
            metrics: RequestMetrics::new(&state.metrics),
            state,
            log: RefCell::new(log),
        }
    }
}
