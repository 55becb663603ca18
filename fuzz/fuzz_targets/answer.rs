//! A body that ChatHub answers with: read as what the documents describe or refused, and an error
//! never repeats it. Each `~` of the input stands for a token.
#![no_main]

use std::fmt::Debug;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chathub::fuzzing::{expiry, json, token};
use chathub::{AddedOperator, ErrorKind, ExposeSecret as _, Operator, Organization, TokenCheck};
use chrono::{DateTime, Datelike as _};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json as value};

/// With padding or without.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const CANARY: &str = "canary.eyJhbGciOiJub25lIn0.canary";

fuzz_target!(|input: &[u8]| {
    let body: Vec<u8> = input
        .split(|byte| *byte == b'~')
        .collect::<Vec<_>>()
        .join(CANARY.as_bytes());
    documented::<Vec<Organization>>(&body, |_| true);
    documented::<Vec<Operator>>(&body, |_| true);
    documented::<Vec<AddedOperator>>(&body, |_| true);
    // JSON has no way to write a year before Christ, or after 9999.
    documented::<TokenCheck>(&body, |check| {
        let end = check.expires_at;
        end.is_none_or(|end| (0..10_000).contains(&end.year()))
    });
    check_token(&body);
});

/// An error is the same whatever the body says.
fn check_error(error: &ErrorKind) {
    let texts = [error.to_string(), format!("{error:?}")];
    for text in texts {
        assert!(!text.contains("canary"), "{text}");
        assert!(text.len() < 80 && text.is_ascii(), "{text}");
    }
}

fn documented<T: DeserializeOwned + Serialize + PartialEq + Debug>(
    body: &[u8],
    is_writable: impl Fn(&T) -> bool,
) {
    match json::<T>(body) {
        Ok(read) if !is_writable(&read) => {}
        Ok(read) => {
            let written = serde_json::to_vec(&read).unwrap();
            assert_eq!(json::<T>(&written), Ok(read));
        }
        Err(error) => check_error(&error),
    }
}

fn check_token(body: &[u8]) {
    let secret = match token(body) {
        Ok(secret) => secret,
        Err(error) => return check_error(&error),
    };
    let text = secret.expose_secret();
    assert!((1..=8192).contains(&text.len()));
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(format!("{secret:?}"), "SecretBox<str>([REDACTED])");
    for form in [value!(text), value!({"token": text, "expiration": null})] {
        let form = form.to_string();
        assert_eq!(
            token(form.as_bytes()).unwrap().expose_secret(),
            text,
            "{form}"
        );
    }
    assert_eq!(
        expiry(&secret).map(|end| end.timestamp()),
        claimed_end(text)
    );
}

/// The `exp` of a JWT's claims, where it is a moment.
fn claimed_end(token: &str) -> Option<i64> {
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return None;
    };
    if header.is_empty() || signature.is_empty() {
        return None;
    }
    let claims = BASE64URL.decode(claims).ok()?;
    let exp = serde_json::from_slice::<Value>(&claims).ok()?["exp"].as_i64()?;
    DateTime::from_timestamp(exp, 0).map(|_| exp)
}
