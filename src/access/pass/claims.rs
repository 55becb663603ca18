//! The claims of a pass whose signature is valid: when it is in force, which operator it names and
//! which parameters it fixes.

use chrono::{DateTime, Utc};
use serde_json::{Map, Number, Value};

use super::{LEEWAY, Pass, PassConstraints, PassKey};
use crate::access::Denied;
use crate::parameter;

impl PassKey {
    /// Reads the claims of a pass, if it is in force now.
    pub(super) fn read(
        &self,
        claims: &Map<String, Value>,
        now: DateTime<Utc>,
    ) -> Result<Pass, Denied> {
        let expires = self.check_times(claims, now.timestamp())?;
        let operator = at_path(claims, &self.operator_claim)
            .filter(|operator| !parameter::is_absent(operator))
            .ok_or(Denied::PassInvalid)?;
        Ok(Pass {
            operator: format!("{}{operator}", self.operator_prefix),
            constraints: PassConstraints {
                phone: constraint(claims, "phone")?,
                source: constraint(claims, "source")?,
                from: constraint(claims, "from")?,
                chat_raw_id: constraint(claims, "chat_raw_id")?,
            },
            one_time: one_time_id(claims)?.map(|id| (id, expires)),
        })
    }

    /// When the pass expires, if it is in force now and not for too long.
    fn check_times(&self, claims: &Map<String, Value>, now: i64) -> Result<DateTime<Utc>, Denied> {
        let max_ttl = i64::try_from(self.max_ttl.as_secs()).unwrap_or(i64::MAX);
        let iat = timestamp(claims, "iat")?;
        let from_iat = iat.filter(|_| self.exp_from_iat);
        let expires = timestamp(claims, "exp")?
            .or_else(|| from_iat.map(|iat| iat.saturating_add(max_ttl)))
            .ok_or(Denied::PassInvalid)?;
        if expires <= now {
            return Err(Denied::PassExpired);
        }
        if expires - now > max_ttl.saturating_add(LEEWAY) {
            return Err(Denied::PassInvalid);
        }
        let begins = timestamp(claims, "nbf")?.max(iat);
        if begins.is_some_and(|begins| begins > now + LEEWAY) {
            return Err(Denied::PassInvalid);
        }
        DateTime::from_timestamp(expires, 0).ok_or(Denied::PassInvalid)
    }
}

fn timestamp(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Denied> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => whole_seconds(number).map(Some).ok_or(Denied::PassInvalid),
        Some(_) => Err(Denied::PassInvalid),
    }
}

/// RFC 7519 allows fractions of a second, which do not matter here.
fn whole_seconds(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let text = number.to_string();
        let (seconds, fraction) = text.split_once('.')?;
        // Not an exponent, as in `2.5e35`: such a moment is out of any range.
        let is_plain = fraction.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| seconds.parse().ok()).flatten()
    })
}

/// The `jti` that makes a pass one-time.
fn one_time_id(claims: &Map<String, Value>) -> Result<Option<String>, Denied> {
    let Some(jti) = claims.get("jti") else {
        return Ok(None);
    };
    let id = text(jti).filter(|id| !id.trim().is_empty());
    id.map(Some).ok_or(Denied::PassInvalid)
}

fn constraint(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, Denied> {
    match claims.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(value) => text(value)
            .map(|value| Some(value).filter(|value| !parameter::is_absent(value)))
            .ok_or(Denied::PassInvalid),
    }
}

/// The text of the claim with this name, which may contain dots (`https://crm.example/user`), or
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

/// A text, or a whole number as a text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::access::pass::tests::{NOW, signed, verify};

    fn read(lines: &str, claims: &Value) -> Result<Pass, Denied> {
        verify(lines, &signed(claims))
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
    fn a_pass_is_valid_for_its_time(#[case] claims: Value, #[case] denied: Option<Denied>) {
        assert_eq!(read("", &claims).err(), denied);
    }

    #[rstest]
    #[case::a_minute_left(json!({"exp": null, "iat": NOW - 540}), None)]
    #[case::over(json!({"exp": null, "iat": NOW - 600}), Some(Denied::PassExpired))]
    #[case::neither(json!({"exp": null}), Some(Denied::PassInvalid))]
    #[case::its_own_end_counts(json!({"exp": NOW + 60, "iat": NOW - 6000}), None)]
    fn a_vendor_s_token_without_exp(#[case] claims: Value, #[case] denied: Option<Denied>) {
        assert_eq!(read("exp_from_iat = true", &claims).err(), denied);
        let claims = json!({"exp": null, "iat": NOW - 540});
        assert_eq!(read("", &claims).err(), Some(Denied::PassInvalid));
    }

    #[test]
    fn a_pass_fixes_parameters() {
        let claims =
            json!({"phone": 380_501_234_567_u64, "source": 0, "from": "Acme", "chat_raw_id": null});
        let pass = read("", &claims).unwrap();
        let constraints = PassConstraints {
            phone: Some("380501234567".into()),
            source: Some("0".into()),
            from: Some("Acme".into()),
            chat_raw_id: None,
        };
        assert_eq!((pass.constraints, pass.one_time), (constraints, None));
        assert_eq!(pass.operator, "101");
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
        let expires = DateTime::from_timestamp(NOW + 60, 0).unwrap();
        let one_time = pass.map(|pass| pass.one_time.unwrap());
        assert_eq!(one_time, id.map(|id| (id.to_owned(), expires)));
    }

    #[rstest]
    #[case::subject("", json!({"sub": 102}), Ok("102"))]
    #[case::empty("", json!({"sub": ""}), Err(Denied::PassInvalid))]
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
    #[case::an_audience_where_none_is_expected("", json!({"aud": "x"}), Err(Denied::PassInvalid))]
    #[case::an_audience_and_an_issuer("issuer = \"crm\"", json!({"aud": "x", "iss": "crm"}), Err(Denied::PassInvalid))]
    #[case::an_empty_audience("", json!({"aud": []}), Err(Denied::PassInvalid))]
    #[case::no_audience_in_so_many_words("", json!({"aud": null}), Err(Denied::PassInvalid))]
    #[case::an_issuer_where_none_is_expected("", json!({"iss": "y"}), Ok("101"))]
    fn a_pass_names_an_operator(
        #[case] lines: &str,
        #[case] claims: Value,
        #[case] operator: Result<&str, Denied>,
    ) {
        let named = read(lines, &claims).map(|pass| pass.operator);
        assert_eq!(named, operator.map(str::to_owned));
    }
}
