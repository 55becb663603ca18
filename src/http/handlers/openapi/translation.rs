//! What the document says, in other languages. The document itself is in English, for programs.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::http::pages::Language;

/// By the English text. Empty if the file cannot be read, which a test would show.
pub(super) static UKRAINIAN: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| toml::from_str(include_str!("uk.toml")).unwrap_or_default());

/// A text of the document in this language: in English where there is no other.
pub(super) fn in_language(language: Language, text: &'static str) -> &'static str {
    match language {
        Language::English => text,
        Language::Ukrainian => UKRAINIAN.get(text).copied().unwrap_or(text),
    }
}
