//! Reading ChatHub's answers: JSON of the documented shape, and a token in any of the three forms
//! that have been seen.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{BadAnswer, ErrorKind};
use secrecy::SecretString;

/// The longest token that is believed, in bytes.
const MAX_TOKEN: usize = 8192;

/// Reads documented JSON. The nesting that `serde_json` follows is bounded (128).
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ErrorKind> {
    serde_json::from_slice(without_mark(body))
        .map_err(|_| ErrorKind::BadAnswer(BadAnswer::NotDocumented))
}

/// The body less a byte order mark, which some servers begin with and JSON does not allow.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Reads a token: a JSON string (documented), the bare text, or an object with a `token`.
pub(crate) fn token(body: &[u8]) -> Result<SecretString, ErrorKind> {
    find_token(without_mark(body))
        .filter(|token| (1..=MAX_TOKEN).contains(&token.len()))
        .filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(SecretString::from)
        .ok_or(ErrorKind::BadAnswer(BadAnswer::NoToken))
}

fn find_token(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Documented {
        Text(String),
        Object { token: String },
    }
    match serde_json::from_slice::<Documented>(body) {
        Ok(Documented::Text(token) | Documented::Object { token }) => Some(token.trim().to_owned()),
        Err(_) if serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() => None,
        Err(_) => {
            // Broken JSON and an HTML page are no bare token, even where they have no white space.
            let text = std::str::from_utf8(body).ok()?.trim();
            (!text.starts_with(['"', '{', '[', '<'])).then(|| text.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[rstest]
    #[case::documented(r#""eyJh.eyJv.c2ln""#)]
    #[case::white_space(" \"eyJh.eyJv.c2ln\"\r\n")]
    #[case::white_space_inside(r#"" eyJh.eyJv.c2ln\n""#)]
    #[case::bare("eyJh.eyJv.c2ln\n")]
    #[case::object(r#"{"token":"eyJh.eyJv.c2ln"}"#)]
    #[case::with_expiration(r#"{"token":"eyJh.eyJv.c2ln","expiration":"2025-01-20T14:33:34Z"}"#)]
    fn a_token_in_any_form(#[case] body: &str) {
        assert_eq!(
            token(body.as_bytes()).unwrap().expose_secret(),
            "eyJh.eyJv.c2ln"
        );
    }

    #[rstest]
    #[case::empty("")]
    #[case::blank(" \n")]
    #[case::empty_string(r#""""#)]
    #[case::two_lines("\"one\\ntwo\"")]
    #[case::two_words("Internal error")]
    #[case::not_ascii("\"\u{43a}\u{43b}\u{44e}\u{447}\"")]
    #[case::html("<html></html>")]
    #[case::no_token_in_it(r#"{"error":"no"}"#)]
    #[case::null("null")]
    #[case::number("12345")]
    #[case::broken_json(r#"{"token":"eyJ"#)]
    fn no_token_there(#[case] body: &str) {
        assert_eq!(
            token(body.as_bytes()).map(drop),
            Err(ErrorKind::BadAnswer(BadAnswer::NoToken))
        );
    }

    #[test]
    fn too_long_or_too_deep_is_refused() {
        assert!(token("t".repeat(8192).as_bytes()).is_ok());
        assert!(token("t".repeat(8193).as_bytes()).is_err());
        assert!(token("[".repeat(100_000).as_bytes()).is_err());
        assert!(json::<Vec<u8>>("[".repeat(100_000).as_bytes()).is_err());
    }
}
