//! `GET /widget`: the operator panel for a CRM's iframe, and `GET /widget/token`: its next token.
//!
//! Both are a click that asks for no client: the same access control, limits, metrics and audit.

use std::sync::Arc;

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY, CROSS_ORIGIN_RESOURCE_POLICY,
};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::SecondsFormat;
use serde::Serialize;
use tracing::Instrument as _;

use super::click::Click;
use super::kind::Kind;
use super::query::Query;
use super::refusal::Refusal;
use super::resolve::{no_token, resolve_operator};
use super::{AppState, door, guard, host, once};
use crate::access::{AuthContext, PassConstraints};
use crate::config::WidgetConfig;
use crate::secret::Secret;
use crate::tokens::CachedToken;

/// What renews the token on the page.
const REFRESH: &str = include_str!("pages/widget.js");

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
}

/// Guard → query → access → token → ticket → page.
pub(super) async fn page(
    request: &HttpRequest,
    state: &AppState,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    host::check(request, state)?;
    guard::check_page(request)?;
    let query = Query::parse(request.query_string())?;
    door::limit_guessing(door::api_key(request, &query, state), click.client, state).await?;
    let admitted = click
        .trace
        .step("access")
        .in_scope(|| door::authenticate(request, &query, click.client, state));
    let auth = door::or_reject(admitted, click.client, state).await?;
    let held = token_for(&auth, state, click).await?;
    let ticket = click.operator.and_then(|operator| {
        state
            .authenticator
            .ticket(&auth, operator, state.widget.session)
    });
    let page = Page {
        script: state.widget.script.as_url().as_str(),
        token: held.token.expose(),
        expires_in: state.tokens.left(&held).as_secs(),
        ticket: ticket.as_ref().map(Secret::expose),
        refresh: REFRESH,
    };
    // Rendering into a String fails only where a value's own Display does.
    Ok(page.render().map_or_else(
        |_| HttpResponse::InternalServerError().finish(),
        |text| {
            HttpResponse::Ok()
                .content_type("text/html; charset=utf-8")
                .insert_header((CONTENT_SECURITY_POLICY, policy(&state.widget)))
                .insert_header((CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
                .body(text)
        },
    ))
}

#[derive(Serialize)]
struct Next<'a> {
    token: &'a str,
    /// By ChatHub's clock.
    expires_at: String,
    /// In seconds, by nobody's.
    expires_in: u64,
}

/// Guard → query → access, by the ticket where there is one → token.
pub(super) async fn token(
    request: &HttpRequest,
    state: &AppState,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    host::check(request, state)?;
    guard::check_own_script(request)?;
    let query = Query::parse(request.query_string())?;
    door::limit_guessing(door::api_key(request, &query, state), click.client, state).await?;
    let admitted = click
        .trace
        .step("access")
        .in_scope(|| door::authenticate_widget(request, &query, click.client, state));
    let auth = door::or_reject(admitted, click.client, state).await?;
    let held = token_for(&auth, state, click).await?;
    let ends = held.token.expires_at;
    Ok(HttpResponse::Ok()
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .json(Next {
            token: held.token.expose(),
            expires_at: ends.to_rfc3339_opts(SecondsFormat::Secs, true),
            expires_in: state.tokens.left(&held).as_secs(),
        }))
}

/// Operator → rate limit → one-time pass → token, as for a click.
async fn token_for(
    auth: &AuthContext<'_>,
    state: &AppState,
    click: &mut Click,
) -> Result<Arc<CachedToken>, Refusal> {
    click.caller = Some(auth.caller.clone());
    let selection = resolve_operator(&auth.requested, click, state)
        .instrument(click.trace.step("operator"))
        .await?;
    let once = auth.one_time_use.as_ref();
    let checked = once::check(once, click.client, state).await?;
    click.operator = selection.operator();
    let operator = click.operator.filter(|_| checked.is_unused);
    let counted = door::count(click, operator, state);
    counted.instrument(click.trace.step("limit")).await?;
    if auth.constraints != PassConstraints::default() {
        return Err(Refusal::new(
            Kind::PassMismatch,
            "This pass is for one client's chat, and the widget shows all of an operator's. Sign one without a client.",
        ));
    }
    let operator = click.operator.ok_or_else(|| {
        Refusal::new(
            Kind::OperatorMissing,
            "The widget is one operator's panel, and `auto:` needs a client to choose by. Name an operator.",
        )
    })?;
    let in_use = once::consume(once, checked, click.client, click.deadline, state).await?;
    let token = state.tokens.get(operator, click.deadline);
    match token.instrument(click.trace.step("token")).await {
        Ok((held, outcome)) => {
            in_use.keep();
            click.widget = Some((held.fingerprint, outcome));
            Ok(held)
        }
        Err(error) => {
            in_use.release().await;
            Err(no_token(operator, auth.requested.identifier(), error, click, state).await)
        }
    }
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
