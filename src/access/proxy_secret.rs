//! What the proxy that logs agents in shows beside an identity (`SSO_PROXY_SECRET`).

use crate::reload::Files;
use crate::secret::{Secret, SecretSource};

/// Shorter ones can be guessed.
pub(super) const SHORTEST: usize = 16;

/// Reads it. The error is a sentence without the secret.
pub(super) fn read(files: &mut Files, source: &SecretSource) -> Result<Secret, String> {
    let secret = files.secret(source)?;
    check(secret.expose())?;
    Ok(secret)
}

fn check(text: &str) -> Result<(), String> {
    if text.chars().count() < SHORTEST {
        return Err(format!("must have at least {SHORTEST} characters"));
    }
    // A header loses the white space around its value, and cannot carry the others.
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

    #[rstest]
    #[case("canary-16-chars-", true)]
    #[case("canary-15-chars", false)]
    #[case("канарка-16-букв-", true)]
    #[case(" canary-proxy-secret", false)]
    #[case("canary-proxy-secret\u{a0}", false)]
    #[case("canary-proxy\nsecret", false)]
    #[case("canary proxy secret", true)]
    fn what_a_header_carries_and_nobody_guesses(#[case] text: &str, #[case] is_good: bool) {
        assert_eq!(check(text).is_ok(), is_good, "{text:?}");
    }
}
