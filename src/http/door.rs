//! What a request shows at the door.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, AsHeaderName, HeaderMap, HeaderName};

use super::Desk;
use super::click::Click;
use super::query::Query;
use super::refusal::Refusal;
use crate::access::{Admission, Caller, Denied, Knock};
use crate::chathub::OperatorId;
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
pub(super) fn client_address(request: &HttpRequest, desk: &Desk) -> IpAddr {
    // Whatever bytes a stranger has written on the left, what a proxy has added on the right is
    // read.
    let forwarded: Vec<_> = request
        .headers()
        .get_all(FORWARDED_FOR)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let forwarded = forwarded.iter().map(AsRef::as_ref);
    desk.access.client_address(peer(request), forwarded)
}

/// Lets a widget's page in for its next token: by its ticket where it shows one, else like anybody.
pub(super) fn admit_again<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    client: IpAddr,
    desk: &'a Desk,
) -> Result<Admission<'a>, Denied> {
    let Some(ticket) = single(request.headers(), TICKET) else {
        return admit(request, query, client, desk);
    };
    desk.access.check_network(client)?;
    desk.access.admit_by_ticket(ticket, desk.widget.session)
}

/// The answer, or why somebody is turned away. A click does without: what it passes by value costs.
pub(super) async fn or_turn_away<T>(
    answer: Result<T, Denied>,
    client: IpAddr,
    desk: &Desk,
) -> Result<T, Refusal> {
    match answer {
        Ok(granted) => Ok(granted),
        Err(denied) => Err(turn_away(denied, client, desk).await),
    }
}

/// Says why somebody is not let in; who keeps trying is not told any more.
pub(super) async fn turn_away(reason: impl Into<Refusal>, client: IpAddr, desk: &Desk) -> Refusal {
    match desk.limits.refused(client).await {
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
    desk: &Desk,
) -> Result<(), Refusal> {
    if let Some(key) = key.filter(|key| desk.access.is_unproven(key, client)) {
        // In a box, because a click's own future is copied about, and almost none needs it.
        Box::pin(desk.limits.new_api_key(client)).await?;
        desk.access.prove(key, client);
    }
    Ok(())
}

/// The API key that decides on a click.
pub(super) fn api_key<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    desk: &'a Desk,
) -> Option<&'a str> {
    let takes_keys = desk.access.takes_keys();
    takes_keys
        .then(|| knock(request, query, desk))
        .and_then(|knock| desk.access.shown_key(&knock))
}

/// Counts a request that has been let in: an agent's by operator and address, a back end's apart
/// from those.
pub(super) async fn count(
    click: &Click,
    operator: Option<OperatorId>,
    desk: &Desk,
) -> Result<(), Limited> {
    match &click.caller {
        Some(Caller::Key(name)) => {
            Box::pin(desk.limits.back_end(click.client, name, operator)).await
        }
        _ => desk.limits.click(click.client, operator).await,
    }
}

/// Lets the caller in, or not. Nobody who is let in waits for it.
pub(super) fn admit<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    client: IpAddr,
    desk: &'a Desk,
) -> Result<Admission<'a>, Denied> {
    desk.access.check_network(client)?;
    desk.access.admit(&knock(request, query, desk))
}

/// The same by what the proxy in front says alone: no pass and no key of the request is looked at,
/// for a page that must be no place to guess them at.
pub(super) fn admit_login<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    desk: &'a Desk,
) -> Result<Admission<'a>, Denied> {
    desk.access.admit(&Knock {
        pass: None,
        bearer: None,
        ..knock(request, query, desk)
    })
}

/// Whether the request has come from this machine itself, and through no proxy that says so.
pub(super) fn is_local(request: &HttpRequest) -> bool {
    peer(request).to_canonical().is_loopback()
        && !FORWARDING
            .iter()
            .any(|name| request.headers().contains_key(name))
}

fn knock<'a>(request: &'a HttpRequest, query: &'a Query<'_>, desk: &'a Desk) -> Knock<'a> {
    let headers = request.headers();
    // The name of no header is not even looked for.
    let sso_header = Some(desk.sso_header.as_str()).filter(|name| !name.is_empty());
    Knock {
        is_from_proxy: desk.access.trusts(peer(request)),
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
pub(super) fn scheme(request: &HttpRequest, desk: &Desk) -> &'static str {
    let is_told = desk.access.trusts(peer(request))
        && single(request.headers(), FORWARDED_PROTO) == Some("https");
    if is_told { "https" } else { "http" }
}

fn peer(request: &HttpRequest) -> IpAddr {
    // A connection has a peer as long as it is open; one that has just closed is nobody's.
    request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}
