//! Vendors' tokens, which are JWTs: the signature, the times, and what else they have in common.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};

use super::Unproven;

/// How far ahead a token may expire, in seconds.
const MAX_AHEAD: i64 = 3600;

/// The tolerated difference of clocks, in seconds.
const LEEWAY: i64 = 60;

/// The longest token, in bytes: several times what vendors send.
const MAX_TOKEN: usize = 4096;

/// Who a token is from, before it is proven.
#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

/// Who a token says it is from. Nothing of it is proven.
pub(super) fn issuer(token: &str) -> Result<String, Unproven> {
    if token.len() > MAX_TOKEN {
        return Err(Unproven::Signature);
    }
    let token = dangerous::insecure_decode::<Issuer>(token);
    token
        .map(|token| token.claims.iss)
        .map_err(|_| Unproven::Signature)
}

/// The claims of a token that this key has signed by this algorithm, whatever the token names. The
/// caller checks times and audience, against one clock and in words of its own.
pub(super) fn verify<T: DeserializeOwned>(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<T, Unproven> {
    if token.len() > MAX_TOKEN {
        return Err(Unproven::Signature);
    }
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let token = decode::<serde_json::Value>(token, key, &validation);
    let claims = token.map_err(|_| Unproven::Signature)?.claims;
    serde_json::from_value(claims).map_err(|_| Unproven::Incomplete)
}

/// When a token is good.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Times {
    exp: i64,
    iat: Option<i64>,
    nbf: Option<i64>,
}

impl Times {
    /// The times of a token that ends then, and whose claims have other names.
    pub(super) const fn new(iat: Option<i64>, exp: i64) -> Self {
        Self {
            exp,
            iat,
            nbf: None,
        }
    }

    /// Rejects a token that is not good yet or no more, or that is good for too long.
    pub(super) fn check(self, now: DateTime<Utc>) -> Result<(), Unproven> {
        let now = now.timestamp();
        if self.exp <= now {
            return Err(Unproven::Expired);
        }
        let latest = now.saturating_add(LEEWAY);
        let is_ahead = |time: Option<i64>| time.is_some_and(|time| time > latest);
        let is_too_long = self.exp > latest.saturating_add(MAX_AHEAD);
        if is_ahead(self.iat) || is_ahead(self.nbf) || is_too_long {
            return Err(Unproven::Times);
        }
        Ok(())
    }

    /// When it expires.
    pub(super) fn expires(self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.exp, 0).unwrap_or_default()
    }
}

/// An id: a number, or the same in digits. `0017` is no id: two texts must not be one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) u64);

impl Id {
    /// Reads digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| is_plain).map(Self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Spelling {
            Number(u64),
            Digits(String),
        }
        let id = match Spelling::deserialize(deserializer)? {
            Spelling::Number(id) => Some(Self(id)).filter(|id| id.0 > 0),
            Spelling::Digits(text) => Self::parse(&text),
        };
        id.ok_or_else(|| de::Error::custom("not an id"))
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use rstest::rstest;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[rstest]
    #[case::good(NOW + 1800, Some(NOW), Ok(()))]
    #[case::without_iat(NOW + 1800, None, Ok(()))]
    #[case::over(NOW, Some(NOW - 60), Err(Unproven::Expired))]
    #[case::an_hour(NOW + 3660, Some(NOW), Ok(()))]
    #[case::more(NOW + 3661, Some(NOW), Err(Unproven::Times))]
    #[case::of_tomorrow(NOW + 1800, Some(NOW + 61), Err(Unproven::Times))]
    #[case::without_end(i64::MAX, None, Err(Unproven::Times))]
    fn a_token_is_good_for_an_hour_at_most(
        #[case] exp: i64,
        #[case] iat: Option<i64>,
        #[case] expected: Result<(), Unproven>,
    ) {
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        assert_eq!(
            Times {
                exp,
                iat,
                nbf: None
            }
            .check(now),
            expected
        );
        let early = Times {
            exp,
            iat: None,
            nbf: iat,
        };
        assert_eq!(early.check(now), expected);
    }

    /// As long as a token may be, and a byte longer. A longer one costs no signature.
    #[rstest]
    #[case::as_long_as_may_be(3001, 4096, true)]
    #[case::longer(3002, 4097, false)]
    fn a_token_that_is_longer_than_any_vendor_s_is_not_looked_at(
        #[case] issuer: usize,
        #[case] length: usize,
        #[case] is_taken: bool,
    ) {
        const SECRET: &[u8] = b"canary-secret-of-an-installation";
        let claims = serde_json::json!({"iss": "k".repeat(issuer)});
        let key = EncodingKey::from_secret(SECRET);
        let token = encode(&Header::default(), &claims, &key).unwrap();
        assert_eq!(token.len(), length);
        assert_eq!(super::issuer(&token).is_ok(), is_taken);
        let key = DecodingKey::from_secret(SECRET);
        let verified = verify::<serde_json::Value>(&token, &key, Algorithm::HS256);
        assert_eq!(verified.is_ok(), is_taken);
    }

    #[rstest]
    #[case("17", Some(17))]
    #[case("\"17\"", Some(17))]
    #[case("0", None)]
    #[case("\"017\"", None)]
    #[case("\"+17\"", None)]
    #[case("\"17 \"", None)]
    #[case("17.0", None)]
    #[case("-17", None)]
    #[case("\"\"", None)]
    #[case("null", None)]
    fn an_id_is_written_in_one_way(#[case] json: &str, #[case] expected: Option<u64>) {
        let id: Option<Id> = serde_json::from_str(json).ok();
        assert_eq!(id.map(|id| id.0), expected);
    }
}
