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

/// Reads the tables of a file. The error is a sentence without a secret in it.
pub(super) fn entries<Entry: DeserializeOwned>(
    files: &mut Files,
    path: &Path,
) -> Result<Vec<Entry>, String> {
    let text = files.read(path)?;
    let file: KeysFile<Entry> = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let name = text.lines().nth(line - 1).and_then(name_of);
        let what = describe(error.message(), name);
        format!(
            "the file {} is not a list of keys: see line {line}: {what}",
            path.display()
        )
    })?;
    Ok(file.key)
}

/// The name before the `=` of a line, if it looks like one of this format.
fn name_of(line: &str) -> Option<&str> {
    let name = line.split_once('=')?.0.trim();
    (is_name(name) || name == "sha256").then_some(name)
}

fn is_name(text: &str) -> bool {
    (1..=20).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Describes the error without the parser's own message, which may quote a secret.
fn describe(message: &str, name: Option<&str>) -> String {
    let quoted = message.split('`').nth(1).filter(|name| is_name(name));
    match (quoted, name) {
        (Some(name), _) if message.starts_with("missing field") => format!("`{name}` is missing"),
        (Some(name), _) if message.starts_with("unknown field") => {
            format!("there is no `{name}`; docs/security.md has the names of a key's settings")
        }
        (_, Some(name)) if message.starts_with("invalid") => {
            format!("`{name}` is not what it should be")
        }
        (_, Some(name)) if message.starts_with("duplicate") => {
            format!("`{name}` stands there twice")
        }
        (_, Some(name)) => format!("what follows `{name} =` is no TOML; a text must be in quotes"),
        _ => "this is no TOML; a key begins with [[key]], a text is in quotes".into(),
    }
}
