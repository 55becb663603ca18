//! Signs passes of this service: those of `POST /links` and of `open-chat pass mint`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::Serialize;

use super::{PassConstraints, PassKeys};
use crate::access::Authenticator;
use crate::reload::Reloadable;

/// The content of a new pass.
#[derive(Clone, Debug)]
pub struct NewPass {
    /// The operator, by alias, id or name.
    pub operator: String,
    /// The parameters that it fixes.
    pub constraints: PassConstraints,
    /// How long it is valid.
    pub ttl: Duration,
    /// Whether it opens a panel once only.
    pub one_time: bool,
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
    /// The pass would be valid for longer than its key allows.
    #[error("the pass may live for {} at most", in_one_unit(*.0))]
    TooLong(Duration),
    /// The crypto library has failed.
    #[error("the pass cannot be signed")]
    Unsigned,
}

impl Authenticator {
    /// Signs a pass, and returns when it expires.
    pub fn mint(&self, new: &NewPass) -> Result<(String, DateTime<Utc>), MintError> {
        let keys = self.pass_keys.as_ref().ok_or(MintError::NoKey)?;
        keys.get().mint(new, Utc::now())
    }

    /// Whether there is a key that can sign.
    pub fn can_sign(&self) -> bool {
        let keys = self.pass_keys.as_ref().map(Reloadable::get);
        keys.is_some_and(|keys| keys.keys.iter().any(|key| key.signing_secret().is_some()))
    }
}

impl PassKeys {
    /// Signs a pass with the first key that can.
    fn mint(
        &self,
        new: &NewPass,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>), MintError> {
        let mut keys = self.keys.iter();
        let (key, secret) = keys
            .find_map(|key| Some((key, key.signing_secret()?)))
            .ok_or(MintError::NoKey)?;
        if new.ttl > key.max_ttl {
            return Err(MintError::TooLong(key.max_ttl));
        }
        let expires = now + new.ttl;
        let claims = Claims {
            sub: &new.operator,
            iat: now.timestamp(),
            exp: expires.timestamp(),
            jti: new.one_time.then(random_id),
            constraints: &new.constraints,
        };
        let mut header = Header::new(key.algorithm);
        header.kid = Some(key.id.clone());
        let encoding = EncodingKey::from_secret(secret.expose().as_bytes());
        encode(&header, &claims, &encoding)
            .map(|pass| (pass, expires))
            .map_err(|_| MintError::Unsigned)
    }
}

/// `24h`, where `humantime` would write `1day`.
fn in_one_unit(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        seconds if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// The id of a one-time pass, which must be unpredictable.
fn random_id() -> String {
    let mut bytes = [0; 16];
    // The system's generator fails only on a machine that is beyond help; the id then repeats, and
    // the pass is rejected.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::access::pass::tests::{hs256_source, with_key};
    use crate::access::{AuthConfig, Credentials, PassKeySources};

    fn authenticator(pass_keys: Option<PassKeySources>) -> Authenticator {
        Authenticator::new(AuthConfig {
            pass_keys,
            ..AuthConfig::default()
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
            one_time: false,
        }
    }

    #[test]
    fn a_pass_has_the_requested_claims() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let authenticator = authenticator(Some(hs256_source()));
        let keys = authenticator.pass_keys.as_ref().unwrap().get();
        let (pass, expires) = keys.mint(&new_pass(600), now).unwrap();
        assert_eq!(expires.timestamp(), 1_800_000_600);
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

    /// In a unit that the setting takes.
    #[rstest]
    #[case(90, "90s")]
    #[case(600, "10m")]
    #[case(5400, "90m")]
    #[case(86_400, "24h")]
    fn a_refusal_says_how_long_a_pass_may_live(#[case] seconds: u64, #[case] written: &str) {
        let error = MintError::TooLong(Duration::from_secs(seconds));
        assert_eq!(
            error.to_string(),
            format!("the pass may live for {written} at most")
        );
    }

    #[test]
    fn without_a_key_nothing_is_signed() {
        let authenticator = authenticator(None);
        assert!(!authenticator.can_sign());
        assert_eq!(authenticator.mint(&new_pass(60)), Err(MintError::NoKey));
    }

    #[rstest]
    #[case("HS256")]
    #[case("HS384")]
    #[case("HS512")]
    fn an_hmac_key_verifies_what_it_signs(#[case] algorithm: &str) {
        let authenticator = with_key(&format!("algorithm = \"{algorithm}\""));
        assert!(authenticator.can_sign());
        let (pass, _) = authenticator.mint(&new_pass(300)).unwrap();
        let credentials = Credentials {
            pass: Some(&pass),
            ..Credentials::default()
        };
        assert!(authenticator.authenticate(&credentials).is_ok());
        assert!(
            authenticator
                .authenticate(&Credentials {
                    pass: Some(&pass[1..]),
                    ..credentials
                })
                .is_err()
        );
    }

    #[rstest]
    #[case("operator_claim = \"agent\"")]
    #[case("operator_prefix = \"kommo-\"")]
    #[case("issuer = \"crm.example\"")]
    #[case("audience = \"chat\"")]
    fn a_vendor_s_key_does_not_sign(#[case] line: &str) {
        let authenticator = with_key(&format!("algorithm = \"HS256\"\n{line}"));
        assert!(!authenticator.can_sign());
        assert_eq!(authenticator.mint(&new_pass(300)), Err(MintError::NoKey));
    }
}
