//! Which operators a key may speak for.

use serde::Deserialize;

use crate::chathub::OperatorId;

/// A list of operators by id or name; without a list, any.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub(super) struct Scope(Option<Vec<Entry>>);

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Entry {
    Id(OperatorId),
    Name(String),
}

impl Scope {
    /// Whether an operator, called `name` by whoever asks, is in it.
    pub(super) fn contains(&self, operator: OperatorId, name: &str) -> bool {
        let Some(entries) = &self.0 else {
            return true;
        };
        entries.iter().any(|entry| match entry {
            Entry::Id(id) => *id == operator,
            Entry::Name(listed) => listed.trim().to_lowercase() == name.trim().to_lowercase(),
        })
    }
}
