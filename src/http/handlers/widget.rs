//! `GET /widget`: the operator panel for a CRM's iframe, and `GET /widget/token`: its next token.
//!
//! Both are a click that asks for no client: the same access control, limits, metrics and audit.

use std::sync::Arc;

use actix_web::http::header::CROSS_ORIGIN_RESOURCE_POLICY;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::SecondsFormat;
use serde::Serialize;

use crate::access::{AuthContext, Authenticator, PassConstraints};
use crate::config::WidgetConfig;
use crate::http::authorize::{ChatHubFault, authenticate, authenticate_by, authorize, limit};
use crate::http::context::{Context, Outcome, RequestContext};
use crate::http::extract::{
    Initiator, OwnHost, Query, WidgetNavigation, WidgetScript, credentials, ticket,
};
use crate::http::pages::{Language, html};
use crate::http::problem::{Kind, Problem};
use crate::http::state::AppState;
use crate::http::token::operator_token;
use crate::secret::Secret;
use crate::tokens::CachedToken;
use chathub::OperatorId;

/// What renews the token on the page.
const REFRESH: &str = include_str!("../pages/widget.js");

/// Its SHA-256, by which the page's policy knows it.
const REFRESH_HASH: &str = "sha256-2upnd+s8eGrZQRMl5m6j8X5vYOhCsB4Kyma5YFupH38=";

#[derive(Template)]
#[template(path = "widget.html")]
struct Page<'a> {
    script: &'a str,
    token: &'a str,
    /// Seconds, because the browser's clock may say anything.
    expires_in: u64,
    ticket: Option<&'a str>,
    refresh: &'static str,
    language: Language,
}

/// Navigation → query → authenticate → authorize → token → ticket → page.
pub(crate) async fn page(
    _: OwnHost,
    WidgetNavigation { initiator }: WidgetNavigation,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string())?;
    let shown = credentials(&request, &query, &state);
    let auth = authenticate(&shown, &context, &state).await?;
    let (operator, held) = token_for(&auth, initiator, &context, &state).await?;
    let session = state.widget.session;
    let ticket = state.authenticator.ticket(&auth, operator, session);
    let page = Page {
        script: state.widget.script.as_url().as_str(),
        token: held.token.expose(),
        expires_in: state.tokens.left(&held).as_secs(),
        ticket: ticket.as_ref().map(Secret::expose),
        refresh: REFRESH,
        language: Language::of(&request, state.pages.language),
    };
    let mut response = HttpResponse::Ok();
    Ok(html(&request, &mut response, &page, policy(&state.widget)))
}

#[derive(Serialize)]
struct Next<'a> {
    token: &'a str,
    /// By ChatHub's clock.
    expires_at: String,
    /// In seconds, whatever the caller's clock says.
    expires_in: u64,
}

/// The same for the page's own script, by the page's ticket where it has one.
pub(crate) async fn token(
    _: OwnHost,
    _: WidgetScript,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request.query_string())?;
    let shown = credentials(&request, &query, &state);
    let auth = match ticket(request.headers()) {
        Some(ticket) => {
            let key = state.authenticator.presented_api_key(&shown);
            let session = state.widget.session;
            let by_ticket = |access: &Authenticator| access.authenticate_ticket(ticket, session);
            authenticate_by(key, by_ticket, &context, &state).await?
        }
        None => authenticate(&shown, &context, &state).await?,
    };
    let (_, held) = token_for(&auth, Initiator::Own, &context, &state).await?;
    let ends = held.token.expires_at;
    Ok(HttpResponse::Ok()
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .json(Next {
            token: held.token.expose(),
            expires_at: ends.to_rfc3339_opts(SecondsFormat::Secs, true),
            expires_in: state.tokens.left(&held).as_secs(),
        }))
}

/// Operator → rate limit → token, as for a click that names no client.
async fn token_for(
    auth: &AuthContext<'_>,
    initiator: Initiator,
    context: &RequestContext,
    state: &AppState,
) -> Result<(OperatorId, Arc<CachedToken>), Problem> {
    let (requested, once) = (&auth.requested, auth.one_time_use.as_ref());
    let authorized = authorize(requested, once, ChatHubFault::Refuse, context, state).await?;
    let operator = authorized.selection?.operator();
    context.record().operator = operator;
    limit(operator, authorized.checked, initiator, context, state).await?;
    if auth.constraints != PassConstraints::default() {
        return Err(Problem::new(
            Kind::PassMismatch,
            "This pass is for one client's chat, and the widget shows all of an operator's. Sign one without a client.",
        ));
    }
    let operator = operator.ok_or_else(|| {
        Problem::new(
            Kind::OperatorMissing,
            "The widget is one operator's panel, and `auto:` needs a client to choose by. Name an operator.",
        )
    })?;
    let named = (operator, requested.identifier());
    let (held, outcome) = operator_token(named, authorized.checked, context, state).await?;
    context.record().outcome = Some(Outcome::Widget(held.fingerprint, outcome));
    Ok((operator, held))
}

/// What the page may do: run the panel's script and its own, and reach what those need.
fn policy(widget: &WidgetConfig) -> String {
    let script = widget.script.as_url().origin().ascii_serialization();
    let sources = format!("{script} {}", widget.sources);
    let sources = sources.trim_end();
    let ancestors = &widget.frame_ancestors;
    format!(
        "default-src 'none'; script-src '{REFRESH_HASH}' {script}; connect-src 'self' {sources}; \
         style-src 'unsafe-inline' {sources}; img-src data: blob: {sources}; font-src data: {sources}; \
         media-src blob: {sources}; worker-src blob: {script}; frame-src {sources}; \
         base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_policy_knows_the_page_s_own_script() {
        let hash = STANDARD.encode(digest(&SHA256, REFRESH.as_bytes()));
        assert_eq!(REFRESH_HASH, format!("sha256-{hash}"));
        assert!(!REFRESH.contains("</"));
    }
}
