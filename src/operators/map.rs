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
    #[error("`{0}` stands there twice; case does not matter")]
    Twice(String),
}

impl OperatorMap {
    /// Reads TOML: `"ann@example.com" = 101`. Case does not matter.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let map: HashMap<String, Alias> = toml::from_str(text)
            .map_err(|error| MapError::Unreadable(error.message().to_owned()))?;
        let mut aliases = HashMap::with_capacity(map.len());
        for (name, alias) in map {
            let name = name.trim().to_lowercase();
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

    pub(super) fn get(&self, alias: &str) -> Option<&Alias> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&alias.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
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
}
