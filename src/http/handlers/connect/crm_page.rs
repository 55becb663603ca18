//! The page that a CRM shows in a frame: a button for each phone of the client. It holds a ticket
//! and no link, and renews the ticket by itself, so a sidebar that stays open all day goes on
//! working.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Utc;

use super::tickets::signed;
use super::{Admitted, admit, link};
use crate::access::PassConstraints;
use crate::button_url;
use crate::connect::{Connectors, ProvenAgent, Ticket, Vendor};
use crate::http::authorize::one_time_use;
use crate::http::context::{ConnectorOutcome, Outcome, RequestContext};
use crate::http::extract::Query;
use crate::http::pages::{CrmPageWords, CspProfile, InCrm, PageLayout, PageScript};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::phone::{PhoneNumber, Region};
use crate::source::ChatSource;

/// The most phones that a page shows.
const MAX_PHONES: usize = 20;

/// Zendesk's own script, by which an app reads what the agent looks at.
const ZAF_SDK: &str = "https://static.zdassets.com/zendesk_app_framework_sdk/2.0/zaf_sdk.min.js";

/// What a vendor's page is about.
pub(in crate::http::handlers) struct CrmPage<'a> {
    /// The agent who looks at it.
    pub(in crate::http::handlers) agent: &'a ProvenAgent,
    /// The client's phones, as the CRM has them: what is no phone is left out. `None` where the
    /// page reads them by Zendesk's script.
    pub(in crate::http::handlers) phones: Option<Vec<String>>,
    /// The `source` and `from` of the page's address; a `phone` counts as one more.
    pub(in crate::http::handlers) wanted: PassConstraints,
}

#[derive(Template)]
#[template(path = "crm_page.html")]
struct Page<'a> {
    layout: &'a PageLayout<'a>,
    words: &'static CrmPageWords,
    connector: Vendor,
    phones: Vec<PhoneNumber>,
    /// The script that says the phones, where the page does not have them yet.
    phones_by: Option<&'static str>,
    ticket: &'a str,
    expires_in: u64,
    script: &'static str,
}

/// Operator → ticket → page. Whatever may have been used for the proof is used up. The caller has
/// counted it: [`limit_page`](super::limit_page).
pub(in crate::http::handlers) async fn page(
    request: &HttpRequest,
    crm_page: CrmPage<'_>,
    connectors: &Connectors,
    context: &RequestContext,
    state: &AppState,
) -> Result<HttpResponse, Problem> {
    let agent = crm_page.agent;
    let query = link::read(crm_page.wanted, state)?;
    query.source().map(ChatSource::parse).transpose()?;
    let admitted = admit(agent, connectors, context, state).await?;
    let phones = crm_page
        .phones
        .map(|phones| readable(&query, &phones, state.links.default_region));
    let now = Utc::now();
    let mut ticket = Ticket::of(agent, phones.as_deref(), now);
    ticket.source = query.source().map(ToOwned::to_owned);
    ticket.from = query.from().map(ToOwned::to_owned);
    let signed = signed(&ticket, admitted.section, state)?;
    let (checked, client, until) = (admitted.checked, context.client, context.deadline);
    let in_use = one_time_use::consume(checked, client, until, state).await?;
    let layout = PageLayout::of(request, &state.pages);
    let phones_by = phones.is_none().then_some(ZAF_SDK);
    let script = match agent.connector {
        Vendor::Zendesk => PageScript::Zendesk,
        Vendor::Pipedrive => PageScript::Pipedrive,
        _ => PageScript::CrmPage,
    };
    let page = Page {
        words: layout.language.crm_page_words(),
        connector: agent.connector,
        phones: phones.unwrap_or_default(),
        phones_by,
        ticket: signed.expose(),
        expires_in: ticket.left(now),
        script: script.text(),
        layout: &layout,
    };
    let response = respond(&page, &admitted, script, state)?;
    in_use.keep();
    context.record().outcome = Some(Outcome::Connector(ConnectorOutcome::Page));
    Ok(response)
}

/// Answers with the page, in frames of this installation alone.
fn respond(
    page: &Page<'_>,
    admitted: &Admitted<'_>,
    script: PageScript,
    state: &AppState,
) -> Result<HttpResponse, Problem> {
    let public_url = state.public_url.as_ref().ok_or_else(link::not_set_up)?;
    let name = page.connector.name();
    let own = |action| button_url::at(public_url, &format!("connect/{name}/{action}"));
    let (posts_to, asks) = (own("open"), own("ticket"));
    let profile = CspProfile::InCrm(InCrm {
        frame_ancestor: admitted.section.origin.as_deref().unwrap_or("'none'"),
        script,
        crm_script: page.phones_by,
        posts_to: posts_to.as_str(),
        redirects_to: state.links.panel.origin(),
        asks: asks.as_str(),
    });
    Ok(page.layout.respond(&mut HttpResponse::Ok(), page, profile))
}

/// The phones that can be read, each once: the query's, then the CRM's.
fn readable(query: &Query<'_>, texts: &[String], region: Region) -> Vec<PhoneNumber> {
    let mut phones: Vec<PhoneNumber> = Vec::new();
    let own = query.phone().into_iter();
    for text in own.chain(texts.iter().map(String::as_str)) {
        let phone = PhoneNumber::parse(text, region);
        if let Ok(phone) = phone
            && !phones.contains(&phone)
            && phones.len() < MAX_PHONES
        {
            phones.push(phone);
        }
    }
    phones
}
