//! What is known of how each CRM opens a URL: the facts of `crms.toml`, and how a value is written
//! in each CRM's kind of code. It knows no link and no request.

use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// All CRMs, in alphabetical order. Empty if the file could not be read, which a test would show.
pub(super) static CRMS: LazyLock<Vec<Crm>> = LazyLock::new(|| {
    let file: Result<File, _> = toml::from_str(FILE);
    file.map(|file| file.crm).unwrap_or_default()
});

const FILE: &str = include_str!("crms.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct File {
    crm: Vec<Crm>,
}

/// A CRM, as far as it is known. The facts are explained in `crms.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Crm {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// What its URL is written in.
    pub(super) code: Code,
    pub(super) links: Fact,
    pub(super) way: Fact,
    pub(super) button: Fact,
    pub(super) phone: Fact,
    pub(super) agent: Fact,
    pub(super) plus: Fact,
    pub(super) signs: Fact,
    pub(super) opens: Fact,
    /// For `docs/crm.md` only.
    #[serde(rename = "row")]
    _row: IgnoredAny,
}

impl Crm {
    /// The one with this id, else the first.
    pub(super) fn find(id: &str) -> &'static Self {
        CRMS.iter().find(|crm| crm.id == id).unwrap_or(&CRMS[0])
    }
}

/// Something about a CRM, and how sure it is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(untagged)]
pub(super) enum Fact {
    Found(&'static str),
    /// An inference of ours.
    Likely {
        likely: &'static str,
    },
    #[default]
    #[serde(skip)]
    Unknown,
}

impl Fact {
    /// The text, where there is one.
    pub(super) const fn text(self) -> Option<&'static str> {
        match self {
            Self::Found(text) | Self::Likely { likely: text } => Some(text),
            Self::Unknown => None,
        }
    }

    /// The same, where it can be pasted into a URL.
    pub(super) fn placeholder(self) -> Option<&'static str> {
        self.text().filter(|text| text.contains('{'))
    }

    pub(super) const fn is_likely(&self) -> bool {
        matches!(self, Self::Likely { .. })
    }
}

/// What the button's URL is written in.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Code {
    /// A field of the CRM's, with placeholders of its own.
    #[default]
    Field,
    /// A template literal.
    JavaScript,
    /// An f-string.
    Python,
}

impl Code {
    /// How a value of this name is written there.
    pub(super) fn value(self, name: &str) -> String {
        match (self, name) {
            (Self::JavaScript, _) => format!("${{encodeURIComponent({name})}}"),
            // `pass` is a keyword of Python's.
            (Self::Python, "pass") => "{signed_pass}".into(),
            _ => format!("{{{name}}}"),
        }
    }

    /// Where the URL belongs, if that is not a field.
    pub(super) const fn place(self) -> Option<&'static str> {
        match self {
            Self::Field => None,
            Self::JavaScript => Some(
                "It belongs into the code of an app or widget: a template literal of JavaScript, between backticks, with the values \
                 in variables of these names.",
            ),
            Self::Python => Some(
                "It belongs into Python: an f-string between double quotes, with the values in variables of these names.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_can_be_read() {
        let file: Result<File, _> = toml::from_str(FILE);
        let crms = file
            .map_err(|error| error.message().to_owned())
            .unwrap()
            .crm;
        assert!(!crms.is_empty() && crms.is_sorted_by(|one, next| one.id < next.id));
        assert!(
            crms.iter()
                .all(|crm| !crm.id.is_empty() && !crm.name.is_empty())
        );
    }
}
