//! Pipedrive: the token of a custom panel, a company's API as far as a panel needs it, and a page
//! of its with a panel in a frame (pipedrive.readme.io, "Custom UI extensions";
//! github.com/pipedrive/app-extensions-sdk; npm's `pipedrive` for the answers).

use chrono::Utc;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{Fault, Received, Simulator};

/// How long a token is good, in seconds.
pub const TTL: i64 = 5 * 60;

/// The claims of a token that was made so many seconds ago. `userId` and `companyId` are
/// documented; the times are what such tokens have.
pub fn claims(company: u64, user: u64, age: i64) -> Value {
    let made = Utc::now().timestamp() - age;
    json!({"userId": user, "companyId": company, "iat": made, "exp": made + TTL})
}

/// A token of these claims; empty where it cannot be signed.
pub fn token(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), claims, &key).unwrap_or_default()
}

/// What Pipedrive adds to the address of a panel beside a record.
pub fn query(token: &str, company: u64, user: u64, resource: &str, id: u64) -> String {
    format!(
        "resource={resource}&view=details&userId={user}&companyId={company}&selectedIds={id}&token={token}&id={FRAME}&theme=light"
    )
}

/// The id of a frame, by which its page tells that it is there.
pub const FRAME: &str = "b4f5a1c2-0a0a-4d8e-9a54-0d5c2f1f7d3b";

/// A company, whose API is on a port of its own.
pub struct Company {
    simulator: Simulator,
    api_token: String,
}

impl Company {
    /// Starts it without records. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// No port is free.
    pub fn start(api_token: &str) -> std::io::Result<Self> {
        Ok(Self {
            simulator: Simulator::start()?,
            api_token: api_token.to_owned(),
        })
    }

    /// `http://127.0.0.1:41234`
    pub fn origin(&self) -> String {
        self.simulator.origin()
    }

    /// Adds a person with these phones, which these users may see.
    pub fn person(&self, id: u64, phones: &[&str], users: &[u64]) {
        let phone = |(place, phone): (usize, &&str)| json!({"value": phone, "primary": place == 0, "label": "work"});
        let phones: Vec<_> = phones.iter().enumerate().map(phone).collect();
        let person = json!({"id": id, "name": "John Smith", "phones": phones, "emails": []});
        self.record("persons", id, person, users);
    }

    /// Adds a deal, which these users may see.
    pub fn deal(&self, id: u64, person: Option<u64>, users: &[u64]) {
        let deal = json!({"id": id, "title": "A deal", "person_id": person, "org_id": null});
        self.record("deals", id, deal, users);
    }

    fn record(&self, records: &str, id: u64, data: Value, users: &[u64]) {
        self.answer(&format!("/api/v2/{records}/{id}"), data);
        self.answer(
            &format!("/api/v1/{records}/{id}/permittedUsers"),
            json!(users),
        );
    }

    fn answer(&self, path: &str, data: Value) {
        let api_token = self.api_token.clone();
        self.simulator.respond(path, move |call| {
            if call.api_token.as_ref() == Some(&api_token) {
                (200, json!({"success": true, "data": data}))
            } else {
                let error = "unauthorized access";
                (
                    401,
                    json!({"success": false, "error": error, "errorCode": 401}),
                )
            }
        });
    }

    /// Shows a page with a panel in a frame, and returns the page's address. The frame is shown
    /// when its page has said that it is there; all that it has said is in `said`.
    pub fn show(&self, panel: &str) -> String {
        let page = include_str!("pipedrive.html")
            .replace("%address%", &panel.replace('&', "&amp;"))
            .replace("%frame%", FRAME);
        self.simulator.show("/deal/30", page);
        format!("{}/deal/30", self.origin())
    }

    /// Shows a page of another kind, and returns its address.
    pub fn show_page(&self, path: &str, html: String) -> String {
        self.simulator.show(path, html);
        format!("{}{path}", self.origin())
    }

    /// The requests that it got, in their order.
    pub fn received(&self) -> Vec<Received> {
        self.simulator.received()
    }

    /// The next request of this path fails so.
    pub fn fail_next(&self, path: &str, fault: Fault) {
        self.simulator.fail_next(path, fault);
    }
}
