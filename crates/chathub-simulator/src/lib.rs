#![doc = include_str!("../README.md")]

mod answer;
mod api;
mod calls;
mod control;
mod directory;
mod endpoint;
mod fault;
mod fault_plan;
mod panel;
mod rules;
mod store;
mod token;
mod widget;
mod words;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};

pub use self::directory::OperatorRecord;
pub use self::endpoint::Endpoint;
pub use self::fault::Fault;
use self::fault_plan::FaultPlan;
pub use self::rules::{Rules, TokenForm, ValidateBody};
pub use self::store::Store;

/// Calls the simulator answers at the same time, at most. A bound, not a measurement.
const MAX_CONNECTIONS: usize = 20_000;

/// How long an idle connection is kept: as long as Kestrel keeps one.
const KEEP_ALIVE: Duration = Duration::from_secs(130);

/// What the routes share.
struct SimulatorState {
    store: Store,
    faults: FaultPlan,
}

/// A running simulator. It stops when this is dropped.
pub struct Simulator {
    state: Arc<SimulatorState>,
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
        let state = Arc::new(SimulatorState {
            store: Store::new(rules),
            faults: FaultPlan::default(),
        });
        let shared = web::Data::from(Arc::clone(&state));
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
            state,
            address,
            server: handle,
        })
    }

    /// Where it listens; `CHATHUB_URL` and `CHAT_PANEL_URL` both.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Its organizations, operators and tokens.
    pub fn store(&self) -> &Store {
        &self.state.store
    }

    /// The next answer of `endpoint` goes wrong like this; faults queue up.
    pub fn next(&self, endpoint: Endpoint, fault: Fault) {
        self.state.faults.next(endpoint, fault);
    }

    /// Every answer of `endpoint` goes wrong like this, until `None` ends that.
    pub fn always(&self, endpoint: Endpoint, fault: Option<Fault>) {
        self.state.faults.always(endpoint, fault);
    }

    /// Releases every answer that is [`Fault::Held`], now and from now on.
    pub fn release(&self) {
        self.state.faults.release();
    }

    /// How often `endpoint` has been called.
    pub fn calls(&self, endpoint: Endpoint) -> u64 {
        self.state.store.calls(endpoint)
    }

    /// The header `traceparent` of the last call for an operator token.
    pub fn last_traceparent(&self) -> Option<String> {
        self.state.store.last_traceparent().clone()
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
