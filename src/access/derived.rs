//! Keys that the service makes for itself, for what it signs and nobody else may: one for each
//! purpose.
//!
//! Each is derived by HKDF (RFC 5869) from ChatHub's credential and from the key that has vouched
//! for the caller. So every replica has it, it is gone when either of the two changes, and a caller
//! who holds the second one alone cannot compute it.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use crate::secret::Secret;

/// The derived key. The credential is what must stay unknown; the other key only separates, as a
/// salt does, and may be known.
pub(super) fn key(
    purpose: &'static str,
    credential: &Secret,
    vouching: &Secret,
) -> Option<[u8; 32]> {
    let salt = Salt::new(HKDF_SHA256, vouching.expose().as_bytes());
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
    fn each_of_the_three_makes_another_key() {
        let made = |purpose, credential: &str, vouching: &str| {
            key(purpose, &Secret::new(credential), &Secret::new(vouching)).unwrap()
        };
        let key = made("a", "canary-password", "canary-key");
        assert_eq!(key, made("a", "canary-password", "canary-key"));
        for other in [
            made("b", "canary-password", "canary-key"),
            made("a", "canary-passwore", "canary-key"),
            made("a", "canary-password", "canary-kez"),
            made("a", "canary-key", "canary-password"),
        ] {
            assert_ne!(key, other);
        }
    }

    /// Computed by Python's `hmac`, after RFC 5869.
    #[test]
    fn it_is_hkdf_with_sha_256() {
        let key = key(
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
