//! What CRMs ask for: one core for all vendors, "prove, then link".
//!
//! A vendor's handler reads its request, has `connect` prove the agent, and goes on here: the agent
//! is an operator by the operator map (`admit`), and gets a one-time link (`link`), or a page whose
//! buttons lead to one (`crm_page`, `tickets`). No page that stays open holds a link.

pub(crate) mod bitrix24;
mod cors;
mod crm_page;
pub(crate) mod hubspot;
pub(crate) mod kommo;
mod link;
pub(crate) mod pipedrive;
pub(crate) mod tickets;
pub(crate) mod zendesk;

use std::net::IpAddr;
use std::sync::Arc;

pub(super) use self::crm_page::{CrmPage, page};
pub(super) use self::link::{LINK_TTL, link_for};
use crate::access::OperatorRequest;
use crate::connect::{Connectors, CrmClient, ProvenAgent, Refusal, Section, Vendor};
use crate::http::authorize::one_time_use::Checked;
use crate::http::authorize::{self, ChatHubFault, authorize, reject};
use crate::http::context::RequestContext;
use crate::http::problem::{Detail, Problem};
use crate::http::state::AppState;
use crate::operators::OperatorSelection;
use chathub::OperatorId;

/// Whose address a vendor's requests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The agent's browser: its network counts, and so does its address.
    Browser,
    /// The vendor's servers, which all its customers share.
    Servers,
}

impl Sender {
    /// The address that limits count, if one does.
    fn client(self, context: &RequestContext) -> Option<IpAddr> {
        (self == Self::Browser).then_some(context.client)
    }
}

/// The installations whose requests count now. Notes the vendor for log and metrics.
pub(super) fn connectors(
    connector: Vendor,
    context: &RequestContext,
    state: &AppState,
) -> Result<Arc<Connectors>, Problem> {
    context.record().connector = Some(connector);
    let connectors = state.connectors.as_ref();
    connectors
        .map(|connectors| Arc::clone(&connectors.get()))
        .ok_or_else(Problem::not_found)
}

/// The client that asks CRMs. Only a service without connectors has none, and no such route.
pub(super) fn crm(state: &AppState) -> Result<&CrmClient, Problem> {
    state.crm.as_ref().ok_or_else(Problem::not_found)
}

/// Rejects an agent outside the allowed networks, where the agent's address is known.
pub(super) async fn check_network(
    sender: Sender,
    context: &RequestContext,
    state: &AppState,
) -> Result<(), Problem> {
    match sender.client(context) {
        Some(client) => authorize::check_network(client, state).await,
        None => Ok(()),
    }
}

/// Says why a request is refused. An address that keeps trying is only told to wait; one that all
/// customers of a vendor share is not counted.
pub(super) async fn refuse(
    refusal: impl Into<Problem>,
    sender: Sender,
    context: &RequestContext,
    state: &AppState,
) -> Problem {
    match sender.client(context) {
        Some(client) => reject(refusal, client, state).await,
        None => refusal.into(),
    }
}

/// The refusal, with the name or number of an installation where that is what is to be set.
pub(super) fn explained(refusal: Refusal, unlisted: Option<Detail>) -> Problem {
    let mut problem = Problem::from(refusal);
    if let (Refusal::NotListed, Some(unlisted)) = (refusal, unlisted) {
        problem.explain(unlisted);
    }
    problem
}

/// Notes who has asked, for the log.
fn note(agent: &ProvenAgent, context: &RequestContext) {
    let mut record = context.record();
    record.caller = Some(agent.caller());
    record.installation = Some(agent.installation.clone());
}

/// Counts what an agent has asked for: by the agent's address if it is one, by installation, by
/// agent, and by the operator whose chat opens.
async fn limit(
    agent: &ProvenAgent,
    operator: Option<OperatorId>,
    sender: Sender,
    context: &RequestContext,
    state: &AppState,
) -> Result<(), Problem> {
    let client = sender.client(context);
    let installation = format!("{} {}", agent.connector.name(), agent.installation);
    let (limits, key) = (&state.limits, agent.limit_key());
    limits
        .connector(client, &installation, &key, operator)
        .await?;
    Ok(())
}

/// Counts a page, or a ticket, for an agent. Where the CRM is asked for what is on the page, count
/// it before: an agent who asks without end must take nothing of what the others may ask.
async fn limit_page(
    agent: &ProvenAgent,
    context: &RequestContext,
    state: &AppState,
) -> Result<(), Problem> {
    note(agent, context);
    state.limits.crm_page(&agent.limit_key()).await?;
    Ok(())
}

/// A proven agent who is an operator.
pub(super) struct Admitted<'a> {
    section: &'a Section,
    requested: OperatorRequest<'static>,
    selection: OperatorSelection,
    checked: Checked<'a>,
}

/// Finds the operator that a proven agent is, by the section and the map as they are now.
pub(super) async fn admit<'a>(
    agent: &'a ProvenAgent,
    connectors: &'a Connectors,
    context: &RequestContext,
    state: &AppState,
) -> Result<Admitted<'a>, Problem> {
    note(agent, context);
    let section = connectors.section(agent.connector, &agent.installation);
    let section = section.ok_or(Refusal::NotListed)?;
    let requested = agent.operator_request(section, &state.authenticator);
    let once = agent.one_time_use.as_ref();
    let authorized = authorize(&requested, once, ChatHubFault::Refuse, context, state).await?;
    let selection = authorized.selection?;
    context.record().operator = selection.operator();
    Ok(Admitted {
        section,
        requested,
        selection,
        checked: authorized.checked,
    })
}
