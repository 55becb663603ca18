//! How this ChatHub writes its answers: lists, tokens, moments.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::rules::TokenForm;
use super::world::World;

pub(super) fn list(world: &World, items: impl Iterator<Item = Value>) -> HttpResponse {
    list_with(world, items, Vec::new())
}

/// The same, with further records that are written as they are.
pub(super) fn list_with(
    world: &World,
    items: impl Iterator<Item = Value>,
    further: Vec<String>,
) -> HttpResponse {
    let content_type = if world.rules.plain_text {
        "text/plain"
    } else {
        "application/json"
    };
    let items: Vec<_> = items.map(|item| item.to_string()).chain(further).collect();
    HttpResponse::Ok()
        .content_type(content_type)
        .body(format!("[{}]", items.join(",")))
}

pub(super) fn token_answer(
    world: &World,
    token: &str,
    expires_at: Option<DateTime<Utc>>,
) -> HttpResponse {
    match world.rules.token_form {
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

pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
