//! The keys of passes: `PASS_SECRET`, and those of `PASS_KEYS_FILE`.

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Validation};

use super::cache::VerifiedPasses;
use super::key_entry::{KeyEntry, KeyError, SUBJECT};
use super::key_material::KeyMaterial;
use crate::access::{Scope, UnusableFile, keys_file};
use crate::reload::{Files, Reloadable};
use crate::secret::{Secret, SecretSource};

/// Where the keys come from.
#[derive(Clone, Debug)]
pub struct PassKeySources {
    /// One HS256 secret.
    pub secret: Option<SecretSource>,
    /// A file of keys.
    pub file: Option<PathBuf>,
    /// How long a pass may be valid, where its key has no limit of its own.
    pub max_ttl: Duration,
}

/// The keys in force, and the passes that were verified with them.
pub(in crate::access) struct PassKeys {
    pub(in crate::access) keys: Vec<PassKey>,
    pub(super) verified: VerifiedPasses,
    /// A sentence for each file that can be read and has no key in it.
    missing: Vec<String>,
}

/// A key, and what its passes may do.
pub(in crate::access) struct PassKey {
    pub(in crate::access) id: String,
    pub(super) algorithm: Algorithm,
    pub(super) material: KeyMaterial,
    /// The algorithm, issuer and audience, for `jsonwebtoken`.
    pub(super) validation: Validation,
    pub(super) max_ttl: Duration,
    pub(in crate::access) operators: Scope,
    /// The name of the claim that names the operator, or the dotted path to it.
    pub(super) operator_claim: String,
    /// What stands before the claim's value in the operator map, so that a CRM's number is not
    /// taken for ChatHub's.
    pub(in crate::access) operator_prefix: String,
    /// Whether a vendor's JWT without `exp` expires `max_ttl` after its `iat`.
    pub(super) exp_from_iat: bool,
}

impl PassKey {
    /// The secret of an HMAC key.
    pub(in crate::access) fn secret(&self) -> Option<&Secret> {
        self.material.secret()
    }

    /// The secret that signs passes of this service: that of an HMAC key, unless the key is for a
    /// vendor's JWTs, which have more claims, or other ones.
    pub(super) fn signing_secret(&self) -> Option<&Secret> {
        let is_vendors = self.operator_claim != SUBJECT
            || !self.operator_prefix.is_empty()
            || self.validation.iss.is_some()
            || self.validation.aud.is_some();
        self.secret().filter(|_| !is_vendors)
    }

    /// Whether its passes may name an operator by display name. Users may be able to edit a
    /// vendor's own claim, and could impersonate a colleague with it.
    pub(in crate::access) fn names_by_display_name(&self) -> bool {
        self.operator_claim == SUBJECT
    }
}

impl PassKeySources {
    /// Loads the keys.
    pub(in crate::access) fn load(self) -> Result<Reloadable<PassKeys>, UnusableFile> {
        let variable = if self.file.is_some() {
            "PASS_KEYS_FILE"
        } else {
            "PASS_SECRET"
        };
        Reloadable::load_keys(variable, move |files| self.read(files), PassKeys::missing)
            .map_err(|problem| UnusableFile { variable, problem })
    }

    /// Reads all keys. A file without a key takes its key away, and is reported as missing. The
    /// error is a sentence without a secret in it.
    fn read(&self, files: &mut Files) -> Result<PassKeys, String> {
        let mut keys = PassKeys {
            keys: Vec::new(),
            verified: VerifiedPasses::default(),
            missing: Vec::new(),
        };
        if let Some(source) = &self.secret {
            let key = KeyEntry::hs256(source).read(files, self.max_ttl);
            keys.add(key, "")?;
        }
        if let Some(path) = &self.file {
            let entries = keys_file::entries::<KeyEntry>(files, path)?;
            if entries.is_empty() {
                keys.missing.push(KeyError::no_key_in(path));
            }
            for entry in entries {
                if keys.keys.iter().any(|key| key.id == entry.id) {
                    return Err(format!("two keys are called `{}`", entry.id));
                }
                let prefix = format!("key `{}`: ", entry.id);
                keys.add(entry.read(files, self.max_ttl), &prefix)?;
            }
        }
        Ok(keys)
    }
}

impl PassKeys {
    fn add(&mut self, key: Result<PassKey, KeyError>, prefix: &str) -> Result<(), String> {
        match key {
            Ok(key) => self.keys.push(key),
            Err(KeyError::Missing(sentence)) => self.missing.push(format!("{prefix}{sentence}")),
            Err(KeyError::Invalid(sentence)) => return Err(format!("{prefix}{sentence}")),
        }
        Ok(())
    }

    /// The files without a key, in a sentence.
    fn missing(&self) -> Option<String> {
        (!self.missing.is_empty()).then(|| self.missing.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use crate::access::AuthConfig;
    use crate::access::pass::tests::hs256_source;

    #[test]
    fn debug_shows_no_secret() {
        let config = AuthConfig {
            pass_keys: Some(hs256_source()),
            ..AuthConfig::default()
        };
        let debug = format!("{config:?}");
        assert!(!debug.contains("canary"), "{debug}");
    }
}
