//! A pass: a JWT that names an operator, signed by the CRM or by `open-chat pass mint` with a key of ours.
//!
//! Whose operator it is decides the pass, never the URL. The algorithm is the key's, never the token's.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Validation, decode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::denied::Denied;
use super::hmac::Head;
use super::pass_keys::{PassKey, PassKeys};
use super::signed::Signed;

/// How far a CRM's clock may be off in `iat` and `nbf`.
const LEEWAY: i64 = 60;

/// The longest pass that is looked at. A JWT of an identity provider stays below.
pub(super) const MAX_PASS: usize = 4096;

/// What a good pass says.
#[derive(Debug)]
pub(super) struct Pass {
    /// The operator, by alias, id or name.
    pub(super) operator: String,
    /// Values that the pass fixes, under their parameters' names.
    pub(super) bound: Bound,
    /// The id that makes it one-time, and when it ends.
    pub(super) once: Option<(String, DateTime<Utc>)>,
    /// The key that it was signed with.
    pub(super) key: String,
}

/// Values that a pass fixes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// The client's phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The alpha name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The chat's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_raw_id: Option<String>,
}

impl PassKeys {
    /// Checks a pass: signature, times, issuer and audience. Which operators its key may speak for is checked where the operator is
    /// known.
    pub(super) fn check(&self, text: &str, now: DateTime<Utc>) -> Result<(Pass, &PassKey), Denied> {
        if text.len() > MAX_PASS {
            return Err(Denied::PassInvalid);
        }
        let signed = self.signed.get_or(text, || self.signed(text));
        let signed = signed.ok_or(Denied::PassInvalid)?;
        let key = self.keys.get(signed.key).ok_or(Denied::PassInvalid)?;
        key.read(&signed.claims, now).map(|pass| (pass, key))
    }

    fn signed(&self, text: &str) -> Option<Signed> {
        let head = Head::of(text)?;
        let claims = |(place, key): (usize, &PassKey)| Some((place, key.claims(text, &head)?));
        let (key, claims) = self.keys.iter().enumerate().find_map(claims)?;
        Some(Signed { key, claims })
    }
}

fn validation(key: &PassKey) -> Validation {
    let mut validation = Validation::new(key.algorithm);
    // Times are checked with the rest of the claims, on one clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.required_spec_claims.clear();
    validation.validate_aud = key.audience.is_some();
    if let Some(audience) = &key.audience {
        validation.set_audience(&[audience]);
        validation.required_spec_claims.insert("aud".into());
    }
    if let Some(issuer) = &key.issuer {
        validation.set_issuer(&[issuer]);
        validation.required_spec_claims.insert("iss".into());
    }
    validation
}

impl PassKey {
    /// What a pass says, if it was signed with this key, by its issuer, for its audience.
    fn claims(&self, text: &str, head: &Head) -> Option<Map<String, Value>> {
        let material = self.material_for(head.kid.as_deref())?;
        match &self.hmac {
            Some(hmac) if self.issuer.is_none() && self.audience.is_none() => {
                hmac.claims(text, head)
            }
            _ => {
                let token = decode(text, material, &validation(self));
                token.ok().map(|token| token.claims)
            }
        }
    }

    fn read(&self, claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<Pass, Denied> {
        let ends = self.check_times(claims, now.timestamp())?;
        let operator = at_path(claims, &self.operator_claim).ok_or(Denied::PassInvalid)?;
        let operator = format!("{}{operator}", self.operator_prefix);
        let bound = |name| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => text(value).map(Some).ok_or(Denied::PassInvalid),
        };
        let once = match claims.get("jti") {
            None => None,
            Some(jti) => Some((text(jti).ok_or(Denied::PassInvalid)?, ends)),
        };
        Ok(Pass {
            operator,
            bound: Bound {
                phone: bound("phone")?,
                source: bound("source")?,
                from: bound("from")?,
                chat_raw_id: bound("chat_raw_id")?,
            },
            once,
            key: self.id.clone(),
        })
    }

    /// When the pass ends, if it is in force now and not for too long.
    fn check_times(&self, claims: &Map<String, Value>, now: i64) -> Result<DateTime<Utc>, Denied> {
        let moment = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => whole(number).map(Some).ok_or(Denied::PassInvalid),
            Some(_) => Err(Denied::PassInvalid),
        };
        let max_ttl = i64::try_from(self.max_ttl.as_secs()).unwrap_or(i64::MAX);
        let begins = moment("iat")?.filter(|_| self.exp_from_iat);
        let ends = moment("exp")?
            .or_else(|| begins.map(|iat| iat.saturating_add(max_ttl)))
            .ok_or(Denied::PassInvalid)?;
        if ends <= now {
            return Err(Denied::PassExpired);
        }
        if ends - now > max_ttl.saturating_add(LEEWAY) {
            return Err(Denied::PassInvalid);
        }
        for begins in [moment("nbf")?, moment("iat")?].into_iter().flatten() {
            if begins > now + LEEWAY {
                return Err(Denied::PassInvalid);
            }
        }
        DateTime::from_timestamp(ends, 0).ok_or(Denied::PassInvalid)
    }
}

/// The whole seconds of a moment. RFC 7519 allows fractions, which do not matter here.
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let text = number.to_string();
        let (seconds, fraction) = text.split_once('.')?;
        // Not so `2.5e35`, which is no moment that anybody lives to see.
        let is_plain = fraction.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| seconds.parse().ok()).flatten()
    })
}

/// The text of the claim of this name, which may have dots in it (`https://crm.example/user`), or at this dotted path: `user.id`.
fn at_path(claims: &Map<String, Value>, path: &str) -> Option<String> {
    if let Some(value) = claims.get(path) {
        return text(value);
    }
    let mut names = path.split('.');
    let mut value = claims.get(names.next()?)?;
    for name in names {
        value = value.get(name)?;
    }
    text(value)
}

/// A text, or a whole number as text; not empty.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}
