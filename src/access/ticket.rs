//! Tickets: what a widget's page presents for its next token, when the pass that has opened the
//! page may have expired.
//!
//! A ticket repeats the pass's operator claim and the operator it was resolved to. It is signed
//! with a key that only this service has, derived from ChatHub's credential and from the pass's own
//! key. So every replica accepts it, it becomes invalid when either of the two changes, the holder
//! of a pass key cannot make one, and a ticket is never accepted as a pass. Where the pass would be
//! refused by now, so is the ticket.

use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use jsonwebtoken::{decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::pass::{LEEWAY, MAX_PASS, PassKey, PassKeys};
use super::{
    AuthContext, Authenticator, Caller, ClaimedBy, Denied, Mode, OperatorRequest, derived_key,
};
use crate::secret::{Secret, SecretSource};
use chathub::OperatorId;

/// Separates the key for tickets from others that are derived from the same two.
const PURPOSE: &str = "open-chat widget ticket 2";

/// The claims of a ticket.
#[derive(Deserialize, Serialize)]
struct Ticket {
    /// The pass's operator claim.
    sub: String,
    /// The operator that it was resolved to when the page opened.
    operator: OperatorId,
    exp: i64,
}

impl Authenticator {
    /// A ticket for the holder of a pass, for the operator whose panel it has opened. `None` where
    /// the pass's key cannot sign, or no pass was needed.
    pub fn ticket(
        &self,
        auth: &AuthContext<'_>,
        operator: OperatorId,
        session: Duration,
    ) -> Option<Secret> {
        let (ClaimedBy::Pass { operator: sub, .. }, Caller::Pass(key)) =
            (&auth.requested.by, &auth.caller)
        else {
            return None;
        };
        let ticket = Ticket {
            sub: sub.clone(),
            operator,
            exp: (Utc::now() + session).timestamp(),
        };
        let credential = self.config.chathub_credential.as_ref()?.last()?;
        let keys = self.pass_keys.as_ref()?.get();
        keys.sign_ticket(key, &ticket, &credential)
    }

    /// Authenticates the holder of a ticket as its pass would, if the ticket expires within a
    /// session from now.
    pub fn authenticate_ticket(
        &self,
        text: &str,
        session: Duration,
    ) -> Result<AuthContext<'static>, Denied> {
        let keys = self.pass_keys.as_ref().filter(|_| self.accepts(Mode::Pass));
        let keys = keys.ok_or(Denied::PassInvalid)?.get();
        let credential = self.config.chathub_credential.as_ref();
        let credential = credential.and_then(SecretSource::last);
        let credential = credential.ok_or(Denied::PassInvalid)?;
        let (ticket, key) = keys.verify_ticket(text, &credential, session, Utc::now())?;
        let by = ClaimedBy::Pass {
            operator: ticket.sub,
            by_name: key.names_by_display_name(),
        };
        let requested = OperatorRequest {
            pinned: Some(ticket.operator),
            ..OperatorRequest::new(by, None, key.operators.clone())
        };
        let caller = Caller::Pass(key.id.clone());
        Ok(AuthContext::without_pass(caller, requested))
    }
}

impl PassKeys {
    fn sign_ticket(&self, id: &str, ticket: &Ticket, credential: &Secret) -> Option<Secret> {
        let secret = self.keys.iter().find(|key| key.id == id)?.secret()?;
        let key = derived_key::derive(PURPOSE, credential, secret)?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(id.to_owned());
        encode(&header, ticket, &EncodingKey::from_secret(&key))
            .ok()
            .map(Secret::new)
    }

    fn verify_ticket(
        &self,
        text: &str,
        credential: &Secret,
        session: Duration,
        now: DateTime<Utc>,
    ) -> Result<(Ticket, &PassKey), Denied> {
        let (ticket, key) = self
            .verify_ticket_signature(text, credential)
            .ok_or(Denied::PassInvalid)?;
        ticket.check_time(session, now.timestamp())?;
        if !ticket.sub.starts_with(&key.operator_prefix) {
            return Err(Denied::PassInvalid);
        }
        Ok((ticket, key))
    }

    fn verify_ticket_signature(
        &self,
        text: &str,
        credential: &Secret,
    ) -> Option<(Ticket, &PassKey)> {
        if text.len() > MAX_PASS {
            return None;
        }
        let kid = decode_header(text).ok()?.kid?;
        let key = self.keys.iter().find(|key| key.id == kid)?;
        let derived = derived_key::derive(PURPOSE, credential, key.secret()?)?;
        let mut validation = Validation::new(Algorithm::HS256);
        // Checked against this service's own clock.
        validation.validate_exp = false;
        let ticket =
            decode::<Ticket>(text, &DecodingKey::from_secret(&derived), &validation).ok()?;
        Some((ticket.claims, key))
    }
}

impl Ticket {
    /// Replicas' clocks differ a little, hence the leeway at the far end.
    fn check_time(&self, session: Duration, now: i64) -> Result<(), Denied> {
        let session = i64::try_from(session.as_secs()).unwrap_or(i64::MAX);
        if self.exp <= now {
            return Err(Denied::PassExpired);
        }
        if self.exp.saturating_sub(now) > session.saturating_add(LEEWAY) {
            return Err(Denied::PassInvalid);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::pass::tests::with_key;

    /// In 2020: the machine's clock decides on none of these.
    const EXPIRES: i64 = 1_600_000_000;
    const SESSION: Duration = Duration::from_hours(1);

    /// The length of a ticket for an operator, and the result of verifying it at this moment.
    fn verified(lines: &str, operator: &str, now: i64) -> (usize, Result<String, Denied>) {
        let authenticator = with_key(&format!("algorithm = \"HS256\"\n{lines}"));
        let keys = authenticator.pass_keys.as_ref().unwrap().get();
        let credential = Secret::new("canary-password");
        let ticket = Ticket {
            sub: operator.into(),
            operator: OperatorId(101),
            exp: EXPIRES,
        };
        let text = keys.sign_ticket("crm", &ticket, &credential).unwrap();
        let now = DateTime::from_timestamp(now, 0).unwrap();
        let verified = keys.verify_ticket(text.expose(), &credential, SESSION, now);
        let named = verified.map(|(ticket, _)| ticket.sub);
        (text.expose().len(), named)
    }

    #[test]
    fn a_ticket_repeats_the_pass_until_it_expires() {
        let at = |now| verified("", "101", now).1;
        assert_eq!(at(EXPIRES - 1), Ok("101".into()));
        assert_eq!(at(EXPIRES), Err(Denied::PassExpired));
        assert_eq!(at(EXPIRES - 3660), Ok("101".into()));
        assert_eq!(at(EXPIRES - 3661), Err(Denied::PassInvalid));
    }

    #[test]
    fn a_ticket_is_signed_by_the_key_of_its_pass() {
        let other = "canary-other-secret-of-more-than-32-bytes";
        let shop = format!("[[key]]\nid = \"shop\"\nalgorithm = \"HS256\"\nsecret = \"{other}\"");
        let authenticator = with_key(&format!("algorithm = \"HS256\"\n{shop}"));
        let keys = authenticator.pass_keys.as_ref().unwrap().get();
        let credential = Secret::new("canary-password");
        let now = DateTime::from_timestamp(EXPIRES - 1, 0).unwrap();
        for id in ["crm", "shop"] {
            let ticket = Ticket {
                sub: "101".into(),
                operator: OperatorId(101),
                exp: EXPIRES,
            };
            let text = keys.sign_ticket(id, &ticket, &credential).unwrap();
            let verified = keys.verify_ticket(text.expose(), &credential, SESSION, now);
            assert_eq!(verified.unwrap().1.id, id);
            // Without the key of its pass it is worth nothing.
            let crm = with_key("algorithm = \"HS256\"");
            let crm = crm.pass_keys.as_ref().unwrap().get();
            let verified = crm.verify_ticket(text.expose(), &credential, SESSION, now);
            assert_eq!(verified.is_ok(), id == "crm", "{id}");
        }
    }

    #[test]
    fn a_ticket_begins_with_the_prefix_of_its_key() {
        let of = |operator| verified("operator_prefix = \"kommo-\"", operator, EXPIRES - 1).1;
        assert_eq!(of("kommo-5"), Ok("kommo-5".into()));
        assert_eq!(of("101"), Err(Denied::PassInvalid));
    }

    #[test]
    fn a_ticket_is_refused_after_the_credential_has_changed() {
        let authenticator = with_key("algorithm = \"HS256\"");
        let keys = authenticator.pass_keys.as_ref().unwrap().get();
        let ticket = Ticket {
            sub: "101".into(),
            operator: OperatorId(101),
            exp: EXPIRES,
        };
        let old = Secret::new("canary-password");
        let text = keys.sign_ticket("crm", &ticket, &old).unwrap();
        let now = DateTime::from_timestamp(EXPIRES - 1, 0).unwrap();
        let new = Secret::new("canary-password-rotated");
        let verified = keys.verify_ticket(text.expose(), &new, SESSION, now);
        assert_eq!(verified.err(), Some(Denied::PassInvalid));
    }

    #[test]
    fn the_longest_has_4096_bytes() {
        let lengths = (2900..3010).map(|length| verified("", &"a".repeat(length), EXPIRES - 1));
        let near: Vec<_> = lengths
            .filter(|(length, _)| (4090..4100).contains(length))
            .map(|(length, named)| (length, named.is_ok()))
            .collect();
        assert!(
            near.contains(&(4096, true)) && near.contains(&(4097, false)),
            "{near:?}"
        );
        assert!(
            near.iter()
                .all(|(length, is_ok)| *is_ok == (*length <= 4096))
        );
    }
}
