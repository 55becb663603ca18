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

use super::Stage;
use super::answer::{list, list_with, moment, status, token_answer};
use super::fault::{Fault, broken_off, http_date};
use super::rules::ValidateBody;
use super::world::{Endpoint, Refused, World, operator_token};

/// The longest operator name, in characters.
const MAX_NAME: usize = 100;

pub(super) fn routes(config: &mut web::ServiceConfig) {
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

/// Counts a call, lets it go wrong where the script says so, checks who is asking, and carries it
/// out.
fn call(
    endpoint: Endpoint,
    act: fn(&World, &Asked<'_>) -> Answer,
) -> impl Fn(HttpRequest, web::Bytes, web::Data<Stage>) -> Eventually + Clone {
    move |request, body, stage| {
        Box::pin(async move {
            let world = &stage.world;
            world.count(endpoint);
            if endpoint == Endpoint::OperatorToken {
                let header = request.headers().get("traceparent");
                world.remember_traceparent(header.and_then(|value| value.to_str().ok()));
            }
            tokio::time::sleep(world.rules.latency).await;
            let fault = stage.script.take(endpoint);
            if matches!(fault, Some(Fault::Held)) {
                stage.script.released().await;
            }
            if let Some(fault) = &fault
                && let Some(answer) = fault.play(world.now()).await
            {
                return answer;
            }
            if let Some(Fault::ResetBefore(milliseconds)) = fault {
                let later = Duration::from_millis(milliseconds);
                actix_web::rt::spawn(async move {
                    tokio::time::sleep(later).await;
                    let query = request.query_string();
                    let _ = act(&stage.world, &Asked { query, body: &body });
                });
                return broken_off();
            }
            let asked = Asked {
                query: request.query_string(),
                body: &body,
            };
            let mut answer = authenticate(endpoint, &request, world)
                .and_then(|()| act(world, &asked))
                .unwrap_or_else(HttpResponse::new);
            if matches!(fault, Some(Fault::ResetAfterwards)) {
                return broken_off();
            }
            let now = world.now();
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
    world: &World,
) -> Result<(), StatusCode> {
    if endpoint == Endpoint::CompanyToken {
        return Ok(());
    }
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let token = header(AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("Bearer "))
        .or_else(|| header("x-authorization-key"))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    world.authenticate(token).map_err(|refused| match refused {
        Refused::NotAuthenticated => StatusCode::UNAUTHORIZED,
        Refused::WrongKind => StatusCode::FORBIDDEN,
    })
}

fn company_token(world: &World, asked: &Asked<'_>) -> Answer {
    #[derive(Deserialize)]
    struct Login {
        login: String,
        password: String,
    }
    let Login { login, password } = body(asked)?;
    if login == world.rules.login && password == world.rules.password {
        Ok(token_answer(world, &world.company_token(), None))
    } else {
        Err(status(world.rules.wrong_login))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every call has this shape")]
fn organizations(world: &World, _: &Asked<'_>) -> Answer {
    let organizations = world.organizations();
    Ok(list(
        world,
        organizations
            .iter()
            .map(|(id, name)| json!({"id": id, "name": name})),
    ))
}

fn operators(world: &World, asked: &Asked<'_>) -> Answer {
    let organization = asked
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix("organizationId="))
        .and_then(|id| id.parse().ok())
        .ok_or(StatusCode::BAD_REQUEST)?;
    if let Some(code) = world.broken(organization) {
        return Err(status(code));
    }
    let operators = world
        .operators_of(organization)
        .ok_or(StatusCode::FORBIDDEN)?;
    let odd_records = world.odd_records(organization);
    let organization = json!({"id": organization, "name": world.organization_name(organization)});
    let records = operators.iter().map(|(id, operator)| {
        json!({
            "id": id,
            "name": operator.name,
            "status": operator.status,
            "organization": organization,
        })
    });
    Ok(list_with(world, records, odd_records))
}

fn synchronize(world: &World, asked: &Asked<'_>) -> Answer {
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
    let ids = world.add_operators(&new).ok_or(StatusCode::FORBIDDEN)?;
    Ok(list(
        world,
        ids.iter()
            .zip(&new)
            .map(|(id, (_, name))| json!({"id": id, "status": 0, "name": name})),
    ))
}

fn operator_status(world: &World, asked: &Asked<'_>) -> Answer {
    #[derive(Deserialize)]
    struct Change {
        id: u64,
        status: u8,
    }
    let Change { id, status } = body(asked)?;
    if status > 2 {
        return Err(StatusCode::BAD_REQUEST);
    }
    if world.set_status(id, status) {
        Ok(HttpResponse::Ok().finish())
    } else {
        Err(StatusCode::NOT_FOUND)
    }
}

fn mint(world: &World, asked: &Asked<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wanted {
        id: u64,
        expires_at: DateTime<Utc>,
    }
    let Wanted { id, expires_at } = body(asked)?;
    let ahead = expires_at - world.now();
    if ahead <= TimeDelta::zero() {
        return Err(StatusCode::BAD_REQUEST);
    }
    if ahead > TimeDelta::hours(24) {
        return Err(status(world.rules.too_far_ahead));
    }
    match world.operator(id) {
        None => Err(status(world.rules.unknown_operator)),
        Some(operator) if operator.status != 0 => Err(status(world.rules.inactive_operator)),
        Some(_) => Ok(token_answer(
            world,
            &operator_token(id, expires_at),
            Some(expires_at),
        )),
    }
}

fn validate_token(world: &World, asked: &Asked<'_>) -> Answer {
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
    if world.rules.validate_body == unwanted {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(
        HttpResponse::Ok().json(match world.read_operator_token(&token) {
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
