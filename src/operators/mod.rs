//! Resolves an alias, an id or a name to a ChatHub operator.
//!
//! The company's own map of aliases comes first, then ids, then the names in ChatHub's directory.
//! Which caller may open which operator's panel is decided in `access`.

mod dead_aliases;
mod directory;
mod map;
pub mod name;
mod reconcile;
mod rendezvous;
mod snapshot;
mod state;

use std::sync::Arc;

pub use dead_aliases::DeadAlias;
pub use directory::{Directory, DirectoryConfig};
use map::Alias;
pub use map::{MapError, OperatorMap};
pub use rendezvous::assigned;
pub use snapshot::DirectorySnapshot;
#[cfg(test)]
pub(crate) use snapshot::tests::{partial_snapshot, snapshot};

use chathub::{OperatorId, OrganizationId};

/// Resolves operators with the present knowledge of them.
#[derive(Clone, Copy)]
pub struct OperatorResolver<'a> {
    /// The company's aliases.
    pub map: &'a OperatorMap,
    /// ChatHub's directory; `None` until it has been read.
    pub snapshot: Option<&'a DirectorySnapshot>,
    /// Whether a link may leave the choice to this service: `auto:24`.
    pub auto: bool,
}

/// The operator, or the operators, that an identifier selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorSelection {
    /// One operator.
    Operator(OperatorId),
    /// The active operators of an organization, one of which each client is assigned to. There is
    /// at least one.
    AnyOf(OrganizationId, Arc<[OperatorId]>),
}

/// Why no operator is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// No operator has this name.
    Unknown,
    /// Several operators have this name.
    Ambiguous,
    /// `auto:24`, while `OPERATOR_AUTO` is off.
    AutoIsOff,
    /// The organization has no active operator.
    NoActiveOperator,
    /// Only the directory can tell, and it has not been read.
    DirectoryNeeded,
}

/// The prefix of an organization's id, any of whose operators may be chosen.
const AUTO: &str = "auto:";

impl OperatorResolver<'_> {
    /// Resolves a parameter: an alias first, then an id, then a name.
    pub fn resolve(&self, text: &str) -> Result<OperatorSelection, ResolveError> {
        let text = text.trim();
        self.by_alias(text)
            .unwrap_or_else(|| self.by_id_or_name(text))
    }

    /// Resolves the operator claim of a pass. `by_name`: whether it may be a display name.
    pub fn resolve_claim(
        &self,
        text: &str,
        by_name: bool,
    ) -> Result<OperatorSelection, ResolveError> {
        let text = text.trim_ascii();
        let is_id = || OperatorId::parse(text).is_some() || organization(text).is_some();
        self.by_alias(text).unwrap_or_else(|| {
            if is_id() {
                self.by_id_or_name(text)
            } else {
                self.by_identity(text, by_name)
            }
        })
    }

    /// Resolves an identity that a proxy asserts: an alias, and only with `by_name` a display name.
    /// An identity that happens to be a number is no id.
    pub fn resolve_identity(
        &self,
        identity: &str,
        by_name: bool,
    ) -> Result<OperatorSelection, ResolveError> {
        let identity = identity.trim_ascii();
        self.by_alias(identity)
            .unwrap_or_else(|| self.by_identity(identity, by_name))
    }

    /// Whether an alias shadows this id: then it resolves to another operator, or to none.
    pub fn is_shadowed(&self, id: OperatorId) -> bool {
        self.map.get(&id.to_string()).is_some()
    }

    /// A display name that a third party asserts, and so without the tolerance for typed text.
    fn by_identity(&self, name: &str, by_name: bool) -> Result<OperatorSelection, ResolveError> {
        if !by_name || name::has_foreign_space(name) {
            return Err(ResolveError::Unknown);
        }
        self.by_name(name)
    }

    fn by_alias(&self, text: &str) -> Option<Result<OperatorSelection, ResolveError>> {
        Some(match self.map.get(text)? {
            Alias::Id(id) => Ok(OperatorSelection::Operator(*id)),
            Alias::Name(name) => self.by_id_or_name(name.trim()),
        })
    }

    fn by_id_or_name(&self, text: &str) -> Result<OperatorSelection, ResolveError> {
        if let Some(id) = OperatorId::parse(text) {
            return Ok(OperatorSelection::Operator(id));
        }
        match organization(text) {
            Some(organization) => self.any_of(organization),
            None => self.by_name(text),
        }
    }

    fn any_of(&self, organization: OrganizationId) -> Result<OperatorSelection, ResolveError> {
        if !self.auto {
            return Err(ResolveError::AutoIsOff);
        }
        let snapshot = self.snapshot.ok_or(ResolveError::DirectoryNeeded)?;
        match snapshot.active(organization) {
            Some(active) => Ok(OperatorSelection::AnyOf(organization, active.clone())),
            None if snapshot.is_unread(organization) => Err(ResolveError::DirectoryNeeded),
            None => Err(ResolveError::NoActiveOperator),
        }
    }

    fn by_name(&self, name: &str) -> Result<OperatorSelection, ResolveError> {
        let snapshot = self.snapshot.ok_or(ResolveError::DirectoryNeeded)?;
        match snapshot.by_name(name) {
            // The name may be in a list that has not been read yet.
            Err(ResolveError::Unknown) if !snapshot.is_complete() => {
                Err(ResolveError::DirectoryNeeded)
            }
            found => found.map(OperatorSelection::Operator),
        }
    }
}

/// The organization of `auto:24`.
fn organization(text: &str) -> Option<OrganizationId> {
    text.strip_prefix(AUTO).and_then(OrganizationId::parse)
}

impl OperatorSelection {
    /// The operator, where there is no choice.
    pub const fn operator(&self) -> Option<OperatorId> {
        match self {
            Self::Operator(operator) => Some(*operator),
            Self::AnyOf(..) => None,
        }
    }

    /// The operator that this client is assigned to. A client is a phone in E.164, or a chat's id.
    pub fn for_client(&self, client: &str) -> Option<OperatorId> {
        match self {
            Self::Operator(operator) => Some(*operator),
            Self::AnyOf(_, active) => assigned(client, active),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chathub::OperatorStatus::{Active, Inactive};

    fn find(auto: bool, text: &str) -> Result<u64, ResolveError> {
        let map = "\"ann@example.com\" = 101\n102 = 7\n\"kommo-5\" = \"Sarah Johnson\"\n\"desk\" = \"auto:24\"";
        let map = OperatorMap::parse(map).unwrap();
        let snapshot = snapshot(&[
            (24, 101, "John Smith", Active),
            (24, 102, "Sarah Johnson", Active),
            (6, 21, "Inactive Ivan", Inactive),
        ]);
        let resolver = OperatorResolver {
            map: &map,
            snapshot: Some(&snapshot),
            auto,
        };
        match resolver.resolve(text)? {
            OperatorSelection::Operator(operator) => Ok(operator.0),
            OperatorSelection::AnyOf(organization, active) => {
                Ok(organization.0 * 1000 + active.len() as u64)
            }
        }
    }

    #[test]
    fn an_alias_then_an_id_then_a_name() {
        assert_eq!(find(false, " ANN@example.com "), Ok(101));
        assert_eq!(find(false, "102"), Ok(7), "an alias, not the id");
        assert_eq!(find(false, "kommo-5"), Ok(102), "an alias of a name");
        assert_eq!(find(false, "104"), Ok(104), "ChatHub knows about ids");
        assert_eq!(find(false, " john SMITH"), Ok(101));
        assert_eq!(find(false, "nobody"), Err(ResolveError::Unknown));
    }

    #[test]
    fn auto_takes_the_setting_and_an_active_operator() {
        assert_eq!(find(true, "auto:24"), Ok(24_002));
        assert_eq!(find(true, "desk"), Ok(24_002));
        assert_eq!(find(false, "auto:24"), Err(ResolveError::AutoIsOff));
        assert_eq!(find(false, "desk"), Err(ResolveError::AutoIsOff));
        assert_eq!(find(true, "auto:6"), Err(ResolveError::NoActiveOperator));
        assert_eq!(find(true, "auto:7"), Err(ResolveError::NoActiveOperator));
        assert_eq!(find(true, "auto:everyone"), Err(ResolveError::Unknown));
    }

    #[test]
    fn an_operator_missing_from_a_partial_directory_may_be_in_the_rest() {
        let map = OperatorMap::default();
        let snapshot =
            partial_snapshot(&[(24, 101, "John Smith", Active), (6, 21, "Ivan", Inactive)]);
        let resolver = OperatorResolver {
            map: &map,
            snapshot: Some(&snapshot),
            auto: true,
        };
        let john = Ok(OperatorSelection::Operator(OperatorId(101)));
        assert_eq!(resolver.resolve("John Smith"), john);
        let unknown = Err(ResolveError::DirectoryNeeded);
        assert_eq!(resolver.resolve("Ann Smith"), unknown);
        assert_eq!(resolver.resolve("auto:7"), unknown);
        assert_eq!(
            resolver.resolve("auto:6"),
            Err(ResolveError::NoActiveOperator)
        );
        assert!(resolver.resolve("auto:24").is_ok());
    }

    fn ann() -> OperatorMap {
        OperatorMap::parse("\"ann\" = 101").unwrap()
    }

    const fn without_directory(map: &OperatorMap) -> OperatorResolver<'_> {
        OperatorResolver {
            map,
            snapshot: None,
            auto: true,
        }
    }

    #[test]
    fn an_identity_is_never_an_id_and_a_name_takes_the_directory() {
        let map = ann();
        let resolver = without_directory(&map);
        let ann = Ok(OperatorSelection::Operator(OperatorId(101)));
        assert_eq!(resolver.resolve_identity("Ann", false), ann);
        let by_name = |identity, by_name| resolver.resolve_identity(identity, by_name);
        assert_eq!(by_name("101", true), Err(ResolveError::DirectoryNeeded));
        assert_eq!(by_name("101", false), Err(ResolveError::Unknown));
        assert_eq!(by_name("Ann Smith", false), Err(ResolveError::Unknown));
        assert_eq!(by_name("Ann\u{a0}Smith", true), Err(ResolveError::Unknown));
        assert_eq!(by_name("\u{a0}Ann", true), Err(ResolveError::Unknown));
        assert_eq!(
            resolver.resolve("Ann Smith"),
            Err(ResolveError::DirectoryNeeded)
        );
        assert_eq!(
            resolver.resolve("auto:24"),
            Err(ResolveError::DirectoryNeeded)
        );
    }

    #[test]
    fn a_claim_is_an_alias_or_an_id_and_a_name_where_allowed() {
        let map = ann();
        let resolver = without_directory(&map);
        let [ann, other] = [101, 102].map(|id| Ok(OperatorSelection::Operator(OperatorId(id))));
        for by_name in [false, true] {
            assert_eq!(resolver.resolve_claim(" ANN ", by_name), ann);
            assert_eq!(resolver.resolve_claim("102", by_name), other);
            let auto = resolver.resolve_claim("auto:24", by_name);
            assert_eq!(auto, Err(ResolveError::DirectoryNeeded));
        }
        let named = |by_name| resolver.resolve_claim("Ann Smith", by_name);
        assert_eq!(named(true), Err(ResolveError::DirectoryNeeded));
        assert_eq!(named(false), Err(ResolveError::Unknown));
        let foreign = resolver.resolve_claim("\u{a0}Ann Smith", true);
        assert_eq!(foreign, Err(ResolveError::Unknown));
    }
}
