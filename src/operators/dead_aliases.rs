//! Aliases of the operator map that lead to nobody who can open a chat.

use chathub::OperatorStatus;

use super::{OperatorSelection, Operators, ResolveError};

/// An alias, what it stands for, and why that opens no chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadAlias {
    /// The name that the map gives.
    pub alias: String,
    /// An id or a name.
    pub stands_for: String,
    /// Completes "it is …".
    pub why: String,
}

impl Operators<'_> {
    /// By name. What a part of the directory cannot tell is not among them.
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
        match self.named(alias) {
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
            Err(ResolveError::NobodyActive) => Some("no active operator there".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use chathub::OperatorStatus::{Active, Inactive};

    use super::*;
    use crate::operators::{OperatorMap, partial_roster, snapshot};

    fn dead(is_complete: bool) -> Vec<String> {
        let map = "a = 101\nb = 21\nc = 9\nd = \"John Smith\"\ne = \"Nobody\"\nf = \"auto:6\"\ng = \"101\"";
        let map = OperatorMap::parse(map).unwrap();
        let operators = [(24, 101, "John Smith", Active), (6, 21, "Ivan", Inactive)];
        let snapshot = if is_complete {
            snapshot(&operators)
        } else {
            partial_roster(&operators)
        };
        let operators = Operators {
            map: &map,
            snapshot: Some(&snapshot),
            auto: true,
        };
        let dead = operators.dead_aliases().into_iter();
        dead.map(|dead| format!("{} {}", dead.alias, dead.why))
            .collect()
    }

    #[test]
    fn what_leads_nowhere_is_told_with_its_reason() {
        assert_eq!(
            dead(true),
            [
                "b inactive",
                "c no such operator",
                "e no such operator",
                "f no active operator there"
            ]
        );
        // In a list that could not be read they may be.
        assert_eq!(dead(false), ["b inactive", "f no active operator there"]);
    }
}
