//! `POST /connect/zendesk`: the app in Zendesk's sidebar. Zendesk posts a signed form into a frame;
//! the page reads the client's phones by Zendesk's own script.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use url::form_urlencoded;

use super::tickets::field;
use super::{Panel, Sender, check_network, connectors, page, refuse};
use crate::access::PassConstraints;
use crate::connect::Vendor;
use crate::http::context::Context;
use crate::http::extract::{Body, PanelPage, Query};
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::state::AppState;

/// Network → query → proof → page.
pub(crate) async fn app(
    _: PanelPage,
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let connectors = connectors(Vendor::Zendesk, &context, &state)?;
    check_network(Sender::Browser, &context, &state).await?;
    let wanted = wanted(&request)?;
    let token = field(&body, "token")?;
    let host = host(&request)?;
    let agent = match connectors.prove_zendesk(token.as_deref(), host.as_deref(), Utc::now()) {
        Ok(agent) => agent,
        Err(refusal) => return Err(refuse(refusal, Sender::Browser, &context, &state).await),
    };
    let panel = Panel {
        agent: &agent,
        phones: None,
        wanted,
    };
    page(&request, panel, &connectors, &context, &state).await
}

/// The `source` and `from` that the app's address has. Whose phones are shown is Zendesk's.
fn wanted(request: &HttpRequest) -> Result<PassConstraints, Problem> {
    let wanted = Query::parse(request.query_string())?.constraints();
    Ok(PassConstraints {
        phone: None,
        ..wanted
    })
}

/// The origin of the page that Zendesk shows the app in, as it adds it to the app's address.
fn host(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let query = request.query_string().as_bytes();
    let mut hosts = form_urlencoded::parse(query).filter(|(name, _)| name == "origin");
    let host = hosts.next().map(|(_, host)| host.into_owned());
    if hosts.next().is_some() {
        return Err(Problem::new(
            Kind::ParameterRepeated,
            Detail::Repeated("origin"),
        ));
    }
    Ok(host)
}
