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
use super::whom::{no_token, whom};
use super::{Desk, door, guard, host, once};
use crate::access::{Admission, Bound};
use crate::config::WidgetConfig;
use crate::secret::Secret;
use crate::tokens::Held;

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
    desk: &Desk,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    host::check(request, desk)?;
    guard::check_page(request)?;
    let query = Query::parse(request.query_string())?;
    door::limit_guessing(door::api_key(request, &query, desk), click.client, desk).await?;
    let admitted = click
        .trace
        .step("access")
        .in_scope(|| door::admit(request, &query, click.client, desk));
    let admission = door::or_turn_away(admitted, click.client, desk).await?;
    let held = token_for(&admission, desk, click).await?;
    let ticket = click.operator.and_then(|operator| {
        desk.access
            .ticket(&admission, operator, desk.widget.session)
    });
    let page = Page {
        script: desk.widget.script.as_url().as_str(),
        token: held.token.secret.expose(),
        expires_in: desk.tokens.left(&held).as_secs(),
        ticket: ticket.as_ref().map(Secret::expose),
        refresh: REFRESH,
    };
    // Rendering into a String fails only where a value's own Display does.
    Ok(page.render().map_or_else(
        |_| HttpResponse::InternalServerError().finish(),
        |text| {
            HttpResponse::Ok()
                .content_type("text/html; charset=utf-8")
                .insert_header((CONTENT_SECURITY_POLICY, policy(&desk.widget)))
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
    desk: &Desk,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    host::check(request, desk)?;
    guard::check_own_script(request)?;
    let query = Query::parse(request.query_string())?;
    door::limit_guessing(door::api_key(request, &query, desk), click.client, desk).await?;
    let admitted = click
        .trace
        .step("access")
        .in_scope(|| door::admit_again(request, &query, click.client, desk));
    let admission = door::or_turn_away(admitted, click.client, desk).await?;
    let held = token_for(&admission, desk, click).await?;
    let ends = held.token.expires_at;
    Ok(HttpResponse::Ok()
        .insert_header((CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .json(Next {
            token: held.token.secret.expose(),
            expires_at: ends.to_rfc3339_opts(SecondsFormat::Secs, true),
            expires_in: desk.tokens.left(&held).as_secs(),
        }))
}

/// Operator → rate limit → one-time pass → token, as for a click.
async fn token_for(
    admission: &Admission<'_>,
    desk: &Desk,
    click: &mut Click,
) -> Result<Arc<Held>, Refusal> {
    click.caller = Some(admission.caller.clone());
    let whom = whom(&admission.claim, click, desk)
        .instrument(click.trace.step("operator"))
        .await?;
    let once = admission.once.as_ref();
    let checked = once::check(once, click.client, desk).await?;
    click.operator = whom.operator();
    let operator = click.operator.filter(|_| checked.is_unused);
    let counted = door::count(click, operator, desk);
    counted.instrument(click.trace.step("limit")).await?;
    if admission.bound != Bound::default() {
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
    let in_use = once::use_up(once, checked, click.client, click.deadline, desk).await?;
    let token = desk.tokens.get(operator, click.deadline);
    match token.instrument(click.trace.step("token")).await {
        Ok((held, outcome)) => {
            in_use.keep();
            click.widget = Some((held.fingerprint, outcome));
            Ok(held)
        }
        Err(error) => {
            in_use.give_back().await;
            Err(no_token(operator, admission.claim.said(), error, click, desk).await)
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
