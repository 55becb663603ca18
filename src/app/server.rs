//! One port: the routes behind it, and how long and how many connections may stay.
//!
//! It does what [`actix_web::HttpServer`] does, which lets nothing come between the socket and
//! HTTP.

use std::future::ready;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, map_config};
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{
    AppConfig, Server, Service as _, ServiceFactory, ServiceRequest, ServiceResponse, fn_service,
};
use actix_web::http::ConnectionType;
use actix_web::middleware::from_fn;
use actix_web::{App, web};
use anyhow::Context as _;
use tokio::net::{TcpSocket, TcpStream};

use super::budget::Budget;
use super::connection::{Body, Connection, InHand, LINGER};
use super::cuts::{Cuts, Reason};
use super::peers::Peers;
use crate::http::middleware::{render_problems, security_headers, track};
use crate::http::{self, AppState, WorkerState};
use crate::telemetry::{RequestLog, Telemetry};

/// So many connections wait to be accepted, so that a rush waits instead of being turned away.
const BACKLOG: u32 = 2048;

/// What the kernel keeps of a connection each way, besides what the service does: no request is
/// longer, and answers that are longer go out as they are read. It doubles the numbers for its own
/// book-keeping; its own defaults grow to megabytes.
const RECEIVED: u32 = 16 << 10;
const SENT: u32 = 16 << 10;

/// The longest answer, in bytes, after which a connection is kept: no click's is longer.
const MUCH: u64 = 16 << 10;

/// actix refuses to start more.
const MAX_WORKERS: usize = 512;

/// A port, and how many connections it may have.
pub(super) struct Port {
    pub(super) address: SocketAddr,
    pub(super) connections: NonZeroUsize,
    /// How many of them one address may hold, unless it is a trusted proxy.
    pub(super) of_one_address: Option<usize>,
}

/// Listens on a port and answers there once the server is polled. Also says which port it is, where
/// 0 was asked for.
pub(super) fn serve(
    port: &Port,
    shutdown_timeout: Duration,
    telemetry: &Telemetry,
    state: &Arc<AppState>,
    cuts: &Arc<Cuts>,
    routes: impl FnOnce(&mut web::ServiceConfig) + Copy + Send + 'static,
) -> anyhow::Result<(SocketAddr, Server)> {
    let cannot_listen = || format!("cannot listen on {}", port.address);
    let listener = listen(port.address).with_context(cannot_listen)?;
    let address = listener.local_addr().with_context(cannot_listen)?;
    let (workers, each) = shares(port.connections);
    let builder = Server::build()
        .disable_signals()
        .workers(workers)
        .max_concurrent_connections(each)
        // The process ends first, and says what it cuts off.
        .shutdown_timeout(shutdown_timeout.as_secs().saturating_add(2));
    let shutdown = builder.graceful_shutdown_signal();
    let (telemetry, state) = (telemetry.clone(), Arc::clone(state));
    let gate = Gate {
        state: Arc::clone(&state),
        cuts: Arc::clone(cuts),
        budget: Budget::default(),
        peers: port.of_one_address.map(Peers::new),
    };
    let server = builder.listen("open-chat", listener, move || {
        let app = app(Arc::clone(&state), telemetry.request_log(), routes)
            .into_factory()
            .map_err(|error| error.error_response());
        let shutdown = shutdown.clone();
        let http = HttpService::build()
            // A connection has deadlines of its own.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .local_addr(address)
            // A kept connection is told to close with its next answer when the service stops.
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .on_connect_ext(|stream: &Connection, data| {
                data.insert(stream.in_hand());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let gate = gate.clone();
        fn_service(move |stream: TcpStream| ready(gate.let_in(stream))).and_then(http)
    });
    Ok((address, server.with_context(cannot_listen)?.run()))
}

/// Lets connections in, one by one.
#[derive(Clone)]
struct Gate {
    state: Arc<AppState>,
    cuts: Arc<Cuts>,
    budget: Budget,
    peers: Option<Peers>,
}

type LetIn = (Connection, Protocol, Option<SocketAddr>);

impl Gate {
    fn let_in(&self, stream: TcpStream) -> Result<LetIn, DispatchError> {
        let peer = stream.peer_addr().ok();
        let place = match (&self.peers, peer) {
            (Some(peers), Some(peer)) if !self.state.authenticator.trusts(peer.ip()) => {
                let Some(place) = peers.enter(peer.ip()) else {
                    self.cuts.count(Reason::TooMany, Some(peer.ip()));
                    return Err(DispatchError::Io(io::ErrorKind::QuotaExceeded.into()));
                };
                Some(place)
            }
            _ => None,
        };
        let connection = Connection::new(stream, self.budget.share(), &self.cuts, place);
        Ok((connection, Protocol::Http1, peer))
    }
}

/// The application of one worker. Each of its requests is in its connection's hand until it is
/// answered.
fn app(
    state: Arc<AppState>,
    log: RequestLog,
    routes: impl FnOnce(&mut web::ServiceConfig),
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let worker = Rc::new(WorkerState::new(Arc::clone(&state), log));
    App::new()
        .app_data(web::Data::from(state))
        .configure(routes)
        .default_service(http::not_found())
        .wrap(from_fn(render_problems))
        .wrap(security_headers())
        .wrap(from_fn(move |request, next| {
            track(Rc::clone(&worker), request, next)
        }))
        .wrap_fn(|request, app| {
            let body = Body::of(request.head());
            let connection = request.conn_data();
            let running = connection.map(|connection: &InHand| connection.begin(body));
            let answer = app.call(request);
            async move {
                let mut answer = answer.await;
                drop(running);
                if let Ok(answer) = &mut answer {
                    close_where_due(answer);
                }
                answer
            }
        })
}

/// Closes the connection after this answer where the service is about to end, and after a long
/// answer: actix keeps the room that one took for as long as the connection is kept.
fn close_where_due(answer: &mut ServiceResponse<impl MessageBody>) {
    let state = answer.request().app_data::<web::Data<AppState>>();
    let is_draining = state.is_some_and(|state| state.is_draining.load(Ordering::Relaxed));
    let is_long = matches!(answer.response().body().size(), BodySize::Sized(size) if size > MUCH);
    if is_draining || is_long {
        let head = answer.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Without it a restart has to wait for the last connections of the process before; on Windows
    // it means something else.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    // Connections inherit both.
    socket.set_recv_buffer_size(RECEIVED)?;
    socket.set_send_buffer_size(SENT)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// How many workers there are, and how many connections each may have: actix counts them by worker,
/// the operator of the service by process. Rounded up, because a cap of 10 on three workers is
/// rather 12 than 9; and no worker goes without one.
fn shares(max_connections: NonZeroUsize) -> (usize, usize) {
    let max = max_connections.get();
    let workers = most_workers().min(max);
    (workers, max.div_ceil(workers))
}

/// How many workers a port has, where it has connections enough for them.
pub(super) fn most_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
    cores.min(MAX_WORKERS)
}
