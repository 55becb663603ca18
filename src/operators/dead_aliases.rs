//! Aliases of the operator map that lead to no operator who can open a chat.

use super::{OperatorResolver, OperatorSelection, ResolveError};
use chathub::OperatorStatus;

/// An alias, what it stands for, and why that opens no chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadAlias {
    /// The alias.
    pub alias: String,
    /// An id or a name.
    pub stands_for: String,
    /// Completes "it is …".
    pub why: String,
}

impl OperatorResolver<'_> {
    /// The dead aliases, sorted. An alias of which a partial directory cannot tell is not among
    /// them.
    pub(crate) fn dead_aliases(&self) -> Vec<DeadAlias> {
        let dead = |(alias, stands_for): (&str, &super::map::Alias)| {
            Some(DeadAlias {
                alias: alias.to_owned(),
                stands_for: stands_for.to_string(),
                why: self.why_dead(alias)?,
            })
        };
        let mut dead: Vec<_> = self.map.iter().filter_map(dead).collect();
        dead.sort_by(|one, other| one.alias.cmp(&other.alias));
        dead
    }

    fn why_dead(&self, alias: &str) -> Option<String> {
        let unknown = || Some("no such operator".to_owned());
        match self.resolve(alias) {
            Ok(OperatorSelection::AnyOf(..)) | Err(ResolveError::DirectoryNeeded) => None,
            Ok(OperatorSelection::Operator(id)) => {
                let snapshot = self.snapshot?;
                match snapshot.status(id) {
                    None if snapshot.is_complete() => unknown(),
                    None | Some(OperatorStatus::Active) => None,
                    Some(status) => Some(status.to_string()),
                }
            }
            Err(ResolveError::Unknown) => unknown(),
            Err(ResolveError::Ambiguous) => Some("several operators have this name".to_owned()),
            Err(ResolveError::AutoIsOff) => Some("OPERATOR_AUTO is off".to_owned()),
            Err(ResolveError::NoActiveOperator) => Some("no active operator there".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::{OperatorMap, partial_snapshot, snapshot};
    use chathub::OperatorStatus::{Active, Inactive};

    fn dead(is_complete: bool) -> Vec<String> {
        let map = "a = 101\nb = 21\nc = 9\nd = \"John Smith\"\ne = \"Nobody\"\nf = \"auto:6\"\ng = \"101\"";
        let map = OperatorMap::parse(map).unwrap();
        let operators = [(24, 101, "John Smith", Active), (6, 21, "Ivan", Inactive)];
        let snapshot = if is_complete {
            snapshot(&operators)
        } else {
            partial_snapshot(&operators)
        };
        let resolver = OperatorResolver {
            map: &map,
            snapshot: Some(&snapshot),
            auto: true,
        };
        let dead = resolver.dead_aliases().into_iter();
        dead.map(|dead| format!("{} {}", dead.alias, dead.why))
            .collect()
    }

    #[test]
    fn a_dead_alias_has_a_reason() {
        assert_eq!(
            dead(true),
            [
                "b inactive",
                "c no such operator",
                "e no such operator",
                "f no active operator there"
            ]
        );
        // The unknown ones may be in a list that could not be read.
        assert_eq!(dead(false), ["b inactive", "f no active operator there"]);
    }
}
