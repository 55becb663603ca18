//! A stand-in for the widget: the script that a page embeds, and what it asks with its token.

use actix_web::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, SecondsFormat};
use serde_json::json;

use crate::SimulatorState;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/widget-script.js", web::get().to(script))
        .route("/widget-session", web::post().to(session));
}

/// A module of another origin is loaded with CORS.
async fn script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .body(include_str!("widget-script.js"))
}

/// Whose panel a token opens, and until when.
async fn session(token: String, state: web::Data<SimulatorState>) -> HttpResponse {
    let Some(claims) = state.store.read_operator_token(&token) else {
        return HttpResponse::Unauthorized()
            .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .finish();
    };
    let ends = DateTime::from_timestamp(claims.exp, 0).unwrap_or_default();
    let operator = state.store.operator(claims.operator_id);
    HttpResponse::Ok()
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(json!({
            "operator": format!("{} · {}", claims.operator_id, operator.map(|it| it.name).unwrap_or_default()),
            "expires_at": ends.to_rfc3339_opts(SecondsFormat::Secs, true),
        }))
}
