//! Secrets that begin and end with a quotation mark: a shell takes those away, Docker's
//! `--env-file` hands them on, and nobody can see that on a secret.

use std::ffi::OsString;

/// The variables that hold a secret themselves.
const SECRETS: [&str; 6] = [
    "CHATHUB_API_KEY",
    "CHATHUB_LOGIN",
    "CHATHUB_PASSWORD",
    "PASS_SECRET",
    "REDIS_URL",
    "SSO_PROXY_SECRET",
];

/// A sentence for each of them that is so. It may be meant, so it is no error.
pub fn quoted_secrets(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<String> {
    let mut problems: Vec<_> = vars
        .into_iter()
        .filter_map(|(name, value)| {
            let name = SECRETS
                .into_iter()
                .find(|known| name.to_str() == Some(known))?;
            is_quoted(value.to_str()?.trim()).then(|| {
                format!(
                    "{name} begins and ends with a quotation mark, which counts as a part of it"
                )
            })
        })
        .collect();
    problems.sort();
    problems
}

fn is_quoted(value: &str) -> bool {
    ['"', '\''].iter().any(|mark| {
        value
            .strip_prefix(*mark)
            .is_some_and(|rest| rest.ends_with(*mark))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pair_of_marks_is_one() {
        let pairs = ["\"canary\"", "'canary'", " \"\" "];
        let others = ["canary", "\"canary", "canary'", "\"canary'", "\""];
        assert_eq!(pairs.map(|value| is_quoted(value.trim())), [true; 3]);
        assert_eq!(others.map(is_quoted), [false; 5]);
    }
}
