//! The checks of an operator token before it is returned.
//!
//! Only ChatHub can check the signature, and it does not document the claims. So the token must
//! have the form of a JWT, claims that are present must fit, and absent claims are accepted. This
//! keeps an agent out of another operator's panel and off the panel's login page.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::answer;
use crate::error::{BadAnswer, ErrorKind};
use crate::jwt::Claims;
use crate::types::{OperatorId, OperatorToken};
use secrecy::SecretString;

/// The claims in which the operator's id has been seen, or is likely.
const OPERATOR: [&str; 2] = ["operator_id", "operatorId"];

/// Reads the answer that holds an operator token: in any form that a token comes in, and a JWT.
pub(crate) fn read(body: &[u8]) -> Result<SecretString, ErrorKind> {
    let secret = answer::token(body)?;
    Claims::of(&secret)
        .map(|_| secret)
        .ok_or(ErrorKind::BadAnswer(BadAnswer::NoJwt))
}

/// The token, if it is this operator's as far as it says and has not expired. It expires at
/// `asked`, or earlier where it says so itself. `now` is the time on ChatHub's clock.
pub(crate) fn check(
    secret: SecretString,
    operator: OperatorId,
    asked: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<OperatorToken, BadAnswer> {
    let claims = Claims::of(&secret).ok_or(BadAnswer::NoJwt)?;
    let is_anothers = |value: &Value| number(value) != i64::try_from(operator.0).ok();
    if OPERATOR
        .iter()
        .filter_map(|name| claims.get(name))
        .any(is_anothers)
    {
        return Err(BadAnswer::OtherOperator);
    }
    let expires_at = match claims.get("exp") {
        None => asked,
        // An end that is beyond all dates is later than any that is asked for.
        Some(exp) => DateTime::from_timestamp(number(exp).ok_or(BadAnswer::NoJwt)?, 0)
            .map_or(asked, |end| end.min(asked)),
    };
    if expires_at <= now {
        return Err(BadAnswer::TokenEnded);
    }
    Ok(OperatorToken { secret, expires_at })
}

/// A whole number, also as a text or with a fraction (JWT allows one in `exp`).
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let number = number.as_f64()?.trunc();
            // Beyond this a fraction has no place, and neither has a date.
            (number.abs() < 9e15).then(|| format!("{number:.0}").parse().ok())?
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
    use rstest::rstest;

    use super::*;

    /// 2026-11-22 01:10:38 UTC.
    const NOW: i64 = 1_795_309_838;

    fn checked(claims: &str) -> Result<i64, BadAnswer> {
        let claims = URL_SAFE_NO_PAD.encode(claims);
        let secret = SecretString::from(format!("eyJhbGciOiJIUzI1NiJ9.{claims}.c2ln"));
        let at = |seconds| DateTime::from_timestamp(NOW + seconds, 0).unwrap();
        check(secret, OperatorId(101), at(3600), at(0))
            .map(|token| token.expires_at.timestamp() - NOW)
    }

    #[rstest]
    #[case::nothing("{}", Ok(3600))]
    #[case::as_asked(r#"{"operator_id":101,"exp":1795313438}"#, Ok(3600))]
    #[case::earlier(r#"{"operator_id":101,"exp":1795310438}"#, Ok(600))]
    #[case::later(r#"{"operator_id":101,"exp":1999999999}"#, Ok(3600))]
    #[case::beyond_all_dates(r#"{"exp":9000000000000000}"#, Ok(3600))]
    #[case::with_a_fraction(r#"{"exp":1795310438.75}"#, Ok(600))]
    #[case::as_texts(r#"{"operatorId":"101","exp":"1795310438"}"#, Ok(600))]
    #[case::null(r#"{"operator_id":null,"exp":null}"#, Ok(3600))]
    #[case::the_last_second(r#"{"exp":1795309839}"#, Ok(1))]
    #[case::ends_now(r#"{"exp":1795309838}"#, Err(BadAnswer::TokenEnded))]
    #[case::ended(r#"{"exp":-1}"#, Err(BadAnswer::TokenEnded))]
    #[case::no_moment(r#"{"exp":true}"#, Err(BadAnswer::NoJwt))]
    #[case::another(r#"{"operator_id":102}"#, Err(BadAnswer::OtherOperator))]
    #[case::half_an_operator(r#"{"operator_id":{"id":101}}"#, Err(BadAnswer::OtherOperator))]
    #[case::two(
        r#"{"operator_id":101,"operatorId":102}"#,
        Err(BadAnswer::OtherOperator)
    )]
    #[case::a_list("[]", Err(BadAnswer::NoJwt))]
    fn what_is_there_must_fit(#[case] claims: &str, #[case] expected: Result<i64, BadAnswer>) {
        assert_eq!(checked(claims), expected);
    }

    #[rstest]
    #[case::jwt("\"eyJhbGciOiJIUzI1NiJ9.e30.c2ln\"", true)]
    #[case::padded("\"eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ==.c2ln\"", true)]
    #[case::words("maintenance", false)]
    #[case::no_signature("\"eyJhbGciOiJIUzI1NiJ9.e30.\"", false)]
    #[case::no_object("\"eyJhbGciOiJIUzI1NiJ9.W10.c2ln\"", false)]
    #[case::other_base64("\"eyJhbGciOiJIUzI1NiJ9.+/+/.c2ln\"", false)]
    fn only_a_jwt_is_a_token(#[case] body: &str, #[case] is_token: bool) {
        let expected = if is_token {
            Ok(())
        } else {
            Err(ErrorKind::BadAnswer(BadAnswer::NoJwt))
        };
        assert_eq!(read(body.as_bytes()).map(drop), expected);
    }
}
