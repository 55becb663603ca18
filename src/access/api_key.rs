//! API keys of back ends: stored as SHA-256, each with a name and a list of operators
//! (`API_KEYS_FILE`, TOML).

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use super::{
    AuthContext, Authenticator, Caller, Credentials, Denied, Mode, Scope, UnusableFile, keys_file,
};
use crate::reload::{Files, Reloadable};
use crate::secret::Secret;

/// The keys in force, by the hash of each.
///
/// The hash of the presented key is looked up, so the time of a look-up tells nothing of a key.
#[derive(Debug)]
pub(super) struct ApiKeys(HashMap<[u8; 32], ApiKey>);

/// A key in the file: a back end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiKey {
    name: String,
    sha256: String,
    #[serde(default)]
    operators: Scope,
    /// Whether it may ask for invitations to pair browsers.
    #[serde(default)]
    pair: bool,
}

impl ApiKeys {
    /// Loads the keys of a file.
    pub(super) fn load(path: PathBuf) -> Result<Reloadable<Self>, UnusableFile> {
        let variable = "API_KEYS_FILE";
        let missing = format!("the file {} has no key", path.display());
        Reloadable::load_keys(
            variable,
            move |files| Self::read(files, &path),
            move |keys| keys.0.is_empty().then(|| missing.clone()),
        )
        .map_err(|problem| UnusableFile { variable, problem })
    }

    fn read(files: &mut Files, path: &Path) -> Result<Self, String> {
        let mut keys = HashMap::new();
        for key in keys_file::entries::<ApiKey>(files, path)? {
            if keys.insert(key.hash()?, key).is_some() {
                return Err("two keys have one sha256".into());
            }
        }
        Ok(Self(keys))
    }

    /// The operators of the key of this name, if it may invite.
    pub(super) fn scope_of_inviter(&self, name: &str) -> Option<Scope> {
        let mut keys = self.0.values();
        let key = keys.find(|key| key.pair && key.name == name)?;
        Some(key.operators.clone())
    }

    /// Whether one of the keys is this secret.
    pub(super) fn contain(&self, secret: &Secret) -> bool {
        self.find(secret.expose()).is_some()
    }

    fn find(&self, key: &str) -> Option<&ApiKey> {
        let hash = digest(&SHA256, key.as_bytes());
        self.0.get(hash.as_ref())
    }
}

impl ApiKey {
    fn hash(&self) -> Result<[u8; 32], String> {
        let name = &self.name;
        let mut hash = [0; 32];
        hex::decode_to_slice(&self.sha256, &mut hash)
            .map_err(|_| format!("key `{name}`: sha256 must be 64 hexadecimal digits"))?;
        if digest(&SHA256, b"").as_ref() == hash {
            return Err(format!("key `{name}`: sha256 is that of an empty key"));
        }
        Ok(hash)
    }
}

impl Authenticator {
    /// Whether API keys are accepted at all.
    pub fn accepts_api_keys(&self) -> bool {
        self.accepts(Mode::Key)
    }

    /// The API key that authenticates this request, if that is what does.
    pub fn presented_api_key<'a>(&self, credentials: &Credentials<'a>) -> Option<&'a str> {
        let is_by_key = self.accepts_api_keys() && self.presented_pass(credentials).is_none();
        credentials.bearer.filter(|_| is_by_key)
    }

    /// Whether it is not known yet if this key, presented from this address, is valid.
    pub fn is_unverified_api_key(&self, key: &str, client: IpAddr) -> bool {
        self.accepts_api_keys()
            // Keys from other networks are never verified.
            && self.check_network(client).is_ok()
            && !self.verified_keys.contains(client, key)
    }

    /// Verifies a key, and remembers a valid one for this address. Count the attempt first.
    pub fn verify_api_key(&self, key: &str, client: IpAddr) {
        let keys = self.api_keys.as_ref();
        if keys.is_some_and(|keys| keys.get().find(key).is_some()) {
            self.verified_keys.add(client, key);
        }
    }

    /// Whether this API key may ask for invitations to pair browsers (`pair = true`).
    pub fn may_invite(&self, key: &str) -> bool {
        let keys = self.api_keys.as_ref().filter(|_| self.accepts_api_keys());
        keys.is_some_and(|keys| keys.get().find(key).is_some_and(|key| key.pair))
    }

    /// Authenticates a back end by its API key.
    pub fn authenticate_api_key<'a>(
        &self,
        key: Option<&str>,
        operator: Option<&'a str>,
    ) -> Result<AuthContext<'a>, Denied> {
        let keys = self.api_keys.as_ref().filter(|_| self.accepts_api_keys());
        let keys = keys.ok_or(Denied::ApiKeyInvalid)?.get();
        let key = key
            .and_then(|key| keys.find(key))
            .ok_or(Denied::ApiKeyInvalid)?;
        AuthContext::by_url(
            Caller::Key(key.name.clone()),
            operator,
            key.operators.clone(),
        )
    }
}
