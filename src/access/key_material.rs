//! What signatures are checked with: an HMAC secret, a public key, a provider's set of keys.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::secret::Secret;

/// An HS256 secret shorter than its hash can be guessed.
const MIN_SECRET: usize = 32;

/// What a signature is checked with.
pub(super) enum Material {
    /// One key.
    One(DecodingKey),
    /// A provider's keys, each with its own id.
    Jwks(Vec<(Option<String>, DecodingKey)>),
}

impl Material {
    /// What checks a token with this `kid`, where the key that this belongs to is called `id`.
    pub(super) fn find(&self, id: &str, kid: Option<&str>) -> Option<&DecodingKey> {
        match (self, kid) {
            (Self::One(key), None) => Some(key),
            (Self::One(key), Some(kid)) => (id == kid).then_some(key),
            (Self::Jwks(keys), _) => keys
                .iter()
                .find(|(id, _)| id.as_deref() == kid || (kid.is_none() && keys.len() == 1))
                .map(|(_, key)| key),
        }
    }
}

/// Whether a file's text is one that its owner has emptied, or written a note in instead of a key:
/// a few lines, each of them blank or a comment.
pub(super) fn is_no_key(text: &str) -> bool {
    let is_note = |line: &str| line.trim().is_empty() || line.starts_with('#');
    text.trim().is_empty() || text.len() < MIN_SECRET && text.lines().all(is_note)
}

pub(super) fn hmac(kept: &mut Option<Secret>, secret: Secret) -> Result<DecodingKey, String> {
    if secret.expose().len() < MIN_SECRET {
        return Err(format!("the secret must have at least {MIN_SECRET} bytes"));
    }
    let key = DecodingKey::from_secret(secret.expose().as_bytes());
    *kept = Some(secret);
    Ok(key)
}

pub(super) fn public_key(algorithm: Algorithm, pem: &str) -> Result<DecodingKey, String> {
    if pem.contains("PRIVATE KEY-----") {
        return Err(
            "public_key_file is a private key, which belongs to the signer alone; its public half is what `openssl pkey -in FILE -pubout` prints".into(),
        );
    }
    let key = match algorithm {
        Algorithm::RS256 => DecodingKey::from_rsa_pem(pem.as_bytes()),
        Algorithm::ES256 => DecodingKey::from_ec_pem(pem.as_bytes()),
        _ => DecodingKey::from_ed_pem(pem.as_bytes()),
    };
    key.map_err(|_| "public_key_file is not a public key of this algorithm in PEM".into())
}

pub(super) fn jwks(
    algorithm: Algorithm,
    text: &str,
) -> Result<Vec<(Option<String>, DecodingKey)>, String> {
    let set: JwkSet =
        serde_json::from_str(text).map_err(|_| "jwks_file is not a JWK set".to_owned())?;
    Ok(set
        .keys
        .iter()
        .filter_map(|jwk| {
            let key = DecodingKey::from_jwk(jwk).ok()?;
            (key.family() == algorithm.family()).then(|| (jwk.common.key_id.clone(), key))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn set(ids: &[Option<&str>]) -> Material {
        let key = |id: Option<&str>| (id.map(str::to_owned), DecodingKey::from_secret(b"key"));
        Material::Jwks(ids.iter().copied().map(key).collect())
    }

    #[rstest]
    #[case::by_its_id(&[Some("a"), Some("b")], Some("b"), true)]
    #[case::another_id(&[Some("a"), Some("b")], Some("c"), false)]
    #[case::no_id_among_several(&[Some("a"), Some("b")], None, false)]
    #[case::no_id_where_there_is_one(&[Some("a")], None, true)]
    #[case::another_id_where_there_is_one(&[Some("a")], Some("c"), false)]
    #[case::a_key_without_an_id(&[None, Some("b")], None, true)]
    fn a_provider_s_key(
        #[case] ids: &[Option<&str>],
        #[case] kid: Option<&str>,
        #[case] found: bool,
    ) {
        assert_eq!(set(ids).find("entry", kid).is_some(), found);
    }

    #[rstest]
    #[case("", true)]
    #[case(" \n\t", true)]
    #[case("# taken out\n", true)]
    #[case("\n# taken\n#out", true)]
    #[case("taken out", false)]
    #[case("#34567890123456789012345678901234", false)]
    fn what_its_owner_has_emptied(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_no_key(text), expected);
    }

    #[test]
    fn a_secret_has_32_bytes() {
        let kept = |length| {
            let mut kept = None;
            hmac(&mut kept, Secret::new("a".repeat(length))).is_ok() && kept.is_some()
        };
        assert!(kept(32) && !kept(31));
    }

    #[rstest]
    #[case::no_id(None, true)]
    #[case::its_entry_s(Some("entry"), true)]
    #[case::another(Some("other"), false)]
    fn a_key_of_ones_own(#[case] kid: Option<&str>, #[case] found: bool) {
        let key = Material::One(DecodingKey::from_secret(b"key"));
        assert_eq!(key.find("entry", kid).is_some(), found);
    }
}
