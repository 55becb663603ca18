//! Single sign-on by a trusted proxy: the identity in its header, and the secret beside it
//! (`SSO_PROXY_SECRET`).

use super::{
    AuthContext, Authenticator, Caller, ClaimedBy, Credentials, Denied, OperatorRequest, Scope,
    UnusableFile,
};
use crate::reload::{Files, Reloadable};
use crate::secret::{Secret, SecretSource};

/// The minimum length, in characters: shorter secrets can be guessed.
const MIN_LENGTH: usize = 16;

/// Loads the proxy's secret. It is `None` where its file was emptied later on.
pub(super) fn load_secret(
    source: SecretSource,
) -> Result<Reloadable<Option<Secret>>, UnusableFile> {
    let variable = "SSO_PROXY_SECRET";
    Reloadable::load_keys(
        variable,
        move |files| read(files, &source),
        |secret| {
            secret
                .is_none()
                .then(|| "there is no secret in the file".into())
        },
    )
    .map_err(|problem| UnusableFile { variable, problem })
}

impl Authenticator {
    /// Authenticates an agent by the identity that a trusted proxy asserts.
    pub(super) fn authenticate_identity<'a>(
        &self,
        identity: &str,
        credentials: &Credentials<'a>,
    ) -> Result<AuthContext<'a>, Denied> {
        self.check_proxy_secret(credentials)?;
        // In open mode an identity only fills in the operator that the URL leaves out.
        let by = if self.is_open() && credentials.operator.is_some() {
            ClaimedBy::Url
        } else {
            ClaimedBy::Identity(identity.to_owned())
        };
        Ok(AuthContext::without_pass(
            Caller::Sso(identity.to_owned()),
            OperatorRequest::new(by, credentials.operator, Scope::default()),
        ))
    }

    fn check_proxy_secret(&self, credentials: &Credentials<'_>) -> Result<(), Denied> {
        let Some(expected) = &self.proxy_secret else {
            return Ok(());
        };
        // Where both are absent they are not equal.
        let is_equal = (**expected.get())
            .as_ref()
            .zip(credentials.proxy_secret.map(Secret::new))
            .is_some_and(|(expected, presented)| *expected == presented);
        is_equal.then_some(()).ok_or(Denied::IdentityMissing)
    }
}

/// The error is a sentence without the secret.
fn read(files: &mut Files, source: &SecretSource) -> Result<Option<Secret>, String> {
    let secret = match source {
        SecretSource::Text(secret) => Some(secret.clone()),
        SecretSource::File(file) => files.secret_at(file.path())?,
    };
    if let Some(secret) = &secret {
        check(secret.expose())?;
    }
    Ok(secret)
}

fn check(text: &str) -> Result<(), String> {
    if text.chars().count() < MIN_LENGTH {
        return Err(format!("must have at least {MIN_LENGTH} characters"));
    }
    // A header loses the white space around its value, and cannot carry control characters.
    if text.trim() != text || text.contains(char::is_control) {
        return Err(
            "must not begin or end with white space, nor contain a control character: no header carries those"
                .into(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::access::{AuthConfig, Mode};

    #[rstest]
    #[case("canary-16-chars-", true)]
    #[case("canary-15-chars", false)]
    #[case("канарка-16-букв-", true)]
    #[case(" canary-proxy-secret", false)]
    #[case("canary-proxy-secret\u{a0}", false)]
    #[case("canary-proxy\nsecret", false)]
    #[case("canary proxy secret", true)]
    fn a_secret_is_long_enough_and_fits_into_a_header(#[case] text: &str, #[case] is_valid: bool) {
        assert_eq!(check(text).is_ok(), is_valid, "{text:?}");
    }

    #[test]
    fn a_proxy_presents_its_secret() {
        let authenticator = Authenticator::new(AuthConfig {
            modes: vec![Mode::Sso],
            sso_proxy_secret: Some(Secret::new("canary-proxy-secret").into()),
            ..AuthConfig::default()
        })
        .unwrap();
        for (presented, is_accepted) in [
            (Some("canary-proxy-secret"), true),
            (Some("canary"), false),
            (None, false),
        ] {
            let credentials = Credentials {
                is_from_proxy: true,
                identity: Some("ann"),
                proxy_secret: presented,
                ..Credentials::default()
            };
            let outcome = authenticator.authenticate(&credentials);
            assert_eq!(outcome.is_ok(), is_accepted, "{presented:?}");
        }
    }
}
