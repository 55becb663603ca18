//! Bitrix24's local application. `POST /connect/bitrix24/install`: the portal's server says that
//! the application was installed, and gets its buttons. `POST /connect/bitrix24`: a button was
//! pressed, and the portal shows what is answered in a frame.

mod fields;

#[cfg(fuzzing)]
pub(crate) use self::fields::read as read_fields;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use self::fields::Fields;
use super::{
    CrmPage, Sender, check_network, connectors, crm, explained, limit, limit_page, link, note,
    page, refuse,
};
use crate::button_url;
use crate::connect::bitrix24::{AgentAndPhones, Buttons, Shown, ShownButton};
use crate::connect::{Connectors, Refusal, Unproven, Vendor};
use crate::http::context::{ConnectorOutcome, Context, Outcome, RequestContext};
use crate::http::extract::{Body, CrmPageNavigation, Query};
use crate::http::pages::Language;
use crate::http::problem::{Detail, Problem, ShownIdentity};
use crate::http::state::AppState;
use crate::secret::Secret;
use crate::source::ChatSource;

/// The event that an installation is.
const INSTALLED: &str = "ONAPPINSTALL";

/// Bitrix24's names of the languages that pages have.
const LANGUAGES: [(&str, Language); 2] = [("en", Language::English), ("ua", Language::Ukrainian)];

#[derive(Serialize)]
struct Answer {
    installed: bool,
}

/// Network → query → proof → page.
pub(crate) async fn button(
    _: CrmPageNavigation,
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let connectors = connectors(Vendor::Bitrix24, &context, &state)?;
    check_network(Sender::Browser, &context, &state).await?;
    let query = Query::parse(request.query_string())?;
    let shown = shown_button(&request, &body)?;
    let (agent, phones) = prove(&shown, &connectors, &context, &state).await?;
    let crm_page = CrmPage {
        agent: &agent,
        phones: Some(phones),
        wanted: query.constraints(),
    };
    page(&request, crm_page, &connectors, &context, &state).await
}

/// Query → proof → limits → buttons. `source` and `from` of the address are passed on to the
/// buttons'.
pub(crate) async fn install(
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let connectors = connectors(Vendor::Bitrix24, &context, &state)?;
    let query = Query::parse(request.query_string())?;
    let query = link::read(query.constraints(), &state)?;
    query.source().map(ChatSource::parse).transpose()?;
    let shown = shown_installation(&body)?;
    match installed(&shown, &query, &connectors, &context, &state).await {
        Ok(()) => {
            context.record().outcome = Some(Outcome::Connector(ConnectorOutcome::Installed));
            Ok(HttpResponse::Ok().json(Answer { installed: true }))
        }
        Err(problem) => {
            // The portal's server shows the answer to no person.
            tracing::warn!(
                kind = problem.kind.name(),
                "Bitrix24's application was not installed. {}",
                problem.sentence(Language::English)
            );
            Err(problem)
        }
    }
}

/// The agent, and the phones of the client, as the portal says. An address that has failed too
/// often is not asked about, unless the portal has confirmed this very token; nor is an agent who
/// has shown too many pages.
async fn prove(
    shown: &ShownButton,
    connectors: &Connectors,
    context: &RequestContext,
    state: &AppState,
) -> Result<AgentAndPhones, Problem> {
    let client = crm(state)?;
    let button = match connectors.bitrix24_button(shown) {
        Ok(button) => button,
        Err(refusal) => return Err(refused(refusal, &shown.shown, context, state).await),
    };
    let known = button.known_agent(client);
    match &known {
        Some(agent) => limit_page(agent, context, state).await?,
        None => state.limits.check_refused(context.client).await?,
    }
    let proven = match button.ask(client, context.deadline).await {
        Ok(proven) => proven,
        Err(refusal) => return Err(refused(refusal, &shown.shown, context, state).await),
    };
    if known.is_none() {
        limit_page(&proven.0, context, state).await?;
    }
    Ok(proven)
}

/// Puts the buttons into the portal. Nothing counts by address: all portals share their vendor's
/// servers.
async fn installed(
    shown: &Shown,
    query: &Query<'_>,
    connectors: &Connectors,
    context: &RequestContext,
    state: &AppState,
) -> Result<(), Problem> {
    let client = crm(state)?;
    let explain = |refusal| explained(refusal, unlisted(shown));
    let installation = connectors.bitrix24_installation(shown).map_err(explain)?;
    let agent = installation.ask(client, context.deadline).await;
    let agent = agent.map_err(explain)?;
    note(&agent, context);
    limit(&agent, None, Sender::Servers, context, state).await?;
    let public_url = state.public_url.as_ref().ok_or_else(Problem::not_found)?;
    let buttons = Buttons {
        handler: &button_url::bitrix24_button(public_url, &query.constraints()),
        titles: &LANGUAGES.map(|(name, language)| (name, language.crm_page_words().title)),
    };
    let bound = installation.bind(buttons, client, context.deadline).await;
    bound.map_err(explain)
}

/// Why a button is refused. What the agent's browser is not to blame for does not count.
async fn refused(
    refusal: Refusal,
    shown: &Shown,
    context: &RequestContext,
    state: &AppState,
) -> Problem {
    let problem = explained(refusal, unlisted(shown));
    if refusal.is_attempt() {
        refuse(problem, Sender::Browser, context, state).await
    } else {
        problem
    }
}

/// The portal that a request names, for a refusal because it is not listed.
fn unlisted(shown: &Shown) -> Option<Detail> {
    let domain = shown.domains.first()?;
    Some(Detail::PortalUnknown(ShownIdentity::of(domain)))
}

/// What a button's request shows.
fn shown_button(request: &HttpRequest, body: &Body) -> Result<ShownButton, Problem> {
    let mut fields = Fields::read(body)?;
    let domains = [
        fields::domain(request.query_string())?,
        fields.take("DOMAIN"),
    ];
    Ok(ShownButton {
        shown: Shown {
            domains: domains.into_iter().flatten().collect(),
            token: fields.take("AUTH_ID").map(Secret::new),
            application_token: fields.take("APPLICATION_TOKEN").map(Secret::new),
        },
        placement: fields.take("PLACEMENT"),
        placement_options: fields.take("PLACEMENT_OPTIONS"),
    })
}

/// What the event of an installation shows. An application with a page sends an agent's browser
/// instead, which shows what a button shows.
fn shown_installation(body: &Body) -> Result<Shown, Problem> {
    let mut fields = Fields::read(body)?;
    if fields.take("event").as_deref() != Some(INSTALLED) {
        let is_page = fields.take("AUTH_ID").is_some();
        return Err(Problem::from(if is_page {
            Unproven::NotScriptOnly
        } else {
            Unproven::Incomplete
        }));
    }
    Ok(Shown {
        domains: fields.take("auth[domain]").into_iter().collect(),
        token: fields.take("auth[access_token]").map(Secret::new),
        application_token: fields.take("auth[application_token]").map(Secret::new),
    })
}
