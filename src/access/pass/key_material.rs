//! What signatures are verified with: an HMAC secret, a public key, or a provider's set of keys.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::secret::Secret;

/// An HS256 secret shorter than its hash can be guessed.
const MIN_SECRET: usize = 32;

/// What signatures are verified with.
pub(super) enum KeyMaterial {
    /// A secret, which signs as well as verifies.
    Hmac(Secret, DecodingKey),
    /// One public key.
    PublicKey(DecodingKey),
    /// A provider's keys, each with its own id.
    Jwks(Vec<(Option<String>, DecodingKey)>),
}

impl KeyMaterial {
    /// The errors are sentences without the secret.
    pub(super) fn hmac(secret: Secret) -> Result<Self, String> {
        if secret.expose().len() < MIN_SECRET {
            return Err(format!("the secret must have at least {MIN_SECRET} bytes"));
        }
        let key = DecodingKey::from_secret(secret.expose().as_bytes());
        Ok(Self::Hmac(secret, key))
    }

    pub(super) fn public_key(algorithm: Algorithm, pem: &str) -> Result<Self, String> {
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
        key.map(Self::PublicKey)
            .map_err(|_| "public_key_file is not a public key of this algorithm in PEM".into())
    }

    /// The keys of a set that are of this algorithm; `None` where there are none.
    pub(super) fn jwks(algorithm: Algorithm, text: &str) -> Result<Option<Self>, String> {
        let set: JwkSet =
            serde_json::from_str(text).map_err(|_| "jwks_file is not a JWK set".to_owned())?;
        let keys: Vec<_> = set
            .keys
            .iter()
            .filter_map(|jwk| {
                let key = DecodingKey::from_jwk(jwk).ok()?;
                (key.family() == algorithm.family()).then(|| (jwk.common.key_id.clone(), key))
            })
            .collect();
        Ok((!keys.is_empty()).then_some(Self::Jwks(keys)))
    }

    /// The key that verifies a token with this `kid`, where the entry in the file is called `id`.
    pub(super) fn find(&self, id: &str, kid: Option<&str>) -> Option<&DecodingKey> {
        match self {
            Self::Hmac(_, key) | Self::PublicKey(key) => {
                kid.is_none_or(|kid| kid == id).then_some(key)
            }
            Self::Jwks(keys) => keys
                .iter()
                .find(|(id, _)| id.as_deref() == kid || (kid.is_none() && keys.len() == 1))
                .map(|(_, key)| key),
        }
    }

    /// The secret that can sign.
    pub(super) const fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Hmac(secret, _) => Some(secret),
            Self::PublicKey(_) | Self::Jwks(_) => None,
        }
    }
}

/// Whether a file's text is no key: its owner has emptied it, or has written a note instead, a few
/// lines that are all blank or comments.
pub(super) fn is_placeholder(text: &str) -> bool {
    let is_note = |line: &str| line.trim().is_empty() || line.starts_with('#');
    text.trim().is_empty() || text.len() < MIN_SECRET && text.lines().all(is_note)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn set(ids: &[Option<&str>]) -> KeyMaterial {
        let key = |id: Option<&str>| (id.map(str::to_owned), DecodingKey::from_secret(b"key"));
        KeyMaterial::Jwks(ids.iter().copied().map(key).collect())
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
    #[case::blanks_as_long_as_a_secret("                                ", true)]
    #[case::the_shortest_secret("#canary-secret-of-32-bytes-or-so", false)]
    #[case("taken out", false)]
    #[case("#34567890123456789012345678901234", false)]
    fn an_emptied_file_is_a_placeholder(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_placeholder(text), expected);
    }

    #[test]
    fn a_secret_has_32_bytes() {
        let is_accepted = |length| KeyMaterial::hmac(Secret::new("a".repeat(length))).is_ok();
        assert!(is_accepted(32) && !is_accepted(31));
    }

    #[rstest]
    #[case::no_id(None, true)]
    #[case::its_entry_s(Some("entry"), true)]
    #[case::another(Some("other"), false)]
    fn a_single_key(#[case] kid: Option<&str>, #[case] found: bool) {
        let key = KeyMaterial::PublicKey(DecodingKey::from_secret(b"key"));
        assert_eq!(key.find("entry", kid).is_some(), found);
    }
}
