//! Verifies passes: the signature, by `jsonwebtoken`, once for each pass; then the claims, for each
//! request.

use chrono::{DateTime, Utc};
use jsonwebtoken::{decode, decode_header};
use serde_json::{Map, Value};

use super::cache::VerifiedPass;
use super::{MAX_PASS, Pass, PassKey, PassKeys};
use crate::access::{
    AuthContext, Authenticator, Caller, ClaimedBy, Credentials, Denied, Mode, OneTimeUse,
    OperatorRequest,
};

impl Authenticator {
    /// The pass that authenticates this request, if that is what does.
    pub(in crate::access) fn presented_pass<'a>(
        &self,
        credentials: &Credentials<'a>,
    ) -> Option<&'a str> {
        if !self.accepts(Mode::Pass) {
            return None;
        }
        // A JWT has two dots; an API key of this service should have none.
        let is_jwt = |text: &&str| text.matches('.').count() == 2;
        credentials
            .pass
            .or_else(|| credentials.bearer.filter(is_jwt))
    }

    /// Authenticates the holder of a pass.
    pub(in crate::access) fn authenticate_pass<'a>(
        &self,
        text: &str,
        operator: Option<&'a str>,
    ) -> Result<AuthContext<'a>, Denied> {
        let keys = self.pass_keys.as_ref().ok_or(Denied::PassInvalid)?.get();
        let (pass, key) = keys.verify(text, Utc::now())?;
        let by = ClaimedBy::Pass {
            operator: pass.operator,
            by_name: key.names_by_display_name(),
        };
        let one_time_use = pass
            .one_time
            .map(|(jti, expires)| OneTimeUse::new(&key.id, &jti, expires));
        Ok(AuthContext {
            caller: Caller::Pass(key.id.clone()),
            requested: OperatorRequest::new(by, operator, key.operators.clone()),
            constraints: pass.constraints,
            one_time_use,
            renewed_cookie: None,
        })
    }
}

impl PassKeys {
    /// Verifies a pass: its signature, times, issuer and audience. Whether its key may act for the
    /// operator is checked when the operator is resolved.
    pub(super) fn verify(
        &self,
        text: &str,
        now: DateTime<Utc>,
    ) -> Result<(Pass, &PassKey), Denied> {
        if text.len() > MAX_PASS {
            return Err(Denied::PassInvalid);
        }
        let verified = self.verified.get_or(text, || self.verify_signature(text));
        let verified = verified.ok_or(Denied::PassInvalid)?;
        let key = self.keys.get(verified.key).ok_or(Denied::PassInvalid)?;
        key.read(&verified.claims, now).map(|pass| (pass, key))
    }

    fn verify_signature(&self, text: &str) -> Option<VerifiedPass> {
        let header = decode_header(text).ok()?;
        // RFC 7515, 4.1.11: extensions that must be understood, none of which is understood here.
        if header.crit.is_some() {
            return None;
        }
        let kid = header.kid.as_deref();
        let mut keys = self.keys.iter().enumerate();
        keys.find_map(|(index, key)| {
            let claims = key.verified_claims(text, kid)?;
            Some(VerifiedPass { key: index, claims })
        })
    }
}

impl PassKey {
    /// The claims of a pass, if this key has signed it, for its issuer and audience.
    fn verified_claims(&self, text: &str, kid: Option<&str>) -> Option<Map<String, Value>> {
        let key = self.material.find(&self.id, kid)?;
        let token = decode::<Map<String, Value>>(text, key, &self.validation).ok()?;
        // RFC 7519, 4.1.3: a token for other audiences must be rejected, and a key without an
        // audience belongs to none.
        let is_for_others = self.validation.aud.is_none() && token.claims.contains_key("aud");
        (!is_for_others).then_some(token.claims)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::access::pass::tests::{NOW, SECRET, signed, verify, with_key};

    #[rstest]
    #[case(Algorithm::HS256)]
    #[case(Algorithm::HS384)]
    #[case(Algorithm::HS512)]
    fn a_key_accepts_its_own_algorithm_alone(#[case] algorithm: Algorithm) {
        let claims = json!({"sub": "101", "exp": NOW + 60});
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let pass = encode(&Header::new(algorithm), &claims, &key).unwrap();
        let is_accepted = verify("", &pass).is_ok();
        assert_eq!(is_accepted, algorithm == Algorithm::HS256);
    }

    #[test]
    fn a_pass_that_was_changed_anywhere_is_refused() {
        let authenticator = with_key("algorithm = \"HS256\"");
        let keys = authenticator.pass_keys.as_ref().unwrap().get();
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let pass = signed(&json!({}));
        for place in 0..pass.len() {
            for byte in [b'A', b'.', b'=', b'+', b'_', b' '] {
                let mut changed = pass.clone().into_bytes();
                changed[place] = byte;
                let changed = String::from_utf8(changed).unwrap();
                let is_accepted = keys.verify(&changed, now).is_ok();
                assert_eq!(is_accepted, changed == pass, "{place}");
            }
        }
        for cut in 0..pass.len() {
            assert!(keys.verify(&pass[..cut], now).is_err());
        }
        assert!(keys.verify(&format!("{pass}.{pass}"), now).is_err());
    }

    #[test]
    fn a_header_extension_that_must_be_understood_is_refused() {
        let header = Header {
            crit: Some(vec!["exp".into()]),
            ..Header::default()
        };
        let claims = json!({"sub": "101", "exp": NOW + 60});
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let pass = encode(&header, &claims, &key).unwrap();
        assert_eq!(verify("", &pass).err(), Some(Denied::PassInvalid));
    }

    #[test]
    fn the_longest_has_4096_bytes() {
        let passes = (2950..3000).map(|length| signed(&json!({"from": "a".repeat(length)})));
        let (longest, longer): (Vec<_>, Vec<_>) = passes
            .filter(|pass| (4096..4100).contains(&pass.len()))
            .partition(|pass| pass.len() == 4096);
        assert!(!longest.is_empty() && !longer.is_empty());
        assert!(longest.iter().all(|pass| verify("", pass).is_ok()));
        assert!(longer.iter().all(|pass| verify("", pass).is_err()));
    }
}
