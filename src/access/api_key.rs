//! API keys of back ends: stored as SHA-256, each with a name and a list of operators (`API_KEYS_FILE`, TOML).

use std::collections::HashMap;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysFile {
    #[serde(default)]
    key: Vec<KeyEntry>,
}

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
        let text = files.read(path)?;
        let file: KeysFile = toml::from_str(&text).map_err(|error| {
            format!(
                "the file {} is not a list of keys: {}",
                path.display(),
                error.message()
            )
        })?;
        let mut keys = HashMap::new();
        for KeyEntry {
            name,
            sha256,
            operators,
        } in file.key
        {
            let hash = hash_from_hex(&sha256)
                .ok_or_else(|| format!("key `{name}`: sha256 must be 64 hexadecimal digits"))?;
            if keys.insert(hash, ApiKey { name, operators }).is_some() {
                return Err("two keys have one sha256".into());
            }
        }
        if keys.is_empty() {
            return Err(format!("the file {} has no key", path.display()));
        }
        Ok(Self(keys))
    }

    pub(super) fn find(&self, key: &str) -> Option<&ApiKey> {
        let hash = digest(&SHA256, key.as_bytes());
        self.0.get(hash.as_ref())
    }
}

fn hash_from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
