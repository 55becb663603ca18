//! [`Config`] → parts → running servers → a graceful end.

mod budget;
mod connection;
mod cuts;
mod descriptors;
mod ending;
mod peers;
mod server;
mod tasks;
mod traffic;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use anyhow::{Context as _, anyhow};
use arc_swap::ArcSwapOption;
use chathub::ChatHub;
use prometheus::IntGauge;
use tokio::select;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use self::cuts::Cuts;
pub use self::descriptors::Room;
use self::ending::{Ending, Forced};
use self::server::{Port, serve};
use self::tasks::WatchedSecret;
use self::traffic::Traffic;
use crate::config::{ChatHubCredentials, Config};
use crate::http::{self, AppState, Front};
use crate::metrics::Metrics;
use crate::operators::Directory;
use crate::phone;
use crate::rate_limit::Limits;
use crate::redis_store::RedisStore;
use crate::secret::SecretSource;
use crate::telemetry::Telemetry;
use crate::tokens::OperatorTokens;

/// The service, bound to its ports and answering.
pub struct Application {
    listen: SocketAddr,
    ops_listen: Option<SocketAddr>,
    servers: Vec<Server>,
    tasks: Vec<JoinHandle<()>>,
    ending: Ending,
    shutdown_timeout: Duration,
    in_flight: IntGauge,
}

impl Application {
    /// Builds the service and starts to listen. Must be called within a Tokio runtime.
    pub fn start(config: Config, front: Front, telemetry: &Telemetry) -> anyhow::Result<Self> {
        warn_of_open_locks(&config);
        warn_of_unknown_variables(&config);
        let room = Room::of(&config.server);
        room.warn();
        phone::warm();
        let metrics = Metrics::new()?;
        metrics
            .open_chat_build_info
            .with_label_values(&[env!("CARGO_PKG_VERSION"), revision()])
            .set(1);
        let shared = config
            .redis_url
            .map(|url| redis_store(url, config.redis_patience, &metrics))
            .transpose()?;
        let credentials = watched(&config.chathub_credentials)?;
        let chathub = ChatHub::with_observer(
            config.chathub,
            Traffic::new(&metrics, config.traces.to_chathub),
        )?;
        let chathub = Arc::new(chathub);
        let state = Arc::new(AppState {
            authenticator: config.access.authenticator,
            sso_header: config.access.sso_header,
            limits: Limits::new(&config.limits, shared.clone(), &metrics),
            shared: shared.clone(),
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
            public_url: config.server.public_url.clone(),
            widget: config.widget,
            front,
        });
        let has_builder = state.pages.builder;
        let has_ops_port = config.server.ops_listen.is_some();
        let cuts = Arc::new(Cuts::new(&state.metrics));
        let shutdown_timeout = config.server.shutdown_timeout;
        let clicks = Port {
            address: config.server.listen,
            connections: room.clicks,
            of_one_address: Some(room.clicks.get().div_ceil(2)),
        };
        let (listen, public) = serve(&clicks, shutdown_timeout, telemetry, &state, &cuts, {
            move |routes| {
                http::public_routes(front, has_builder)(routes);
                if !has_ops_port {
                    http::ops_routes(routes);
                }
            }
        })?;
        let mut servers = vec![public];
        let mut ops_listen = None;
        if let Some(address) = config.server.ops_listen {
            // Machines of the operators' own ask here, and one of them may ask for all.
            let port = Port {
                address,
                connections: room.ops,
                of_one_address: None,
            };
            let (address, ops) = serve(
                &port,
                shutdown_timeout,
                telemetry,
                &state,
                &cuts,
                http::ops_routes,
            )?;
            ops_listen = Some(address);
            servers.push(ops);
        }
        let in_flight = state.metrics.http_requests_in_flight.clone();
        let look_now = Arc::<Notify>::default();
        tracing::info!(%listen, version = env!("CARGO_PKG_VERSION"), "listening");
        Ok(Self {
            listen,
            ops_listen,
            servers,
            tasks: tasks::start(chathub, &state, credentials, Arc::clone(&look_now)),
            ending: Ending::new(state, config.server.drain_delay, look_now)?,
            shutdown_timeout,
            in_flight,
        })
    }

    /// Where the clicks come in; the real port where 0 was asked for.
    pub const fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where health and metrics are, if apart from the clicks.
    pub const fn ops_listen(&self) -> Option<SocketAddr> {
        self.ops_listen
    }

    /// Stops the servers when called, from anywhere.
    pub fn handles(&self) -> Vec<ServerHandle> {
        self.servers.iter().map(Server::handle).collect()
    }

    /// Answers until a signal or a handle ends it; running requests finish first. A second signal
    /// ends everything at once, which is an error.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let handles = self.handles();
        let mut running = pin!(until_ended(self.servers));
        let outcome = select! {
            outcome = &mut running => outcome,
            begun = self.ending.begins() => {
                // The command is sent at once; its future would only wait for the end, as `running`
                // does.
                for server in &handles {
                    drop(server.stop(true));
                }
                if begun.is_err() {
                    Err(forced())
                } else {
                    select! {
                        outcome = running => outcome,
                        Forced = self.ending.is_forced() => Err(forced()),
                        () = sleep(self.shutdown_timeout) => {
                            tell_of_cut_off(self.in_flight.get());
                            Ok(())
                        }
                    }
                }
            }
        };
        self.tasks.iter().for_each(JoinHandle::abort);
        outcome
    }
}

async fn until_ended(servers: Vec<Server>) -> anyhow::Result<()> {
    let servers: Vec<_> = servers.into_iter().map(tokio::spawn).collect();
    for server in servers {
        server
            .await
            .context("a server broke down")?
            .context("a server failed")?;
    }
    Ok(())
}

/// Says at each start which locks are open, or rest on something outside, and what is set half.
fn warn_of_open_locks(config: &Config) {
    if config.access.authenticator.is_open() {
        tracing::warn!("ACCESS=open: anyone who can reach this port may open any operator's panel");
    }
    if config.server.shows_ops_routes() {
        tracing::warn!(
            "OPS_LISTEN is not set: /metrics, /healthz and /readyz are for anyone who can reach LISTEN; give them a port of their own, such as OPS_LISTEN=0.0.0.0:9090"
        );
    }
    if let Some(trouble) = config.trouble_with_links() {
        tracing::warn!("ACCESS=key: {trouble}");
    }
    if let Some(reliance) = config.access.reliance() {
        tracing::warn!("ACCESS=sso: {reliance}");
    }
}

/// What was set and changes nothing. Values are left out, which may be secrets.
fn warn_of_unknown_variables(config: &Config) {
    for unknown in &config.unknown_variables {
        tracing::warn!(variable = unknown.name, "{}", unknown.what());
    }
}

/// What all replicas share. Nothing is sent yet.
fn redis_store(
    url: SecretSource,
    patience: Duration,
    metrics: &Metrics,
) -> anyhow::Result<Arc<RedisStore>> {
    let degraded = metrics.open_chat_redis_degraded.clone();
    RedisStore::new(url, patience, degraded)
        .map(Arc::new)
        .map_err(|problem| anyhow!("REDIS_URL: {problem}"))
}

/// The end of the process ends the requests that still run.
fn tell_of_cut_off(requests: i64) {
    if requests > 0 {
        tracing::warn!(
            requests,
            "SHUTDOWN_TIMEOUT is over: requests that still run are cut off"
        );
    }
}

fn forced() -> anyhow::Error {
    anyhow!("ended at once by a second signal; clicks that were running are cut off")
}

/// The files of ChatHub's credentials. The client reads none of them: what is read here is shared
/// with it.
fn watched(credentials: &ChatHubCredentials) -> anyhow::Result<Vec<WatchedSecret>> {
    let watched = |(variable, source): (&'static str, &SecretSource)| {
        WatchedSecret::load(variable, source.clone())
            .map_err(|problem| anyhow!("{variable}: {problem}"))
    };
    match credentials {
        ChatHubCredentials::Login { login, password } => {
            let both = [("CHATHUB_LOGIN", login), ("CHATHUB_PASSWORD", password)];
            both.into_iter().map(watched).collect()
        }
        ChatHubCredentials::ProfileKey(key) => Ok(vec![watched(("CHATHUB_API_KEY", key))?]),
    }
}

/// The commit that this was built from, where the build said so.
fn revision() -> &'static str {
    option_env!("OPEN_CHAT_REVISION").unwrap_or("unknown")
}
