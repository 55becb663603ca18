//! What the CRM or the SSO calls an agent → a ChatHub operator (`OPERATOR_MAP_FILE`).

use std::collections::HashMap;

use serde::Deserialize;
use thiserror::Error;

use crate::chathub::OperatorId;

/// Names that a company gives its operators, each for an operator's id or for another name (`OPERATOR_MAP_FILE`).
#[derive(Debug, Default)]
pub struct OperatorMap(HashMap<String, Meant>);

/// What a name stands for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Meant {
    Id(OperatorId),
    Name(String),
}

/// The text is no such map.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("not a TOML table of names, each = an operator's id or name: {0}")]
pub struct MapError(String);

impl OperatorMap {
    /// Reads TOML: `"ann@example.com" = 101`. Case does not matter.
    pub fn parse(text: &str) -> Result<Self, MapError> {
        let map: HashMap<String, Meant> =
            toml::from_str(text).map_err(|error| MapError(error.message().to_owned()))?;
        let lower = |(name, meant): (String, Meant)| (name.trim().to_lowercase(), meant);
        Ok(Self(map.into_iter().map(lower).collect()))
    }

    /// The operator that a link names: by an alias first, then by id.
    pub fn by_alias_or_id(&self, text: &str) -> Option<OperatorId> {
        self.by_alias(text).or_else(|| OperatorId::parse(text))
    }

    /// The operator behind an alias alone: an identity that happens to be a number is no id.
    pub fn by_alias(&self, text: &str) -> Option<OperatorId> {
        if self.0.is_empty() {
            return None;
        }
        match self.0.get(&text.trim().to_lowercase())? {
            Meant::Id(id) => Some(*id),
            Meant::Name(name) => OperatorId::parse(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_come_before_ids() {
        let map = OperatorMap::parse("\"Ann@Example.com\" = 101\n102 = 7\n\"kommo-5\" = \"103\"")
            .unwrap();
        let id = |text| map.by_alias_or_id(text).map(|id| id.0);
        assert_eq!(id("ann@example.com"), Some(101));
        assert_eq!(id(" ANN@example.com "), Some(101));
        assert_eq!(id("102"), Some(7), "an alias, not the id");
        assert_eq!(id("kommo-5"), Some(103));
        assert_eq!(id("104"), Some(104));
        assert_eq!(id("nobody"), None);
        assert_eq!(map.by_alias("104"), None);
    }

    #[test]
    fn a_bad_map_says_what_it_should_be() {
        assert!(OperatorMap::parse("ann = ").is_err());
        assert!(OperatorMap::parse("ann = [1]").is_err());
        assert!(OperatorMap::parse("ann = -1").is_err());
    }
}
