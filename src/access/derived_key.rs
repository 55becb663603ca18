//! Keys for what this service signs and no caller may sign, one for each purpose.
//!
//! Each is derived by HKDF (RFC 5869) from a secret of this service's, so every replica has the
//! same key. For tickets that is ChatHub's credential, with the key that has authenticated the
//! caller as the salt: the ticket's key changes when either of the two changes, and a caller that
//! holds the second one alone cannot compute it. For paired browsers it is a line of
//! `DEVICE_SECRET`, without a salt.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use crate::secret::Secret;

/// Derives the key. The security rests on the credential; `salt` only separates, and may be known.
pub(super) fn derive(
    purpose: &'static str,
    credential: &Secret,
    salt: &Secret,
) -> Option<[u8; 32]> {
    let salt = Salt::new(HKDF_SHA256, salt.expose().as_bytes());
    let mut key = [0; 32];
    salt.extract(credential.expose().as_bytes())
        .expand(&[purpose.as_bytes()], HKDF_SHA256)
        .and_then(|expanded| expanded.fill(&mut key))
        .ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_input_changes_the_key() {
        let derived = |purpose, credential: &str, salt: &str| {
            derive(purpose, &Secret::new(credential), &Secret::new(salt)).unwrap()
        };
        let key = derived("a", "canary-password", "canary-key");
        assert_eq!(key, derived("a", "canary-password", "canary-key"));
        for other in [
            derived("b", "canary-password", "canary-key"),
            derived("a", "canary-passwore", "canary-key"),
            derived("a", "canary-password", "canary-kez"),
            derived("a", "canary-key", "canary-password"),
        ] {
            assert_ne!(key, other);
        }
    }

    /// Computed by Python's `hmac`, after RFC 5869.
    #[test]
    fn it_is_hkdf_with_sha_256() {
        let key = derive(
            "purpose",
            &Secret::new("credential"),
            &Secret::new("vouching"),
        )
        .unwrap();
        assert_eq!(
            hex::encode(key),
            "b33ab2534855168c7a6ac2613693dd4eb681ef81ac02bce191d9bb55661fd236"
        );
    }
}
