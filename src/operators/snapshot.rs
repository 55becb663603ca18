//! A snapshot of ChatHub's directory: the company's operators, with look-ups in constant time.

use std::collections::hash_map::Entry as MapEntry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::ResolveError;
use super::name::folded;
use chathub::{ListedOperator, Operator, OperatorId, OperatorStatus, OrganizationId};

/// An operator in an organization's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: OperatorId,
    /// The display name, folded.
    pub(super) name: Option<Arc<str>>,
    /// The same as ChatHub writes it, where that is not the same.
    pub(super) written: Option<Box<str>>,
    pub(super) status: OperatorStatus,
}

/// An organization's operators. Snapshots share a list that has not changed.
pub(super) type List = Arc<[Entry]>;

/// The lists of all organizations.
pub(super) type Lists = BTreeMap<OrganizationId, List>;

impl From<ListedOperator> for Entry {
    fn from(operator: ListedOperator) -> Self {
        let written = operator.name.filter(|name| !name.trim().is_empty());
        let name = written.as_deref().map(folded);
        Self {
            id: operator.id,
            written: written
                .filter(|written| name.as_ref() != Some(written))
                .map(Box::from),
            name: name.map(Arc::from),
            status: operator.status,
        }
    }
}

/// The operators by name, by id and by organization.
#[derive(Debug, Default)]
pub struct DirectorySnapshot {
    /// The lists, which the next reading is compared with.
    lists: Lists,
    /// Whether the list of each organization is known.
    is_complete: bool,
    /// By display name, folded.
    names: HashMap<Arc<str>, NameEntry>,
    statuses: HashMap<OperatorId, OperatorStatus, RandomState>,
    active: HashMap<OrganizationId, Arc<[OperatorId]>>,
}

/// The operator of a name. A working operator takes precedence: one who has left, and was deleted,
/// does not occupy the name.
#[derive(Debug)]
struct NameEntry {
    operator: OperatorId,
    works: bool,
    /// Whether another working operator has the name too.
    is_shared: bool,
}

impl DirectorySnapshot {
    /// From operators in any order; `is_complete` where no organization is missing.
    pub fn of(operators: &[Operator], is_complete: bool) -> Self {
        let mut lists = BTreeMap::<_, Vec<Entry>>::new();
        for operator in operators {
            let listed = ListedOperator {
                id: operator.id,
                name: Some(operator.name.clone()),
                status: operator.status,
            };
            let list = lists.entry(operator.organization.id).or_default();
            list.push(listed.into());
        }
        let lists = lists.into_iter().map(|(id, list)| (id, list.into()));
        Self::new(lists.collect(), is_complete)
    }

    /// From the organizations' lists; `is_complete` where no list is missing.
    pub(super) fn new(lists: Lists, is_complete: bool) -> Self {
        let mut snapshot = Self {
            is_complete,
            ..Self::default()
        };
        for (organization, list) in &lists {
            snapshot.add(*organization, list);
        }
        snapshot.lists = lists;
        snapshot
    }

    fn add(&mut self, organization: OrganizationId, list: &List) {
        let active: Arc<[OperatorId]> = list
            .iter()
            .filter(|operator| operator.status == OperatorStatus::Active)
            .map(|operator| operator.id)
            .collect();
        if !active.is_empty() {
            self.active.insert(organization, active);
        }
        for Entry {
            id, name, status, ..
        } in &**list
        {
            self.statuses.insert(*id, *status);
            if let Some(name) = name {
                self.add_name(Arc::clone(name), *id, status.works());
            }
        }
    }

    /// Whether this organization's list may exist and has not been read yet.
    pub(super) fn is_unread(&self, organization: OrganizationId) -> bool {
        !self.is_complete && !self.lists.contains_key(&organization)
    }

    /// The organizations' lists.
    pub(super) const fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Whether the list of each organization is known. Until then an unknown name may be in a list
    /// that has not been read yet.
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The operator of this name; case does not matter.
    pub(super) fn by_name(&self, name: &str) -> Result<OperatorId, ResolveError> {
        match self.names.get(folded(name).as_str()) {
            None => Err(ResolveError::Unknown),
            Some(entry) if entry.is_shared => Err(ResolveError::Ambiguous),
            Some(entry) => Ok(entry.operator),
        }
    }

    /// The operator's display name, as ChatHub writes it. It looks at all operators, so it is for
    /// pages and not for clicks.
    pub fn display_name(&self, operator: OperatorId) -> Option<&str> {
        let mut entries = self.lists.values().flat_map(|list| list.iter());
        let entry = entries.find(|entry| entry.id == operator)?;
        entry.written.as_deref().or(entry.name.as_deref())
    }

    /// The operator's status; `None` where the company has no operator of this id, or not yet.
    pub fn status(&self, operator: OperatorId) -> Option<OperatorStatus> {
        self.statuses.get(&operator).copied()
    }

    /// The active operators of an organization, if there are any.
    pub(super) fn active(&self, organization: OrganizationId) -> Option<&Arc<[OperatorId]>> {
        self.active.get(&organization)
    }

    /// How many operators there are.
    pub fn len(&self) -> usize {
        self.statuses.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.statuses.is_empty()
    }

    fn add_name(&mut self, name: Arc<str>, operator: OperatorId, works: bool) {
        match self.names.entry(name) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(NameEntry {
                    operator,
                    works,
                    is_shared: false,
                });
            }
            MapEntry::Occupied(mut occupied) => {
                let entry = occupied.get_mut();
                if works && entry.works {
                    // One operator may be in two lists.
                    entry.is_shared |= entry.operator != operator;
                } else if works {
                    (entry.operator, entry.works) = (operator, true);
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rstest::rstest;

    use super::*;
    use OperatorStatus::{Active, Deleted, Inactive, Other};

    /// The same, with an organization whose list could not be read.
    pub(crate) fn partial_snapshot(
        operators: &[(u64, u64, &str, OperatorStatus)],
    ) -> DirectorySnapshot {
        DirectorySnapshot::new(snapshot(operators).lists, false)
    }

    /// Organization, id, name, status of each.
    pub(crate) fn snapshot(operators: &[(u64, u64, &str, OperatorStatus)]) -> DirectorySnapshot {
        let mut lists = BTreeMap::<_, Vec<Entry>>::new();
        for &(organization, id, name, status) in operators {
            let operator = ListedOperator {
                id: OperatorId(id),
                name: Some(name.into()),
                status,
            };
            let list = lists.entry(OrganizationId(organization)).or_default();
            list.push(operator.into());
        }
        let lists = lists.into_iter().map(|(id, list)| (id, list.into()));
        DirectorySnapshot::new(lists.collect(), true)
    }

    #[rstest]
    #[case::one(&[(24, 101, "John Smith", Active)], Ok(101))]
    #[case::spaces_and_case(&[(24, 101, " JOHN  smith ", Active)], Ok(101))]
    #[case::none(&[(24, 101, "John Smithson", Active)], Err(ResolveError::Unknown))]
    #[case::two(&[(24, 101, "John Smith", Active), (6, 102, "john smith", Active)], Err(ResolveError::Ambiguous))]
    #[case::three(&[(24, 101, "John Smith", Active), (24, 102, "John Smith", Active), (24, 103, "John Smith", Active)], Err(ResolveError::Ambiguous))]
    #[case::one_has_left(&[(24, 101, "John Smith", Deleted), (24, 102, "John Smith", Active)], Ok(102))]
    #[case::the_same_turned_round(&[(24, 102, "John Smith", Active), (24, 101, "John Smith", Inactive)], Ok(102))]
    #[case::one_in_two_lists(&[(24, 101, "John Smith", Active), (6, 101, "John Smith", Active)], Ok(101))]
    #[case::all_have_left(&[(24, 101, "John Smith", Deleted), (24, 102, "John Smith", Inactive)], Ok(101))]
    #[case::an_unknown_status(&[(24, 101, "John Smith", Other(7)), (24, 102, "John Smith", Active)], Err(ResolveError::Ambiguous))]
    fn a_name_is_that_of_one_working_operator(
        #[case] operators: &[(u64, u64, &str, OperatorStatus)],
        #[case] expected: Result<u64, ResolveError>,
    ) {
        let found = snapshot(operators).by_name("John Smith");
        assert_eq!(found.map(|operator| operator.0), expected);
    }

    #[test]
    fn only_active_operators_can_be_chosen() {
        let snapshot = snapshot(&[
            (24, 101, "A", Active),
            (24, 102, "B", Inactive),
            (24, 103, "C", Active),
            (6, 21, "D", Deleted),
        ]);
        let active = |organization| snapshot.active(OrganizationId(organization));
        assert_eq!(active(24).unwrap()[..], [OperatorId(101), OperatorId(103)]);
        assert_eq!(active(6), None);
        assert_eq!(snapshot.status(OperatorId(21)), Some(Deleted));
        assert_eq!(snapshot.status(OperatorId(9)), None);
    }
}
