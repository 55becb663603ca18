//! Starts the service from its [`Config`], runs its servers, and shuts it down gracefully.

mod chathub_metrics;
mod connection;
mod file_watch;
mod max_connections;
mod nss_modules;
mod readiness;
mod server;
mod shutdown;
mod signals;
mod state;
mod tasks;
mod warnings;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use anyhow::{Context as _, anyhow};
use prometheus::IntGauge;
use tokio::select;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use self::connection::AbortRecorder;
pub use self::max_connections::MaxConnections;
pub use self::nss_modules::foreign_nss_modules;
use self::server::ServerFactory;
use self::shutdown::{SecondSignal, Shutdown};
use crate::config::Config;
use crate::http::{self, Front, OptionalRoutes};
use crate::phone;
use crate::telemetry::Telemetry;

/// The service, bound to its ports and answering.
pub struct Application {
    listen: SocketAddr,
    ops_listen: Option<SocketAddr>,
    servers: Vec<Server>,
    tasks: Vec<JoinHandle<()>>,
    shutdown: Shutdown,
    shutdown_timeout: Duration,
    in_flight: IntGauge,
}

impl Application {
    /// Builds the service and starts to listen. Must be called within a Tokio runtime.
    pub fn start(config: Config, front: Front, telemetry: &Telemetry) -> anyhow::Result<Self> {
        warnings::log(&config);
        let limits = MaxConnections::of(&config.server);
        limits.warn();
        phone::warm();
        let server = config.server.clone();
        let (state, chathub, credentials) = state::build(config, telemetry)?;
        let servers = ServerFactory {
            state: &state,
            telemetry,
            aborts: Arc::new(AbortRecorder::new(&state.metrics)),
            shutdown_timeout: server.shutdown_timeout,
        };
        // The port of the clicks also has the health and metrics routes where these have no port of
        // their own. One address may take half of the connections.
        let max_per_address = Some(limits.clicks.get().div_ceil(2));
        let has = OptionalRoutes {
            builder: state.pages.builder,
            connectors: state.connectors.is_some(),
        };
        let has_ops_port = server.ops_listen.is_some();
        let public = servers.bind(
            server.listen,
            limits.clicks,
            max_per_address,
            move |routes| {
                http::public_routes(front, has)(routes);
                if !has_ops_port {
                    http::ops_routes(routes);
                }
            },
        );
        let (listen, public) = public?;
        // Only the company's own machines reach the port of health and metrics, and one of them may
        // take all connections.
        let ops = server
            .ops_listen
            .map(|address| servers.bind(address, limits.ops, None, http::ops_routes))
            .transpose()?;
        let (ops_listen, ops) = ops.unzip();
        tracing::info!(%listen, version = env!("CARGO_PKG_VERSION"), "listening");
        let reload_now = Arc::<Notify>::default();
        Ok(Self {
            listen,
            ops_listen,
            servers: [public].into_iter().chain(ops).collect(),
            tasks: tasks::start(chathub, &state, credentials, Arc::clone(&reload_now)),
            shutdown_timeout: server.shutdown_timeout,
            in_flight: state.metrics.http_requests_in_flight.clone(),
            shutdown: Shutdown::new(state, server.drain_delay, reload_now)?,
        })
    }

    /// Where clicks arrive, with the real port where 0 was asked for.
    pub const fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where health and metrics are, if on a port of their own.
    pub const fn ops_listen(&self) -> Option<SocketAddr> {
        self.ops_listen
    }

    /// Handles that stop the servers, from any thread.
    pub fn handles(&self) -> Vec<ServerHandle> {
        self.servers.iter().map(Server::handle).collect()
    }

    /// Serves until a signal or a handle ends it; running requests finish first. A second signal
    /// ends everything at once, which is an error.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let handles = self.handles();
        let mut running = pin!(until_stopped(self.servers));
        let outcome = select! {
            outcome = &mut running => outcome,
            requested = self.shutdown.requested() => {
                // The command is sent at once; its future would only wait for the end, as `running`
                // does.
                for server in &handles {
                    drop(server.stop(true));
                }
                if requested.is_err() {
                    Err(stopped_at_once())
                } else {
                    select! {
                        outcome = running => outcome,
                        SecondSignal = self.shutdown.second_signal() => Err(stopped_at_once()),
                        () = sleep(self.shutdown_timeout) => {
                            log_cut_off_requests(self.in_flight.get());
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

async fn until_stopped(servers: Vec<Server>) -> anyhow::Result<()> {
    let servers: Vec<_> = servers.into_iter().map(tokio::spawn).collect();
    for server in servers {
        server
            .await
            .context("a server broke down")?
            .context("a server failed")?;
    }
    Ok(())
}

/// The end of the process ends the requests that still run.
fn log_cut_off_requests(requests: i64) {
    if requests > 0 {
        tracing::warn!(
            requests,
            "SHUTDOWN_TIMEOUT is over: requests that still run are cut off"
        );
    }
}

fn stopped_at_once() -> anyhow::Error {
    anyhow!("ended at once by a second signal; clicks that were running are cut off")
}
