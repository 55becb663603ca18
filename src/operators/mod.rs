//! Which operator a link means: an alias, an id or a name → a ChatHub operator.
//!
//! The company's own map of aliases comes first, then ids, then the names in ChatHub's directory.
//! What may be opened by whom is decided elsewhere.

mod dead_aliases;
mod directory;
mod map;
pub mod name;
mod reading;
mod rendezvous;
mod snapshot;
mod state;

use std::sync::Arc;

pub use dead_aliases::DeadAlias;
pub use directory::{Directory, Settings};
use map::Alias;
pub use map::{MapError, OperatorMap};
pub use rendezvous::assigned;
pub use snapshot::DirectorySnapshot;
#[cfg(test)]
pub(crate) use snapshot::tests::{partial_roster, snapshot};

use chathub::{OperatorId, OrganizationId};

/// What is known at this moment of those whom a link may mean.
#[derive(Clone, Copy)]
pub struct Operators<'a> {
    /// The company's aliases.
    pub map: &'a OperatorMap,
    /// ChatHub's directory; unset as long as it has not been read.
    pub snapshot: Option<&'a DirectorySnapshot>,
    /// Whether a link may leave the choice to this service: `auto:24`.
    pub auto: bool,
}

/// The operator, or the operators, that a link means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorSelection {
    /// One operator.
    Operator(OperatorId),
    /// Whichever active operator of an organization the client belongs to; there is at least one.
    AnyOf(OrganizationId, Arc<[OperatorId]>),
}

/// Why nobody is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// Nobody is called so.
    Unknown,
    /// Several are called so.
    Ambiguous,
    /// `auto:24`, where that is not wanted.
    AutoIsOff,
    /// The organization has no active operator.
    NobodyActive,
    /// It takes the directory to say.
    DirectoryNeeded,
}

/// What stands before the organization's id where the link leaves the choice open.
const AUTO: &str = "auto:";

impl Operators<'_> {
    /// The one that a link names: by an alias first, then by id, then by name.
    pub fn named(&self, text: &str) -> Result<OperatorSelection, ResolveError> {
        let text = text.trim();
        self.by_alias(text)
            .unwrap_or_else(|| self.by_id_or_name(text))
    }

    /// The one that a pass names. `by_name`: whether what it says may be a display name.
    pub fn vouched(&self, text: &str, by_name: bool) -> Result<OperatorSelection, ResolveError> {
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

    /// The one that a login names: by an alias, and by display name only with `by_name`. A login
    /// that happens to be a number is no id.
    pub fn identified(
        &self,
        identity: &str,
        by_name: bool,
    ) -> Result<OperatorSelection, ResolveError> {
        let identity = identity.trim_ascii();
        self.by_alias(identity)
            .unwrap_or_else(|| self.by_identity(identity, by_name))
    }

    /// Whether an alias hides the operator of this id: then the id names another operator, or none.
    pub fn hides(&self, id: OperatorId) -> bool {
        self.map.get(&id.to_string()).is_some()
    }

    /// A display name that somebody else vouches for, and so without the tolerance for what people
    /// type.
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
            None => Err(ResolveError::NobodyActive),
        }
    }

    fn by_name(&self, name: &str) -> Result<OperatorSelection, ResolveError> {
        let snapshot = self.snapshot.ok_or(ResolveError::DirectoryNeeded)?;
        match snapshot.called(name) {
            // The name may be in a list that could not be read yet.
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
    /// The operator, where the link leaves no choice.
    pub const fn operator(&self) -> Option<OperatorId> {
        match self {
            Self::Operator(operator) => Some(*operator),
            Self::AnyOf(..) => None,
        }
    }

    /// The operator whom this client meets. A client is a phone in E.164, or a chat's id.
    pub fn for_client(&self, client: &str) -> Option<OperatorId> {
        match self {
            Self::Operator(operator) => Some(*operator),
            Self::AnyOf(_, active) => assigned(client, active),
        }
    }
}

#[cfg(test)]
mod tests {
    use chathub::OperatorStatus::{Active, Inactive};

    use super::*;

    fn find(auto: bool, text: &str) -> Result<u64, ResolveError> {
        let map = "\"ann@example.com\" = 101\n102 = 7\n\"kommo-5\" = \"Sarah Johnson\"\n\"desk\" = \"auto:24\"";
        let map = OperatorMap::parse(map).unwrap();
        let snapshot = snapshot(&[
            (24, 101, "John Smith", Active),
            (24, 102, "Sarah Johnson", Active),
            (6, 21, "Inactive Ivan", Inactive),
        ]);
        let operators = Operators {
            map: &map,
            snapshot: Some(&snapshot),
            auto,
        };
        match operators.named(text)? {
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
    fn the_choice_is_left_open_only_where_that_is_wanted() {
        assert_eq!(find(true, "auto:24"), Ok(24_002));
        assert_eq!(find(true, "desk"), Ok(24_002));
        assert_eq!(find(false, "auto:24"), Err(ResolveError::AutoIsOff));
        assert_eq!(find(false, "desk"), Err(ResolveError::AutoIsOff));
        assert_eq!(find(true, "auto:6"), Err(ResolveError::NobodyActive));
        assert_eq!(find(true, "auto:7"), Err(ResolveError::NobodyActive));
        assert_eq!(find(true, "auto:everyone"), Err(ResolveError::Unknown));
    }

    #[test]
    fn who_is_not_found_in_a_part_of_the_directory_may_be_in_the_other() {
        let map = OperatorMap::default();
        let snapshot =
            partial_roster(&[(24, 101, "John Smith", Active), (6, 21, "Ivan", Inactive)]);
        let operators = Operators {
            map: &map,
            snapshot: Some(&snapshot),
            auto: true,
        };
        let john = Ok(OperatorSelection::Operator(OperatorId(101)));
        assert_eq!(operators.named("John Smith"), john);
        let unknown = Err(ResolveError::DirectoryNeeded);
        assert_eq!(operators.named("Ann Smith"), unknown);
        assert_eq!(operators.named("auto:7"), unknown);
        assert_eq!(operators.named("auto:6"), Err(ResolveError::NobodyActive));
        assert!(operators.named("auto:24").is_ok());
    }

    #[test]
    fn a_login_is_never_an_id_and_a_name_takes_the_directory() {
        let map = OperatorMap::parse("\"ann\" = 101").unwrap();
        let operators = Operators {
            map: &map,
            snapshot: None,
            auto: true,
        };
        let ann = Ok(OperatorSelection::Operator(OperatorId(101)));
        assert_eq!(operators.identified("Ann", false), ann);
        let by_name = |identity, by_name| operators.identified(identity, by_name);
        assert_eq!(by_name("101", true), Err(ResolveError::DirectoryNeeded));
        assert_eq!(by_name("101", false), Err(ResolveError::Unknown));
        assert_eq!(by_name("Ann Smith", false), Err(ResolveError::Unknown));
        assert_eq!(by_name("Ann\u{a0}Smith", true), Err(ResolveError::Unknown));
        assert_eq!(by_name("\u{a0}Ann", true), Err(ResolveError::Unknown));
        assert_eq!(
            operators.named("Ann Smith"),
            Err(ResolveError::DirectoryNeeded)
        );
        assert_eq!(
            operators.named("auto:24"),
            Err(ResolveError::DirectoryNeeded)
        );
    }

    #[test]
    fn a_pass_names_by_alias_or_id_and_by_name_where_it_may() {
        let map = OperatorMap::parse("\"ann\" = 101").unwrap();
        let operators = Operators {
            map: &map,
            snapshot: None,
            auto: true,
        };
        let [ann, other] = [101, 102].map(|id| Ok(OperatorSelection::Operator(OperatorId(id))));
        for by_name in [false, true] {
            assert_eq!(operators.vouched(" ANN ", by_name), ann);
            assert_eq!(operators.vouched("102", by_name), other);
            let auto = operators.vouched("auto:24", by_name);
            assert_eq!(auto, Err(ResolveError::DirectoryNeeded));
        }
        let named = |by_name| operators.vouched("Ann Smith", by_name);
        assert_eq!(named(true), Err(ResolveError::DirectoryNeeded));
        assert_eq!(named(false), Err(ResolveError::Unknown));
        let foreign = operators.vouched("\u{a0}Ann Smith", true);
        assert_eq!(foreign, Err(ResolveError::Unknown));
    }
}
