//! HubSpot's proof: signature v3 over the request that a card has made with `hubspot.fetch`, and
//! the parameters that HubSpot appends to it (developers.hubspot.com, request validation;
//! `Signature` of npm's `@hubspot/api-client`).
//!
//! The signature is the app's, and counts for whatever its cards ask. Who the agent is stands in
//! the four parameters that HubSpot puts at the end; that it always does so is second-hand.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use url::form_urlencoded;

use super::config::Hubspot;
use super::token::Id;
use super::{Connectors, ProvenAgent, Refusal, Unproven, Vendor};
use crate::access::{Denied, OneTimeUse};

/// How old a request may be.
const MAX_AGE: TimeDelta = TimeDelta::minutes(5);

/// How far ahead of this service's clock HubSpot's may be.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// What HubSpot's page tells to decode in the address before it is signed.
const DECODED: &[u8; 12] = b":/?@!$'()*,;";

/// A `GET` of HubSpot's servers, as it shows itself. Without `Debug`, which would print the phone
/// and the signature.
#[derive(Clone, Copy)]
pub struct HubspotRequest<'a> {
    /// The public address of the connector, without a query.
    pub address: &'a str,
    /// The query as it was sent.
    pub query: &'a str,
    /// `X-HubSpot-Signature-v3`
    pub signature: Option<&'a str>,
    /// `X-HubSpot-Request-Timestamp`
    pub timestamp: Option<&'a str>,
}

impl HubspotRequest<'_> {
    /// The number of the portal that it says it is from. Nothing of it is proven.
    pub fn portal(&self) -> Option<u64> {
        Appended::read(self.query).map(|appended| appended.portal)
    }
}

impl Connectors {
    /// The agent whose card has asked. The proof is good once.
    ///
    /// # Errors
    /// It is not HubSpot's, not of now, or for another portal or app than is listed.
    pub fn prove_hubspot(
        &self,
        request: HubspotRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<ProvenAgent, Refusal> {
        let signature = request.signature.ok_or(Unproven::Missing)?;
        let timestamp = request.timestamp.ok_or(Unproven::Missing)?;
        let appended = Appended::read(request.query).ok_or(Unproven::Appended)?;
        let mut portals = self.hubspot.iter();
        let portal = portals
            .find(|portal| portal.portal == appended.portal)
            .ok_or(Refusal::NotListed)?;
        let signature = portal.verify(&request, signature, timestamp)?;
        let ends = check_time(timestamp, now)?;
        if portal.app_id != appended.app {
            return Err(Unproven::Account.into());
        }
        let key = format!("hubspot {}", portal.section.installation);
        let once = OneTimeUse::new(&key, &hex::encode(signature), ends);
        Ok(ProvenAgent {
            connector: Vendor::Hubspot,
            installation: portal.section.installation.clone(),
            vendor_user_id: appended.user,
            email: appended.email,
            proven_at: now,
            one_time_use: Some(once.denied_as(Denied::ConnectorTokenUsed)),
        })
    }
}

impl Hubspot {
    /// The bytes of the right signature, of the address as it was sent or decoded.
    fn verify(
        &self,
        request: &HubspotRequest<'_>,
        signature: &str,
        timestamp: &str,
    ) -> Result<Vec<u8>, Unproven> {
        let signature = STANDARD
            .decode(signature)
            .map_err(|_| Unproven::Signature)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.client_secret.expose().as_bytes());
        let uri = format!("{}?{}", request.address, request.query);
        let is_signed = |uri: &str| {
            let text = format!("GET{uri}{timestamp}");
            hmac::verify(&key, text.as_bytes(), &signature).is_ok()
        };
        if is_signed(&uri) || is_signed(&decoded(&uri)) {
            Ok(signature)
        } else {
            Err(Unproven::Signature)
        }
    }
}

/// An address with the twelve characters decoded, and nothing else, once.
fn decoded(uri: &str) -> String {
    let mut pieces = uri.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or(("", piece));
        let byte = u8::from_str_radix(digits, 16).ok();
        if let Some(byte) = byte.filter(|byte| DECODED.contains(byte)) {
            text.push(byte.into());
            text.push_str(rest);
        } else {
            text.push('%');
            text.push_str(piece);
        }
    }
    text
}

/// When a request of this time, in milliseconds, is too old.
fn check_time(timestamp: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Unproven> {
    let milliseconds: Option<i64> = timestamp.parse().ok();
    let sent = milliseconds.and_then(DateTime::from_timestamp_millis);
    let sent = sent.ok_or(Unproven::Times)?;
    let age = now.signed_duration_since(sent);
    if age > MAX_AGE {
        return Err(Unproven::Expired);
    }
    if -age > LEEWAY {
        return Err(Unproven::Times);
    }
    Ok(sent + MAX_AGE)
}

/// What HubSpot appends to a card's request.
#[derive(Debug, PartialEq, Eq)]
struct Appended {
    user: u64,
    portal: u64,
    app: u64,
    email: Option<String>,
}

impl Appended {
    const NAMES: [&str; 4] = ["userId", "portalId", "userEmail", "appId"];

    /// Reads them, if each is there once, in any spelling, and they are the last four: what a card
    /// has written by itself stands before them.
    fn read(query: &str) -> Option<Self> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let (cards, hubspots) = pairs.split_at_checked(pairs.len().checked_sub(4)?)?;
        let is = |name: &str, wanted: &str| name.trim().eq_ignore_ascii_case(wanted);
        let is_hubspots = |name: &str| Self::NAMES.iter().any(|wanted| is(name, wanted));
        if cards.iter().any(|(name, _)| is_hubspots(name)) {
            return None;
        }
        let value = |wanted| {
            let found = hubspots.iter().find(|(name, _)| is(name, wanted));
            found.map(|(_, value)| value.as_ref())
        };
        let id = |wanted| value(wanted).and_then(Id::parse).map(|id| id.0);
        let email = value("userEmail")?;
        Some(Self {
            user: id("userId")?,
            portal: id("portalId")?,
            app: id("appId")?,
            email: (!email.is_empty()).then(|| email.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::access::Scope;
    use crate::connect::Section;
    use crate::secret::Secret;

    #[rstest]
    #[case(
        "a=1&userId=5&portalId=12345&userEmail=ann%40example.com&appId=9",
        true
    )]
    #[case("userId=5&portalId=12345&userEmail=ann%40example.com&appId=9", true)]
    #[case::in_another_order("appId=9&userEmail=ann@example.com&userId=5&portalId=12345", true)]
    #[case::an_entity_is_no_separator(
        "a=1&amp;userId=6&userId=5&portalId=12345&userEmail=ann@example.com&appId=9",
        true
    )]
    #[case::two_agents(
        "userId=6&userId=5&portalId=12345&userEmail=ann@example.com&appId=9",
        false
    )]
    #[case::in_capitals(
        "USERID=6&userId=5&portalId=12345&userEmail=ann@example.com&appId=9",
        false
    )]
    #[case::encoded(
        "user%49d=6&userId=5&portalId=12345&userEmail=ann@example.com&appId=9",
        false
    )]
    #[case::with_a_space(
        "userId+=6&userId=5&portalId=12345&userEmail=ann@example.com&appId=9",
        false
    )]
    #[case::two_addresses(
        "userEmail=a@example.com&userId=5&portalId=12345&userEmail=ann@example.com&appId=9",
        false
    )]
    #[case::two_portals(
        "portalId=1&userId=5&portalId=12345&userEmail=ann@example.com&appId=9",
        false
    )]
    #[case::two_apps(
        "appId=1&userId=5&portalId=12345&userEmail=ann@example.com&appId=9",
        false
    )]
    #[case::twice_within("userId=5&portalId=12345&userId=5&appId=9", false)]
    #[case::not_the_last(
        "userId=5&portalId=12345&userEmail=ann@example.com&appId=9&phone=1",
        false
    )]
    #[case::an_entity("userId=5&portalId=12345&userEmail=ann@example.com&amp;appId=9", false)]
    #[case::without_an_agent("phone=1&portalId=12345&userEmail=ann@example.com&appId=9", false)]
    #[case::three("portalId=12345&userEmail=ann@example.com&appId=9", false)]
    #[case::two_spellings_of_an_id(
        "userId=05&portalId=12345&userEmail=ann@example.com&appId=9",
        false
    )]
    #[case::no_id("userId=&portalId=12345&userEmail=ann@example.com&appId=9", false)]
    #[case::nothing("", false)]
    fn each_parameter_of_hubspot_is_there_once_at_the_end(
        #[case] query: &str,
        #[case] is_right: bool,
    ) {
        let ann = Appended {
            user: 5,
            portal: 12345,
            app: 9,
            email: Some("ann@example.com".into()),
        };
        assert_eq!(Appended::read(query), is_right.then_some(ann));
    }

    #[rstest]
    #[case(
        "https://a/b?c=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B",
        "https://a/b?c=:/?@!$'()*,;"
    )]
    #[case::in_small_letters("a?b=%3a%2f", "a?b=:/")]
    #[case::what_means_something("a?b=%26c%3Dd%23%25%2B%20", "a?b=%26c%3Dd%23%25%2B%20")]
    #[case::once("a?b=%253A", "a?b=%253A")]
    #[case::half("a?b=%", "a?b=%")]
    #[case::no_digits("a?b=%\u{e9}a", "a?b=%\u{e9}a")]
    fn twelve_characters_are_decoded(#[case] uri: &str, #[case] expected: &str) {
        assert_eq!(decoded(uri), expected);
    }

    const NOW: i64 = 1_800_000_000_000;

    #[rstest]
    #[case("1800000000000", Ok(()))]
    #[case::five_minutes("1799999700000", Ok(()))]
    #[case::more("1799999699999", Err(Unproven::Expired))]
    #[case::a_minute_ahead("1800000060000", Ok(()))]
    #[case::further_ahead("1800000060001", Err(Unproven::Times))]
    #[case::in_seconds("1800000000", Err(Unproven::Expired))]
    #[case::no_number("now", Err(Unproven::Times))]
    #[case::too_great("9223372036854775807", Err(Unproven::Times))]
    #[case::too_small("-9223372036854775808", Err(Unproven::Times))]
    fn a_request_is_of_now(#[case] timestamp: &str, #[case] expected: Result<(), Unproven>) {
        let now = DateTime::from_timestamp_millis(NOW).unwrap();
        assert_eq!(check_time(timestamp, now).map(|_| ()), expected);
    }

    /// Made by `Signature.getSignature` of `@hubspot/api-client` 13.5.0, for the address as it is
    /// sent, and with the twelve characters decoded.
    #[rstest]
    #[case("3+FoM+a6vkZ/MzoKWUd1i6O+jT/qa9956Z29Ok3rH3g=", Ok(5))]
    #[case("B5SC/YXJ7oxgvSvYYFBW290IupH43+QzYxVl0DI7i9Y=", Ok(5))]
    #[case::another("B5SC/YXJ7oxgvSvYYFBW290IupH43+QzYxVl0DI7i9U=", Err(Unproven::Signature.into()))]
    fn the_signatures_of_hubspot_s_own_package_count(
        #[case] signature: &str,
        #[case] expected: Result<u64, Refusal>,
    ) {
        let secret = Secret::new("canary-hubspot-secret-0123456789");
        let portal = Hubspot {
            section: Section {
                connector: Vendor::Hubspot,
                installation: "12345".into(),
                origin: None,
                prefix: "hubspot-".into(),
                by_email: false,
                operators: Scope::default(),
                vouching: secret.clone(),
            },
            portal: 12345,
            app_id: 9,
            client_secret: secret,
        };
        let connectors = Connectors {
            hubspot: vec![portal],
            ..Connectors::default()
        };
        let request = HubspotRequest {
            address: "https://chat.example/connect/hubspot",
            query: "phone=%2B380501234567&source=viber&userId=5&portalId=12345&userEmail=ann%40example.com&appId=9",
            signature: Some(signature),
            timestamp: Some("1800000000000"),
        };
        let now = DateTime::from_timestamp_millis(NOW).unwrap();
        let agent = connectors.prove_hubspot(request, now);
        assert_eq!(agent.map(|agent| agent.vendor_user_id), expected);
    }
}
