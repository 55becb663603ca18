//! A ticket: what a widget's page shows for its next token, when the pass that has opened it may be
//! over.
//!
//! It repeats what the pass has said and which operator that was, and is signed with a key that
//! only this service has: it is made of ChatHub's credential and of the pass's own key. So every
//! replica takes it, it ends when either of the two changes, no pass key's holder can make one, and
//! a ticket is never taken for a pass. Where the page's pass would be refused by now, so is the
//! ticket.

use std::time::Duration;

use chathub::OperatorId;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use jsonwebtoken::{decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::caller::{AuthContext, Caller, ClaimedBy, OperatorRequest};
use super::denied::Denied;
use super::derived;
use super::door::Authenticator;
use super::pass::{LEEWAY, MAX_PASS, PassConstraints};
use super::pass_keys::{PassKey, PassKeys};
use super::settings::Mode;
use crate::secret::{Secret, SecretSource};

/// What tells the key for tickets from others that are derived from the same two.
const PURPOSE: &str = "open-chat widget ticket 2";

#[derive(Deserialize, Serialize)]
struct Ticket {
    /// The operator, as the pass has named it.
    sub: String,
    /// The operator that this was when the page opened.
    operator: OperatorId,
    exp: i64,
}

impl Authenticator {
    /// A ticket for a caller whom a pass has let in, for the operator whose panel that has opened.
    /// None where the pass's key can only check, or no pass was needed.
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
        let credential = self.chathub_credential.as_ref()?.last()?;
        let keys = self.pass_keys.as_ref()?.get();
        keys.sign_ticket(key, &ticket, &credential)
    }

    /// Lets the holder of a ticket in, as its pass would, where the ticket ends within a session
    /// from now.
    pub fn authenticate_ticket(
        &self,
        text: &str,
        session: Duration,
    ) -> Result<AuthContext<'static>, Denied> {
        let keys = self
            .pass_keys
            .as_ref()
            .filter(|_| self.modes.contains(&Mode::Pass))
            .ok_or(Denied::PassInvalid)?
            .get();
        let credential = self.chathub_credential.as_ref();
        let credential = credential
            .and_then(SecretSource::last)
            .ok_or(Denied::PassInvalid)?;
        let (ticket, key) = keys.check_ticket(text, &credential, session, Utc::now())?;
        let by = ClaimedBy::Pass {
            operator: ticket.sub,
            by_name: key.names_by_display_name(),
        };
        Ok(AuthContext {
            requested: OperatorRequest {
                before: Some(ticket.operator),
                ..OperatorRequest::new(by, None, key.operators.clone())
            },
            caller: Caller::Pass(key.id.clone()),
            constraints: PassConstraints::default(),
            once: None,
        })
    }
}

impl PassKeys {
    fn sign_ticket(&self, id: &str, ticket: &Ticket, credential: &Secret) -> Option<Secret> {
        let secret = self.keys.iter().find(|key| key.id == id)?.secret.as_ref()?;
        let key = derived::key(PURPOSE, credential, secret)?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(id.to_owned());
        encode(&header, ticket, &EncodingKey::from_secret(&key))
            .ok()
            .map(Secret::new)
    }

    fn check_ticket(
        &self,
        text: &str,
        credential: &Secret,
        session: Duration,
        now: DateTime<Utc>,
    ) -> Result<(Ticket, &PassKey), Denied> {
        if text.len() > MAX_PASS {
            return Err(Denied::PassInvalid);
        }
        let kid = decode_header(text).ok().and_then(|header| header.kid);
        let (key, secret) = self
            .keys
            .iter()
            .find(|key| Some(&key.id) == kid.as_ref())
            .and_then(|key| Some((key, key.secret.as_ref()?)))
            .ok_or(Denied::PassInvalid)?;
        let derived = derived::key(PURPOSE, credential, secret).ok_or(Denied::PassInvalid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        // Checked below, against this service's own clock.
        validation.validate_exp = false;
        let ticket = decode::<Ticket>(text, &DecodingKey::from_secret(&derived), &validation)
            .map_err(|_| Denied::PassInvalid)?
            .claims;
        ticket.check_time(session, now.timestamp())?;
        if !ticket.sub.starts_with(&key.operator_prefix) {
            return Err(Denied::PassInvalid);
        }
        Ok((ticket, key))
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
    use crate::access::pass_keys::tests::door;

    const ENDS: i64 = 1_800_000_000;
    const SESSION: Duration = Duration::from_hours(1);

    /// What a door makes, at this moment, of its own ticket for an operator.
    fn checked(lines: &str, operator: &str, now: i64) -> (usize, Result<String, Denied>) {
        let door = door(&format!("algorithm = \"HS256\"\n{lines}"));
        let keys = door.pass_keys.as_ref().unwrap().get();
        let credential = Secret::new("canary-password");
        let ticket = Ticket {
            sub: operator.into(),
            operator: OperatorId(101),
            exp: ENDS,
        };
        let text = keys.sign_ticket("crm", &ticket, &credential).unwrap();
        let now = DateTime::from_timestamp(now, 0).unwrap();
        let checked = keys.check_ticket(text.expose(), &credential, SESSION, now);
        let named = checked.map(|(ticket, _)| ticket.sub);
        (text.expose().len(), named)
    }

    #[test]
    fn it_repeats_what_the_pass_has_said_until_it_ends() {
        let at = |now| checked("", "101", now).1;
        assert_eq!(at(ENDS - 1), Ok("101".into()));
        assert_eq!(at(ENDS), Err(Denied::PassExpired));
        assert_eq!(at(ENDS - 3660), Ok("101".into()));
        assert_eq!(at(ENDS - 3661), Err(Denied::PassInvalid));
    }

    #[test]
    fn it_begins_with_its_key_s_prefix() {
        let of = |operator| checked("operator_prefix = \"kommo-\"", operator, ENDS - 1).1;
        assert_eq!(of("kommo-5"), Ok("kommo-5".into()));
        assert_eq!(of("101"), Err(Denied::PassInvalid));
    }

    #[test]
    fn another_credential_of_the_company_s_checks_nothing() {
        let door = door("algorithm = \"HS256\"");
        let keys = door.pass_keys.as_ref().unwrap().get();
        let ticket = Ticket {
            sub: "101".into(),
            operator: OperatorId(101),
            exp: ENDS,
        };
        let old = Secret::new("canary-password");
        let text = keys.sign_ticket("crm", &ticket, &old).unwrap();
        let now = DateTime::from_timestamp(ENDS - 1, 0).unwrap();
        let new = Secret::new("canary-password-rotated");
        let checked = keys.check_ticket(text.expose(), &new, SESSION, now);
        assert_eq!(checked.err(), Some(Denied::PassInvalid));
    }

    #[test]
    fn the_longest_has_4096_bytes() {
        let lengths = (2900..3010).map(|length| checked("", &"a".repeat(length), ENDS - 1));
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
