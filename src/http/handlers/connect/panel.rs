//! The page that a CRM shows in a frame: a button for each phone of the client. It holds a ticket
//! and no link, and renews the ticket by itself, so a sidebar that stays open all day goes on
//! working.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Utc;

use super::tickets::signed;
use super::{admit, link};
use crate::access::PassConstraints;
use crate::connect::{Connectors, ProvenAgent, TICKET_TTL, Ticket, Vendor};
use crate::http::context::{ConnectorOutcome, Outcome, RequestContext};
use crate::http::pages::{CspProfile, PageLayout, PageScript, PanelWords};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::phone::{PhoneNumber, Region};

/// The most phones that a page shows.
const MAX_PHONES: usize = 20;

/// What a vendor's page is about.
pub(in crate::http::handlers) struct Panel<'a> {
    /// The agent who looks at it.
    pub(in crate::http::handlers) agent: &'a ProvenAgent,
    /// The client's phones, as the CRM has them: what is no phone is left out.
    pub(in crate::http::handlers) phones: Vec<String>,
    /// The `source` and `from` of the page's address; a `phone` counts as one more.
    pub(in crate::http::handlers) wanted: PassConstraints,
}

#[derive(Template)]
#[template(path = "panel.html")]
struct Page<'a> {
    layout: &'a PageLayout<'a>,
    words: &'static PanelWords,
    connector: Vendor,
    phones: Vec<PhoneNumber>,
    ticket: &'a str,
    expires_in: u64,
    script: &'static str,
}

/// Operator → limit → ticket → page.
pub(in crate::http::handlers) async fn page(
    request: &HttpRequest,
    panel: Panel<'_>,
    connectors: &Connectors,
    context: &RequestContext,
    state: &AppState,
) -> Result<HttpResponse, Problem> {
    let agent = panel.agent;
    let query = link::read(panel.wanted, state)?;
    let admitted = admit(agent, connectors, context, state).await?;
    state.limits.panel(&agent.limit_key()).await?;
    let phone = query.phone().map(ToOwned::to_owned);
    let phones = readable(
        phone.into_iter().chain(panel.phones),
        state.links.default_region,
    );
    let mut ticket = Ticket::of(agent, Some(&phones), Utc::now());
    ticket.source = query.source().map(ToOwned::to_owned);
    ticket.from = query.from().map(ToOwned::to_owned);
    let signed = signed(&ticket, admitted.section, state)?;
    context.record().outcome = Some(Outcome::Connector(ConnectorOutcome::Page));
    let layout = PageLayout::of(request, &state.pages);
    let page = Page {
        words: layout.language.panel_words(),
        connector: agent.connector,
        phones,
        ticket: signed.expose(),
        expires_in: TICKET_TTL.as_secs(),
        script: PageScript::Panel.text(),
        layout: &layout,
    };
    let profile = CspProfile::InCrm {
        frame_ancestor: admitted.section.origin.as_deref().unwrap_or("'none'"),
        redirects_to: state.links.panel.origin(),
    };
    Ok(layout.respond(&mut HttpResponse::Ok(), &page, profile))
}

/// The phones that can be read, each once.
fn readable(texts: impl Iterator<Item = String>, region: Region) -> Vec<PhoneNumber> {
    let mut phones: Vec<PhoneNumber> = Vec::new();
    for text in texts {
        let phone = PhoneNumber::parse(&text, region);
        if let Ok(phone) = phone
            && !phones.contains(&phone)
            && phones.len() < MAX_PHONES
        {
            phones.push(phone);
        }
    }
    phones
}
