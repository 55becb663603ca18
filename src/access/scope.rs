//! Which operators a key may speak for.

use std::sync::Arc;

use serde::Deserialize;

use crate::chathub::OperatorId;
use crate::operators::{Operators, Unfound, Whom};

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
    pub(super) fn contains(&self, whom: &Whom, operators: Operators<'_>) -> Result<bool, Unfound> {
        let Some(entries) = &self.0 else {
            return Ok(true);
        };
        if let Whom::Operator(operator) = whom
            && entries.contains(&Entry::Id(*operator))
        {
            return Ok(true);
        }
        let (mut listed, mut unknown) = (Vec::new(), None);
        for entry in entries.iter() {
            match entry.means(operators) {
                Ok(whom) => listed.extend(whom),
                Err(unfound) => unknown = Some(unfound),
            }
        }
        let is_listed = |whom: &Whom| listed.contains(whom);
        let contains = is_listed(whom)
            || match whom {
                Whom::Operator(_) => false,
                Whom::AnyOf(_, active) => active.iter().all(|id| is_listed(&Whom::Operator(*id))),
            };
        match unknown {
            // Another of the names might mean them; which, takes the directory.
            Some(unfound) if !contains => Err(unfound),
            _ => Ok(contains),
        }
    }
}

impl Entry {
    /// Whom it lists: nobody, where nobody, or more than one, is called so.
    fn means(&self, operators: Operators<'_>) -> Result<Option<Whom>, Unfound> {
        match self {
            Self::Id(id) => Ok(Some(Whom::Operator(*id))),
            Self::Name(name) => match operators.named(name) {
                Ok(whom) => Ok(Some(whom)),
                Err(Unfound::DirectoryNeeded) => Err(Unfound::DirectoryNeeded),
                Err(_) => Ok(None),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chathub::OperatorStatus::Active;
    use crate::operators::{OperatorMap, partial_roster, roster};

    /// Whether a list of two names, one of which nobody bears, has this operator in it.
    fn contains(operator: u64, is_whole: bool) -> Result<bool, Unfound> {
        let people = [(24, 101, "John Smith", Active)];
        let roster = if is_whole {
            roster(&people)
        } else {
            partial_roster(&people)
        };
        let operators = Operators {
            map: &OperatorMap::default(),
            roster: Some(&roster),
            auto: false,
        };
        let names = ["Nobody", "John Smith"].map(|name| Entry::Name(name.into()));
        let scope = Scope::from(Some(names.to_vec()));
        scope.contains(&Whom::Operator(OperatorId(operator)), operators)
    }

    #[test]
    fn a_name_that_is_not_known_yet_keeps_nobody_out_who_is() {
        assert_eq!(contains(101, true), Ok(true));
        assert_eq!(contains(102, true), Ok(false));
        assert_eq!(contains(101, false), Ok(true));
        assert_eq!(contains(102, false), Err(Unfound::DirectoryNeeded));
    }
}
