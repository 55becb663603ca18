//! Counts and faults over HTTP, for a simulator that runs as a process: `GET /simulator/calls` and
//! `POST /simulator/faults`.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::SimulatorState;
use crate::endpoint::Endpoint;
use crate::fault::Fault;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/simulator/calls", web::get().to(calls))
        .route("/simulator/faults", web::post().to(faults));
}

/// `{"company-token":1,"organizations":0,…}`
async fn calls(state: web::Data<SimulatorState>) -> HttpResponse {
    let counts: Map<String, Value> = Endpoint::ALL
        .into_iter()
        .filter_map(|endpoint| {
            let Ok(Value::String(name)) = serde_json::to_value(endpoint) else {
                return None;
            };
            Some((name, state.store.calls(endpoint).into()))
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

async fn faults(body: web::Bytes, state: web::Data<SimulatorState>) -> HttpResponse {
    match serde_json::from_slice(&body) {
        Ok(Request {
            endpoint,
            fault: Some(fault),
            always: false,
        }) => state.faults.next(endpoint, fault),
        Ok(Request {
            endpoint, fault, ..
        }) => state.faults.always(endpoint, fault),
        Err(error) => return HttpResponse::BadRequest().body(error.to_string()),
    }
    HttpResponse::NoContent().finish()
}
