//! A request's id: the caller's own where it is harmless, else a new one.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from the caller, in characters.
const MAX_LENGTH: usize = 128;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A header's value of ASCII letters, digits, `.`, `_` and `-`.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        headers
            .get(REQUEST_ID)
            .filter(|id| is_harmless(id.as_bytes()))
            .map_or_else(Self::new, |id| Self(id.clone()))
    }

    /// 128 random bits in 32 hexadecimal digits.
    fn new() -> Self {
        let mut digits = [0; 32];
        let bytes = fastrand::u128(..).to_be_bytes();
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        // Digits and letters are always a valid value.
        Self(HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("")))
    }

    pub(crate) fn as_str(&self) -> &str {
        // It is ASCII, always.
        self.0.to_str().unwrap_or_default()
    }

    pub(super) const fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

fn is_harmless(id: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}
