//! The cookie of a paired browser on the wire: its name, how it is read from a request, and how an
//! answer sets it or takes it away.
//!
//! It is read from the raw bytes. A sibling host can set `%5F_Host-open-chat-device` for the parent
//! domain, or the name behind a Unicode space, and a parser that decodes or trims by Unicode takes
//! that for this service's own.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{COOKIE, HeaderMap};

use super::extract::{is_by_user_or_own_page, opens_own_tab};
use super::state::AppState;
use crate::access::{DeviceCookie, SignedCookie};

/// A browser takes a cookie with this prefix from this very host alone, over TLS.
pub(super) const NAME: &str = "__Host-open-chat-device";

/// Where the service is on loopback without TLS, which the prefix would not be taken from.
const NAME_IN_THE_CLEAR: &str = "open-chat-device";

/// The cookie of a request that it counts for: one that opens a page in a tab of its own.
pub(super) fn of<'a>(request: &'a HttpRequest, state: &AppState) -> DeviceCookie<'a> {
    let headers = request.headers();
    if !state.authenticator.accepts_devices() || !opens_own_tab(headers) {
        return DeviceCookie::Absent;
    }
    let mut values = values(headers, name(state));
    match (values.next(), values.next()) {
        (None, _) => DeviceCookie::Absent,
        (Some(value), None) => DeviceCookie::One {
            value,
            // The confirmation's POST comes from this service's own page.
            may_renew: request.method() == Method::POST || is_by_user_or_own_page(headers),
        },
        (Some(_), Some(_)) => DeviceCookie::Several,
    }
}

/// The value of `Set-Cookie` that pairs a browser, or keeps it paired.
pub(super) fn set(cookie: &SignedCookie, state: &AppState) -> String {
    let max_age = cookie.max_age.as_secs();
    written(cookie.value.expose(), max_age, state)
}

/// The value of `Set-Cookie` that takes the cookie away.
pub(super) fn clear(state: &AppState) -> String {
    written("", 0, state)
}

fn written(value: &str, max_age: u64, state: &AppState) -> String {
    let secure = if is_in_the_clear(state) {
        ""
    } else {
        "; Secure"
    };
    let name = name(state);
    format!("{name}={value}; Path=/; Max-Age={max_age}{secure}; HttpOnly; SameSite=Lax")
}

fn name(state: &AppState) -> &'static str {
    if is_in_the_clear(state) {
        NAME_IN_THE_CLEAR
    } else {
        NAME
    }
}

fn is_in_the_clear(state: &AppState) -> bool {
    let public = state.public_url.as_ref();
    public.is_some_and(|url| url.as_url().scheme() == "http")
}

/// The values of all cookies of this name, byte for byte: nothing is decoded, and nothing but
/// spaces and tabs is cut off.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(COOKIE)
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let (named, value) = (trimmed(&pair[..at]), &pair[at + 1..]);
            (named == name.as_bytes()).then(|| trimmed(value))
        })
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::collection::vec;
    use proptest::test_runner::{Config, RngSeed};
    use proptest::{prop_assert_eq, proptest};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::alone(b"__Host-open-chat-device=e.y.J", &["e.y.J"])]
    #[case::among_others(b"a=b; __Host-open-chat-device=e.y.J; c=d", &["e.y.J"])]
    #[case::without_spaces(b"a=b;__Host-open-chat-device=e.y.J;c", &["e.y.J"])]
    #[case::spaces_and_tabs(b" \t__Host-open-chat-device \t=\t e.y.J ", &["e.y.J"])]
    #[case::empty(b"__Host-open-chat-device=", &[""])]
    #[case::with_an_equals_sign(b"__Host-open-chat-device=a=b", &["a=b"])]
    #[case::two(b"__Host-open-chat-device=a; __Host-open-chat-device=b", &["a", "b"])]
    #[case::no_value(b"__Host-open-chat-device", &[])]
    #[case::a_value_of_another(b"x=__Host-open-chat-device=a", &[])]
    #[case::decoded_it_would_be_ours(b"%5F_Host-open-chat-device=a", &[])]
    #[case::u_2000(b"\xe2\x80\x80__Host-open-chat-device=a", &[])]
    #[case::u_0085(b"\xc2\x85__Host-open-chat-device=a", &[])]
    #[case::u_00a0(b"__Host-open-chat-device\xc2\xa0=a", &[])]
    #[case::vertical_tab(b"\x0b__Host-open-chat-device=a", &[])]
    #[case::a_longer_name(b"x__Host-open-chat-device=a", &[])]
    #[case::another_case(b"__host-open-chat-device=a", &[])]
    #[case::in_quotation_marks(b"\"__Host-open-chat-device\"=a", &[])]
    fn a_cookie_is_found_by_its_very_bytes(#[case] header: &[u8], #[case] expected: &[&str]) {
        let mut headers = HeaderMap::new();
        // Not a value that actix would make of a text, as it comes from the wire.
        if let Ok(value) = HeaderValue::from_bytes(header) {
            headers.append(COOKIE, value);
        }
        let found: Vec<_> = values(&headers, NAME).collect();
        let expected: Vec<_> = expected.iter().map(|value| value.as_bytes()).collect();
        assert_eq!(found, expected);
    }

    proptest! {
        #![proptest_config(Config {
            rng_seed: RngSeed::Fixed(7),
            failure_persistence: None,
            ..Config::default()
        })]

        /// Whatever stands around it, and whatever is taken for it elsewhere.
        #[test]
        fn no_other_name_is_ever_found(
            pairs in vec(
                "[ \t\u{a0}\u{2000}\u{85}]{0,2}(%5F|_|x|)(_Host-open-chat-device)?[ \t\u{2000}]{0,2}(=[a-z=.%]{0,4})?",
                0..6,
            ),
        ) {
            let mut headers = HeaderMap::new();
            headers.append(COOKIE, HeaderValue::from_str(&pairs.join(";")).unwrap());
            let found: Vec<_> = values(&headers, NAME).collect();
            let expected = pairs.iter().filter_map(|pair| {
                let rest = pair.trim_start_matches([' ', '\t']).strip_prefix(NAME)?;
                rest.trim_start_matches([' ', '\t']).strip_prefix('=')
            });
            let expected: Vec<_> = expected.map(str::as_bytes).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn all_headers_are_looked_at() {
        let mut headers = HeaderMap::new();
        for value in ["a=b", "open-chat-device=1", "c=d; open-chat-device=2"] {
            headers.append(COOKIE, HeaderValue::from_static(value));
        }
        let found: Vec<_> = values(&headers, NAME_IN_THE_CLEAR).collect();
        assert_eq!(found, [b"1", b"2"]);
    }
}
