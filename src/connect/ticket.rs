//! Tickets: what a framed page shows when its button is pressed, hours after the CRM has proven the
//! agent.
//!
//! A ticket repeats the proof, and the phones that the page shows. Each use asks the present
//! [`Connectors`]: where the section is gone or has another secret, so are its tickets.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Connectors, ProvenAgent, Section, Unproven, Vendor};
use crate::access::Authenticator;
use crate::phone::PhoneNumber;
use crate::secret::Secret;

/// How long a ticket is good at most; the page renews it before.
const TICKET_TTL: Duration = Duration::from_hours(1);

/// How long after the CRM's proof the last ticket ends.
const MAX_AGE: i64 = 12 * 3600;

/// How far the clocks of replicas may differ, in seconds.
const LEEWAY: i64 = 60;

/// Separates the key for tickets from others that are derived from the same secrets.
const PURPOSE: &str = "open-chat connector ticket 1";

/// An agent, and what the agent's page has.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    connector: String,
    installation: String,
    user: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    proven_at: i64,
    iat: i64,
    exp: i64,
    /// The phones that the page shows, as E.164; `None` where the page learns them by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    phones: Option<Vec<String>>,
    /// The chat source of the page's links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The sender of the page's links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl Ticket {
    /// A ticket for the page of a proven agent.
    pub fn of(agent: &ProvenAgent, phones: Option<&[PhoneNumber]>, now: DateTime<Utc>) -> Self {
        let proven_at = agent.proven_at.timestamp();
        let phones = phones.map(|all| all.iter().map(|phone| phone.as_str().into()).collect());
        Self {
            connector: agent.connector.name().into(),
            installation: agent.installation.clone(),
            user: agent.vendor_user_id,
            email: agent.email.clone(),
            proven_at,
            iat: now.timestamp(),
            exp: end(proven_at, now.timestamp()),
            phones,
            source: None,
            from: None,
        }
    }

    /// The same ticket for an hour more, as far as the proof allows.
    #[must_use]
    pub fn renewed(&self, now: DateTime<Utc>) -> Self {
        Self {
            iat: now.timestamp(),
            exp: end(self.proven_at, now.timestamp()),
            ..self.clone()
        }
    }

    /// How long it is still good, in seconds.
    pub fn left(&self, now: DateTime<Utc>) -> u64 {
        let left = self.exp.saturating_sub(now.timestamp());
        u64::try_from(left).unwrap_or_default()
    }

    /// Signs it. `None` where the crypto library fails.
    pub fn sign(&self, section: &Section, authenticator: &Authenticator) -> Option<Secret> {
        authenticator.seal(PURPOSE, &section.vouching, &self.key_id(), self)
    }

    /// Reads what a page of this connector shows.
    pub fn verify(
        text: &str,
        connector: Vendor,
        connectors: &Connectors,
        authenticator: &Authenticator,
        now: DateTime<Utc>,
    ) -> Result<Self, Unproven> {
        let key_id = Authenticator::sealed_key_id(text).ok_or(Unproven::Signature)?;
        let installation = key_id.split_once(' ').map(|(_, installation)| installation);
        let section = connectors.section(connector, installation.unwrap_or_default());
        let section = section.ok_or(Unproven::Signature)?;
        let ticket: Option<Self> = authenticator.unseal(PURPOSE, &section.vouching, text);
        let ticket = ticket.filter(|ticket| ticket.is_of(section));
        let ticket = ticket.ok_or(Unproven::Signature)?;
        ticket.check_times(now.timestamp())?;
        Ok(ticket)
    }

    /// The agent whose page has it.
    pub fn agent(&self, connector: Vendor) -> ProvenAgent {
        ProvenAgent {
            connector,
            installation: self.installation.clone(),
            vendor_user_id: self.user,
            email: self.email.clone(),
            proven_at: DateTime::from_timestamp(self.proven_at, 0).unwrap_or_default(),
            one_time_use: None,
        }
    }

    /// Rejects a phone that the page has not shown.
    pub fn check_phone(&self, phone: &PhoneNumber) -> Result<(), Unproven> {
        let is_shown = |phones: &Vec<String>| phones.iter().any(|shown| shown == phone.as_str());
        let is_shown = self.phones.as_ref().is_none_or(is_shown);
        is_shown.then_some(()).ok_or(Unproven::OtherPhone)
    }

    fn key_id(&self) -> String {
        format!("{} {}", self.connector, self.installation)
    }

    fn is_of(&self, section: &Section) -> bool {
        self.connector == section.connector.name() && self.installation == section.installation
    }

    fn check_times(&self, now: i64) -> Result<(), Unproven> {
        if self.exp <= now || now >= self.proven_at.saturating_add(MAX_AGE) {
            return Err(Unproven::PageTooOld);
        }
        let longest = end(self.proven_at, self.iat);
        let is_dated = self.iat <= now.saturating_add(LEEWAY) && self.exp <= longest;
        is_dated.then_some(()).ok_or(Unproven::Times)
    }
}

/// When a ticket of this time ends: after an hour, or where the proof gets too old.
fn end(proven_at: i64, now: i64) -> i64 {
    let hour = i64::try_from(TICKET_TTL.as_secs()).unwrap_or_default();
    now.saturating_add(hour)
        .min(proven_at.saturating_add(MAX_AGE))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// In 2020: the machine's clock decides on none of these.
    const PROVEN: i64 = 1_600_000_000;
    const HOUR: i64 = 3600;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// The ticket of a page that was shown so long after the proof.
    fn ticket(later: i64) -> Ticket {
        let agent = ProvenAgent {
            connector: Vendor::Pipedrive,
            installation: "123".into(),
            vendor_user_id: 7,
            email: None,
            proven_at: at(PROVEN),
            one_time_use: None,
        };
        Ticket::of(&agent, None, at(PROVEN + later))
    }

    #[rstest]
    #[case::at_once(0, 0, Ok(()))]
    #[case::its_last_second(0, HOUR - 1, Ok(()))]
    #[case::after_an_hour(0, HOUR, Err(Unproven::PageTooOld))]
    #[case::by_a_replica_whose_clock_is_ahead(60, 0, Ok(()))]
    #[case::made_ahead(61, 0, Err(Unproven::Times))]
    #[case::the_last_before_the_proof_is_too_old(12 * HOUR - 1, 12 * HOUR - 1, Ok(()))]
    #[case::after_twelve_hours(12 * HOUR - 1, 12 * HOUR, Err(Unproven::PageTooOld))]
    fn a_ticket_is_good_for_an_hour_and_twelve_after_the_proof(
        #[case] made: i64,
        #[case] now: i64,
        #[case] expected: Result<(), Unproven>,
    ) {
        assert_eq!(ticket(made).check_times(PROVEN + now), expected);
        let renewed = ticket(0).renewed(at(PROVEN + made));
        assert_eq!(renewed.check_times(PROVEN + now), expected);
    }

    /// By its own word it would be good for longer than this version allows.
    #[rstest]
    #[case::longer_than_an_hour(0, HOUR + 1, 0, Unproven::Times)]
    #[case::longer_than_the_proof(11 * HOUR + 1, 12 * HOUR + 1, 11 * HOUR + 1, Unproven::Times)]
    #[case::with_too_old_a_proof(12 * HOUR, 13 * HOUR, 12 * HOUR, Unproven::PageTooOld)]
    fn a_ticket_that_claims_more_is_refused(
        #[case] iat: i64,
        #[case] exp: i64,
        #[case] now: i64,
        #[case] refusal: Unproven,
    ) {
        let claiming = Ticket {
            iat: PROVEN + iat,
            exp: PROVEN + exp,
            ..ticket(0)
        };
        assert_eq!(claiming.check_times(PROVEN + now), Err(refusal));
    }

    #[test]
    fn a_page_learns_how_long_its_ticket_is_good() {
        assert_eq!(ticket(0).left(at(PROVEN + 600)), 3000);
        assert_eq!(
            ticket(11 * HOUR + 600).left(at(PROVEN + 11 * HOUR + 600)),
            3000
        );
        assert_eq!(ticket(0).left(at(PROVEN + HOUR + 1)), 0);
    }
}
