//! A file of keys: TOML, a table `[[key]]` for each.

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

/// The tables of the file. The error is a sentence without a secret in it.
pub(super) fn entries<Entry: DeserializeOwned>(
    files: &mut Files,
    path: &Path,
) -> Result<Vec<Entry>, String> {
    let text = files.read(path)?;
    let file: KeysFile<Entry> = toml::from_str(&text).map_err(|error: toml::de::Error| {
        // Only the place: the error's own text would show what stands there, which may be a secret.
        let before = &text[..error.span().map_or(0, |span| span.start)];
        let line = before.matches('\n').count() + 1;
        format!(
            "the file {} is not a list of keys: see line {line}",
            path.display()
        )
    })?;
    Ok(file.key)
}
