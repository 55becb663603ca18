//! Kommo's proof: the one-time token that its widgets send (`X-Auth-Token`), an HS256 JWT of the
//! account, for this service (developers.kommo.com, one-time tokens; amocrm/amocrm-api-php).

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use url::Url;

use super::config::Kommo;
use super::token::{self, Id, Times};
use super::{Connectors, ProvenAgent, Refusal, Unproven, Vendor};
use crate::access::{Denied, OneTimeUse};
use crate::phone::PhoneNumber;

/// What of a token counts here. `sub`, names and rights do not.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    jti: String,
    account_id: Id,
    user_id: Id,
    #[serde(flatten)]
    times: Times,
}

impl Connectors {
    /// The agent whose click Kommo has signed. `service` is this service's address; the proof is
    /// good once for each phone.
    pub fn prove_kommo(
        &self,
        token: Option<&str>,
        service: &Url,
        phone: &PhoneNumber,
        now: DateTime<Utc>,
    ) -> Result<ProvenAgent, Refusal> {
        let token = token.ok_or(Unproven::Missing)?;
        let account = self.kommo_account(token)?;
        let claims = account.verify(token)?;
        claims.times.check(now)?;
        check_audience(&claims.aud, service)?;
        let section = &account.section;
        let is_other = |number| number != claims.account_id.0;
        if account.account_id.is_some_and(is_other)
            || !is_origin(section.origin.as_deref(), &claims.iss)
        {
            return Err(Unproven::Account.into());
        }
        if claims.jti.is_empty() {
            return Err(Unproven::Incomplete.into());
        }
        let key = format!("kommo {}", section.installation);
        let once = format!("{}\n{}", claims.jti, phone.as_str());
        let once = OneTimeUse::new(&key, &once, claims.times.expires());
        Ok(ProvenAgent {
            connector: Vendor::Kommo,
            installation: section.installation.clone(),
            vendor_user_id: claims.user_id.0,
            email: None,
            proven_at: now,
            one_time_use: Some(once.denied_as(Denied::ConnectorTokenUsed)),
        })
    }

    /// The listed account that a token says it is from.
    fn kommo_account(&self, token: &str) -> Result<&Kommo, Refusal> {
        let issuer = token::issuer(token)?;
        let mut accounts = self.kommo.iter();
        accounts
            .find(|account| is_origin(account.section.origin.as_deref(), &issuer))
            .ok_or(Refusal::NotListed)
    }
}

impl Kommo {
    fn verify(&self, token: &str) -> Result<Claims, Unproven> {
        let key = DecodingKey::from_secret(self.secret.expose().as_bytes());
        token::verify(token, &key, Algorithm::HS256)
    }
}

/// Whether an address is this origin; a slash at its end is none of a path's.
fn is_origin(origin: Option<&str>, address: &str) -> bool {
    origin == Some(address.strip_suffix('/').unwrap_or(address))
}

/// Kommo leaves the port of the redirect address out.
fn check_audience(audience: &str, service: &Url) -> Result<(), Unproven> {
    let origin = service.origin().ascii_serialization();
    let without_port = format!(
        "{}://{}",
        service.scheme(),
        service.host_str().unwrap_or_default()
    );
    let is_ours = [origin, without_port]
        .iter()
        .any(|ours| is_origin(Some(ours), audience));
    is_ours.then_some(()).ok_or(Unproven::Audience)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://chat.example", "https://chat.example", true)]
    #[case("https://chat.example/desk", "https://chat.example", true)]
    #[case("https://chat.example", "https://chat.example/", true)]
    #[case("https://chat.example:8443", "https://chat.example:8443", true)]
    #[case("https://chat.example:8443", "https://chat.example", true)]
    #[case("https://chat.example", "https://chat.example:8443", false)]
    #[case("https://chat.example", "http://chat.example", false)]
    #[case("https://chat.example", "https://chat.example.evil.example", false)]
    #[case("https://chat.example", "https://chat.example//", false)]
    #[case("https://chat.example", "", false)]
    fn a_token_is_for_this_service(
        #[case] service: &str,
        #[case] audience: &str,
        #[case] is_ours: bool,
    ) {
        let service = Url::parse(service).unwrap();
        assert_eq!(check_audience(audience, &service).is_ok(), is_ours);
    }
}
