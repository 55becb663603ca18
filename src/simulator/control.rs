//! The strings behind the stage, for those who run the simulator as a process:
//! `GET /simulator/calls` tells the counts, `POST /simulator/faults` scripts a fault.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Stage;
use super::fault::Fault;
use super::world::Endpoint;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/simulator/calls", web::get().to(calls))
        .route("/simulator/faults", web::post().to(faults));
}

/// `{"company-token":1,"organizations":0,…}`
async fn calls(stage: web::Data<Stage>) -> HttpResponse {
    let counts: Map<String, Value> = Endpoint::ALL
        .into_iter()
        .filter_map(|endpoint| {
            let Ok(Value::String(name)) = serde_json::to_value(endpoint) else {
                return None;
            };
            Some((name, stage.world.calls(endpoint).into()))
        })
        .collect();
    HttpResponse::Ok().json(counts)
}

/// `{"endpoint":"operator-token","fault":{"status":500}}`, `"fault":"silence"`; with
/// `"always":true` until a `null` fault ends it.
#[derive(Deserialize)]
struct Request {
    endpoint: Endpoint,
    fault: Option<Fault>,
    #[serde(default)]
    always: bool,
}

async fn faults(body: web::Bytes, stage: web::Data<Stage>) -> HttpResponse {
    match serde_json::from_slice(&body) {
        Ok(Request {
            endpoint,
            fault: Some(fault),
            always: false,
        }) => stage.script.next(endpoint, fault),
        Ok(Request {
            endpoint, fault, ..
        }) => stage.script.always(endpoint, fault),
        Err(error) => return HttpResponse::BadRequest().body(error.to_string()),
    }
    HttpResponse::NoContent().finish()
}
