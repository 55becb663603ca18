//! A pass of this service's own: what `POST /links` and `open-chat pass mint` sign.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::Serialize;

use super::pass::PassConstraints;
use super::pass_keys::PassKeys;

/// What a new pass is to say.
#[derive(Clone, Debug)]
pub struct NewPass {
    /// The operator, by alias, id or name.
    pub operator: String,
    /// Values that it fixes.
    pub constraints: PassConstraints,
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
    constraints: &'a PassConstraints,
}

/// Why a pass cannot be signed. `Display` says what to change.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum MintError {
    /// No key can sign.
    #[error("no key can sign: set PASS_SECRET, or a plain HS256 key in PASS_KEYS_FILE")]
    NoKey,
    /// It would live longer than the key lets it.
    #[error("the pass may live for {} at most", as_settings_write_it(*.0))]
    TooLong(Duration),
    /// The crypto library says no.
    #[error("the pass cannot be signed")]
    Unsigned,
}

impl PassKeys {
    /// Whether there is a key that can sign.
    pub(super) fn can_sign(&self) -> bool {
        self.keys.iter().any(|key| key.signing_secret().is_some())
    }

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
            constraints: &new.constraints,
        };
        let mut header = Header::new(key.algorithm);
        header.kid = Some(key.id.clone());
        let encoding = EncodingKey::from_secret(secret.expose().as_bytes());
        encode(&header, &claims, &encoding)
            .map(|pass| (pass, ends))
            .map_err(|_| MintError::Unsigned)
    }
}

/// `24h`, where `humantime` writes `1day`.
fn as_settings_write_it(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// A one-time pass must not be foreseen, so this is no ordinary random number.
fn random() -> u128 {
    let mut bytes = [0; 16];
    // The system's generator fails only where a machine is beyond help; the id is then a repeated
    // one, and refused.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;
    use crate::access::pass_keys::tests::simple;
    use crate::access::{Authenticator, PassKeySources, Settings};

    fn door(pass_keys: Option<PassKeySources>) -> Authenticator {
        Authenticator::new(Settings {
            pass_keys,
            ..Settings::default()
        })
        .unwrap()
    }

    fn new_pass(seconds: u64) -> NewPass {
        NewPass {
            operator: "101".into(),
            constraints: PassConstraints {
                phone: Some("+380501234567".into()),
                ..PassConstraints::default()
            },
            ttl: Duration::from_secs(seconds),
            once: false,
        }
    }

    #[test]
    fn a_pass_says_what_it_is_to_say() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let door = door(Some(simple()));
        let keys = door.pass_keys.as_ref().unwrap().get();
        let (pass, ends) = keys.mint(&new_pass(600), now).unwrap();
        assert_eq!(ends.timestamp(), 1_800_000_600);
        let parts = pass.split('.').take(2).map(|part| {
            let json = URL_SAFE_NO_PAD.decode(part).unwrap();
            serde_json::from_slice(&json).unwrap()
        });
        let expected = [
            json!({"typ": "JWT", "alg": "HS256", "kid": "PASS_SECRET"}),
            json!({"sub": "101", "iat": 1_800_000_000, "exp": 1_800_000_600, "phone": "+380501234567"}),
        ];
        assert_eq!(parts.collect::<Vec<Value>>(), expected);
        let longest = Duration::from_mins(10);
        let too_long = keys.mint(&new_pass(601), now);
        assert_eq!(too_long, Err(MintError::TooLong(longest)));
    }

    #[test]
    fn without_a_key_nothing_is_signed() {
        assert_eq!(door(None).mint(&new_pass(60)), Err(MintError::NoKey));
    }
}
