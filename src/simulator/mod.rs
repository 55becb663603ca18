//! ChatHub, played from its documents: all seven calls with state, and stand-ins for the chat panel
//! and its widget.
//!
//! It is for trials and tests. Every choice that the documents leave open is a switch in [`Rules`],
//! so that nobody over-fits to one reading. Faults are scripted, calls are counted. It never
//! imports the client: both are written from the documents, so that a misreading of one shows in
//! the other.

mod answer;
mod api;
mod control;
mod fault;
mod panel;
mod people;
mod rules;
mod widget;
mod world;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};

pub use fault::{Fault, Script};
pub use people::OperatorRecord;
pub use rules::{Rules, TokenForm, ValidateBody};
pub use world::{Endpoint, World};

/// Calls the simulator answers at the same time, at most. A bound, not a measurement.
const MAX_CONNECTIONS: usize = 20_000;

/// How long an idle connection is kept: as long as Kestrel keeps one.
const KEEP_ALIVE: Duration = Duration::from_secs(130);

/// What the routes share.
struct Stage {
    world: World,
    script: Script,
}

/// A running simulator. It stops when this is dropped.
pub struct Simulator {
    stage: Arc<Stage>,
    address: SocketAddr,
    server: ServerHandle,
}

impl Simulator {
    /// Starts it on a free loopback port.
    pub fn start(rules: Rules) -> std::io::Result<Self> {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)), rules)
    }

    /// Starts it on `address`. Must be called within a Tokio runtime.
    pub fn start_on(address: SocketAddr, rules: Rules) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let stage = Arc::new(Stage {
            world: World::new(rules),
            script: Script::default(),
        });
        let shared = web::Data::from(Arc::clone(&stage));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .app_data(web::PayloadConfig::new(4 << 20))
                .configure(api::routes)
                .configure(control::routes)
                .configure(panel::routes)
                .configure(widget::routes)
        })
        .workers(1)
        .max_connections(MAX_CONNECTIONS)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(0)
        .disable_signals()
        .listen(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            stage,
            address,
            server: handle,
        })
    }

    /// Where it listens; `CHATHUB_URL` and `CHAT_PANEL_URL` both.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Its organizations, operators and tokens.
    pub fn world(&self) -> &World {
        &self.stage.world
    }

    /// The next answer of `endpoint` goes wrong like this; faults queue up.
    pub fn next(&self, endpoint: Endpoint, fault: Fault) {
        self.stage.script.next(endpoint, fault);
    }

    /// Every answer of `endpoint` goes wrong like this, until it is told otherwise by `None`.
    pub fn always(&self, endpoint: Endpoint, fault: Option<Fault>) {
        self.stage.script.always(endpoint, fault);
    }

    /// Lets every answer go that is [`Fault::Held`], now and from now on.
    pub fn release(&self) {
        self.stage.script.release();
    }

    /// How often `endpoint` has been called.
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.stage.world.calls(endpoint)
    }

    /// The header `traceparent` of the last call for an operator token.
    pub fn last_traceparent(&self) -> Option<String> {
        self.stage.world.last_traceparent().clone()
    }

    /// How often anything has been called.
    pub fn total_calls(&self) -> u64 {
        Endpoint::ALL.into_iter().map(|e| self.calls(e)).sum()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // The stop command is sent at once; its future only waits for the end.
        drop(self.server.stop(false));
    }
}
