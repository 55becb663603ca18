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
#[error("not a TOML table of names, each = an operator's id or name: {0}")]
pub struct MapError(String);

impl OperatorMap {
    /// Reads TOML: `"ann@example.com" = 101`. Case does not matter.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let map: HashMap<String, Alias> =
            toml::from_str(text).map_err(|error| MapError(error.message().to_owned()))?;
        let lower = |(name, alias): (String, Alias)| (name.trim().to_lowercase(), alias);
        Ok(Self(map.into_iter().map(lower).collect()))
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
    }
}
