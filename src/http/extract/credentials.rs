//! The credentials that a request shows.
//!
//! They are borrowed from the request and its query, so plain functions read them: an actix
//! extractor would have to copy them.

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName};

use super::client_address::peer;
use super::headers::single;
use super::query::Query;
use crate::access::{Credentials, DeviceCookie};
use crate::http::state::AppState;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PROXY_SECRET: HeaderName = HeaderName::from_static("x-proxy-secret");
const TICKET: HeaderName = HeaderName::from_static("x-widget-ticket");

/// All that the request shows, for a click and the widget, but a paired browser's cookie: that
/// counts for clicks alone. Nothing else may take the identity: what leads to other routes may ask
/// for no login, and so prove no name.
pub(crate) fn credentials<'a>(
    request: &'a HttpRequest,
    query: &'a Query<'_>,
    state: &'a AppState,
) -> Credentials<'a> {
    let headers = request.headers();
    // Without SSO there is no header to look for.
    let sso_header = Some(state.sso_header.as_str()).filter(|name| !name.is_empty());
    Credentials {
        is_from_proxy: state.authenticator.is_trusted_proxy(peer(request)),
        pass: query.pass(),
        bearer: bearer(headers),
        identity: sso_header.and_then(|name| single(headers, name)),
        proxy_secret: single(headers, PROXY_SECRET),
        device: DeviceCookie::Absent,
        operator: query.operator(),
    }
}

/// The token in `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = single(headers, AUTHORIZATION)?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

/// The ticket of a widget's page, with which it asks for its next token.
pub(crate) fn ticket(headers: &HeaderMap) -> Option<&str> {
    single(headers, TICKET)
}

/// The scheme that the caller uses, as a trusted proxy says.
pub(crate) fn scheme(request: &HttpRequest, state: &AppState) -> &'static str {
    let is_https = state.authenticator.is_trusted_proxy(peer(request))
        && single(request.headers(), FORWARDED_PROTO) == Some("https");
    if is_https { "https" } else { "http" }
}
