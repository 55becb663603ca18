//! Headers that say who is calling, each line one of the same name: an identity that a proxy
//! asserts, or a token. There is one, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use open_chat::access::{
    AuthConfig, Authenticator, Caller, Credentials, Mode, Networks, client_address,
};
use open_chat::http::fuzzing::{bearer, single_header};
use open_chat::secret::Secret;
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;

const PROXY_SECRET: &str = "canary-secret-of-the-proxy";

static PROXIES: LazyLock<Authenticator> = LazyLock::new(|| {
    Authenticator::new(AuthConfig {
        modes: vec![Mode::Sso],
        sso_proxy_secret: Some(Secret::new(PROXY_SECRET).into()),
        ..AuthConfig::default()
    })
    .unwrap()
});

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let Some(single) = single_header(&lines) else {
        return;
    };
    let only = lines.first().filter(|_| lines.len() == 1);
    let text = only.and_then(|line| str::from_utf8(line).ok());
    let text = text.map(|text| text.trim_matches([' ', '\t']));
    let is_plain = |text: &&str| !text.is_empty() && !text.contains(char::is_control);
    let text = text.filter(is_plain);
    assert_eq!(single.as_deref(), text);
    check_bearer(&lines, text);
    if let Some(text) = text {
        check_identity(text);
        check_address(text);
    }
});

fn check_bearer(lines: &[&[u8]], text: Option<&str>) {
    let read = bearer(lines).expect("they are headers");
    let token = text.and_then(|text| {
        let (scheme, token) = text.split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case("bearer ")
            .then_some(token.trim())
    });
    assert_eq!(read.as_deref(), token.filter(|token| !token.is_empty()));
}

/// An identity is the text itself, from a proxy that shows its secret.
fn check_identity(text: &str) {
    let credentials = Credentials {
        is_from_proxy: true,
        identity: Some(text),
        proxy_secret: Some(PROXY_SECRET),
        ..Credentials::default()
    };
    let auth = PROXIES
        .authenticate(&credentials)
        .expect("the proxy has said so");
    assert_eq!(auth.caller, Caller::Sso(text.into()));
    assert_eq!(auth.requested.identity(), Some(text));
    let of_stranger = Credentials {
        proxy_secret: Some(text),
        ..credentials
    };
    let is_secret = text == PROXY_SECRET;
    assert_eq!(PROXIES.authenticate(&of_stranger).is_ok(), is_secret);
    let elsewhere = Credentials {
        is_from_proxy: false,
        ..credentials
    };
    assert!(PROXIES.authenticate(&elsewhere).is_err());
}

/// The client's address is the peer's, or one that stands there and that a proxy vouches for.
fn check_address(forwarded: &str) {
    let trusted = Networks::parse("10.0.0.0/8, fd00::/8").unwrap();
    let stranger: IpAddr = "192.0.2.1".parse().unwrap();
    assert_eq!(
        client_address(stranger, [forwarded].into_iter(), &trusted),
        stranger
    );
    let proxy: IpAddr = "10.0.0.1".parse().unwrap();
    let address = client_address(proxy, [forwarded].into_iter(), &trusted);
    let hop = |text: &str| {
        let text = text.trim();
        let port = text
            .parse::<SocketAddr>()
            .ok()
            .map(|with_port| with_port.ip());
        let inner = text.trim_start_matches('[').trim_end_matches(']');
        port.or_else(|| inner.parse().ok())
            .map(|address| address.to_canonical())
    };
    let hops: Vec<_> = forwarded.split(',').map(hop).collect();
    // From the right, over proxies, to the first that is none.
    let behind = hops
        .iter()
        .rposition(|hop| hop.is_none_or(|hop| !trusted.contain(hop)));
    let expected = match behind {
        Some(at) => hops[at].unwrap_or_else(|| {
            let next = hops.get(at + 1).copied().flatten();
            next.unwrap_or(proxy)
        }),
        None => hops.first().copied().flatten().unwrap_or(proxy),
    };
    assert_eq!(address, expected, "{forwarded}");
}
