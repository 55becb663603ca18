//! What a framed page's button and script send: `POST /connect/NAME/open` leads to a one-time link,
//! `POST /connect/NAME/ticket` renews the ticket.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde::Serialize;

use super::{
    LINK_TTL, Sender, admit, check_network, connectors, limit_page, link, link_for, refuse,
};
use crate::access::PassConstraints;
use crate::connect::{Connectors, Section, Ticket, Vendor};
use crate::http::context::{ConnectorOutcome, Context, Outcome, RequestContext};
use crate::http::extract::{Body, CrmPageButton, CrmPageScript, field};
use crate::http::problem::{Kind, Problem};
use crate::http::redirect;
use crate::http::state::AppState;
use crate::http::target::target;
use crate::secret::Secret;

#[derive(Serialize)]
struct Renewed<'a> {
    ticket: &'a str,
    /// In seconds, whatever the browser's clock says.
    expires_in: u64,
}

/// The button.
pub(crate) async fn open(
    _: CrmPageButton,
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (connector, connectors) = begin(&request, &context, &state).await?;
    let ticket = shown(&body, connector, &connectors, &context, &state).await?;
    let wanted = PassConstraints {
        phone: field(&body.0, "phone")?,
        source: ticket.source.clone(),
        from: ticket.from.clone(),
        chat_raw_id: None,
    };
    let query = link::read(wanted, &state)?;
    let link = target(&query, &state.links, &mut context.record().client)?;
    let is_shown = link
        .phone()
        .map_or(Ok(()), |phone| ticket.check_phone(&phone));
    if let Err(unproven) = is_shown {
        return Err(refuse(unproven, Sender::Browser, &context, &state).await);
    }
    let agent = ticket.agent(connector);
    let how = (Sender::Browser, LINK_TTL);
    let url = link_for(&agent, (&query, &link), how, &connectors, &context, &state).await?;
    Ok(redirect::posted_to(url))
}

/// The script.
pub(crate) async fn renew(
    _: CrmPageScript,
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (connector, connectors) = begin(&request, &context, &state).await?;
    let ticket = shown(&body, connector, &connectors, &context, &state).await?;
    let agent = ticket.agent(connector);
    let admitted = admit(&agent, &connectors, &context, &state).await?;
    limit_page(&agent, &context, &state).await?;
    let now = Utc::now();
    let renewed = ticket.renewed(now);
    let signed = signed(&renewed, admitted.section, &state)?;
    context.record().outcome = Some(Outcome::Connector(ConnectorOutcome::Ticket));
    Ok(HttpResponse::Ok().json(Renewed {
        ticket: signed.expose(),
        expires_in: renewed.left(now),
    }))
}

/// The text of a ticket for a page of this section.
pub(super) fn signed(
    ticket: &Ticket,
    section: &Section,
    state: &AppState,
) -> Result<Secret, Problem> {
    let signed = ticket.sign(section, &state.authenticator);
    signed.ok_or_else(|| Problem::new(Kind::Overloaded, "No ticket can be signed."))
}

/// Which vendor's page it is, by the path.
async fn begin(
    request: &HttpRequest,
    context: &RequestContext,
    state: &AppState,
) -> Result<(Vendor, std::sync::Arc<Connectors>), Problem> {
    let name = request.match_info().get("name").unwrap_or_default();
    let connector = Vendor::parse(name).ok_or_else(Problem::not_found)?;
    let connectors = connectors(connector, context, state)?;
    check_network(Sender::Browser, context, state).await?;
    Ok((connector, connectors))
}

/// The ticket of the form.
async fn shown(
    body: &Body,
    connector: Vendor,
    connectors: &Connectors,
    context: &RequestContext,
    state: &AppState,
) -> Result<Ticket, Problem> {
    let text = field(&body.0, "ticket")?.unwrap_or_default();
    let access = &state.authenticator;
    match Ticket::verify(&text, connector, connectors, access, Utc::now()) {
        Ok(ticket) => Ok(ticket),
        Err(unproven) => Err(refuse(unproven, Sender::Browser, context, state).await),
    }
}
