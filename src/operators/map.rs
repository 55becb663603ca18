//! What the CRM or the SSO calls an agent (`OPERATOR_MAP_FILE`).

use std::collections::HashMap;

use serde::Deserialize;
use thiserror::Error;

use crate::chathub::OperatorId;

/// Names that a company gives its operators, each for an operator's id or for another name.
#[derive(Debug, Default)]
pub struct OperatorMap(HashMap<String, Alias>);

/// What an alias stands for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
pub(super) enum Alias {
    /// An operator.
    Id(OperatorId),
    /// An id written as a text, or a display name.
    Name(String),
}

/// The text is no such map.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MapError {
    /// It cannot be read.
    #[error("not a TOML table of names, each = an operator's id or name: {0}")]
    Unreadable(String),
    /// It says two things of one name.
    #[error("`{0}` stands there twice; the case of A to Z does not matter")]
    Twice(String),
}

impl OperatorMap {
    /// Reads TOML: `"ann@example.com" = 101`. The case of A to Z does not matter, that of other letters
    /// does: folding by Unicode would take one identity for another.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let map: HashMap<String, Alias> = toml::from_str(text)
            .map_err(|error| MapError::Unreadable(error.message().to_owned()))?;
        let mut aliases = HashMap::with_capacity(map.len());
        for (name, alias) in map {
            let name = name.trim_ascii().to_ascii_lowercase();
            if aliases.insert(name.clone(), alias).is_some() {
                return Err(MapError::Twice(name));
            }
        }
        Ok(Self(aliases))
    }

    pub(super) fn get(&self, alias: &str) -> Option<&Alias> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&alias.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_bad_map_says_what_it_should_be() {
        assert!(OperatorMap::parse("ann = ").is_err());
        assert!(OperatorMap::parse("ann = [1]").is_err());
        assert!(OperatorMap::parse("ann = -1").is_err());
        let twice = OperatorMap::parse("\"Ann@example.com\" = 101\n\" ann@EXAMPLE.com\" = 102");
        assert_eq!(
            twice.unwrap_err(),
            MapError::Twice("ann@example.com".into())
        );
    }

    #[test]
    fn no_character_outside_ascii_finds_an_alias_of_ascii() {
        let ascii: BTreeSet<char> = (0x20..0x7f_u8).map(char::from).collect();
        let lower: BTreeSet<char> = ascii.iter().map(char::to_ascii_lowercase).collect();
        let lines = lower.iter().fold(String::new(), |lines, letter| {
            lines + &format!("\"a\\u{:04x}b\" = 101\n", u32::from(*letter))
        });
        let map = OperatorMap::parse(&lines).unwrap();
        let finds = |letter: char| map.get(&format!("A{letter}b")).is_some();
        for letter in (0x20..=0x10_ffff).filter_map(char::from_u32) {
            assert_eq!(finds(letter), ascii.contains(&letter), "{letter:?}");
        }
    }
}
