//! One request and its answer: the id, the clock, the metrics, the log line, the headers that every
//! answer has.
//!
//! It stands around every handler, and knows nothing of what one does.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, Method};
use actix_web::rt::time::timeout;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use arrayvec::ArrayString;
use prometheus::IntGauge;
use tracing::Level;

use super::click::Click;
use super::counters::method_name;
use super::detail::Detail;
use super::kind::Kind;
use super::record::RequestRecord;
use super::refusal::Refusal;
use super::{AppState, Route, WorkerState, door};
use crate::telemetry::{Sampling, Trace, TraceParent};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// The longest body that is read, in bytes: a few times what a link's values take.
pub const MAX_BODY: usize = 16 << 10;

/// How long a body may take to arrive, like a head.
const BODY_PATIENCE: Duration = Duration::from_secs(5);

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The longest request id that is taken over from the caller, in characters.
const MAX_REQUEST_ID: usize = 128;

/// Turns a handler of GETs that hands out a token, a link or a cookie into a route: everything that
/// is the same for all of them happens here. HEAD is refused, because it would mint what nobody
/// receives.
pub(super) fn answered_by<Handler>(route: Route, handler: Handler) -> actix_web::Route
where
    Handler:
        AsyncFn(&HttpRequest, &AppState, &mut Click) -> Result<HttpResponse, Refusal> + 'static,
    Handler: Clone,
{
    answered_where(|request, _| allow(request, &[Method::GET]), route, handler)
}

/// The same for a handler that only reads: HEAD is answered like GET, and the server leaves the
/// body out.
pub(super) fn read_by<Handler>(route: Route, handler: Handler) -> actix_web::Route
where
    Handler:
        AsyncFn(&HttpRequest, &AppState, &mut Click) -> Result<HttpResponse, Refusal> + 'static,
    Handler: Clone,
{
    answered_where(|request, _| allow_reading(request), route, handler)
}

/// The same for whatever requests `may` lets through by their method.
pub(super) fn answered_where<Handler>(
    may: fn(&HttpRequest, &AppState) -> Result<(), Refusal>,
    route: Route,
    handler: Handler,
) -> actix_web::Route
where
    Handler:
        AsyncFn(&HttpRequest, &AppState, &mut Click) -> Result<HttpResponse, Refusal> + 'static,
    Handler: Clone,
{
    web::to(
        move |request: HttpRequest, worker: web::Data<WorkerState>| {
            let handler = handler.clone();
            async move {
                let (exchange, mut click) = Exchange::begin(route, &request, &worker);
                // No `match`, which would keep room for the refusal while it waits for the handler.
                let allowed = exchange
                    .leads_somewhere()
                    .and_then(|()| may(&request, &worker.state));
                let outcome = if let Err(refusal) = allowed {
                    Err(refusal)
                } else {
                    handler(&request, &worker.state, &mut click).await
                };
                exchange.end(outcome, &click)
            }
        },
    )
}

/// The same for POSTs, whose body is read first.
pub(super) fn posted_to<Handler>(route: Route, handler: Handler) -> actix_web::Route
where
    Handler: AsyncFn(&HttpRequest, Bytes, &AppState, &mut Click) -> Result<HttpResponse, Refusal>,
    Handler: Clone + 'static,
{
    web::to(
        move |request: HttpRequest, body: web::Payload, worker: web::Data<WorkerState>| {
            let handler = handler.clone();
            async move {
                let (exchange, mut click) = Exchange::begin(route, &request, &worker);
                let allowed = exchange.leads_somewhere();
                let outcome = match allowed.and_then(|()| allow(&request, &[Method::POST])) {
                    Ok(()) => match timeout(BODY_PATIENCE, body.to_bytes_limited(MAX_BODY)).await {
                        Ok(Ok(Ok(body))) => {
                            handler(&request, body, &worker.state, &mut click).await
                        }
                        _ => Err(Refusal::new(
                            Kind::ParameterInvalid,
                            "The body is over 16 KiB long, or has not arrived.",
                        )),
                    },
                    Err(refusal) => Err(refusal),
                };
                exchange.end(outcome, &click)
            }
        },
    )
}

/// Refuses a method that a route which only reads does not take.
pub(super) fn allow_reading(request: &HttpRequest) -> Result<(), Refusal> {
    allow(request, &[Method::GET, Method::HEAD])
}

fn allow(request: &HttpRequest, methods: &'static [Method]) -> Result<(), Refusal> {
    if methods.contains(request.method()) {
        return Ok(());
    }
    Err(Refusal::method_not_allowed(methods))
}

/// The route of a request, where its path is spelled as the route is. actix also finds `/metrics`
/// for `/%6detrics`, which a proxy that keeps `/metrics` inside lets through.
fn as_written(route: Route, request: &HttpRequest) -> Route {
    if request.path().contains('%') {
        Route::Other
    } else {
        route
    }
}

/// A request that is being answered.
struct Exchange<'a> {
    route: Route,
    request: &'a HttpRequest,
    worker: &'a WorkerState,
    request_id: RequestId<'a>,
    started: Instant,
    /// Counts down also where the visitor goes away before the answer.
    _in_flight: InFlight<'a>,
}

impl<'a> Exchange<'a> {
    fn begin(route: Route, request: &'a HttpRequest, worker: &'a WorkerState) -> (Self, Click) {
        let started = Instant::now();
        let route = as_written(route, request);
        let state = &worker.state;
        let click = Click::new(
            door::client_address(request, state),
            started + state.click_budget,
            trace(route, request, state.sampling),
        );
        let exchange = Self {
            route,
            request,
            worker,
            request_id: RequestId::of(request.headers()),
            started,
            _in_flight: InFlight::enter(&worker.counters.in_flight),
        };
        (exchange, click)
    }

    /// There is no method that would be allowed at a path that leads nowhere.
    fn leads_somewhere(&self) -> Result<(), Refusal> {
        if self.route == Route::Other {
            return Err(Refusal::new(Kind::NotFound, Detail::Nothing));
        }
        Ok(())
    }

    fn end(self, outcome: Result<HttpResponse, Refusal>, click: &Click) -> HttpResponse {
        let (mut response, kind) = match outcome {
            Ok(response) => (response, None),
            Err(refusal) => (
                refusal.respond(
                    self.request,
                    self.request_id.as_str(),
                    &self.worker.state.pages,
                ),
                Some(refusal.kind),
            ),
        };
        self.add_headers(response.headers_mut());
        if self.worker.state.is_draining.load(Ordering::Relaxed) {
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        let status = response.status().as_u16();
        let took = self.started.elapsed();
        self.count(status, took, kind, click);
        click.trace.end(
            status,
            kind.or(click.fallback).map(Kind::name),
            click.link.map(|(format, ..)| format),
            click.token().map(|(_, outcome)| outcome.name()),
        );
        if self.route.is_logged() {
            self.log(status, took, kind, click);
        }
        response
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(ROBOTS, HeaderValue::from_static("noindex"));
        // Both sources of the id yield visible ASCII only.
        if let Ok(id) = HeaderValue::from_str(self.request_id.as_str()) {
            headers.insert(REQUEST_ID, id);
        }
    }

    fn count(&self, status: u16, took: Duration, kind: Option<Kind>, click: &Click) {
        let counters = &self.worker.counters;
        counters.answered(self.route, self.request.method(), status, took);
        if let Some(kind) = kind {
            counters.refused(kind);
        }
        if let Some((format, ..)) = click.link {
            counters.redirected(format, click.source);
        }
        if click.fallback.is_some() {
            counters.fallbacks.inc();
        }
    }

    fn log(&self, status: u16, took: Duration, kind: Option<Kind>, click: &Click) {
        let level = if status >= 500 {
            Level::WARN
        } else {
            Level::INFO
        };
        let message = match self.route {
            Route::OpenChat => "click",
            Route::Links => "link",
            Route::Widget | Route::WidgetToken => "widget",
            _ => "request",
        };
        let record = RequestRecord {
            request_id: self.request_id.as_str(),
            route: self.route.name(),
            method: method_name(self.request.method()),
            status,
            duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            click: click.record(kind, self.worker.state.log_phones),
        };
        let mut log = self.worker.log.borrow_mut();
        log.write(level, message, &record);
    }
}

/// A request's id: the caller's own where it is harmless, else a new one.
enum RequestId<'a> {
    Given(&'a str),
    Made(ArrayString<32>),
}

impl<'a> RequestId<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        headers
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| (1..=MAX_REQUEST_ID).contains(&id.len()))
            .filter(|id| {
                id.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            })
            .map_or_else(Self::new, Self::Given)
    }

    /// 128 random bits in 32 hexadecimal digits.
    fn new() -> Self {
        let mut digits = [0; 32];
        let bytes = fastrand::u128(..).to_be_bytes();
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        // It is ASCII, always.
        Self::Made(ArrayString::from_byte_string(&digits).unwrap_or_default())
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Given(id) => id,
            Self::Made(id) => id,
        }
    }
}

/// A request's place in a trace. Machines that look after the service every few seconds need none.
fn trace(route: Route, request: &HttpRequest, sampling: Sampling) -> Trace {
    if !route.is_logged() {
        return Trace::default();
    }
    let parent = request
        .headers()
        .get(TRACEPARENT)
        .and_then(|parent| TraceParent::parse(parent.to_str().ok()?));
    Trace::begin(
        route.name(),
        method_name(request.method()),
        parent,
        sampling,
    )
}

struct InFlight<'a>(&'a IntGauge);

impl<'a> InFlight<'a> {
    fn enter(gauge: &'a IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
