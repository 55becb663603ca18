//! What a request shows at the door.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, AsHeaderName, HeaderMap, HeaderName};
use chathub::OperatorId;

use super::AppState;
use super::click::Click;
use super::query::Query;
use super::refusal::Refusal;
use crate::access::{AuthContext, Caller, Credentials, Denied};
use crate::rate_limit::Limited;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What proxies add to a request that they pass on.
const FORWARDING: [HeaderName; 5] = [
    FORWARDED_FOR,
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("via"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PROXY_SECRET: HeaderName = HeaderName::from_static("x-proxy-secret");
const TICKET: HeaderName = HeaderName::from_static("x-widget-ticket");

/// The address that a request comes from, proxies that are trusted aside.
pub(super) fn client_address(request: &HttpRequest, state: &AppState) -> IpAddr {
    // Whatever bytes a stranger has written on the left, what a proxy has added on the right is
    // read.
    let forwarded: Vec<_> = request
        .headers()
        .get_all(FORWARDED_FOR)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let forwarded = forwarded.iter().map(AsRef::as_ref);
    state.authenticator.client_address(peer(request), forwarded)
}

/// Lets a widget's page in for its next token: by its ticket where it shows one, else like anybody.
pub(super) fn authenticate_widget<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    client: IpAddr,
    state: &'a AppState,
) -> Result<AuthContext<'a>, Denied> {
    let Some(ticket) = single(request.headers(), TICKET) else {
        return authenticate(request, query, client, state);
    };
    state.authenticator.check_network(client)?;
    state
        .authenticator
        .authenticate_ticket(ticket, state.widget.session)
}

/// The answer, or why somebody is turned away. A click does without: what it passes by value costs.
pub(super) async fn or_reject<T>(
    answer: Result<T, Denied>,
    client: IpAddr,
    state: &AppState,
) -> Result<T, Refusal> {
    match answer {
        Ok(granted) => Ok(granted),
        Err(denied) => Err(reject(denied, client, state).await),
    }
}

/// Says why somebody is not let in; who keeps trying is not told any more.
pub(super) async fn reject(
    reason: impl Into<Refusal>,
    client: IpAddr,
    state: &AppState,
) -> Refusal {
    match state.limits.refused(client).await {
        Ok(()) => reason.into().seen_from(client),
        Err(limited) => limited.into(),
    }
}

/// Refuses an API key unasked that comes from an address of too many wrong ones. A key that was
/// good from there before is not held up; a new one counts before it is looked at, however many
/// come at once.
pub(super) async fn limit_guessing(
    key: Option<&str>,
    client: IpAddr,
    state: &AppState,
) -> Result<(), Refusal> {
    if let Some(key) = key.filter(|key| state.authenticator.is_unproven(key, client)) {
        // In a box, because a click's own future is copied about, and almost none needs it.
        Box::pin(state.limits.new_api_key(client)).await?;
        state.authenticator.prove(key, client);
    }
    Ok(())
}

/// The API key that decides on a click.
pub(super) fn api_key<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    state: &'a AppState,
) -> Option<&'a str> {
    let takes_keys = state.authenticator.takes_keys();
    takes_keys
        .then(|| credentials(request, query, state))
        .and_then(|credentials| state.authenticator.shown_key(&credentials))
}

/// Counts a request that has been let in: an agent's by operator and address, a back end's apart
/// from those.
pub(super) async fn count(
    click: &Click,
    operator: Option<OperatorId>,
    state: &AppState,
) -> Result<(), Limited> {
    match &click.caller {
        Some(Caller::Key(name)) => {
            Box::pin(state.limits.back_end(click.client, name, operator)).await
        }
        _ => state.limits.click(click.client, operator).await,
    }
}

/// Lets the caller in, or not. Nobody who is let in waits for it.
pub(super) fn authenticate<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    client: IpAddr,
    state: &'a AppState,
) -> Result<AuthContext<'a>, Denied> {
    state.authenticator.check_network(client)?;
    state
        .authenticator
        .authenticate(&credentials(request, query, state))
}

/// The same by what the proxy in front says alone: no pass and no key of the request is looked at,
/// for a page that must be no place to guess them at.
pub(super) fn authenticate_proxy<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    state: &'a AppState,
) -> Result<AuthContext<'a>, Denied> {
    state.authenticator.authenticate(&Credentials {
        pass: None,
        bearer: None,
        ..credentials(request, query, state)
    })
}

/// Whether the request has come from this machine itself, and through no proxy that says so.
pub(super) fn is_local(request: &HttpRequest) -> bool {
    peer(request).to_canonical().is_loopback()
        && !FORWARDING
            .iter()
            .any(|name| request.headers().contains_key(name))
}

fn credentials<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    state: &'a AppState,
) -> Credentials<'a> {
    let headers = request.headers();
    // The name of no header is not even looked for.
    let sso_header = Some(state.sso_header.as_str()).filter(|name| !name.is_empty());
    Credentials {
        is_from_proxy: state.authenticator.trusts(peer(request)),
        pass: query.pass(),
        bearer: bearer(headers),
        identity: sso_header.and_then(|name| single(headers, name)),
        proxy_secret: single(headers, PROXY_SECRET),
        operator: query.operator(),
    }
}

/// What follows `Bearer` in `Authorization`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = single(headers, AUTHORIZATION)?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

/// A header's text where it is there once. Of two, a proxy and this service might each read
/// another.
fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut values = headers.get_all(name);
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    // Names are not always ASCII. White space that is not is a part of the value: of an identity
    // that is not the same without it.
    str::from_utf8(value.as_bytes())
        .ok()
        .map(str::trim_ascii)
        .filter(|text| !text.is_empty() && !text.contains(char::is_control))
}

/// The scheme that the visitor uses, as a trusted proxy tells.
pub(super) fn scheme(request: &HttpRequest, state: &AppState) -> &'static str {
    let is_told = state.authenticator.trusts(peer(request))
        && single(request.headers(), FORWARDED_PROTO) == Some("https");
    if is_told { "https" } else { "http" }
}

fn peer(request: &HttpRequest) -> IpAddr {
    // A connection has a peer as long as it is open; one that has just closed is nobody's.
    request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}
