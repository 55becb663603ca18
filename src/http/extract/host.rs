//! Under which name this service was asked for, and whether that name is its own.
//!
//! DNS rebinding: an attacker's page loads from `evil.example`, whose name then leads to this
//! service. To the browser the page and the service are one origin, so the page reads every answer.
//! Where callers show credentials the page has none to show; with `ACCESS=open`, only the name
//! tells.

use std::net::{Ipv4Addr, Ipv6Addr};

use actix_web::HttpRequest;
use actix_web::http::header::HOST;

use super::headers::single;
use super::state;
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::state::AppState;

/// The request asks for this service under a name of its own.
pub(crate) struct OwnHost;

extractor!(OwnHost, own_host);

fn own_host(request: &HttpRequest) -> Result<OwnHost, Problem> {
    check(request, state(request)?).map(|()| OwnHost)
}

/// With `ACCESS=open`, refuses a request for any other name than an address, `localhost` or
/// `PUBLIC_URL`'s host: those are no names that an attacker can lead elsewhere.
pub(crate) fn check(request: &HttpRequest, state: &AppState) -> Result<(), Problem> {
    if !state.authenticator.is_open() {
        return Ok(());
    }
    let public = state.public_url.as_ref();
    let public = public.and_then(|url| url.as_url().host_str());
    // A request target with a name of its own (`GET http://…`) has two names, and both must be
    // ours.
    let target = request.uri().authority();
    let host = single(request.headers(), HOST);
    let is_ours = host.is_some_and(|host| is_own(host, public))
        && target.is_none_or(|target| is_own(target.as_str(), public));
    if is_ours {
        return Ok(());
    }
    Err(Problem::new(Kind::HostNotAllowed, Detail::HostNotAllowed))
}

/// Whether `authority`, a host and perhaps a port, is an IP address, `localhost` or the host
/// `public`.
fn is_own(authority: &str, public: Option<&str>) -> bool {
    let (host, port) = match authority.find(']') {
        Some(end) => authority.split_at(end + 1),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    is_port
        && match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => host.parse::<Ipv4Addr>().is_ok() || is_own_name(host, public),
        }
}

/// A dot at the end changes nothing of what a name means.
fn is_own_name(name: &str, public: Option<&str>) -> bool {
    let plain = |name| str::strip_suffix(name, ".").unwrap_or(name);
    let is = |own| plain(name).eq_ignore_ascii_case(plain(own));
    is("localhost") || public.is_some_and(is)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("chat.example", true)]
    #[case("CHAT.example.:443", true)]
    #[case("localhost:8080", true)]
    #[case("127.0.0.1", true)]
    #[case("[2001:db8::7]:8080", true)]
    #[case("", false)]
    #[case(".", false)]
    #[case(":8080", false)]
    #[case("0x7f.1", false)]
    #[case("127.1", false)]
    #[case("[chat.example]", false)]
    #[case("[::1%25eth0]", false)]
    #[case("[::1]8080", false)]
    #[case("chat.example:80:80", false)]
    #[case("chat.example]", false)]
    #[case(" chat.example", false)]
    #[case("chat.example\u{a0}", false)]
    fn names_that_are_ours(#[case] authority: &str, #[case] ours: bool) {
        assert_eq!(is_own(authority, Some("chat.example.")), ours);
        let without = ours && !authority.to_ascii_lowercase().starts_with("chat");
        assert_eq!(is_own(authority, None), without);
    }
}
