//! Reads the claims of a JWT without checking its signature, which only ChatHub can do.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

/// JWTs have no padding, but some issuers add it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The claims of a token.
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// The claims of a JWT: three parts, the middle one a JSON object in base64url.
    pub(crate) fn of(token: &SecretString) -> Option<Self> {
        let parts: Vec<_> = token.expose_secret().split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return None;
        };
        if header.is_empty() || signature.is_empty() {
            return None;
        }
        serde_json::from_slice(&BASE64URL.decode(claims).ok()?)
            .ok()
            .map(Self)
    }

    /// A claim that is there and not `null`.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// When a token expires, where it is a JWT that says so. Believing an end that is too early costs a
/// login.
pub(crate) fn expiry(token: &SecretString) -> Option<DateTime<Utc>> {
    let exp = Claims::of(token)?.get("exp")?.as_i64()?;
    DateTime::from_timestamp(exp, 0)
}
