//! The TOML format that the files of pass keys and of API keys share: one table `[[key]]` a key.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::reload::Files;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysFile<Entry> {
    #[serde(default = "Vec::new")]
    key: Vec<Entry>,
}

/// What a file of settings in TOML is, for messages about one that is none.
#[derive(Clone, Copy, Debug)]
pub struct TomlFormat {
    /// `a list of keys`
    pub what: &'static str,
    /// The page that has the names of its settings.
    pub page: &'static str,
    /// What it looks like: `a key begins with [[key]]`.
    pub form: &'static str,
}

const KEYS: TomlFormat = TomlFormat {
    what: "a list of keys",
    page: "docs/security.md has the names of a key's settings",
    form: "a key begins with [[key]]",
};

/// Why a text cannot be read, in a sentence without a secret in it, which the parser's own message
/// may quote.
pub fn toml_problem(
    error: &toml::de::Error,
    text: &str,
    path: &Path,
    format: TomlFormat,
) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let name = text.lines().nth(line - 1).and_then(name_of);
    let why = describe(error.message(), name, format);
    let (path, what) = (path.display(), format.what);
    format!("the file {path} is not {what}: see line {line}: {why}")
}

/// Reads the tables of a file. The error is a sentence without a secret in it.
pub(super) fn entries<Entry: DeserializeOwned>(
    files: &mut Files,
    path: &Path,
) -> Result<Vec<Entry>, String> {
    let text = files.read(path)?;
    let file: KeysFile<Entry> =
        toml::from_str(&text).map_err(|error| toml_problem(&error, &text, path, KEYS))?;
    Ok(file.key)
}

/// The name before the `=` of a line, if it looks like one of this format.
fn name_of(line: &str) -> Option<&str> {
    let name = line.split_once('=')?.0.trim();
    is_name(name).then_some(name)
}

/// One name has digits; whatever else has some may be a secret.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    text == "sha256" || (1..=24).contains(&text.len()) && text.bytes().all(is_plain)
}

fn describe(message: &str, name: Option<&str>, format: TomlFormat) -> String {
    let quoted = message.split('`').nth(1).filter(|name| is_name(name));
    match (quoted, name) {
        (Some(name), _) if message.starts_with("missing field") => format!("`{name}` is missing"),
        (Some(name), _) if message.starts_with("unknown field") => {
            let TomlFormat { form, page, .. } = format;
            format!("there is no `{name}` in this place: {form}; {page}")
        }
        (_, Some(name)) if message.starts_with("invalid") => {
            format!("`{name}` is not what it should be")
        }
        (_, Some(name)) if message.starts_with("duplicate") => {
            format!("`{name}` stands there twice")
        }
        (_, Some(name)) => format!("what follows `{name} =` is no TOML; a text must be in quotes"),
        _ => format!("{}, and a text is in quotes", format.form),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "what matters is what cannot be read")]
    struct Entry {
        id: String,
        sha256: String,
    }

    const NO_TOML: &str = "a key begins with [[key]], and a text is in quotes";
    const NOT_HERE: &str = "in this place: a key begins with [[key]]; \
                            docs/security.md has the names of a key's settings";

    /// A secret may stand anywhere in a file that is broken: only what looks like the name of a
    /// setting is repeated.
    #[rstest]
    #[case::missing("id = \"odoo\"", 1, "`sha256` is missing")]
    #[case::another_missing("sha256 = \"00\"", 1, "`id` is missing")]
    #[case::unknown("id = \"odoo\"\nname = \"x\"", 3, &format!("there is no `name` {NOT_HERE}"))]
    #[case::unknown_of_24("abcdefghijklmnopqrstuvw_ = 1", 2, &format!("there is no `abcdefghijklmnopqrstuvw_` {NOT_HERE}"))]
    #[case::unknown_and_longer("canary_secret_of_25_bytes = 1", 2, NO_TOML)]
    #[case::unknown_of_25("abcdefghijklmnopqrstuvwx_ = 1", 2, NO_TOML)]
    #[case::unknown_with_a_digit("canary7 = 1", 2, NO_TOML)]
    #[case::unknown_with_a_capital("Canary = 1", 2, NO_TOML)]
    #[case::no_text("id = 7", 2, "`id` is not what it should be")]
    #[case::no_text_either("id = \"odoo\"\nsha256 = 7", 3, "`sha256` is not what it should be")]
    #[case::twice("id = \"odoo\"\nid = \"erp\"", 3, "`id` stands there twice")]
    #[case::twice_too("sha256 = \"0\"\nsha256 = \"1\"", 3, "`sha256` stands there twice")]
    #[case::without_quotes(
        "id = canary",
        2,
        "what follows `id =` is no TOML; a text must be in quotes"
    )]
    #[case::without_a_name("canary", 2, NO_TOML)]
    fn what_is_wrong_is_said_without_a_secret(
        #[case] lines: &str,
        #[case] line: usize,
        #[case] why: &str,
    ) {
        let text = format!("[[key]]\n{lines}\n");
        let error = toml::from_str::<KeysFile<Entry>>(&text).err().unwrap();
        assert_eq!(
            toml_problem(&error, &text, Path::new("keys.toml"), KEYS),
            format!("the file keys.toml is not a list of keys: see line {line}: {why}")
        );
    }
}
