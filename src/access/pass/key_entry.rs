//! A key of passes, as it is written in the file of keys.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation};
use serde::Deserialize;

use super::PassKey;
use super::key_material::{KeyMaterial, is_placeholder};
use crate::access::Scope;
use crate::reload::Files;
use crate::secret::{Secret, SecretSource};

/// The id of the key that is `PASS_SECRET`.
const SINGLE_KEY: &str = "PASS_SECRET";

/// The default claim that names the operator.
pub(super) const SUBJECT: &str = "sub";

/// A key in the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyEntry {
    pub(super) id: String,
    algorithm: String,
    secret: Option<String>,
    secret_file: Option<PathBuf>,
    public_key_file: Option<PathBuf>,
    jwks_file: Option<PathBuf>,
    #[serde(default, deserialize_with = "duration")]
    max_ttl: Option<Duration>,
    #[serde(default)]
    operators: Scope,
    operator_claim: Option<String>,
    #[serde(default)]
    operator_prefix: String,
    #[serde(default)]
    exp_from_iat: bool,
    issuer: Option<String>,
    audience: Option<String>,
}

/// Why an entry has no key. Both are sentences without a secret.
pub(super) enum KeyError {
    /// Its file can be read and has no key in it, which takes the key away.
    Missing(String),
    /// The entry or its file cannot be used.
    Invalid(String),
}

impl KeyError {
    pub(super) fn no_key_in(path: &Path) -> String {
        format!("there is no key in the file {}", path.display())
    }
}

impl From<String> for KeyError {
    fn from(sentence: String) -> Self {
        Self::Invalid(sentence)
    }
}

impl KeyEntry {
    /// The entry that `PASS_SECRET` stands for.
    pub(super) fn hs256(source: &SecretSource) -> Self {
        let (secret, secret_file) = match source {
            SecretSource::Text(secret) => (Some(secret.expose().to_owned()), None),
            SecretSource::File(file) => (None, Some(file.path().to_owned())),
        };
        Self {
            id: SINGLE_KEY.into(),
            algorithm: "HS256".into(),
            secret,
            secret_file,
            ..Self::default()
        }
    }

    /// Reads the key's files. `max_ttl` is the default.
    pub(super) fn read(self, files: &mut Files, max_ttl: Duration) -> Result<PassKey, KeyError> {
        let algorithm = self.algorithm()?;
        Ok(PassKey {
            algorithm,
            material: self.material(algorithm, files)?,
            validation: self.validation(algorithm),
            max_ttl: self.max_ttl.unwrap_or(max_ttl),
            id: self.id,
            operators: self.operators,
            operator_claim: self.operator_claim.unwrap_or_else(|| SUBJECT.into()),
            operator_prefix: self.operator_prefix,
            exp_from_iat: self.exp_from_iat,
        })
    }

    fn algorithm(&self) -> Result<Algorithm, String> {
        Ok(match self.algorithm.as_str() {
            "HS256" => Algorithm::HS256,
            "HS384" => Algorithm::HS384,
            "HS512" => Algorithm::HS512,
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err("algorithm must be HS256, HS384, HS512, RS256, ES256 or EdDSA".into()),
        })
    }

    fn material(&self, algorithm: Algorithm, files: &mut Files) -> Result<KeyMaterial, KeyError> {
        let sources = (
            &self.secret,
            &self.secret_file,
            &self.public_key_file,
            &self.jwks_file,
        );
        let is_hmac = algorithm.family() == AlgorithmFamily::Hmac;
        match sources {
            (Some(text), None, None, None) if is_hmac => {
                Ok(KeyMaterial::hmac(Secret::new(text.as_str()))?)
            }
            (None, Some(path), None, None) if is_hmac => {
                let secret = files.secret_at(path)?;
                let secret = secret.filter(|secret| !is_placeholder(secret.expose()));
                let missing = || KeyError::Missing(KeyError::no_key_in(path));
                Ok(KeyMaterial::hmac(secret.ok_or_else(missing)?)?)
            }
            (None, None, Some(path), None) if !is_hmac => {
                let pem = key_text(files, path)?;
                Ok(KeyMaterial::public_key(algorithm, &pem)?)
            }
            (None, None, None, Some(path)) if !is_hmac => {
                let set = KeyMaterial::jwks(algorithm, &key_text(files, path)?)?;
                let missing = || KeyError::Missing("jwks_file has no key of this algorithm".into());
                set.ok_or_else(missing)
            }
            _ => Err(KeyError::Invalid(if is_hmac {
                "an HS key has one of secret and secret_file".into()
            } else {
                "an RS, ES or EdDSA key has one of public_key_file and jwks_file".into()
            })),
        }
    }

    /// What `jsonwebtoken` checks beside the signature.
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        // The times are checked with the other claims, on one clock.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        validation.validate_aud = self.audience.is_some();
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".into());
        }
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".into());
        }
        validation
    }
}

/// The text of a file, unless it holds no key.
fn key_text(files: &mut Files, path: &Path) -> Result<String, KeyError> {
    let text = files.read(path)?;
    if is_placeholder(&text) {
        return Err(KeyError::Missing(KeyError::no_key_in(path)));
    }
    Ok(text)
}

fn duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map(Some)
        .map_err(|_| serde::de::Error::custom("not a duration, such as 10m"))
}
