//! Passes: JWTs that name an operator, signed by the CRM or by `open-chat pass mint` with a
//! configured key.
//!
//! The pass decides on the operator, never the URL. The key decides on the algorithm, never the
//! token.

mod cache;
mod claims;
mod key_entry;
mod key_material;
mod keys;
mod sign;
mod verify;

use chrono::{DateTime, Utc};
use serde::Serialize;

pub use self::keys::PassKeySources;
pub(super) use self::keys::{PassKey, PassKeys};
pub use self::sign::{MintError, NewPass};

/// The tolerated clock difference of a CRM in `iat` and `nbf`, in seconds.
pub(super) const LEEWAY: i64 = 60;

/// The maximum length of a pass, in bytes. The JWTs of identity providers are shorter.
pub(super) const MAX_PASS: usize = 4096;

/// The content of a verified pass.
#[derive(Debug)]
struct Pass {
    /// The operator, by alias, id or name.
    operator: String,
    constraints: PassConstraints,
    /// The `jti` that makes it one-time, and when the pass expires.
    one_time: Option<(String, DateTime<Utc>)>,
}

/// Parameters that a pass fixes, as raw texts: they are still to be parsed like those of a query.
/// What a back end or a CRM asks a link for has the same form, because it goes into a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PassConstraints {
    /// The client's phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The alpha name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The chat's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_raw_id: Option<String>,
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::{Value, json};

    use super::*;
    use crate::access::{AuthConfig, Authenticator, Denied, Mode};
    use crate::secret::Secret;

    pub(in crate::access) const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

    /// One HS256 secret.
    pub(in crate::access) fn hs256_source() -> PassKeySources {
        PassKeySources {
            secret: Some(Secret::new(SECRET).into()),
            file: None,
            max_ttl: Duration::from_mins(10),
        }
    }

    /// An authenticator with one key, `crm`, and these lines in its entry.
    pub(in crate::access) fn with_key(lines: &str) -> Authenticator {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("open-chat-keys-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let entry = format!("[[key]]\nid = \"crm\"\nsecret = \"{SECRET}\"\n{lines}");
        std::fs::write(&path, entry).unwrap();
        let authenticator = Authenticator::new(AuthConfig {
            modes: vec![Mode::Pass],
            pass_keys: Some(PassKeySources {
                secret: None,
                file: Some(path.clone()),
                max_ttl: Duration::from_mins(10),
            }),
            ..AuthConfig::default()
        });
        std::fs::remove_file(&path).unwrap();
        authenticator.unwrap()
    }

    pub(super) const NOW: i64 = 1_800_000_000;

    /// A pass that expires a minute after [`NOW`], unless the claims say otherwise.
    pub(super) fn signed(claims: &Value) -> String {
        let mut all = json!({"sub": "101", "exp": NOW + 60});
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
            if name == "exp" && value.is_null() {
                all.as_object_mut().unwrap().remove(name);
            }
        }
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        encode(&Header::default(), &all, &key).unwrap()
    }

    /// The result of verifying a pass at [`NOW`], with one key.
    pub(super) fn verify(lines: &str, pass: &str) -> Result<Pass, Denied> {
        let authenticator = with_key(&format!("algorithm = \"HS256\"\n{lines}"));
        let keys = authenticator.pass_keys.as_ref().unwrap().get();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        keys.verify(pass, now).map(|(pass, _)| pass)
    }
}
