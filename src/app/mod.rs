//! [`Config`] → parts → running servers → a graceful end.

mod head_deadline;
mod server;
mod traffic;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use anyhow::Context as _;
use tokio::task::JoinHandle;

use self::server::serve;
use self::traffic::Traffic;
use crate::chathub::{self, ChatHub};
use crate::config::Config;
use crate::http::{self, Desk, Front};
use crate::metrics::Metrics;
use crate::operators::Directory;
use crate::phone;
use crate::rate_limit::Limits;
use crate::reload::Look;
use crate::secret::Secret;
use crate::shared_store::SharedStore;
use crate::telemetry::Telemetry;
use crate::tokens::OperatorTokens;

/// Between two proofs of the configuration: doubling up to a bound.
const FIRST_PROOF_AGAIN: Duration = Duration::from_secs(1);
const LAST_PROOF_AGAIN: Duration = Duration::from_secs(10);

/// Whether refused credentials have been corrected. ChatHub does not hear of each look: the client keeps wrong credentials to itself.
const REJECTED_PROOF_AGAIN: Duration = Duration::from_secs(1);

/// How often the limits forget what is as good as new.
const SWEEP_LIMITS: Duration = Duration::from_secs(1);

/// How often key, map and secret files are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(1);

/// The service, bound to its ports and answering.
pub struct Application {
    listen: SocketAddr,
    ops_listen: Option<SocketAddr>,
    servers: Vec<Server>,
    tasks: Vec<JoinHandle<()>>,
}

impl Application {
    /// Builds the service and starts to listen. Must be called within a Tokio runtime.
    pub fn start(config: Config, front: Front, telemetry: &Telemetry) -> anyhow::Result<Self> {
        if config.access.door.is_open() {
            tracing::warn!(
                "ACCESS=open: anyone who can reach this port may open any operator's panel"
            );
        }
        phone::warm();
        let metrics = Metrics::new()?;
        metrics
            .open_chat_build_info
            .with_label_values(&[env!("CARGO_PKG_VERSION"), revision()])
            .set(1);
        let shared = match &config.redis_url {
            None => None,
            Some(url) => Some(Arc::new(shared_store(&url.read()?, &metrics)?)),
        };
        let chathub = ChatHub::observed_by(config.chathub, Traffic::new(&metrics))?;
        let chathub = Arc::new(chathub);
        let desk = Arc::new(Desk {
            access: config.access.door,
            sso_header: config.access.sso_header,
            limits: Limits::new(&config.limits, shared.clone(), &metrics),
            shared: shared.clone(),
            directory: Directory::new(Arc::clone(&chathub), config.directory),
            click_budget: config.click_budget,
            links: config.links,
            tokens: OperatorTokens::new(Arc::clone(&chathub), &config.tokens, &metrics),
            metrics,
            log_phones: config.logs.phones,
            is_ready: AtomicBool::new(false),
            public_url: config.server.public_url.clone(),
            front,
        });
        let has_ops_port = config.server.ops_listen.is_some();
        let (listen, public) = serve(&config.server, config.server.listen, telemetry, &desk, {
            move |routes| {
                http::public_routes(front)(routes);
                if !has_ops_port {
                    http::ops_routes(routes);
                }
            }
        })?;
        let mut servers = vec![public];
        let mut ops_listen = None;
        if let Some(address) = config.server.ops_listen {
            let (address, ops) =
                serve(&config.server, address, telemetry, &desk, http::ops_routes)?;
            ops_listen = Some(address);
            servers.push(ops);
        }
        tracing::info!(%listen, version = env!("CARGO_PKG_VERSION"), "listening");
        Ok(Self {
            listen,
            ops_listen,
            servers,
            tasks: vec![
                tokio::spawn(prove(chathub, Arc::clone(&desk))),
                tokio::spawn(look_at_files(Arc::clone(&desk))),
                tokio::spawn(keep_directory(Arc::clone(&desk))),
                tokio::spawn(sweep_limits(desk)),
                tokio::spawn(watch_shared_store(shared)),
            ],
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

    /// Answers until a signal (SIGINT, SIGTERM) or a handle ends it; running requests finish first.
    pub async fn run(self) -> anyhow::Result<()> {
        let servers: Vec<_> = self.servers.into_iter().map(tokio::spawn).collect();
        let mut outcome = Ok(());
        for server in servers {
            outcome = outcome.and(server.await.context("a server broke down")?);
        }
        self.tasks.iter().for_each(JoinHandle::abort);
        outcome.context("a server failed")
    }
}

fn shared_store(url: &Secret, metrics: &Metrics) -> anyhow::Result<SharedStore> {
    // The error's own text may repeat the URL, and with it a password.
    SharedStore::new(url, metrics.open_chat_redis_degraded.clone())
        .map_err(|_| anyhow::anyhow!("REDIS_URL cannot be used"))
}

async fn watch_shared_store(shared: Option<Arc<SharedStore>>) {
    if let Some(shared) = shared {
        shared.watch().await;
    }
}

/// The commit that this was built from, where the build said so.
fn revision() -> &'static str {
    option_env!("OPEN_CHAT_REVISION").unwrap_or("unknown")
}

/// Shows ChatHub the credentials until it accepts them, then calls the service ready.
async fn prove(chathub: Arc<ChatHub>, desk: Arc<Desk>) {
    let mut wait = FIRST_PROOF_AGAIN;
    let mut told = None;
    while let Err(error) = chathub.log_in().await {
        if told.as_ref() != Some(&error) {
            tracing::warn!(%error, "not ready: ChatHub has not accepted the credentials yet");
        }
        if error == chathub::Error::CredentialsRejected {
            tokio::time::sleep(REJECTED_PROOF_AGAIN).await;
        } else {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LAST_PROOF_AGAIN);
        }
        told = Some(error);
    }
    desk.is_ready.store(true, Ordering::Relaxed);
    tracing::info!("ready: ChatHub has accepted the credentials");
}

/// Has changed files take effect, and says so; what is wrong with one is said once.
async fn look_at_files(desk: Arc<Desk>) {
    loop {
        let shared = Arc::clone(&desk);
        // Reading files blocks, however short they are.
        let looks = tokio::task::spawn_blocking(move || shared.access.look()).await;
        for (file, look, has_failed) in looks.unwrap_or_default() {
            let gauge = &desk.metrics.open_chat_file_reload_failed;
            gauge.with_label_values(&[file]).set(has_failed.into());
            match look {
                Look::Unchanged => {}
                Look::Reloaded => tracing::info!(file, "a changed file is in force"),
                Look::Failed(problem) => {
                    tracing::error!(
                        file,
                        problem,
                        "a changed file cannot be used, the one before it stays in force"
                    );
                }
            }
        }
        tokio::time::sleep(LOOK_AT_FILES).await;
    }
}

async fn keep_directory(desk: Arc<Desk>) {
    desk.directory.keep().await;
}

async fn sweep_limits(desk: Arc<Desk>) {
    loop {
        tokio::time::sleep(SWEEP_LIMITS).await;
        desk.limits.sweep();
    }
}
