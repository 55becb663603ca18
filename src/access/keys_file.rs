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
    (is_name(name) || name == "sha256").then_some(name)
}

fn is_name(text: &str) -> bool {
    (1..=24).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
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
