//! A request's id: the caller's own where it is harmless, else a new one.

use actix_web::http::header::{HeaderMap, HeaderName};
use arrayvec::ArrayString;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from the caller, in characters.
const MAX_LENGTH: usize = 128;

/// ASCII letters, digits, `.`, `_` and `-`.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(ArrayString<MAX_LENGTH>);

impl RequestId {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        headers
            .get(REQUEST_ID)
            .and_then(|id| id.to_str().ok())
            .filter(|id| is_harmless(id.as_bytes()))
            .and_then(|id| ArrayString::from(id).ok())
            .map_or_else(Self::new, Self)
    }

    /// 128 random bits in 32 hexadecimal digits.
    fn new() -> Self {
        let mut digits = [0; 32];
        // Two digits a byte fit, and are ASCII.
        let _ = hex::encode_to_slice(fastrand::u128(..).to_be_bytes(), &mut digits);
        let digits = std::str::from_utf8(&digits).unwrap_or_default();
        Self(ArrayString::from(digits).unwrap_or_default())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_harmless(id: &[u8]) -> bool {
    let is_harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    !id.is_empty() && id.iter().all(is_harmless)
}
