//! The API's routes, and what happens around each call: counts, faults, authentication.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, DATE};
use actix_web::{HttpRequest, HttpResponse, web};

use crate::SimulatorState;
use crate::calls::{self, Answer, Request};
use crate::endpoint::Endpoint;
use crate::fault::{Fault, broken_off, http_date};
use crate::store::{Refused, Store};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    use Endpoint as E;
    config
        .route(
            "/api/company/get-token",
            web::post().to(call(E::CompanyToken, calls::company_token)),
        )
        .route(
            "/api/company/organization",
            web::get().to(call(E::Organizations, calls::organizations)),
        )
        .route(
            "/api/operator",
            web::get().to(call(E::Operators, calls::operators)),
        )
        .route(
            "/api/operator/synchronize",
            web::post().to(call(E::Synchronize, calls::synchronize)),
        )
        .route(
            "/api/operator/status",
            web::post().to(call(E::OperatorStatus, calls::operator_status)),
        )
        .route(
            "/api/operator/get-token",
            web::post().to(call(E::OperatorToken, calls::mint)),
        )
        .route(
            "/api/operator/validate-token",
            web::post().to(call(E::ValidateToken, calls::validate_token)),
        );
}

/// Carries out a call.
type Act = fn(&Store, &Request<'_>) -> Answer;

type Pending = Pin<Box<dyn Future<Output = HttpResponse>>>;

fn call(
    endpoint: Endpoint,
    act: Act,
) -> impl Fn(HttpRequest, web::Bytes, web::Data<SimulatorState>) -> Pending + Clone {
    move |request, body, state| Box::pin(answer(endpoint, act, request, body, state))
}

/// Counts a call, plays the fault that is planned for it, authenticates it and carries it out.
async fn answer(
    endpoint: Endpoint,
    act: Act,
    request: HttpRequest,
    body: web::Bytes,
    state: web::Data<SimulatorState>,
) -> HttpResponse {
    let store = &state.store;
    store.count(endpoint);
    if endpoint == Endpoint::OperatorToken {
        store.remember_traceparent(header(&request, "traceparent"));
    }
    tokio::time::sleep(store.rules.latency).await;
    let fault = state.faults.take(endpoint);
    match &fault {
        None => {}
        Some(Fault::Held) => state.faults.released().await,
        Some(Fault::ResetBefore(milliseconds)) => {
            let later = Duration::from_millis(*milliseconds);
            actix_web::rt::spawn(async move {
                tokio::time::sleep(later).await;
                let _ = act(&state.store, &Request::new(&request, &body));
            });
            return broken_off();
        }
        Some(fault) => {
            if let Some(answer) = fault.play(store.now()).await {
                return answer;
            }
        }
    }
    let mut answer = authenticate(endpoint, &request, store)
        .and_then(|()| act(store, &Request::new(&request, &body)))
        .unwrap_or_else(HttpResponse::new);
    if matches!(fault, Some(Fault::ResetAfterwards)) {
        return broken_off();
    }
    let now = store.now();
    if let Ok(date) = http_date(now).parse() {
        answer.headers_mut().insert(DATE, date);
    }
    if let Some(fault) = fault {
        fault.date(&mut answer, now);
    }
    answer
}

/// Either kind of token in either header opens a call; the documents put the profile key in the
/// second.
fn authenticate(
    endpoint: Endpoint,
    request: &HttpRequest,
    store: &Store,
) -> Result<(), StatusCode> {
    if endpoint == Endpoint::CompanyToken {
        return Ok(());
    }
    let token = header(request, AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .or_else(|| header(request, "x-authorization-key"))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    store.authenticate(token).map_err(|refused| match refused {
        Refused::NotAuthenticated => StatusCode::UNAUTHORIZED,
        Refused::WrongKind => StatusCode::FORBIDDEN,
    })
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}
