//! One port: the routes behind it, and how long and how many connections may stay.
//!
//! It does what [`actix_web::HttpServer`] does, which lets nothing come between the socket and HTTP.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, map_config};
use actix_web::dev::{
    AppConfig, Server, Service as _, ServiceFactory, ServiceRequest, ServiceResponse, fn_service,
};
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::{App, web};
use anyhow::Context as _;
use tokio::net::{TcpSocket, TcpStream};

use super::head_deadline::{HEAD_DEADLINE, HeadDeadline, InHand};
use crate::config::ServerConfig;
use crate::http::{self, Desk, Worker};
use crate::telemetry::Telemetry;

/// A kept connection outlives the idle time of a proxy in front (nginx: 60 s), so that it is the proxy that closes it, never this
/// service under a request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// So many connections wait to be accepted, so that a rush waits instead of being turned away.
const BACKLOG: u32 = 2048;

/// actix refuses to start more.
const MAX_WORKERS: usize = 512;

/// Listens on a port and answers there once the server is polled. Also says which port it is, where 0 was asked for.
pub(super) fn serve(
    config: &ServerConfig,
    address: SocketAddr,
    telemetry: &Telemetry,
    desk: &Arc<Desk>,
    routes: impl FnOnce(&mut web::ServiceConfig) + Copy + Send + 'static,
) -> anyhow::Result<(SocketAddr, Server)> {
    let cannot_listen = || format!("cannot listen on {address}");
    let listener = listen(address).with_context(cannot_listen)?;
    let address = listener.local_addr().with_context(cannot_listen)?;
    let (workers, each) = shares(config.max_connections);
    let builder = Server::build()
        .disable_signals()
        .workers(workers)
        .max_concurrent_connections(each)
        .shutdown_timeout(config.shutdown_timeout.as_secs());
    let shutdown = builder.graceful_shutdown_signal();
    let (telemetry, desk) = (telemetry.clone(), Arc::clone(desk));
    let server = builder.listen("open-chat", listener, move || {
        let worker = Worker::new(Arc::clone(&desk), telemetry.request_log());
        let app = app(worker, routes)
            .into_factory()
            .map_err(|error| error.error_response());
        let shutdown = shutdown.clone();
        let http = HttpService::build()
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_DEADLINE)
            .local_addr(address)
            // A kept connection is told to close with its next answer when the service stops.
            .graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            })
            .on_connect_ext(|stream: &HeadDeadline<TcpStream>, data| {
                data.insert(stream.in_hand());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        fn_service(async |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            Ok((HeadDeadline::new(stream), Protocol::Http1, peer))
        })
        .and_then(http)
    });
    Ok((address, server.with_context(cannot_listen)?.run()))
}

/// The routes, each of whose requests is in its connection's hand until it is answered.
fn app(
    worker: Worker,
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
    App::new()
        .app_data(web::Data::new(worker))
        .configure(routes)
        .default_service(http::nowhere())
        .wrap_fn(|request, app| {
            let has_chunks = request.headers().contains_key(TRANSFER_ENCODING);
            let connection = request.conn_data();
            let taken = connection.map(|connection: &InHand| connection.take(has_chunks));
            let answer = app.call(request);
            async move {
                let answer = answer.await;
                drop(taken);
                answer
            }
        })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Without it a restart has to wait for the last connections of the process before; on Windows it means something else.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// How many workers there are, and how many connections each may have: actix counts them by worker, the operator of the service by
/// process. Rounded up, because a cap of 10 on three workers is rather 12 than 9; and no worker goes without one.
fn shares(max_connections: NonZeroUsize) -> (usize, usize) {
    let max = max_connections.get();
    let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
    let workers = cores.min(MAX_WORKERS).min(max);
    (workers, max.div_ceil(workers))
}
