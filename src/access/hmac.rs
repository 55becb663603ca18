//! Passes that are signed with an HMAC, checked the short way: the head is read once, the key is
//! prepared once, the claims are read once.
//!
//! `jsonwebtoken`, which checks all other passes, reads a head three times and the claims twice,
//! and prepares the key for each pass anew; that costs a click more than everything else together.
//! What is accepted is the same.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// What a pass says of itself before its claims.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    alg: Algorithm,
    /// Which key it is signed with.
    pub(super) kid: Option<String>,
    crit: Option<IgnoredAny>,
}

impl Head {
    /// Nothing where it cannot be read, or says that something must be understood that is not
    /// understood here.
    pub(super) fn of(pass: &str) -> Option<Self> {
        let (head, _) = pass.split_once('.')?;
        let head: Self = serde_json::from_slice(&decoded(head)?).ok()?;
        head.crit.is_none().then_some(head)
    }
}

/// A key that passes are checked with.
pub(super) struct HmacKey {
    algorithm: Algorithm,
    key: hmac::Key,
}

impl HmacKey {
    /// Nothing for any other kind of algorithm.
    pub(super) fn new(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        let hash = match algorithm {
            Algorithm::HS256 => hmac::HMAC_SHA256,
            Algorithm::HS384 => hmac::HMAC_SHA384,
            Algorithm::HS512 => hmac::HMAC_SHA512,
            _ => return None,
        };
        Some(Self {
            algorithm,
            key: hmac::Key::new(hash, secret),
        })
    }

    /// What a pass says, if it was signed with this key. Times, issuer and audience are not looked
    /// at.
    pub(super) fn claims(&self, pass: &str, head: &Head) -> Option<Map<String, Value>> {
        if head.alg != self.algorithm {
            return None;
        }
        let (signed, signature) = pass.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        hmac::verify(&self.key, signed.as_bytes(), &decoded(signature)?).ok()?;
        serde_json::from_slice(&decoded(claims)?).ok()
    }
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, Validation, decode, encode};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn signed(algorithm: Algorithm) -> String {
        let claims = json!({"sub": "101", "exp": 4_102_444_800_u64, "phone": "0501234567"});
        let key = EncodingKey::from_secret(SECRET);
        encode(&Header::new(algorithm), &claims, &key).unwrap()
    }

    fn short(algorithm: Algorithm, pass: &str) -> Option<Map<String, Value>> {
        let key = HmacKey::new(algorithm, SECRET).unwrap();
        key.claims(pass, &Head::of(pass)?)
    }

    fn long(algorithm: Algorithm, pass: &str) -> Option<Map<String, Value>> {
        let key = jsonwebtoken::DecodingKey::from_secret(SECRET);
        let token = decode(pass, &key, &Validation::new(algorithm)).ok()?;
        Some(token.claims)
    }

    #[rstest]
    #[case(Algorithm::HS256)]
    #[case(Algorithm::HS384)]
    #[case(Algorithm::HS512)]
    fn each_algorithm_reads_its_own_and_no_other(#[case] algorithm: Algorithm) {
        for other in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let claims = short(algorithm, &signed(other));
            assert_eq!(claims.is_some(), algorithm == other);
            assert_eq!(claims, long(algorithm, &signed(other)));
        }
    }

    #[test]
    fn a_pass_that_is_changed_anywhere_is_none() {
        let pass = signed(Algorithm::HS256);
        for place in 0..pass.len() {
            for byte in [b'A', b'.', b'=', b'+', b'_', b' '] {
                let mut changed = pass.clone().into_bytes();
                changed[place] = byte;
                let changed = String::from_utf8(changed).unwrap();
                let claims = short(Algorithm::HS256, &changed);
                assert_eq!(claims.is_some(), changed == pass, "{place}");
                assert_eq!(claims, long(Algorithm::HS256, &changed), "{place}");
            }
        }
        for cut in 0..pass.len() {
            assert_eq!(short(Algorithm::HS256, &pass[..cut]), None);
        }
        assert_eq!(short(Algorithm::HS256, &format!("{pass}.{pass}")), None);
    }

    #[test]
    fn what_must_be_understood_is_not() {
        let head = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","crit":["exp"]}"#);
        assert!(Head::of(&format!("{head}.e30.")).is_none());
        assert!(HmacKey::new(Algorithm::RS256, SECRET).is_none());
    }
}
