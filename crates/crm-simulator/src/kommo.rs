//! Kommo: the one-time token that a widget gets for a click (developers.kommo.com, one-time tokens;
//! amocrm/amocrm-api-php, `examples/parse_disposable_token.php`).

use chrono::Utc;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

/// How long a token is good, in seconds.
pub const TTL: i64 = 30 * 60;

/// The claims of a token, as Kommo documents them.
pub fn claims(account: &str, audience: &str, user: u64, jti: &str) -> Value {
    let now = Utc::now().timestamp();
    json!({
        "iss": account,
        "aud": audience,
        "jti": jti,
        "iat": now,
        "nbf": now,
        "exp": now + TTL,
        "account_id": 12_345_678,
        "subdomain": "acme",
        "client_uuid": "a8a5a5f0-0a0a-4d8e-9a54-0d5c2f1f7d3b",
        "user_id": user,
        "is_admin": false,
    })
}

/// A token of these claims; empty where it cannot be signed.
pub fn token(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), claims, &key).unwrap_or_default()
}
