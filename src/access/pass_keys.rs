//! The keys that passes are checked with: `PASS_SECRET`, and `PASS_KEYS_FILE`, TOML.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::key_material::{Material, hmac, is_no_key, jwks, public_key};
use super::keys_file;
use super::scope::Scope;
use super::signed::SignedPasses;
use crate::reload::Files;
use crate::secret::{Secret, SecretSource};

/// The id of the key that is `PASS_SECRET`.
const SIMPLE_KEY: &str = "PASS_SECRET";

/// The claim that names the operator, where a key says nothing else.
const SUBJECT: &str = "sub";

/// Where keys come from.
#[derive(Clone, Debug)]
pub struct PassKeySources {
    /// One HS256 secret.
    pub secret: Option<SecretSource>,
    /// A file of keys.
    pub file: Option<PathBuf>,
    /// How far ahead a pass may end, where its key says nothing else.
    pub max_ttl: Duration,
}

/// The keys in force, and passes that they have been found to have signed.
#[derive(Debug)]
pub(super) struct PassKeys {
    pub(super) keys: Vec<PassKey>,
    pub(super) signed: SignedPasses,
    /// What is wrong with files that can be read and have no key in them.
    pub(super) missing: Vec<String>,
}

/// A key, and what passes signed with it may do.
pub(super) struct PassKey {
    pub(super) id: String,
    pub(super) algorithm: Algorithm,
    material: Material,
    pub(super) max_ttl: Duration,
    pub(super) operators: Scope,
    /// The name of the claim that names the operator, or the dotted path to it.
    pub(super) operator_claim: String,
    /// What stands before the claim's value in the operator map, so that a CRM's number is not
    /// taken for ChatHub's.
    pub(super) operator_prefix: String,
    /// Where a vendor's JWT has no `exp`: it ends `max_ttl` after its `iat`.
    pub(super) exp_from_iat: bool,
    /// The key's algorithm, issuer and audience, for `jsonwebtoken`.
    pub(super) validation: Validation,
    /// Of an HMAC key, which can sign as well as check.
    pub(super) secret: Option<Secret>,
}

impl std::fmt::Debug for PassKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PassKey({}, {:?})", self.id, self.algorithm)
    }
}

impl PassKey {
    /// What passes of this service's own are signed with: an HMAC secret, unless the key is for a
    /// vendor's JWTs, which say more than ours, or say it elsewhere.
    pub(super) fn signing_secret(&self) -> Option<&Secret> {
        let is_vendors = self.operator_claim != SUBJECT
            || !self.operator_prefix.is_empty()
            || self.validation.iss.is_some()
            || self.validation.aud.is_some();
        self.secret.as_ref().filter(|_| !is_vendors)
    }

    /// Whether its passes may name an operator by display name. A vendor's own claim may be one
    /// that its users edit, and then make themselves a colleague with.
    pub(super) fn names_by_display_name(&self) -> bool {
        self.operator_claim == SUBJECT
    }

    /// The key material for a token with this `kid`. In a file each key has its id; a JWKS has its
    /// own.
    pub(super) fn material_for(&self, kid: Option<&str>) -> Option<&DecodingKey> {
        self.material.find(&self.id, kid)
    }
}

/// A key, as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    id: String,
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

impl PassKeySources {
    /// The setting that is to blame for what is wrong with the keys.
    pub(super) const fn variable(&self) -> &'static str {
        if self.file.is_some() {
            "PASS_KEYS_FILE"
        } else {
            "PASS_SECRET"
        }
    }

    /// Reads all keys. A file without a key takes its key away, and is named in `missing`. The
    /// error is a sentence without a secret in it.
    pub(super) fn read(&self, files: &mut Files) -> Result<PassKeys, String> {
        let (mut keys, mut missing) = (Vec::new(), Vec::new());
        if let Some(source) = &self.secret {
            match Self::simple_key(source).read(files, self.max_ttl)? {
                Ok(key) => keys.push(key),
                Err(NoKey(sentence)) => missing.push(sentence),
            }
        }
        if let Some(path) = &self.file {
            let entries = keys_file::entries::<KeyEntry>(files, path)?;
            if entries.is_empty() {
                missing.push(NoKey::in_file(path).0);
            }
            for entry in entries {
                let id = entry.id.clone();
                if keys.iter().any(|other: &PassKey| other.id == id) {
                    return Err(format!("two keys are called `{id}`"));
                }
                let key = entry
                    .read(files, self.max_ttl)
                    .map_err(|problem| format!("key `{id}`: {problem}"))?;
                match key {
                    Ok(key) => keys.push(key),
                    Err(NoKey(sentence)) => missing.push(format!("key `{id}`: {sentence}")),
                }
            }
        }
        Ok(PassKeys {
            keys,
            signed: SignedPasses::default(),
            missing,
        })
    }

    fn simple_key(source: &SecretSource) -> KeyEntry {
        let (secret, secret_file) = match source {
            SecretSource::Text(secret) => (Some(secret.expose().to_owned()), None),
            SecretSource::File(file) => (None, Some(file.path().to_owned())),
        };
        KeyEntry {
            id: SIMPLE_KEY.into(),
            algorithm: "HS256".into(),
            secret,
            secret_file,
            public_key_file: None,
            jwks_file: None,
            max_ttl: None,
            operators: Scope::default(),
            operator_claim: None,
            operator_prefix: String::new(),
            exp_from_iat: false,
            issuer: None,
            audience: None,
        }
    }
}

/// A file can be read, and has no key in it: a sentence.
struct NoKey(String);

impl NoKey {
    fn in_file(path: &Path) -> Self {
        Self(format!("there is no key in the file {}", path.display()))
    }
}

impl PassKeys {
    /// What is missing, in a sentence.
    pub(super) fn lack(&self) -> Option<String> {
        (!self.missing.is_empty()).then(|| self.missing.join("; "))
    }
}

impl KeyEntry {
    fn read(self, files: &mut Files, max_ttl: Duration) -> Result<Result<PassKey, NoKey>, String> {
        let algorithm = match self.algorithm.as_str() {
            "HS256" => Algorithm::HS256,
            "HS384" => Algorithm::HS384,
            "HS512" => Algorithm::HS512,
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err("algorithm must be HS256, HS384, HS512, RS256, ES256 or EdDSA".into()),
        };
        let is_hmac = self.algorithm.starts_with("HS");
        let sources = (
            self.secret,
            self.secret_file,
            self.public_key_file,
            self.jwks_file,
        );
        let mut secret = None;
        let material = match sources {
            (Some(text), None, None, None) if is_hmac => {
                Material::One(hmac(&mut secret, Secret::new(text))?)
            }
            (None, Some(path), None, None) if is_hmac => match files.secret_at(&path)? {
                Some(text) if !is_no_key(text.expose()) => Material::One(hmac(&mut secret, text)?),
                _ => return Ok(Err(NoKey::in_file(&path))),
            },
            (None, None, Some(path), None) if !is_hmac => match files.read(&path)? {
                text if is_no_key(&text) => return Ok(Err(NoKey::in_file(&path))),
                text => Material::One(public_key(algorithm, &text)?),
            },
            (None, None, None, Some(path)) if !is_hmac => match files.read(&path)? {
                text if is_no_key(&text) => return Ok(Err(NoKey::in_file(&path))),
                text => match jwks(algorithm, &text)? {
                    keys if keys.is_empty() => {
                        let sentence = "jwks_file has no key of this algorithm";
                        return Ok(Err(NoKey(sentence.into())));
                    }
                    keys => Material::Jwks(keys),
                },
            },
            _ if is_hmac => return Err("an HS key has one of secret and secret_file".into()),
            _ => {
                return Err(
                    "an RS, ES or EdDSA key has one of public_key_file and jwks_file".into(),
                );
            }
        };
        Ok(Ok(PassKey {
            id: self.id,
            algorithm,
            material,
            max_ttl: self.max_ttl.unwrap_or(max_ttl),
            operators: self.operators,
            operator_claim: self.operator_claim.unwrap_or_else(|| SUBJECT.into()),
            operator_prefix: self.operator_prefix,
            exp_from_iat: self.exp_from_iat,
            validation: validation(algorithm, self.issuer.as_ref(), self.audience.as_ref()),
            secret,
        }))
    }
}

/// What `jsonwebtoken` checks beside the signature.
fn validation(
    algorithm: Algorithm,
    issuer: Option<&String>,
    audience: Option<&String>,
) -> Validation {
    let mut validation = Validation::new(algorithm);
    // The times are checked with the other claims, on one clock.
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    validation.validate_aud = audience.is_some();
    if let Some(audience) = audience {
        validation.set_audience(&[audience]);
        validation.required_spec_claims.insert("aud".into());
    }
    if let Some(issuer) = issuer {
        validation.set_issuer(&[issuer]);
        validation.required_spec_claims.insert("iss".into());
    }
    validation
}

fn duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map(Some)
        .map_err(|_| serde::de::Error::custom("not a duration, such as 10m"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rstest::rstest;

    use super::*;
    use crate::access::{
        Authenticator, Credentials, MintError, Mode, NewPass, PassConstraints, Settings,
    };

    pub(in crate::access) const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

    /// One HS256 secret.
    pub(in crate::access) fn simple() -> PassKeySources {
        PassKeySources {
            secret: Some(Secret::new(SECRET).into()),
            file: None,
            max_ttl: Duration::from_mins(10),
        }
    }

    /// A door with one key, `crm`, and these lines of its entry.
    pub(in crate::access) fn door(lines: &str) -> Authenticator {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("open-chat-keys-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let entry = format!("[[key]]\nid = \"crm\"\nsecret = \"{SECRET}\"\n{lines}");
        std::fs::write(&path, entry).unwrap();
        let access = Authenticator::new(Settings {
            modes: vec![Mode::Pass],
            pass_keys: Some(PassKeySources {
                secret: None,
                file: Some(path.clone()),
                max_ttl: Duration::from_mins(10),
            }),
            ..Settings::default()
        });
        std::fs::remove_file(&path).unwrap();
        access.unwrap()
    }

    fn new_pass() -> NewPass {
        NewPass {
            operator: "101".into(),
            constraints: PassConstraints::default(),
            ttl: Duration::from_mins(5),
            once: false,
        }
    }

    #[rstest]
    #[case("HS256")]
    #[case("HS384")]
    #[case("HS512")]
    fn an_hmac_key_signs_what_it_checks(#[case] algorithm: &str) {
        let door = door(&format!("algorithm = \"{algorithm}\""));
        let (pass, _) = door.mint(&new_pass()).unwrap();
        let credentials = Credentials {
            pass: Some(&pass),
            ..Credentials::default()
        };
        assert!(door.authenticate(&credentials).is_ok());
        assert!(
            door.authenticate(&Credentials {
                pass: Some(&pass[1..]),
                ..credentials
            })
            .is_err()
        );
    }

    #[rstest]
    #[case("operator_claim = \"agent\"")]
    #[case("operator_prefix = \"kommo-\"")]
    #[case("issuer = \"crm.example\"")]
    #[case("audience = \"chat\"")]
    fn a_vendor_s_key_only_checks(#[case] line: &str) {
        let door = door(&format!("algorithm = \"HS256\"\n{line}"));
        assert_eq!(door.mint(&new_pass()), Err(MintError::NoKey));
    }

    #[test]
    fn debug_shows_which_keys_there_are_and_no_secret() {
        let settings = Settings {
            pass_keys: Some(simple()),
            ..Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(!shown.contains("canary"), "{shown}");
        let door = Authenticator::new(settings).unwrap();
        let keys = door.pass_keys.as_ref().unwrap().get();
        assert_eq!(
            format!("{:?}", &**keys),
            "PassKeys { keys: [PassKey(PASS_SECRET, HS256)], signed: SignedPasses, missing: [] }"
        );
    }
}
