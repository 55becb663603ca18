//! What is known of each CRM: the facts and instructions of `crms.toml`, and how a value is written
//! in each CRM's kind of code. It knows no link and no request.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::http::pages::Language;
use crate::integrations::{CrmPackage, Integration};

/// All that is known. Empty if the file could not be read, which a test would show.
static FACTS: LazyLock<File> = LazyLock::new(|| toml::from_str(FILE).unwrap_or_default());

const FILE: &str = include_str!("crms.toml");

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct File {
    steps: SharedSteps,
    /// Facts in Ukrainian, by the English text.
    facts_uk: HashMap<&'static str, &'static str>,
    crm: Vec<Crm>,
}

/// Steps that several CRMs have in common, by their name.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "'de: 'static"))]
struct SharedSteps {
    en: HashMap<&'static str, &'static str>,
    uk: HashMap<&'static str, &'static str>,
}

/// A CRM, as far as it is known. The fields are explained in `crms.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Crm {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) gets: Gets,
    package: Option<&'static str>,
    settings: Option<&'static str>,
    pub(super) map: Option<&'static str>,
    pub(super) paste: Option<&'static str>,
    pub(super) snippet: Option<&'static str>,
    pub(super) snippet_file: Option<&'static str>,
    /// For `docs/crm.md` only, as the next.
    #[serde(rename = "syntax")]
    _syntax: Option<IgnoredAny>,
    #[cfg_attr(not(test), expect(dead_code, reason = "for the guides"))]
    tried: &'static str,
    /// What its URL is written in.
    #[serde(default)]
    pub(super) code: Code,
    #[serde(default)]
    pub(super) links: Fact,
    #[serde(default)]
    pub(super) phone: Fact,
    #[serde(default)]
    pub(super) agent: Fact,
    #[serde(default)]
    pub(super) plus: Fact,
    #[serde(default)]
    pub(super) opens: Fact,
    en: Instructions,
    uk: Instructions,
}

/// How a CRM is set up, in one language. Code spans stand between backticks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Instructions {
    pub(super) name: Option<&'static str>,
    steps: Vec<&'static str>,
    pub(super) sure: &'static str,
    pub(super) way: Option<&'static str>,
    pub(super) why: Option<&'static str>,
    pub(super) programmer: &'static str,
}

/// What agents get.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Gets {
    /// A button, and the CRM vouches for the agent.
    Button,
    /// A URL that is pasted, for paired browsers.
    Url,
    /// Nothing in the CRM: its phone links, in paired browsers.
    Browser,
}

impl Crm {
    /// All CRMs, in alphabetical order, and last any other.
    pub(super) fn all() -> &'static [Self] {
        &FACTS.crm
    }

    /// The one with this id, else the one that stands for any other.
    pub(super) fn find(id: &str) -> &'static Self {
        let all = Self::all();
        let found = all.iter().find(|crm| crm.id == id);
        found.unwrap_or(&all[all.len() - 1])
    }

    pub(super) const fn instructions(&self, language: Language) -> &Instructions {
        match language {
            Language::English => &self.en,
            Language::Ukrainian => &self.uk,
        }
    }

    /// The integration that is installed in it.
    pub(super) fn integration(&self) -> Option<Integration> {
        self.package.and_then(Integration::find)
    }

    pub(super) fn crm_package(&self) -> Option<&'static CrmPackage> {
        self.integration().and_then(Integration::crm_package)
    }

    /// What this service needs to be told, where no package knows it.
    pub(super) fn own_settings(&self) -> Option<&'static str> {
        self.settings.map(str::trim_start)
    }
}

impl Instructions {
    /// The steps without a programmer, each in full.
    pub(super) fn steps(&self, language: Language) -> impl Iterator<Item = &'static str> {
        let shared = match language {
            Language::English => &FACTS.steps.en,
            Language::Ukrainian => &FACTS.steps.uk,
        };
        self.steps.iter().map(|&step| {
            let name = step
                .strip_prefix('{')
                .and_then(|step| step.strip_suffix('}'));
            let shared = name.and_then(|name| shared.get(name));
            shared.copied().unwrap_or(step)
        })
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
    /// The text, where there is one. In English, unless it is what a CRM writes.
    pub(super) const fn text(self) -> Option<&'static str> {
        match self {
            Self::Found(text) | Self::Likely { likely: text } => Some(text),
            Self::Unknown => None,
        }
    }

    /// The same in a language.
    pub(super) fn said(self, language: Language) -> Option<&'static str> {
        let text = self.text()?;
        Some(match language {
            Language::English => text,
            Language::Ukrainian => FACTS.facts_uk.get(text).copied().unwrap_or(text),
        })
    }

    /// The same, where it can be pasted into a URL.
    pub(super) fn placeholder(self) -> Option<&'static str> {
        self.text()
            .filter(|text| text.contains('{') || text.starts_with('['))
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
    /// Nothing: there is no place for a URL.
    None,
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
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn file() -> File {
        let file: Result<File, _> = toml::from_str(FILE);
        file.map_err(|error| error.message().to_owned()).unwrap()
    }

    /// What a CRM writes, or calls a field, is the same in every language.
    #[test]
    fn every_fact_is_in_both_languages() {
        let file = file();
        let mut said: BTreeSet<&str> = BTreeSet::new();
        for crm in &file.crm {
            said.insert(crm.tried);
            let facts = [crm.links, crm.phone, crm.agent, crm.plus, crm.opens];
            said.extend(facts.iter().filter_map(|fact| fact.text()));
        }
        said.retain(|text| !is_code(text));
        assert_eq!(said, file.facts_uk.keys().copied().collect());
    }

    fn is_code(text: &str) -> bool {
        text.contains(['{', '[']) && !text.contains(' ') || text.starts_with('{')
    }

    #[test]
    fn the_file_can_be_read() {
        let mut crms = file().crm;
        assert_eq!(crms.pop().unwrap().id, "other");
        assert_eq!(crms.len(), 15, "SugarCRM and SuiteCRM are the fourteenth");
        assert!(crms.is_sorted_by(|one, next| one.id < next.id));
        assert!(
            crms.iter()
                .all(|crm| !crm.id.is_empty() && !crm.name.is_empty())
        );
    }

    #[test]
    fn a_button_has_settings_and_a_line_of_the_map() {
        for crm in Crm::all() {
            assert_eq!(
                crm.package.is_some(),
                crm.integration().is_some(),
                "{}",
                crm.id
            );
            let has_settings = crm.package.is_some() != crm.settings.is_some();
            let is_button = crm.gets == Gets::Button;
            assert_eq!(has_settings, is_button, "{}", crm.id);
            assert_eq!(crm.map.is_some(), is_button, "{}", crm.id);
            // What is refused or guessed at is explained.
            assert_eq!(
                crm.en.why.is_some(),
                !is_button && crm.id != "other",
                "{}",
                crm.id
            );
            let has_snippet = crm.snippet.is_some() != crm.snippet_file.is_some();
            assert!(
                has_snippet || ["keycrm", "zoho"].contains(&crm.id),
                "{}",
                crm.id
            );
            let package = crm.crm_package();
            let public_url = chathub::HttpsUrl::parse("https://chat.example").unwrap();
            for file in [crm.paste, crm.snippet_file].into_iter().flatten() {
                assert!(package.unwrap().text(file, &public_url).is_some(), "{file}");
            }
        }
    }

    /// The code spans of all texts, in order.
    fn names(one: &Instructions, language: Language) -> Vec<Vec<&'static str>> {
        let rest = [Some(one.sure), one.way, one.why, Some(one.programmer)];
        let texts = one
            .steps(language)
            .chain(rest.map(Option::unwrap_or_default));
        let spans = texts.map(|text| {
            let mut spans: Vec<_> = text.split('`').skip(1).step_by(2).collect();
            spans.sort_unstable();
            spans
        });
        spans.collect()
    }

    #[test]
    fn both_languages_say_the_same_of_the_same_names() {
        let shared = file().steps;
        assert_eq!(shared.en.len(), shared.uk.len());
        for crm in Crm::all() {
            let id = crm.id;
            assert!((1..=6).contains(&crm.en.steps.len()), "{id}");
            assert_eq!(
                names(&crm.en, Language::English),
                names(&crm.uk, Language::Ukrainian),
                "{id}"
            );
            let texts = |one: &Instructions, language| {
                let rest = [Some(one.sure), one.way, one.why, Some(one.programmer)];
                let texts = one.steps(language).chain(rest.into_iter().flatten());
                texts.collect::<Vec<_>>()
            };
            for text in texts(&crm.uk, Language::Ukrainian) {
                let prose: String = text.split('`').step_by(2).collect();
                assert!(prose.chars().any(|c| ('а'..='я').contains(&c)), "{text}");
                assert!(!prose.chars().any(|c| "ыэъё".contains(c)), "{text}");
            }
            for text in texts(&crm.en, Language::English) {
                assert!(!text.starts_with('{'), "{text}");
                let mut prose = text.split('`').step_by(2).flat_map(str::chars);
                assert!(prose.all(|c| c.is_ascii() || "“”→…".contains(c)), "{text}");
            }
        }
    }
}
