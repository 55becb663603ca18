//! The seven calls of ChatHub, as its documents describe them.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, DATE};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::SimulatorState;
use crate::answer::{list, list_with, moment, status, token_answer};
use crate::endpoint::Endpoint;
use crate::fault::{Fault, broken_off, http_date};
use crate::rules::ValidateBody;
use crate::store::{Refused, Store};
use crate::token::operator_token;

/// The longest operator name, in characters.
const MAX_NAME: usize = 100;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    use Endpoint as E;
    config
        .route(
            "/api/company/get-token",
            web::post().to(call(E::CompanyToken, company_token)),
        )
        .route(
            "/api/company/organization",
            web::get().to(call(E::Organizations, organizations)),
        )
        .route(
            "/api/operator",
            web::get().to(call(E::Operators, operators)),
        )
        .route(
            "/api/operator/synchronize",
            web::post().to(call(E::Synchronize, synchronize)),
        )
        .route(
            "/api/operator/status",
            web::post().to(call(E::OperatorStatus, operator_status)),
        )
        .route(
            "/api/operator/get-token",
            web::post().to(call(E::OperatorToken, mint)),
        )
        .route(
            "/api/operator/validate-token",
            web::post().to(call(E::ValidateToken, validate_token)),
        );
}

/// What a call looks at.
struct Asked<'a> {
    query: &'a str,
    body: &'a [u8],
}

/// An answer: a body, or a status without one.
type Answer = Result<HttpResponse, StatusCode>;

type Eventually = Pin<Box<dyn Future<Output = HttpResponse>>>;

/// Counts a call, plays the fault that is planned for it, authenticates it and carries it out.
fn call(
    endpoint: Endpoint,
    act: fn(&Store, &Asked<'_>) -> Answer,
) -> impl Fn(HttpRequest, web::Bytes, web::Data<SimulatorState>) -> Eventually + Clone {
    move |request, body, state| {
        Box::pin(async move {
            let store = &state.store;
            store.count(endpoint);
            if endpoint == Endpoint::OperatorToken {
                let header = request.headers().get("traceparent");
                store.remember_traceparent(header.and_then(|value| value.to_str().ok()));
            }
            tokio::time::sleep(store.rules.latency).await;
            let fault = state.faults.take(endpoint);
            if matches!(fault, Some(Fault::Held)) {
                state.faults.released().await;
            }
            if let Some(fault) = &fault
                && let Some(answer) = fault.play(store.now()).await
            {
                return answer;
            }
            if let Some(Fault::ResetBefore(milliseconds)) = fault {
                let later = Duration::from_millis(milliseconds);
                actix_web::rt::spawn(async move {
                    tokio::time::sleep(later).await;
                    let query = request.query_string();
                    let _ = act(&state.store, &Asked { query, body: &body });
                });
                return broken_off();
            }
            let asked = Asked {
                query: request.query_string(),
                body: &body,
            };
            let mut answer = authenticate(endpoint, &request, store)
                .and_then(|()| act(store, &asked))
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
        })
    }
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
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let token = header(AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .or_else(|| header("x-authorization-key"))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    store.authenticate(token).map_err(|refused| match refused {
        Refused::NotAuthenticated => StatusCode::UNAUTHORIZED,
        Refused::WrongKind => StatusCode::FORBIDDEN,
    })
}

fn company_token(store: &Store, asked: &Asked<'_>) -> Answer {
    #[derive(Deserialize)]
    struct Login {
        login: String,
        password: String,
    }
    let Login { login, password } = body(asked)?;
    if login == store.rules.login && password == store.rules.password {
        Ok(token_answer(store, &store.company_token(), None))
    } else {
        Err(status(store.rules.wrong_login))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every call has this shape")]
fn organizations(store: &Store, _: &Asked<'_>) -> Answer {
    let organizations = store.organizations();
    Ok(list(
        store,
        organizations
            .iter()
            .map(|(id, name)| json!({"id": id, "name": name})),
    ))
}

fn operators(store: &Store, asked: &Asked<'_>) -> Answer {
    let organization = asked
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix("organizationId="))
        .and_then(|id| id.parse().ok())
        .ok_or(StatusCode::BAD_REQUEST)?;
    if let Some(code) = store.broken(organization) {
        return Err(status(code));
    }
    let operators = store
        .operators_of(organization)
        .ok_or(StatusCode::FORBIDDEN)?;
    let odd_records = store.odd_records(organization);
    let organization = json!({"id": organization, "name": store.organization_name(organization)});
    let records = operators.iter().map(|(id, operator)| {
        json!({
            "id": id,
            "name": operator.name,
            "status": operator.status,
            "organization": organization,
        })
    });
    Ok(list_with(store, records, odd_records))
}

fn synchronize(store: &Store, asked: &Asked<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct New {
        organization_id: u64,
        name: String,
    }
    let new: Vec<New> = body(asked)?;
    if new
        .iter()
        .any(|new| new.name.is_empty() || new.name.chars().count() > MAX_NAME)
    {
        return Err(StatusCode::BAD_REQUEST);
    }
    let new: Vec<_> = new
        .into_iter()
        .map(|new| (new.organization_id, new.name))
        .collect();
    let ids = store.add_operators(&new).ok_or(StatusCode::FORBIDDEN)?;
    Ok(list(
        store,
        ids.iter()
            .zip(&new)
            .map(|(id, (_, name))| json!({"id": id, "status": 0, "name": name})),
    ))
}

fn operator_status(store: &Store, asked: &Asked<'_>) -> Answer {
    #[derive(Deserialize)]
    struct Change {
        id: u64,
        status: u8,
    }
    let Change { id, status } = body(asked)?;
    if status > 2 {
        return Err(StatusCode::BAD_REQUEST);
    }
    if store.set_status(id, status) {
        Ok(HttpResponse::Ok().finish())
    } else {
        Err(StatusCode::NOT_FOUND)
    }
}

fn mint(store: &Store, asked: &Asked<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wanted {
        id: u64,
        expires_at: DateTime<Utc>,
    }
    let Wanted { id, expires_at } = body(asked)?;
    let ahead = expires_at - store.now();
    if ahead <= TimeDelta::zero() {
        return Err(StatusCode::BAD_REQUEST);
    }
    if ahead > TimeDelta::hours(24) {
        return Err(status(store.rules.too_far_ahead));
    }
    match store.operator(id) {
        None => Err(status(store.rules.unknown_operator)),
        Some(operator) if operator.status != 0 => Err(status(store.rules.inactive_operator)),
        Some(_) => Ok(token_answer(
            store,
            &operator_token(id, expires_at),
            Some(expires_at),
        )),
    }
}

fn validate_token(store: &Store, asked: &Asked<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shown {
        Text(String),
        Object { token: String },
    }
    let (token, unwanted) = match body(asked)? {
        Shown::Text(token) => (token, ValidateBody::Object),
        Shown::Object { token } => (token, ValidateBody::String),
    };
    if store.rules.validate_body == unwanted {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(
        HttpResponse::Ok().json(match store.read_operator_token(&token) {
            Some(claims) => json!({
                "isValid": true,
                "operatorId": claims.operator_id,
                "clientId": 0,
                "expiresAt": DateTime::from_timestamp(claims.exp, 0).map(moment),
                "error": null,
            }),
            None => json!({"isValid": false, "error": "Invalid token"}),
        }),
    )
}

fn body<'a, T: Deserialize<'a>>(asked: &Asked<'a>) -> Result<T, StatusCode> {
    serde_json::from_slice(asked.body).map_err(|_| StatusCode::BAD_REQUEST)
}
