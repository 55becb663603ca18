//! How this ChatHub writes its answers: lists, tokens, moments.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::rules::TokenForm;
use crate::store::Store;

pub(crate) fn list(store: &Store, items: impl Iterator<Item = Value>) -> HttpResponse {
    list_with(store, items, Vec::new())
}

/// The same, with further records that are written as they are.
pub(crate) fn list_with(
    store: &Store,
    items: impl Iterator<Item = Value>,
    further: Vec<String>,
) -> HttpResponse {
    let content_type = if store.rules.plain_text {
        "text/plain"
    } else {
        "application/json"
    };
    let items: Vec<_> = items.map(|item| item.to_string()).chain(further).collect();
    HttpResponse::Ok()
        .content_type(content_type)
        .body(format!("[{}]", items.join(",")))
}

pub(crate) fn token_answer(
    store: &Store,
    token: &str,
    expires_at: Option<DateTime<Utc>>,
) -> HttpResponse {
    match store.rules.token_form {
        TokenForm::String => HttpResponse::Ok().json(token),
        TokenForm::Bare => HttpResponse::Ok()
            .content_type("text/plain")
            .body(token.to_owned()),
        TokenForm::Object => HttpResponse::Ok().json(json!({"token": token})),
        TokenForm::ObjectWithExpiration => {
            HttpResponse::Ok().json(json!({"token": token, "expiration": expires_at.map(moment)}))
        }
    }
}

pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(crate) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
