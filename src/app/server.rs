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

use actix_http::{HttpService, KeepAlive};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, map_config};
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{
    AppConfig, Server, Service as _, ServiceFactory, ServiceRequest, ServiceResponse, fn_service,
};
use actix_web::http::ConnectionType;
use actix_web::{App, web};
use anyhow::Context as _;
use tokio::net::{TcpSocket, TcpStream};

use super::connection::{AbortRecorder, AcceptLimiter, Body, Connection, LINGER, RequestTracker};
use crate::http::middleware::{set_security_headers, track};
use crate::http::{self, AppState, WorkerState};
use crate::telemetry::{RequestLog, Telemetry};

/// So many connections wait to be accepted, so that a rush waits instead of being refused.
const BACKLOG: u32 = 2048;

/// The kernel's buffers of a connection, in bytes: no request is longer, and a longer answer goes
/// out as it is read. The kernel doubles the numbers for its own book-keeping; its defaults grow to
/// megabytes.
const RECEIVE_BUFFER: u32 = 16 << 10;
const SEND_BUFFER: u32 = 16 << 10;

/// The longest answer, in bytes, after which a connection is kept: no click's is longer.
const MAX_KEPT_ANSWER: u64 = 16 << 10;

/// actix refuses to start more.
const MAX_WORKERS: usize = 512;

/// What the servers of all ports share.
pub(super) struct ServerFactory<'a> {
    pub(super) state: &'a Arc<AppState>,
    pub(super) telemetry: &'a Telemetry,
    pub(super) aborts: Arc<AbortRecorder>,
    pub(super) shutdown_timeout: Duration,
}

impl ServerFactory<'_> {
    /// Listens on a port, and answers there once the server is polled. Also returns the address,
    /// with the real port where 0 was asked for. `max_per_address`: how many of the connections one
    /// address may have, unless it is a trusted proxy.
    pub(super) fn bind(
        &self,
        address: SocketAddr,
        max_connections: NonZeroUsize,
        max_per_address: Option<usize>,
        routes: impl FnOnce(&mut web::ServiceConfig) + Copy + Send + 'static,
    ) -> anyhow::Result<(SocketAddr, Server)> {
        let cannot_listen = || format!("cannot listen on {address}");
        let listener = listen(address).with_context(cannot_listen)?;
        let local_address = listener.local_addr().with_context(cannot_listen)?;
        let (workers, max_per_worker) = workers(max_connections);
        let builder = Server::build()
            .disable_signals()
            .workers(workers)
            .max_concurrent_connections(max_per_worker)
            // The process ends first, and logs what it cuts off.
            .shutdown_timeout(self.shutdown_timeout.as_secs().saturating_add(2));
        let shutdown = builder.graceful_shutdown_signal();
        let (telemetry, state) = (self.telemetry.clone(), Arc::clone(self.state));
        let limiter = AcceptLimiter::new(&state, &self.aborts, max_per_address);
        let server = builder.listen("open-chat", listener, move || {
            let app = app(Arc::clone(&state), telemetry.request_log(), routes)
                .into_factory()
                .map_err(|error| error.error_response());
            let shutdown = shutdown.clone();
            let http = HttpService::build()
                // A connection has timeouts of its own.
                .keep_alive(KeepAlive::Os)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(LINGER)
                .local_addr(local_address)
                // A kept connection is told to close with its next answer when the service stops.
                .graceful_shutdown_signal(move || {
                    let shutdown = shutdown.clone();
                    async move { shutdown.notified().await }
                })
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert(connection.request());
                })
                .finish(map_config(app, |()| AppConfig::default()));
            let limiter = limiter.clone();
            fn_service(move |stream: TcpStream| ready(limiter.accept(stream))).and_then(http)
        });
        Ok((local_address, server.with_context(cannot_listen)?.run()))
    }
}

/// The application of one worker. A request reports to its connection when the application starts
/// and ends.
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
        .wrap_fn(move |request, next| track(&worker, request, next))
        .wrap_fn(|request, app| {
            let body = Body::of(request.head());
            let connection = request.conn_data();
            let running = connection.map(|request: &RequestTracker| request.start(body));
            let answer = app.call(request);
            async move {
                let mut answer = answer.await;
                drop(running);
                if let Ok(answer) = &mut answer {
                    set_security_headers(answer.headers_mut());
                    close_where_due(answer);
                }
                answer
            }
        })
}

/// Closes the connection after this answer where the service is about to end, and after a long
/// answer: actix keeps the memory of an answer for as long as the connection.
fn close_where_due(answer: &mut ServiceResponse<impl MessageBody>) {
    let state = answer.request().app_data::<web::Data<AppState>>();
    let is_draining = state.is_some_and(|state| state.is_draining.load(Ordering::Relaxed));
    let size = answer.response().body().size();
    let is_long = matches!(size, BodySize::Sized(size) if size > MAX_KEPT_ANSWER);
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
    // Without it a restart waits for the last connections of the process before; on Windows the
    // option means something else.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    // Connections inherit both.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The number of workers, and of connections for each: actix counts by worker, `MAX_CONNECTIONS` by
/// process. Rounded up, because a cap of 10 on three workers is rather 12 than 9; every worker may
/// have one.
fn workers(max_connections: NonZeroUsize) -> (usize, usize) {
    let max = max_connections.get();
    let workers = max_workers().min(max);
    (workers, max.div_ceil(workers))
}

/// The number of workers of a port that may have as many connections.
pub(super) fn max_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
    cores.min(MAX_WORKERS)
}
