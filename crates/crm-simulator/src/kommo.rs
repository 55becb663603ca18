//! Kommo: the one-time token that a widget gets for a click (developers.kommo.com, one-time tokens;
//! amocrm/amocrm-api-php, `examples/parse_disposable_token.php`), and a page of its with a widget.

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

/// A page of Kommo's with a widget installed, as far as the widget needs Kommo: `define`, the
/// methods of a widget, and clicks on phones. It asks the page's own `/token` for the token of each
/// `$authorizedAjax`; what answers there signs it with [`token`].
pub struct Host {
    /// jQuery, which Kommo's pages have.
    pub jquery: String,
    /// The widget's `script.js`.
    pub script: String,
    /// The widget's `i18n/en.json`.
    pub messages: String,
}

impl Host {
    /// The page of a contact with these phones: buttons `phone-0`, `phone-1` and so on.
    pub fn page(&self, phones: &[&str]) -> String {
        let phones = serde_json::json!(phones).to_string();
        include_str!("kommo.html")
            .replace("PHONES", &phones)
            .replace("MESSAGES", &self.messages)
            .replace("WIDGET", &self.script)
            .replace("JQUERY", &self.jquery)
    }
}
