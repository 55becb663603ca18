//! The click: `GET /open-chat` → 302 to the right chat. Where `CONFIRM` says so, a page comes
//! first, whose button posts to the same address.

mod confirm;

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::access::{AuthContext, Credentials, Denied, SignedCookie};
use crate::config::Fallback;
use crate::deep_link::DeepLink;
use crate::http::authorize::{ChatHubFault, authenticate, authorize, limit};
use crate::http::context::{Context, Outcome, RequestContext};
use crate::http::device_cookie;
use crate::http::extract::{Confirmation, Navigation, Query, credentials};
use crate::http::problem::Problem;
use crate::http::redirect;
use crate::http::state::AppState;
use crate::http::target::{for_client, target};
use crate::http::token::operator_token;

/// Navigation → query → authenticate → authorize → target → rate limit → token → deep link → 302.
///
/// The target is read before the limit because it may choose the operator whose limit counts; where
/// it is wrong, it is refused after the limit, so that wrong links are counted too. Everything that
/// can be refused without ChatHub is refused before ChatHub is asked, and a one-time pass is used
/// up when nothing else can go wrong here.
pub(crate) async fn open_chat(
    navigation: Navigation,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    if confirm::is_only_shown(navigation.visitor, &state) {
        return Ok(confirm::crawler_page(&request, &context, &state));
    }
    let mut query = Query::parse(request.query_string())?;
    let shown = Credentials {
        device: device_cookie::of(&request, &state),
        ..credentials(&request, &query, &state)
    };
    let AuthContext {
        requested,
        constraints,
        one_time_use,
        renewed_cookie,
        ..
    } = authenticate(&shown, &context, &state).await?;
    let once = one_time_use.as_ref();
    let authorized = authorize(&requested, once, ChatHubFault::Defer, &context, &state).await?;
    let vouched = requested.into_asserted_identifier();
    let link = query
        .bind(constraints, state.links.default_region)
        .and_then(|()| target(&query, &state.links, &mut context.record().client));
    // Where the link leaves the choice, the client decides, and the click counts for that operator.
    let operator = match (&authorized.selection, &link) {
        (Ok(selection), Ok(link)) => for_client(selection, link),
        (Ok(selection), Err(_)) => selection.operator(),
        (Err(_), _) => None,
    };
    context.record().operator = operator;
    // A request that only shows the page is no click yet.
    let (checked, initiator) = (authorized.checked, navigation.initiator);
    let asks = confirm::is_asked(&request, navigation.visitor, &state)
        || confirm::is_asked_instead(limit(operator, checked, initiator, &context, &state).await)?;
    let link = link?;
    if asks {
        return Ok(confirm::page(&request, &context, &state));
    }
    if let Err(fault) = authorized.selection {
        return without_token(fault, &link, &context, &state);
    }
    let operator = operator.ok_or(Denied::OperatorInactive)?;
    let said = vouched.as_deref().or(query.operator());
    match operator_token((operator, said), checked, &context, &state).await {
        Ok((token, outcome)) => {
            let outcome = Outcome::Redirect(link.format(), token.fingerprint, outcome);
            context.record().outcome = Some(outcome);
            let token = token.token.expose();
            let redirect = redirect::to(link.url(&state.links.panel, Some(token)));
            Ok(renewing(renewed_cookie, redirect, &context, &state))
        }
        Err(problem) => without_token(problem, &link, &context, &state),
    }
}

/// Adds a paired browser's next cookie to the answer, where it is time for one.
fn renewing(
    cookie: Option<SignedCookie>,
    mut answer: HttpResponse,
    context: &RequestContext,
    state: &AppState,
) -> HttpResponse {
    let header = cookie.and_then(|cookie| device_cookie::set(&cookie, state).try_into().ok());
    if let Some(header) = header {
        answer.headers_mut().append(SET_COOKIE, header);
        context.record().is_renewed = true;
    }
    answer
}

/// The same for the confirmation page's button.
pub(crate) async fn confirmed(
    _: Confirmation,
    navigation: Navigation,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    open_chat(navigation, request, context, state).await
}

/// The answer to a click that is right, while ChatHub has no token for it.
fn without_token(
    problem: Problem,
    link: &DeepLink<'_>,
    context: &RequestContext,
    state: &AppState,
) -> Result<HttpResponse, Problem> {
    let by_hand = || link.url(&state.links.panel, None);
    if problem.is_chathubs_fault() && state.links.fallback == Fallback::Login {
        context.record().outcome = Some(Outcome::Fallback(problem.kind));
        return Ok(redirect::to(by_hand()));
    }
    Err(problem.or_by_hand(by_hand))
}
