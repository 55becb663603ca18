//! Finds secrets with something around them that was hardly meant: quotation marks, which a shell
//! removes and Docker's `--env-file` keeps, white space, and characters that do not show. No output
//! shows a secret, so they would be looked for in vain.

use std::ffi::OsString;

use super::parser::path_in;
use super::variables;
use crate::invisible;
use crate::secret::SecretSource;

/// What programs and people put around a text to quote it.
const QUOTATION_MARKS: [(char, char); 5] =
    [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('«', '»')];

/// A sentence for each secret that is set so, in its variable or its file. It may be intended, so
/// it is no error.
pub fn doubtful_secrets(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<String> {
    let mut problems: Vec<_> = vars
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.to_str()?;
            let (secret, is_file) = variables::secrets().find_map(|secret| {
                let rest = name.strip_prefix(secret)?;
                matches!(rest, "" | "_FILE").then_some((secret, !rest.is_empty()))
            })?;
            let value = value.to_str()?;
            let doubt = if is_file {
                let read = SecretSource::file(path_in(value)).read().ok()?;
                doubt(read.expose())
            } else {
                doubt(value)
            };
            Some(format!("{secret} {}", doubt?))
        })
        .collect();
    problems.sort();
    problems
}

/// What is doubtful about a secret.
fn doubt(secret: &str) -> Option<&'static str> {
    let visible = invisible::trim(secret);
    if is_quoted(visible) {
        Some("begins and ends with a quotation mark, which counts as a part of it")
    } else if visible.len() < secret.len() {
        Some("begins or ends with white space or an invisible character")
    } else {
        None
    }
}

fn is_quoted(text: &str) -> bool {
    QUOTATION_MARKS.iter().any(|(open, close)| {
        text.strip_prefix(*open)
            .is_some_and(|rest| rest.ends_with(*close))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pair_of_marks_counts() {
        let pairs = ["\"canary\"", "'canary'", "\"\"", "“canary”", "«canary»"];
        let others = [
            "canary",
            "\"canary",
            "canary'",
            "\"canary'",
            "\"",
            "”canary“",
        ];
        assert_eq!(pairs.map(is_quoted), [true; 5]);
        assert_eq!(others.map(is_quoted), [false; 6]);
    }

    #[test]
    fn what_does_not_show_is_found_at_the_ends_alone() {
        let doubtful = [
            "canary ",
            "\tcanary",
            "canary\r",
            "canary\u{a0}",
            "\u{200b}canary",
        ];
        assert!(doubtful.iter().all(|secret| doubt(secret).is_some()));
        assert_eq!(doubt("a canary's secret"), None);
    }
}
