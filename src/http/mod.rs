//! The HTTP side: which path leads where, and what every route may use.

mod accept;
mod builder;
mod click;
mod confirm;
mod counters;
mod decode;
mod demo;
mod demo_refusals;
mod detail;
mod door;
mod exchange;
mod frame;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod health;
mod help;
mod host;
mod identity;
mod kind;
mod link_check;
mod links;
mod once;
mod open_chat;
mod openapi;
mod prose;
mod query;
mod reasons;
mod redirect;
mod refusal;
mod resolve;
mod texts;
mod value;
mod visitor;
mod widget;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::{HttpRequest, web};
use arc_swap::ArcSwapOption;
use chathub::HttpsUrl;

use self::click::Click;
use self::counters::Counters;
use self::detail::Detail;
pub use self::exchange::MAX_BODY;
use self::exchange::{answered_by, answered_where, posted_to, read_by};
pub use self::kind::Kind;
pub use self::link_check::check_link;
pub use self::query::Query;
use self::refusal::Refusal;
use crate::access::Authenticator;
use crate::config::{LinkConfig, LogPhones, PageConfig, WidgetConfig};
use crate::metrics::Metrics;
use crate::operators::Directory;
use crate::rate_limit::Limits;
use crate::redis_store::RedisStore;
use crate::telemetry::{RequestLog, Sampling, Telemetry};
use crate::tokens::OperatorTokens;

/// What every route may use.
pub struct AppState {
    /// Who may open whose panel.
    pub authenticator: Authenticator,
    /// The header in which a trusted proxy names the agent; empty where none does.
    pub sso_header: String,
    /// How often is too often.
    pub limits: Limits,
    /// What all replicas share; unset where there is one.
    pub shared: Option<Arc<RedisStore>>,
    /// How a click becomes a deep link.
    pub links: LinkConfig,
    /// Who works for the company.
    pub directory: Directory,
    /// How long a click takes, at most.
    pub click_budget: Duration,
    /// Where operator tokens come from.
    pub tokens: OperatorTokens,
    /// What is counted.
    pub metrics: Metrics,
    /// Which requests are traced.
    pub sampling: Sampling,
    /// The log, for what it could not write.
    pub log: Telemetry,
    /// How much of a phone the log shows.
    pub log_phones: LogPhones,
    /// Whether the configuration has been proven: the first login, or the profile key, was
    /// accepted.
    pub is_ready: AtomicBool,
    /// Why it has not been proven yet; unset as long as ChatHub has not been asked.
    pub not_ready: ArcSwapOption<String>,
    /// Whether the service is about to end: clicks are still taken, and connections told to close.
    pub is_draining: AtomicBool,
    /// Where this service is to its callers; unset where nobody needs ready links.
    pub public_url: Option<HttpsUrl>,
    /// What the pages show of the company.
    pub pages: PageConfig,
    /// The operator panel for other pages.
    pub widget: WidgetConfig,
    /// Where `/` leads.
    pub front: Front,
}

/// Where `/` leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// To the link builder, where there is one.
    Builder,
    /// To the demo's CRM page.
    Demo,
}

/// A [`AppState`] as one worker thread sees it, with what the thread has for itself.
pub struct WorkerState {
    state: Arc<AppState>,
    counters: Counters,
    log: RefCell<RequestLog>,
}

impl WorkerState {
    /// A place at the desk.
    pub fn new(state: Arc<AppState>, log: RequestLog) -> Self {
        Self {
            counters: Counters::new(&state.metrics),
            state,
            log: RefCell::new(log),
        }
    }
}

/// A route, by the name it has in metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum Route {
    OpenChat,
    Links,
    Widget,
    WidgetToken,
    OpenApi,
    OpenApiPage,
    Root,
    Builder,
    Demo,
    Healthz,
    Readyz,
    Metrics,
    /// Any path that leads nowhere. Its name is not the path, which a visitor chooses.
    Other,
}

impl Route {
    const ALL: [Self; 13] = [
        Self::OpenChat,
        Self::Links,
        Self::Widget,
        Self::WidgetToken,
        Self::OpenApi,
        Self::OpenApiPage,
        Self::Root,
        Self::Builder,
        Self::Demo,
        Self::Healthz,
        Self::Readyz,
        Self::Metrics,
        Self::Other,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::OpenChat => "/open-chat",
            Self::Links => "/links",
            Self::Widget => "/widget",
            Self::WidgetToken => "/widget/token",
            Self::OpenApi => "/openapi.json",
            Self::OpenApiPage => "/openapi",
            Self::Root => "/",
            Self::Builder => "/builder",
            Self::Demo => "/demo",
            Self::Healthz => "/healthz",
            Self::Readyz => "/readyz",
            Self::Metrics => "/metrics",
            Self::Other => "other",
        }
    }

    /// Ops routes are asked every few seconds by machines; no line of the log is spent on them.
    const fn is_logged(self) -> bool {
        !matches!(self, Self::Healthz | Self::Readyz | Self::Metrics)
    }
}

/// The routes for agents and admins.
pub fn public_routes(
    front: Front,
    has_builder: bool,
) -> impl FnOnce(&mut web::ServiceConfig) + Copy {
    move |config| {
        config
            .route(
                "/open-chat",
                answered_where(confirm::allow, Route::OpenChat, open_chat::open_chat),
            )
            .route("/links", posted_to(Route::Links, links::links))
            .route("/widget", answered_by(Route::Widget, widget::page))
            .route(
                "/widget/token",
                answered_by(Route::WidgetToken, widget::token),
            )
            .route("/openapi.json", read_by(Route::OpenApi, openapi::document))
            .route("/openapi", read_by(Route::OpenApiPage, openapi::page));
        if has_builder {
            config.route("/builder", read_by(Route::Builder, builder::builder));
        }
        match front {
            Front::Demo => {
                config
                    .route("/", read_by(Route::Root, demo::root))
                    .route("/demo", read_by(Route::Demo, demo::crm))
                    .route(
                        "/demo/refusals/{kind}",
                        answered_where(demo_refusals::allow, Route::Demo, demo_refusals::refusal),
                    );
            }
            Front::Builder if has_builder => {
                config.route("/", read_by(Route::Root, builder::root));
            }
            Front::Builder => {}
        }
    }
}

/// The routes for machines that watch over the service.
pub fn ops_routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", read_by(Route::Healthz, health::healthz))
        .route("/readyz", read_by(Route::Readyz, health::readyz))
        .route("/metrics", read_by(Route::Metrics, health::metrics));
}

/// Any other path.
pub fn nowhere() -> actix_web::Route {
    answered_by(
        Route::Other,
        async |_: &HttpRequest, _: &AppState, _: &mut Click| {
            Err(Refusal::new(Kind::NotFound, Detail::Nothing))
        },
    )
}
