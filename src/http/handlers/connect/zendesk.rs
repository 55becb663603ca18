//! `POST /connect/zendesk`: the app in Zendesk's sidebar. Zendesk posts a signed form into a frame;
//! the page reads the client's phones by Zendesk's own script.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::{CrmPage, Sender, check_network, connectors, limit_page, link, page, refuse};
use crate::connect::Vendor;
use crate::http::context::Context;
use crate::http::extract::{Body, CrmPageNavigation, field};
use crate::http::problem::Problem;
use crate::http::state::AppState;

/// Network → query → proof → page.
pub(crate) async fn app(
    _: CrmPageNavigation,
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let connectors = connectors(Vendor::Zendesk, &context, &state)?;
    check_network(Sender::Browser, &context, &state).await?;
    let wanted = link::of_address(&request)?;
    let token = field(&body.0, "token")?;
    // The origin of the page that shows the app, as Zendesk adds it to the app's address.
    let host = field(request.query_string().as_bytes(), "origin")?;
    let agent = match connectors.prove_zendesk(token.as_deref(), host.as_deref(), Utc::now()) {
        Ok(agent) => agent,
        Err(refusal) => return Err(refuse(refusal, Sender::Browser, &context, &state).await),
    };
    limit_page(&agent, &context, &state).await?;
    let crm_page = CrmPage {
        agent: &agent,
        phones: None,
        wanted,
    };
    page(&request, crm_page, &connectors, &context, &state).await
}
