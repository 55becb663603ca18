//! HubSpot: what its servers make of a card's `hubspot.fetch` (developers.hubspot.com, request
//! validation; `Signature` of npm's `@hubspot/api-client`), and a page of its with a card.
//!
//! That HubSpot appends these four parameters, in this order, is told by two public repositories
//! and by no page of HubSpot's.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use url::form_urlencoded::byte_serialize;

/// A user who looks at a card.
#[derive(Clone, Copy, Debug)]
pub struct User<'a> {
    /// The user's number.
    pub id: u64,
    /// The portal's number.
    pub portal: u64,
    /// The user's address.
    pub email: &'a str,
    /// The number of the app that the card belongs to.
    pub app: u64,
}

impl User<'_> {
    /// The address that HubSpot's servers ask in the place of a card's.
    pub fn address(&self, cards: &str) -> String {
        let mut address = cards.to_owned();
        address.push(if cards.contains('?') { '&' } else { '?' });
        let email: String = byte_serialize(self.email.as_bytes()).collect();
        let Self {
            id, portal, app, ..
        } = self;
        // A String takes what it is given.
        let _ = write!(
            address,
            "userId={id}&portalId={portal}&userEmail={email}&appId={app}"
        );
        address
    }
}

/// The headers of a `GET` of now: signature and time.
pub fn signed_now(address: &str, secret: &str) -> [(&'static str, String); 2] {
    signed(address, secret, Utc::now().timestamp_millis())
}

/// The same of another time, in milliseconds.
pub fn signed(address: &str, secret: &str, timestamp: i64) -> [(&'static str, String); 2] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let text = format!("GET{address}{timestamp}");
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    [
        ("X-HubSpot-Signature-v3", signature),
        ("X-HubSpot-Request-Timestamp", timestamp.to_string()),
    ]
}

/// A page of HubSpot's with a card, as far as the card needs HubSpot: React, the components, the
/// record's properties, and `hubspot.fetch`, for which it asks the page's own `/fetch/` and the
/// address, percent-encoded. What answers there gives `{"status", "body"}`.
pub struct Host {
    /// React, as a script for browsers.
    pub react: String,
    /// React's part for browsers, likewise.
    pub react_dom: String,
    /// The card's modules, by the names that they import each other by: `CommonJS`.
    pub modules: serde_json::Value,
}

impl Host {
    /// The page of a record: `objectTypeId`, `language`, `properties`, and `associated` records
    /// with `objectTypeId` and `properties`.
    pub fn page(&self, record: &serde_json::Value) -> String {
        // What would end the script does not.
        let json = |value: &serde_json::Value| value.to_string().replace("</", "<\\/");
        include_str!("hubspot.html")
            .replace("%record%", &json(record))
            .replace("%modules%", &json(&self.modules))
            .replace("%react-dom%", &self.react_dom)
            .replace("%react%", &self.react)
    }
}
