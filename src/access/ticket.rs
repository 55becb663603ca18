//! A ticket: what a widget's page shows for its next token, when the pass that has opened it may be over.
//!
//! It repeats whom the pass has named, and is signed with a secret that is made out of the pass's own key. So every replica knows it, it
//! opens nothing that the pass did not, it ends with that key, no other key's holder can make one, and neither is ever taken for the other.

use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use jsonwebtoken::{decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::caller::{Admission, Caller, Claim, ClaimedBy};
use super::denied::Denied;
use super::door::Access;
use super::pass::{Bound, MAX_PASS};
use super::pass_keys::{PassKey, PassKeys};
use super::settings::Mode;
use crate::secret::Secret;

/// What tells the secret for tickets from the one that it is made of.
const PURPOSE: &[u8] = b"open-chat widget ticket 1";

#[derive(Deserialize, Serialize)]
struct Ticket {
    /// The operator, as the pass has named it.
    sub: String,
    exp: i64,
}

impl Access {
    /// A ticket for somebody whom a pass has let in. None where the pass's key can only check, or no pass was needed.
    pub fn ticket(&self, admission: &Admission<'_>, lives: Duration) -> Option<Secret> {
        let (ClaimedBy::Pass(operator), Caller::Pass(key)) =
            (&admission.claim.by, &admission.caller)
        else {
            return None;
        };
        let ticket = Ticket {
            sub: operator.clone(),
            exp: (Utc::now() + lives).timestamp(),
        };
        self.pass_keys.as_ref()?.get().sign_ticket(key, &ticket)
    }

    /// Lets the holder of a ticket in, as its pass would.
    pub fn admit_by_ticket(&self, text: &str) -> Result<Admission<'static>, Denied> {
        let keys = self
            .pass_keys
            .as_ref()
            .filter(|_| self.modes.contains(&Mode::Pass))
            .ok_or(Denied::PassInvalid)?
            .get();
        let (ticket, key) = keys.check_ticket(text, Utc::now())?;
        Ok(Admission {
            claim: Claim {
                by: ClaimedBy::Pass(ticket.sub),
                named: None,
                scope: key.operators.clone(),
            },
            caller: Caller::Pass(key.id.clone()),
            bound: Bound::default(),
            once: None,
        })
    }
}

impl PassKeys {
    fn sign_ticket(&self, id: &str, ticket: &Ticket) -> Option<Secret> {
        let secret = self.keys.iter().find(|key| key.id == id)?.secret.as_ref()?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(id.to_owned());
        let key = EncodingKey::from_secret(derived(secret).as_ref());
        encode(&header, ticket, &key).ok().map(Secret::new)
    }

    fn check_ticket(&self, text: &str, now: DateTime<Utc>) -> Result<(Ticket, &PassKey), Denied> {
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
        let mut validation = Validation::new(Algorithm::HS256);
        // Checked below, without leeway: it was signed by this service's clock.
        validation.validate_exp = false;
        let derived = DecodingKey::from_secret(derived(secret).as_ref());
        let ticket = decode::<Ticket>(text, &derived, &validation)
            .map_err(|_| Denied::PassInvalid)?
            .claims;
        if ticket.exp <= now.timestamp() {
            return Err(Denied::PassExpired);
        }
        Ok((ticket, key))
    }
}

fn derived(secret: &Secret) -> impl AsRef<[u8]> {
    sign(&Key::new(HMAC_SHA256, secret.expose().as_bytes()), PURPOSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::pass_keys::tests::door;

    const ENDS: i64 = 1_800_000_000;

    /// What a door makes, at this moment, of its own ticket for an operator.
    fn checked(operator: &str, now: i64) -> (usize, Result<String, Denied>) {
        let door = door("algorithm = \"HS256\"");
        let keys = door.pass_keys.as_ref().unwrap().get();
        let ticket = Ticket {
            sub: operator.into(),
            exp: ENDS,
        };
        let text = keys.sign_ticket("crm", &ticket).unwrap();
        let now = DateTime::from_timestamp(now, 0).unwrap();
        let checked = keys.check_ticket(text.expose(), now);
        let named = checked.map(|(ticket, _)| ticket.sub);
        (text.expose().len(), named)
    }

    #[test]
    fn it_repeats_whom_the_pass_has_named_until_it_ends() {
        assert_eq!(checked("101", ENDS - 1).1, Ok("101".into()));
        assert_eq!(checked("101", ENDS).1, Err(Denied::PassExpired));
    }

    #[test]
    fn the_longest_has_4096_bytes() {
        let lengths = (2950..3010).map(|length| checked(&"a".repeat(length), ENDS - 1));
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
