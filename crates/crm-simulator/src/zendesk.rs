//! Zendesk: the token that it posts with an app's first page (developer.zendesk.com,
//! "Authenticating Zendesk in your server-side app"), and a page of its with an app in a frame, as
//! far as the app needs Zendesk: the messages of the Zendesk App Framework, as its SDK reads and
//! writes them (`lib/client.js` of `zendesk/zendesk_app_framework_sdk`).

use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// How long a token is good here, in seconds. Zendesk does not document it.
pub const TTL: i64 = 5 * 60;

/// The claims of a token, as far as they are known. `account` is an origin.
pub fn claims(account: &str, installation: u64, user: u64, jti: &str) -> Value {
    let now = Utc::now().timestamp();
    let host = account.split_once("://").map_or(account, |(_, host)| host);
    json!({
        "iss": host,
        "aud": format!("{account}/api/v2/apps/installations/{installation}.json"),
        "sub": format!("{account}/api/v2/users/{user}.json"),
        "jti": jti,
        "iat": now,
        "nbf": now,
        "exp": now + TTL,
        "context": {"product": "support", "location": "ticket_sidebar"},
    })
}

/// A token of these claims, signed with a private key in PEM; empty where it cannot be signed.
pub fn token(claims: &Value, private_key: &str) -> String {
    let key = EncodingKey::from_rsa_pem(private_key.as_bytes());
    key.and_then(|key| encode(&Header::new(Algorithm::RS256), claims, &key))
        .unwrap_or_default()
}

/// A page of Zendesk's with an app in it.
pub struct Host {
    /// The app's address. `origin` and `app_guid` are added, as Zendesk does.
    pub app: String,
    /// The origin of this page.
    pub origin: String,
    /// What the form has.
    pub token: String,
    /// Where the app is shown: `ticket_sidebar`, `user_sidebar`.
    pub location: String,
    /// Whether the framework answers.
    pub answers: bool,
    /// The ticket's requester, or the user of the page: `identities` as the framework says them,
    /// and `phone`, which the API alone has.
    pub user: Value,
    /// How wide the sidebar is, in pixels.
    pub width: u32,
}

impl Host {
    /// The page. `show(user)` in it changes the requester.
    pub fn page(&self) -> String {
        let address = url::Url::parse(&self.app).map(|mut address| {
            let mut query = address.query_pairs_mut();
            query.append_pair("origin", &self.origin);
            query.append_pair("app_guid", "4f0d9b1e-0a0a-4d8e-9a54-0d5c2f1f7d3b");
            drop(query);
            String::from(address)
        });
        let address = address.unwrap_or_default().replace('&', "&amp;");
        include_str!("zendesk.html")
            .replace("ADDRESS", &address)
            .replace("TOKEN", &self.token)
            .replace("LOCATION", &json!(self.location).to_string())
            .replace("ANSWERS", &json!(self.answers).to_string())
            .replace("WIDTH", &self.width.to_string())
            .replace("USER", &self.user.to_string())
    }
}
