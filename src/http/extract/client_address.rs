//! The address that a request comes from.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

use crate::http::state::AppState;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Headers that proxies add to a request that they pass on.
const FORWARDING: [HeaderName; 5] = [
    FORWARDED_FOR,
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("via"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

/// The address that a request comes from, trusted proxies aside.
pub(crate) fn client_address(request: &HttpRequest, state: &AppState) -> IpAddr {
    // A caller may write any bytes on the left; what a proxy has added on the right is read.
    let forwarded: Vec<_> = request
        .headers()
        .get_all(FORWARDED_FOR)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let forwarded = forwarded.iter().map(AsRef::as_ref);
    state.authenticator.client_address(peer(request), forwarded)
}

/// Whether the request comes from this machine itself, and through no proxy that says so.
pub(crate) fn is_local(request: &HttpRequest) -> bool {
    peer(request).to_canonical().is_loopback()
        && !FORWARDING
            .iter()
            .any(|name| request.headers().contains_key(name))
}

/// The other end of the connection.
pub(super) fn peer(request: &HttpRequest) -> IpAddr {
    // A connection that has just closed has no peer any more.
    request
        .peer_addr()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}
