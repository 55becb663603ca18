//! API keys of back ends: stored as SHA-256, each with a name and a list of operators
//! (`API_KEYS_FILE`, TOML).

use std::collections::HashMap;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use super::keys_file;
use super::scope::Scope;
use crate::reload::Files;

/// The keys in force, by the hash of each.
///
/// The hash of what a caller shows is looked up, so the time that takes tells nothing of a key.
#[derive(Debug)]
pub(super) struct ApiKeys(HashMap<[u8; 32], ApiKey>);

/// A back end.
#[derive(Clone, Debug)]
pub(super) struct ApiKey {
    pub(super) name: String,
    pub(super) operators: Scope,
}

/// A key, as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    name: String,
    sha256: String,
    #[serde(default)]
    operators: Scope,
}

impl ApiKeys {
    pub(super) fn read(files: &mut Files, path: &Path) -> Result<Self, String> {
        let mut keys = HashMap::new();
        for KeyEntry {
            name,
            sha256,
            operators,
        } in keys_file::entries(files, path)?
        {
            let mut hash = [0; 32];
            hex::decode_to_slice(&sha256, &mut hash)
                .map_err(|_| format!("key `{name}`: sha256 must be 64 hexadecimal digits"))?;
            if digest(&SHA256, b"").as_ref() == hash {
                return Err(format!("key `{name}`: sha256 is that of an empty key"));
            }
            if keys.insert(hash, ApiKey { name, operators }).is_some() {
                return Err("two keys have one sha256".into());
            }
        }
        Ok(Self(keys))
    }

    /// Whether nobody has a key.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find(&self, key: &str) -> Option<&ApiKey> {
        let hash = digest(&SHA256, key.as_bytes());
        self.0.get(hash.as_ref())
    }
}
