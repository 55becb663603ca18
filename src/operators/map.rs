//! The operator map (`OPERATOR_MAP_FILE`): the CRM's or the SSO's own names for agents.

use std::collections::HashMap;
use std::fmt;

use serde::de::{self, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use chathub::OperatorId;

/// Aliases, each for an operator's id or for another name.
#[derive(Debug, Default)]
pub struct OperatorMap(HashMap<String, Alias>);

/// What an alias stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Alias {
    /// An operator.
    Id(OperatorId),
    /// An id written as a text, or a display name.
    Name(String),
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for Alias {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AliasVisitor)
    }
}

/// Deserializes an alias, with errors that say what is expected: a derived implementation would
/// only say that no variant matches.
struct AliasVisitor;

impl<'de> Visitor<'de> for AliasVisitor {
    type Value = Alias;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an operator's id, such as 101, or a name in quotes")
    }

    fn visit_i64<E: de::Error>(self, id: i64) -> Result<Alias, E> {
        let unsigned = u64::try_from(id);
        let id = unsigned.map_err(|_| E::invalid_value(Unexpected::Signed(id), &self))?;
        Ok(Alias::Id(OperatorId(id)))
    }

    fn visit_u64<E: de::Error>(self, id: u64) -> Result<Alias, E> {
        Ok(Alias::Id(OperatorId(id)))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Alias, E> {
        Ok(Alias::Name(name.to_owned()))
    }

    /// TOML parses `john.smith = 101` as a table `john`, like a section `[john]`.
    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Alias, A::Error> {
        Err(de::Error::custom(
            "a name with a dot in it must be in quotes, as in \"john.smith\" = 101, and there are no sections, such as [operators]",
        ))
    }
}

/// Why a text is no operator map.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MapError {
    /// It cannot be parsed.
    #[error("not a TOML table of names, each = an operator's id or name: line {0}: {1}")]
    Unreadable(usize, String),
    /// It has an alias twice.
    #[error("`{0}` stands there twice; the case of A to Z does not matter")]
    Twice(String),
}

impl OperatorMap {
    /// Parses TOML: `"ann@example.com" = 101`. The case of A to Z does not matter, that of other
    /// letters does: Unicode case folding could mistake one identity for another.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let map: HashMap<String, Alias> = toml::from_str(text).map_err(|error| {
            MapError::Unreadable(line_of(&error, text), error.message().to_owned())
        })?;
        let mut aliases = HashMap::with_capacity(map.len());
        for (name, alias) in map {
            let name = name.trim_ascii().to_ascii_lowercase();
            if aliases.insert(name.clone(), alias).is_some() {
                return Err(MapError::Twice(name));
            }
        }
        Ok(Self(aliases))
    }

    /// Whether there is no alias.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many aliases there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is this alias.
    pub fn has(&self, alias: &str) -> bool {
        self.get(alias.trim()).is_some()
    }

    /// Whether there is an alias that begins so.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        let prefix = prefix.to_ascii_lowercase();
        self.0.keys().any(|alias| alias.starts_with(&prefix))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Alias)> {
        self.0.iter().map(|(name, alias)| (name.as_str(), alias))
    }

    pub(super) fn get(&self, alias: &str) -> Option<&Alias> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&alias.to_ascii_lowercase())
    }
}

/// The line of an error, counted from 1.
fn line_of(error: &toml::de::Error, text: &str) -> usize {
    let start = error.span().map_or(0, |span| span.start);
    text.get(..start)
        .map_or(1, |before| before.matches('\n').count() + 1)
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
