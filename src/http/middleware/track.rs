//! Follows a request from its start to its answer: makes its context, and counts, traces and logs
//! how it ended.

use std::rc::Rc;
use std::time::Instant;

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, HeaderName, HeaderValue, VARY,
};
use actix_web::{Error, HttpMessage as _};
use prometheus::IntGauge;

use super::access_log;
use super::metrics::{PairingOutcome, RequestMetrics, method_name};
use super::problems::render;
use super::request_id::{REQUEST_ID, RequestId};
use crate::http::context::{ConnectorOutcome, Outcome, Readers, RequestContext, RequestRecord};
use crate::http::extract::client_address;
use crate::http::problem::Kind;
use crate::http::route::Route;
use crate::http::state::{AppState, WorkerState};
use crate::telemetry::{Sampling, Trace, TraceParent};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Makes the request's context, follows the request to its answer, and renders the problem that the
/// answer may carry. It boxes no future, because it is called on each click.
pub fn track<S>(
    worker: &Rc<WorkerState>,
    request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    let worker = Rc::clone(worker);
    let context = Rc::new(context(&request, &worker.state));
    request.extensions_mut().insert(Rc::clone(&context));
    let in_flight = InFlight::enter(&worker.metrics.in_flight);
    let response = next.call(request);
    async move {
        let _in_flight = in_flight;
        let mut response = render(response.await?, &context, &worker.state.pages);
        // An id is always a valid value.
        if let Ok(id) = HeaderValue::from_str(context.request_id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        if let Some(readers) = context.record().readers.take() {
            set_readers(response.headers_mut(), readers);
        }
        let method = response.request().method();
        finish(&context, method, response.status().as_u16(), &worker);
        Ok(response)
    }
}

fn context(request: &ServiceRequest, state: &AppState) -> RequestContext {
    let started = Instant::now();
    let route = Route::of(request);
    RequestContext {
        route,
        request_id: RequestId::of(request.headers()),
        started,
        client: client_address(request.request(), state),
        deadline: started + state.click_budget,
        trace: trace(route, request, state.sampling),
        record: RequestRecord::default().into(),
    }
}

/// The request's place in a trace.
fn trace(route: Route, request: &ServiceRequest, sampling: Sampling) -> Trace {
    if !route.is_logged() {
        return Trace::default();
    }
    let parent = request
        .headers()
        .get(TRACEPARENT)
        .and_then(|parent| TraceParent::parse(parent.to_str().ok()?));
    let method = method_name(request.method());
    Trace::begin(route.name(), method, parent, sampling)
}

/// Counts, traces and logs an answer.
fn finish(context: &RequestContext, method: &Method, status: u16, worker: &WorkerState) {
    let took = context.started.elapsed();
    let record = context.record.borrow();
    let metrics = &worker.metrics;
    metrics.answered(context.route, method, status, took);
    let outcome = record.outcome;
    match outcome {
        Some(Outcome::Problem(kind)) => {
            metrics.refused(kind);
            if context.route == Route::Pair {
                metrics.pairing(PairingOutcome::Refused);
            }
        }
        Some(Outcome::Paired) => metrics.pairing(PairingOutcome::Paired),
        Some(Outcome::Unpaired) => metrics.pairing(PairingOutcome::Unpaired),
        Some(Outcome::Redirect(format, ..)) => metrics.redirected(format, record.client.source),
        Some(Outcome::Fallback(_)) => metrics.fallbacks.inc(),
        _ => {}
    }
    if record.is_renewed {
        metrics.pairing(PairingOutcome::Renewed);
    }
    count_connector(&record, metrics);
    context.trace.end(
        status,
        outcome.and_then(Outcome::kind).map(Kind::name),
        outcome.and_then(Outcome::format),
        outcome
            .and_then(Outcome::token)
            .map(|(_, from)| from.name()),
    );
    if context.route.is_logged() {
        let log = &mut worker.log.borrow_mut();
        access_log::write(log, context, method, status, took, worker.state.log_phones);
    }
}

/// Lets scripts of one origin read the answer, and of no other.
fn set_readers(headers: &mut HeaderMap, readers: Readers) {
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    if let Readers::Origin(origin) = readers {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

/// What became of a CRM's request.
fn count_connector(record: &RequestRecord, metrics: &RequestMetrics) {
    let outcome = match record.outcome {
        Some(Outcome::Connector(outcome)) => outcome,
        Some(Outcome::Problem(_)) => ConnectorOutcome::Refused,
        _ => return,
    };
    if let Some(connector) = record.connector {
        metrics.connector(connector, outcome);
    }
}

/// A request in flight. Dropped where the caller goes away before the answer, too.
struct InFlight(IntGauge);

impl InFlight {
    fn enter(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
