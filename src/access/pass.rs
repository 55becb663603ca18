//! A pass: a JWT that names an operator, signed by the CRM or by `open-chat pass mint` with a key
//! of ours.
//!
//! Whose operator it is decides the pass, never the URL. The algorithm is the key's, never the
//! token's.

use chrono::{DateTime, Utc};
use jsonwebtoken::{decode, decode_header};
use serde::Serialize;
use serde_json::{Map, Value};

use super::denied::Denied;
use super::pass_keys::{PassKey, PassKeys};
use super::signed::Signed;
use crate::parameter;

/// How far a CRM's clock may be off in `iat` and `nbf`.
pub(super) const LEEWAY: i64 = 60;

/// The longest pass that is looked at. A JWT of an identity provider stays below.
pub(super) const MAX_PASS: usize = 4096;

/// What a good pass says.
#[derive(Debug)]
pub(super) struct Pass {
    /// The operator, by alias, id or name.
    pub(super) operator: String,
    /// Values that the pass fixes, under their parameters' names.
    pub(super) constraints: PassConstraints,
    /// The id that makes it one-time, and when it ends.
    pub(super) once: Option<(String, DateTime<Utc>)>,
    /// The key that it was signed with.
    pub(super) key: String,
}

/// Values that a pass fixes, as it has them: they are still to be read like those of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PassConstraints {
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
    /// Checks a pass: signature, times, issuer and audience. Which operators its key may speak for
    /// is checked where the operator is known.
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
        let header = decode_header(text).ok()?;
        // RFC 7515, 4.1.11: extensions that must be understood, none of which is understood here.
        if header.crit.is_some() {
            return None;
        }
        let kid = header.kid.as_deref();
        let claims = |(place, key): (usize, &PassKey)| Some((place, key.claims(text, kid)?));
        let (key, claims) = self.keys.iter().enumerate().find_map(claims)?;
        Some(Signed { key, claims })
    }
}

impl PassKey {
    /// What a pass says, if it was signed with this key, by its issuer, for its audience.
    fn claims(&self, text: &str, kid: Option<&str>) -> Option<Map<String, Value>> {
        let key = self.material_for(kid)?;
        let claims = decode::<Map<String, Value>>(text, key, &self.validation)
            .ok()?
            .claims;
        // RFC 7519, 4.1.3: a token for other audiences must be rejected, and without an audience of
        // its own the key is in none of them.
        (self.validation.aud.is_some() || !claims.contains_key("aud")).then_some(claims)
    }

    fn read(&self, claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<Pass, Denied> {
        let ends = self.check_times(claims, now.timestamp())?;
        let operator = at_path(claims, &self.operator_claim)
            .filter(|operator| !parameter::is_absent(operator))
            .ok_or(Denied::PassInvalid)?;
        let operator = format!("{}{operator}", self.operator_prefix);
        let constraints = |name| match claims.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => Ok(None),
            Some(value) => text(value)
                .map(|value| Some(value).filter(|value| !parameter::is_absent(value)))
                .ok_or(Denied::PassInvalid),
        };
        let once = match claims.get("jti") {
            None => None,
            Some(jti) => {
                let id = text(jti).filter(|id| !id.trim().is_empty());
                Some((id.ok_or(Denied::PassInvalid)?, ends))
            }
        };
        Ok(Pass {
            operator,
            constraints: PassConstraints {
                phone: constraints("phone")?,
                source: constraints("source")?,
                from: constraints("from")?,
                chat_raw_id: constraints("chat_raw_id")?,
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

/// The text of the claim of this name, which may have dots in it (`https://crm.example/user`), or
/// at this dotted path: `user.id`.
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

/// A text, or a whole number as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::access::pass_keys::tests::{SECRET, door};

    const NOW: i64 = 1_800_000_000;

    /// A pass that ends a minute after [`NOW`], where it says nothing else.
    fn signed(claims: &Value) -> String {
        let mut all = json!({"sub": "101", "exp": NOW + 60});
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
            if name == "exp" && value.is_null() {
                all.as_object_mut().unwrap().remove(name);
            }
        }
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        encode(&Header::default(), &all, &key).unwrap()
    }

    /// What a door with one key makes of a pass that is shown at [`NOW`].
    fn shown(lines: &str, pass: &str) -> Result<Pass, Denied> {
        let door = door(&format!("algorithm = \"HS256\"\n{lines}"));
        let keys = door.pass_keys.as_ref().unwrap().get();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let (pass, _) = keys.check(pass, now)?;
        Ok(pass)
    }

    fn read(lines: &str, claims: &Value) -> Result<Pass, Denied> {
        shown(lines, &signed(claims))
    }

    #[rstest]
    #[case::a_second_left(json!({"exp": NOW + 1}), None)]
    #[case::over(json!({"exp": NOW}), Some(Denied::PassExpired))]
    #[case::as_long_as_it_may_and_a_minute_for_clocks(json!({"exp": NOW + 660}), None)]
    #[case::longer(json!({"exp": NOW + 661}), Some(Denied::PassInvalid))]
    #[case::for_ever(json!({"exp": i64::MAX}), Some(Denied::PassInvalid))]
    #[case::long_ago(json!({"exp": i64::MIN}), Some(Denied::PassExpired))]
    #[case::fractions(json!({"exp": 1_800_000_001.5}), None)]
    #[case::fractions_that_are_over(json!({"exp": 1_800_000_000.5}), Some(Denied::PassExpired))]
    #[case::not_in_this_universe(json!({"nbf": 2.5e35}), Some(Denied::PassInvalid))]
    #[case::no_end(json!({"exp": null}), Some(Denied::PassInvalid))]
    #[case::an_end_in_words(json!({"exp": "tomorrow"}), Some(Denied::PassInvalid))]
    #[case::begins_a_minute_ahead(json!({"nbf": NOW + 60, "iat": NOW + 60}), None)]
    #[case::not_yet(json!({"nbf": NOW + 61}), Some(Denied::PassInvalid))]
    #[case::from_the_future(json!({"iat": NOW + 61}), Some(Denied::PassInvalid))]
    fn when_a_pass_is_in_force(#[case] claims: Value, #[case] denied: Option<Denied>) {
        assert_eq!(read("", &claims).err(), denied);
    }

    #[rstest]
    #[case::a_minute_left(json!({"exp": null, "iat": NOW - 540}), None)]
    #[case::over(json!({"exp": null, "iat": NOW - 600}), Some(Denied::PassExpired))]
    #[case::neither(json!({"exp": null}), Some(Denied::PassInvalid))]
    #[case::its_own_end_counts(json!({"exp": NOW + 60, "iat": NOW - 6000}), None)]
    fn a_vendor_s_token_without_an_end(#[case] claims: Value, #[case] denied: Option<Denied>) {
        assert_eq!(read("exp_from_iat = true", &claims).err(), denied);
        let claims = json!({"exp": null, "iat": NOW - 540});
        assert_eq!(read("", &claims).err(), Some(Denied::PassInvalid));
    }

    #[test]
    fn what_a_pass_fixes() {
        let claims =
            json!({"phone": 380_501_234_567_u64, "source": 0, "from": "Acme", "chat_raw_id": null});
        let pass = read("", &claims).unwrap();
        let constraints = PassConstraints {
            phone: Some("380501234567".into()),
            source: Some("0".into()),
            from: Some("Acme".into()),
            chat_raw_id: None,
        };
        assert_eq!((pass.constraints, pass.once), (constraints, None));
        assert_eq!((&*pass.operator, &*pass.key), ("101", "crm"));
        for name in ["phone", "source", "from", "chat_raw_id"] {
            for value in [json!(-1), json!(1.5), json!([]), json!(true)] {
                let denied = read("", &json!({name: value})).err();
                assert_eq!(denied, Some(Denied::PassInvalid), "{name} {value}");
            }
            for value in [json!(""), json!(" "), json!("None"), json!(false)] {
                let constraints = read("", &json!({name: value})).unwrap().constraints;
                assert_eq!(constraints, PassConstraints::default(), "{name} {value}");
            }
        }
    }

    #[rstest]
    #[case::text(json!("one"), Ok("one"))]
    #[case::number(json!(7), Ok("7"))]
    #[case::empty(json!(""), Err(Denied::PassInvalid))]
    #[case::null(json!(null), Err(Denied::PassInvalid))]
    fn an_id_makes_it_one_time(#[case] jti: Value, #[case] id: Result<&str, Denied>) {
        let pass = read("", &json!({"jti": jti}));
        let ends = DateTime::from_timestamp(NOW + 60, 0).unwrap();
        let once = pass.map(|pass| pass.once.unwrap());
        assert_eq!(once, id.map(|id| (id.to_owned(), ends)));
    }

    #[rstest]
    #[case::subject("", json!({"sub": 102}), Ok("102"))]
    #[case::nobody("", json!({"sub": ""}), Err(Denied::PassInvalid))]
    #[case::no_value("", json!({"sub": "undefined"}), Err(Denied::PassInvalid))]
    #[case::no_value_behind_a_prefix("operator_prefix = \"kommo-\"", json!({"sub": "null"}), Err(Denied::PassInvalid))]
    #[case::not_repaired("", json!({"sub": "101\u{200b}"}), Ok("101\u{200b}"))]
    #[case::a_claim("operator_claim = \"agent\"", json!({"agent": "ann"}), Ok("ann"))]
    #[case::a_path("operator_claim = \"user.id\"", json!({"user": {"id": 5}}), Ok("5"))]
    #[case::dots_in_a_name("operator_claim = \"https://crm.example/user\"", json!({"https://crm.example/user": "ann"}), Ok("ann"))]
    #[case::a_path_that_ends_early("operator_claim = \"user.id\"", json!({"user": "ann"}), Err(Denied::PassInvalid))]
    #[case::prefixed("operator_prefix = \"kommo-\"", json!({"sub": 5}), Ok("kommo-5"))]
    #[case::the_issuer("issuer = \"crm\"", json!({"iss": "crm"}), Ok("101"))]
    #[case::another_issuer("issuer = \"crm\"", json!({"iss": "erp"}), Err(Denied::PassInvalid))]
    #[case::no_issuer("issuer = \"crm\"", json!({}), Err(Denied::PassInvalid))]
    #[case::an_audience("audience = \"chat\"", json!({"aud": ["x", "chat"]}), Ok("101"))]
    #[case::another_audience("audience = \"chat\"", json!({"aud": "x"}), Err(Denied::PassInvalid))]
    #[case::no_audience("audience = \"chat\"", json!({}), Err(Denied::PassInvalid))]
    #[case::an_audience_that_nobody_asks_for("", json!({"aud": "x"}), Err(Denied::PassInvalid))]
    #[case::an_audience_and_an_issuer("issuer = \"crm\"", json!({"aud": "x", "iss": "crm"}), Err(Denied::PassInvalid))]
    #[case::an_empty_audience("", json!({"aud": []}), Err(Denied::PassInvalid))]
    #[case::no_audience_in_so_many_words("", json!({"aud": null}), Err(Denied::PassInvalid))]
    #[case::an_issuer_that_nobody_asks_for("", json!({"iss": "y"}), Ok("101"))]
    fn who_is_named(
        #[case] lines: &str,
        #[case] claims: Value,
        #[case] operator: Result<&str, Denied>,
    ) {
        let named = read(lines, &claims).map(|pass| pass.operator);
        assert_eq!(named, operator.map(str::to_owned));
    }

    #[rstest]
    #[case(Algorithm::HS256)]
    #[case(Algorithm::HS384)]
    #[case(Algorithm::HS512)]
    fn a_key_accepts_its_own_algorithm_alone(#[case] algorithm: Algorithm) {
        let claims = json!({"sub": "101", "exp": NOW + 60});
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let pass = encode(&Header::new(algorithm), &claims, &key).unwrap();
        let is_accepted = shown("", &pass).is_ok();
        assert_eq!(is_accepted, algorithm == Algorithm::HS256);
    }

    #[test]
    fn a_pass_that_was_changed_anywhere_is_refused() {
        let door = door("algorithm = \"HS256\"");
        let keys = door.pass_keys.as_ref().unwrap().get();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let pass = signed(&json!({}));
        for place in 0..pass.len() {
            for byte in [b'A', b'.', b'=', b'+', b'_', b' '] {
                let mut changed = pass.clone().into_bytes();
                changed[place] = byte;
                let changed = String::from_utf8(changed).unwrap();
                let is_accepted = keys.check(&changed, now).is_ok();
                assert_eq!(is_accepted, changed == pass, "{place}");
            }
        }
        for cut in 0..pass.len() {
            assert!(keys.check(&pass[..cut], now).is_err());
        }
        assert!(keys.check(&format!("{pass}.{pass}"), now).is_err());
    }

    #[test]
    fn a_header_extension_that_must_be_understood_is_refused() {
        let mut header = Header::default();
        header.crit = Some(vec!["exp".into()]);
        let claims = json!({"sub": "101", "exp": NOW + 60});
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let pass = encode(&header, &claims, &key).unwrap();
        assert_eq!(shown("", &pass).err(), Some(Denied::PassInvalid));
    }

    #[test]
    fn the_longest_has_4096_bytes() {
        let passes = (2950..3000).map(|length| signed(&json!({"from": "a".repeat(length)})));
        let (longest, longer): (Vec<_>, Vec<_>) = passes
            .filter(|pass| (4096..4100).contains(&pass.len()))
            .partition(|pass| pass.len() == 4096);
        assert!(!longest.is_empty() && !longer.is_empty());
        assert!(longest.iter().all(|pass| shown("", pass).is_ok()));
        assert!(longer.iter().all(|pass| shown("", pass).is_err()));
    }
}
