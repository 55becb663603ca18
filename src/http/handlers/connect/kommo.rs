//! `GET /connect/kommo`: Kommo's widget asks for a link when a phone is clicked, with the account's
//! one-time token in `X-Auth-Token`.

use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Serialize;

use super::{LINK_TTL, Sender, check_network, connectors, cors, link, link_for, refuse};
use crate::connect::{Connectors, ProvenAgent, Refusal, Unproven, Vendor};
use crate::http::context::Context;
use crate::http::extract::{Query, headers};
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::state::AppState;
use crate::http::target::target;
use crate::phone::PhoneNumber;

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

#[derive(Serialize)]
struct Answer {
    url: String,
}

/// Network → query → proof → operator → limits → link.
pub(crate) async fn link(
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let connectors = connectors(Vendor::Kommo, &context, &state)?;
    let page = cors::allow(&request, Vendor::Kommo, &connectors, &context);
    check_network(Sender::Browser, &context, &state).await?;
    let query = Query::parse(request.query_string())?;
    let query = link::read(query.constraints(), &state)?;
    let link = target(&query, &state.links, &mut context.record().client)?;
    // A token counts once for each phone.
    let phone = link
        .phone()
        .ok_or_else(|| Problem::new(Kind::TargetMissing, Detail::NoTarget))?;
    let agent = match prove(&request, &phone, &connectors, &state) {
        Ok(agent) => agent,
        Err(refusal) => return Err(refuse(refusal, Sender::Browser, &context, &state).await),
    };
    if page.is_some_and(|page| page.installation != agent.installation) {
        return Err(refuse(Unproven::Account, Sender::Browser, &context, &state).await);
    }
    let how = (Sender::Browser, LINK_TTL);
    let url = link_for(&agent, (&query, &link), how, &connectors, &context, &state).await?;
    Ok(HttpResponse::Ok().json(Answer { url }))
}

/// What a browser asks before it sends the token.
pub(crate) async fn preflight(
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let connectors = connectors(Vendor::Kommo, &context, &state)?;
    let page = cors::allow(&request, Vendor::Kommo, &connectors, &context);
    Ok(cors::preflight(page, "GET", "X-Auth-Token"))
}

/// The agent whose click this is.
fn prove(
    request: &HttpRequest,
    phone: &PhoneNumber,
    connectors: &Connectors,
    state: &AppState,
) -> Result<ProvenAgent, Refusal> {
    let token = headers::single(request.headers(), TOKEN);
    // A start without it is refused.
    let service = state.public_url.as_ref().ok_or(Unproven::Audience)?;
    connectors.prove_kommo(token, service.as_url(), phone, Utc::now())
}
