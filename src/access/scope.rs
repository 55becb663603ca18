//! Which operators a key may act for.

use std::sync::Arc;

use serde::Deserialize;

use crate::operators::{OperatorResolver, OperatorSelection, ResolveError};
use chathub::OperatorId;

/// A list of operators by id, alias or name. Without a list, any operator.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(from = "Option<Vec<Entry>>")]
pub struct Scope(Option<Arc<[Entry]>>);

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
    pub const fn is_limited(&self) -> bool {
        self.0.is_some()
    }

    /// Whether all operators that may be selected are in it. Fails where only the directory can
    /// tell.
    pub(super) fn contains(
        &self,
        selection: &OperatorSelection,
        resolver: OperatorResolver<'_>,
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
            match entry.resolve(resolver) {
                Ok(selection) => listed.extend(selection),
                Err(error) => unknown = Some(error),
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
            // One of the unresolved names may be this operator's.
            Some(error) if !contains => Err(error),
            _ => Ok(contains),
        }
    }
}

impl Entry {
    /// The operator of the entry. A name that no operator or several operators have selects none.
    fn resolve(
        &self,
        resolver: OperatorResolver<'_>,
    ) -> Result<Option<OperatorSelection>, ResolveError> {
        match self {
            Self::Id(id) => Ok(Some(OperatorSelection::Operator(*id))),
            Self::Name(name) => match resolver.resolve(name) {
                Ok(selection) => Ok(Some(selection)),
                Err(ResolveError::DirectoryNeeded) => Err(ResolveError::DirectoryNeeded),
                Err(_) => Ok(None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::{OperatorMap, partial_snapshot, snapshot};
    use chathub::OperatorStatus::Active;

    /// Whether a list of two names, one of which is unknown, contains this operator.
    fn contains(operator: u64, is_complete: bool) -> Result<bool, ResolveError> {
        let listed = [(24, 101, "John Smith", Active)];
        let snapshot = if is_complete {
            snapshot(&listed)
        } else {
            partial_snapshot(&listed)
        };
        let resolver = OperatorResolver {
            map: &OperatorMap::default(),
            snapshot: Some(&snapshot),
            auto: false,
        };
        let names = ["Nobody", "John Smith"].map(|name| Entry::Name(name.into()));
        let scope = Scope::from(Some(names.to_vec()));
        scope.contains(&OperatorSelection::Operator(OperatorId(operator)), resolver)
    }

    #[test]
    fn an_unresolved_name_does_not_exclude_a_listed_operator() {
        assert_eq!(contains(101, true), Ok(true));
        assert_eq!(contains(102, true), Ok(false));
        assert_eq!(contains(101, false), Ok(true));
        assert_eq!(contains(102, false), Err(ResolveError::DirectoryNeeded));
    }
}
