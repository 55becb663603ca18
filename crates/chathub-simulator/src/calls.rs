//! The seven calls of ChatHub, as its documents describe them.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::answer::{list, list_with, moment, status, token_answer};
use crate::rules::ValidateBody;
use crate::store::Store;
use crate::token::operator_token;

/// The longest operator name, in characters.
const MAX_NAME: usize = 100;

/// What a call reads of its request.
pub(crate) struct Request<'a> {
    query: &'a str,
    body: &'a [u8],
}

impl<'a> Request<'a> {
    pub(crate) fn new(request: &'a HttpRequest, body: &'a [u8]) -> Self {
        Self {
            query: request.query_string(),
            body,
        }
    }
}

/// An answer: a body, or a status without one.
pub(crate) type Answer = Result<HttpResponse, StatusCode>;

pub(crate) fn company_token(store: &Store, request: &Request<'_>) -> Answer {
    #[derive(Deserialize)]
    struct Login {
        login: String,
        password: String,
    }
    let Login { login, password } = body(request)?;
    if login == store.rules.login && password == store.rules.password {
        Ok(token_answer(store, &store.company_token(), None))
    } else {
        Err(status(store.rules.wrong_login))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every call has this shape")]
pub(crate) fn organizations(store: &Store, _: &Request<'_>) -> Answer {
    let organizations = store.organizations();
    Ok(list(
        store,
        organizations
            .iter()
            .map(|(id, name)| json!({"id": id, "name": name})),
    ))
}

pub(crate) fn operators(store: &Store, request: &Request<'_>) -> Answer {
    let organization = request
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

pub(crate) fn synchronize(store: &Store, request: &Request<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct New {
        organization_id: u64,
        name: String,
    }
    let new: Vec<New> = body(request)?;
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

pub(crate) fn operator_status(store: &Store, request: &Request<'_>) -> Answer {
    #[derive(Deserialize)]
    struct Change {
        id: u64,
        status: u8,
    }
    let Change { id, status } = body(request)?;
    if status > 2 {
        return Err(StatusCode::BAD_REQUEST);
    }
    if store.set_status(id, status) {
        Ok(HttpResponse::Ok().finish())
    } else {
        Err(StatusCode::NOT_FOUND)
    }
}

pub(crate) fn mint(store: &Store, request: &Request<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wanted {
        id: u64,
        expires_at: DateTime<Utc>,
    }
    let Wanted { id, expires_at } = body(request)?;
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

pub(crate) fn validate_token(store: &Store, request: &Request<'_>) -> Answer {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shown {
        Text(String),
        Object { token: String },
    }
    let (token, unwanted) = match body(request)? {
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

fn body<'a, T: Deserialize<'a>>(request: &Request<'a>) -> Result<T, StatusCode> {
    serde_json::from_slice(request.body).map_err(|_| StatusCode::BAD_REQUEST)
}
