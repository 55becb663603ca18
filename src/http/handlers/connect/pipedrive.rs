//! `GET /connect/pipedrive`: a panel beside a person or a deal in Pipedrive, in a frame.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::{
    CrmPage, Sender, admit, check_network, connectors, crm, explained, limit_page, link, page,
    refuse,
};
use crate::connect::Vendor;
use crate::connect::pipedrive::{Record, ShownPanel};
use crate::http::context::{Context, RequestContext};
use crate::http::extract::{CrmPageNavigation, field};
use crate::http::pages::PageScript;
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::state::AppState;
use crate::secret::Secret;

/// Pipedrive shows no page that does not tell that it is there: not even one that refuses.
pub(crate) async fn panel(
    _: CrmPageNavigation,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let shown = show(&request, &context, &state).await;
    shown.map_err(|problem| problem.with_script(PageScript::Pipedrive))
}

/// Network → query → proof → operator → limit → phones → page.
async fn show(
    request: &HttpRequest,
    context: &RequestContext,
    state: &AppState,
) -> Result<HttpResponse, Problem> {
    let connectors = connectors(Vendor::Pipedrive, context, state)?;
    check_network(Sender::Browser, context, state).await?;
    let wanted = link::of_address(request)?;
    let record = record(request)?;
    let shown = shown(request)?;
    let agent = match connectors.prove_pipedrive(&shown, Utc::now()) {
        Ok(agent) => agent,
        Err(refusal) => {
            let company = shown.company().map(Detail::NumberUnknown);
            let problem = explained(refusal, company);
            return Err(refuse(problem, Sender::Browser, context, state).await);
        }
    };
    // Pipedrive is not asked for an agent who gets no page.
    admit(&agent, &connectors, context, state).await?;
    limit_page(&agent, context, state).await?;
    let (client, deadline) = (crm(state)?, context.deadline);
    let phones = connectors.pipedrive_phones(&agent, record, client, deadline);
    let crm_page = CrmPage {
        agent: &agent,
        phones: Some(phones.await?),
        wanted,
    };
    page(request, crm_page, &connectors, context, state).await
}

/// The record that the panel is beside.
fn record(request: &HttpRequest) -> Result<Record, Problem> {
    let [resource, selected] = [value(request, "resource")?, value(request, "selectedIds")?];
    Record::of(resource.as_deref(), selected.as_deref()).ok_or_else(|| {
        Problem::new(
            Kind::ParameterInvalid,
            "`resource` is `person`, `deal` or `organization`, and `selectedIds` the number of one, as Pipedrive adds them to a panel's address.",
        )
    })
}

fn shown(request: &HttpRequest) -> Result<ShownPanel, Problem> {
    Ok(ShownPanel {
        token: value(request, "token")?.map(Secret::new),
        company: value(request, "companyId")?,
        user: value(request, "userId")?,
    })
}

/// A parameter of Pipedrive's.
fn value(request: &HttpRequest, name: &'static str) -> Result<Option<String>, Problem> {
    field(request.query_string().as_bytes(), name)
}
