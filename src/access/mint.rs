//! A pass of this service's own: what `POST /links` and `open-chat pass mint` sign.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::Serialize;

use super::pass::Bound;
use super::pass_keys::PassKeys;

/// What a new pass is to say.
#[derive(Clone, Debug)]
pub struct NewPass {
    /// The operator, by alias, id or name.
    pub operator: String,
    /// Values that it fixes.
    pub bound: Bound,
    /// How long it lives.
    pub ttl: Duration,
    /// Whether it opens a panel once only.
    pub once: bool,
}

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(flatten)]
    bound: &'a Bound,
}

/// Why a pass cannot be signed. `Display` says what to change.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum MintError {
    /// No key can sign.
    #[error("no key can sign: set PASS_SECRET, or a plain HS256 key in PASS_KEYS_FILE")]
    NoKey,
    /// It would live longer than the key lets it.
    #[error("the pass may live for {} at most", humantime::format_duration(*.0))]
    TooLong(Duration),
    /// The crypto library says no.
    #[error("the pass cannot be signed")]
    Unsigned,
}

impl PassKeys {
    /// Signs a pass with the first key that can, and says when it ends.
    pub(super) fn mint(
        &self,
        new: &NewPass,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), MintError> {
        let (key, secret) = self
            .keys
            .iter()
            .find_map(|key| key.signing_secret().map(|secret| (key, secret)))
            .ok_or(MintError::NoKey)?;
        if new.ttl > key.max_ttl {
            return Err(MintError::TooLong(key.max_ttl));
        }
        let ends = now + new.ttl;
        let claims = Claims {
            sub: &new.operator,
            iat: now.timestamp(),
            exp: ends.timestamp(),
            jti: new.once.then(|| format!("{:032x}", random())),
            bound: &new.bound,
        };
        let mut header = Header::new(key.algorithm);
        header.kid = Some(key.id.clone());
        let encoding = EncodingKey::from_secret(secret.expose().as_bytes());
        encode(&header, &claims, &encoding)
            .map(|pass| (pass, ends))
            .map_err(|_| MintError::Unsigned)
    }
}

/// A one-time pass must not be foreseen, so this is no ordinary random number.
fn random() -> u128 {
    let mut bytes = [0; 16];
    // The system's generator fails only where a machine is beyond help; the id is then a repeated one, and refused.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u128::from_be_bytes(bytes)
}
