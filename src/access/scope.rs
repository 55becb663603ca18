//! Which operators a key may speak for.

use std::sync::Arc;

use chathub::OperatorId;
use serde::Deserialize;

use crate::operators::{OperatorSelection, Operators, ResolveError};

/// A list of operators by id, alias or name; without a list, any.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "Option<Vec<Entry>>")]
pub(super) struct Scope(Option<Arc<[Entry]>>);

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Entry {
    Id(OperatorId),
    Name(String),
}

impl From<Option<Vec<Entry>>> for Scope {
    fn from(entries: Option<Vec<Entry>>) -> Self {
        Self(entries.map(Into::into))
    }
}

impl Scope {
    /// Whether there is a list.
    pub(super) const fn is_limited(&self) -> bool {
        self.0.is_some()
    }

    /// Whether all who may be meant are in it. Fails where that takes the directory.
    pub(super) fn contains(
        &self,
        selection: &OperatorSelection,
        operators: Operators<'_>,
    ) -> Result<bool, ResolveError> {
        let Some(entries) = &self.0 else {
            return Ok(true);
        };
        if let OperatorSelection::Operator(operator) = selection
            && entries.contains(&Entry::Id(*operator))
        {
            return Ok(true);
        }
        let (mut listed, mut unknown) = (Vec::new(), None);
        for entry in entries.iter() {
            match entry.means(operators) {
                Ok(selection) => listed.extend(selection),
                Err(unfound) => unknown = Some(unfound),
            }
        }
        let is_listed = |selection: &OperatorSelection| listed.contains(selection);
        let contains = is_listed(selection)
            || match selection {
                OperatorSelection::Operator(_) => false,
                OperatorSelection::AnyOf(_, active) => active
                    .iter()
                    .all(|id| is_listed(&OperatorSelection::Operator(*id))),
            };
        match unknown {
            // Another of the names might mean them; which, takes the directory.
            Some(unfound) if !contains => Err(unfound),
            _ => Ok(contains),
        }
    }
}

impl Entry {
    /// The operators on the list. A name that none or several operators have selects none.
    fn means(&self, operators: Operators<'_>) -> Result<Option<OperatorSelection>, ResolveError> {
        match self {
            Self::Id(id) => Ok(Some(OperatorSelection::Operator(*id))),
            Self::Name(name) => match operators.named(name) {
                Ok(selection) => Ok(Some(selection)),
                Err(ResolveError::DirectoryNeeded) => Err(ResolveError::DirectoryNeeded),
                Err(_) => Ok(None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use chathub::OperatorStatus::Active;

    use super::*;
    use crate::operators::{OperatorMap, partial_roster, snapshot};

    /// Whether a list of two names, one of which nobody bears, has this operator in it.
    fn contains(operator: u64, is_whole: bool) -> Result<bool, ResolveError> {
        let people = [(24, 101, "John Smith", Active)];
        let snapshot = if is_whole {
            snapshot(&people)
        } else {
            partial_roster(&people)
        };
        let operators = Operators {
            map: &OperatorMap::default(),
            snapshot: Some(&snapshot),
            auto: false,
        };
        let names = ["Nobody", "John Smith"].map(|name| Entry::Name(name.into()));
        let scope = Scope::from(Some(names.to_vec()));
        scope.contains(
            &OperatorSelection::Operator(OperatorId(operator)),
            operators,
        )
    }

    #[test]
    fn a_name_that_is_not_known_yet_keeps_nobody_out_who_is() {
        assert_eq!(contains(101, true), Ok(true));
        assert_eq!(contains(102, true), Ok(false));
        assert_eq!(contains(101, false), Ok(true));
        assert_eq!(contains(102, false), Err(ResolveError::DirectoryNeeded));
    }
}
