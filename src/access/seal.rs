//! Texts that this service signs for itself, and that come back by way of a browser.
//!
//! Each kind has a purpose, and so a key of its own, derived from ChatHub's credential and from the
//! secret of the party that has vouched for the bearer. So every replica accepts it, that party
//! cannot make one, and it becomes invalid when either of the two changes.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use jsonwebtoken::{decode, decode_header, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::pass::MAX_PASS;
use super::{Authenticator, derived_key};
use crate::reload::Reloadable;
use crate::secret::{Secret, SecretSource};

impl Authenticator {
    /// Signs claims for one purpose. `vouching` is the secret that the key is derived with, and
    /// `key_id` says which one that is. `None` where the crypto library fails.
    pub fn seal(
        &self,
        purpose: &'static str,
        vouching: &Secret,
        key_id: &str,
        claims: &impl Serialize,
    ) -> Option<Secret> {
        let key = self.sealing_key(purpose, vouching)?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key_id.to_owned());
        let sealed = encode(&header, claims, &EncodingKey::from_secret(&key)).ok()?;
        (sealed.len() <= MAX_PASS).then(|| Secret::new(sealed))
    }

    /// The key id of a sealed text, which is not proven yet.
    pub fn sealed_key_id(text: &str) -> Option<String> {
        let is_short = text.len() <= MAX_PASS;
        decode_header(text).ok().filter(|_| is_short)?.kid
    }

    /// The claims of a text that [`Self::seal`] has signed for this purpose with this secret. Their
    /// times are the caller's to check.
    pub fn unseal<T: DeserializeOwned>(
        &self,
        purpose: &'static str,
        vouching: &Secret,
        text: &str,
    ) -> Option<T> {
        let key = self.sealing_key(purpose, vouching)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let claims = decode::<T>(text, &DecodingKey::from_secret(&key), &validation).ok()?;
        Some(claims.claims)
    }

    fn sealing_key(&self, purpose: &'static str, vouching: &Secret) -> Option<[u8; 32]> {
        let credential = self.config.chathub_credential.as_ref();
        let credential = credential.and_then(SecretSource::last)?;
        derived_key::derive(purpose, &credential, vouching)
    }

    /// The prefixes that keys of passes put before the names of agents.
    pub fn operator_prefixes(&self) -> Vec<String> {
        let keys = self.pass_keys.as_ref().map(Reloadable::get);
        let keys = keys.iter().flat_map(|keys| keys.keys.iter());
        let prefixes = keys.map(|key| key.operator_prefix.clone());
        prefixes.filter(|prefix| !prefix.is_empty()).collect()
    }
}
