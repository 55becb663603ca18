//! `GET /connect/hubspot`: a card in HubSpot asks for a link when its button is pressed, by
//! HubSpot's servers, which sign the request.

use std::time::Duration;

use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Serialize;

use super::{Sender, connectors, explained, link, link_for};
use crate::button_url;
use crate::connect::{Connectors, HubspotRequest, ProvenAgent, Unproven, Vendor};
use crate::http::context::Context;
use crate::http::extract::{Query, headers};
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::state::AppState;
use crate::http::target::target;

const SIGNATURE: HeaderName = HeaderName::from_static("x-hubspot-signature-v3");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-hubspot-request-timestamp");

/// How long a link is good: the card shows it, and the agent clicks on it.
const LINK_TTL: Duration = Duration::from_mins(5);

#[derive(Serialize)]
struct Answer {
    url: String,
}

/// Query → proof → operator → limits → link. The networks of agents say nothing of HubSpot's
/// servers: they hold for the click on the link.
pub(crate) async fn link(
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let connectors = connectors(Vendor::Hubspot, &context, &state)?;
    let query = Query::parse(request.query_string())?;
    let query = link::read(query.constraints(), &state)?;
    let link = target(&query, &state.links, &mut context.record().client)?;
    // Without a phone the link would open no client's chat.
    link.phone()
        .ok_or_else(|| Problem::new(Kind::TargetMissing, Detail::NoTarget))?;
    let agent = prove(&request, &connectors, &state)?;
    let how = (Sender::Servers, LINK_TTL);
    let url = link_for(&agent, (&query, &link), how, &connectors, &context, &state).await?;
    Ok(HttpResponse::Ok().json(Answer { url }))
}

/// The agent whose card this is.
fn prove(
    request: &HttpRequest,
    connectors: &Connectors,
    state: &AppState,
) -> Result<ProvenAgent, Problem> {
    // A start without it is refused.
    let service = state.public_url.as_ref().ok_or(Unproven::Audience)?;
    let address = button_url::at(service, "connect/hubspot");
    let shown = HubspotRequest {
        address: address.as_str(),
        query: request.query_string(),
        signature: headers::single(request.headers(), SIGNATURE),
        timestamp: headers::single(request.headers(), TIMESTAMP),
    };
    let agent = connectors.prove_hubspot(shown, Utc::now());
    agent.map_err(|refusal| explained(refusal, shown.portal().map(Detail::NumberUnknown)))
}
