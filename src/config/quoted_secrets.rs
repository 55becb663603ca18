//! Finds secrets that begin and end with a quotation mark. A shell removes the marks, Docker's
//! `--env-file` keeps them, and no output shows a secret.

use std::ffi::OsString;

use super::variables;

/// A sentence for each quoted secret. The marks may be intended, so they are no error.
pub fn quoted_secrets(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<String> {
    let mut problems: Vec<_> = vars
        .into_iter()
        .filter_map(|(name, value)| {
            let name = variables::secrets().find(|known| name.to_str() == Some(known))?;
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
    fn only_a_pair_of_marks_counts() {
        let pairs = ["\"canary\"", "'canary'", " \"\" "];
        let others = ["canary", "\"canary", "canary'", "\"canary'", "\""];
        assert_eq!(pairs.map(|value| is_quoted(value.trim())), [true; 3]);
        assert_eq!(others.map(is_quoted), [false; 5]);
    }
}
