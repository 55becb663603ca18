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
        let listed: Vec<Whom> = entries
            .iter()
            .map(|entry| entry.means(operators))
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?;
        let is_listed = |whom: &Whom| listed.contains(whom);
        Ok(is_listed(whom)
            || match whom {
                Whom::Operator(_) => false,
                Whom::AnyOf(_, active) => active.iter().all(|id| is_listed(&Whom::Operator(*id))),
            })
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
