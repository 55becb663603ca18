//! A company's operators as ChatHub has listed them at one moment. A look-up takes the same time however many there are.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::Unfound;
use super::name::folded;
use crate::chathub::{Operator, OperatorId, OperatorStatus, OrganizationId};

/// The operators by name, by id and by organization.
#[derive(Debug, Default)]
pub struct Roster {
    /// By display name, folded.
    names: HashMap<Box<str>, Bearer>,
    statuses: HashMap<OperatorId, OperatorStatus, RandomState>,
    active: HashMap<OrganizationId, Arc<[OperatorId]>>,
}

/// Who bears a name. One who works comes before those who do not: a colleague who has left, and was deleted, keeps the name from nobody.
#[derive(Debug)]
struct Bearer {
    operator: OperatorId,
    works: bool,
    /// Another one who works bears the name too.
    is_shared: bool,
}

impl Roster {
    /// Takes an organization's operators in.
    pub(super) fn add(&mut self, organization: OrganizationId, operators: Vec<Operator>) {
        let active: Arc<[OperatorId]> = operators
            .iter()
            .filter(|operator| operator.status == OperatorStatus::Active)
            .map(|operator| operator.id)
            .collect();
        if !active.is_empty() {
            self.active.insert(organization, active);
        }
        for Operator {
            id, name, status, ..
        } in operators
        {
            self.statuses.insert(id, status);
            self.name(folded(&name).into(), id, status.works());
        }
    }

    /// The operator of this name; case does not matter.
    pub(super) fn called(&self, name: &str) -> Result<OperatorId, Unfound> {
        match self.names.get(folded(name).as_str()) {
            None => Err(Unfound::Unknown),
            Some(bearer) if bearer.is_shared => Err(Unfound::Ambiguous),
            Some(bearer) => Ok(bearer.operator),
        }
    }

    /// Whether the operator works; `None` where the company has none of this id, or not yet.
    pub fn status(&self, operator: OperatorId) -> Option<OperatorStatus> {
        self.statuses.get(&operator).copied()
    }

    /// The active operators of an organization, if there is one.
    pub(super) fn active(&self, organization: OrganizationId) -> Option<&Arc<[OperatorId]>> {
        self.active.get(&organization)
    }

    /// How many operators there are.
    pub(super) fn len(&self) -> usize {
        self.statuses.len()
    }

    fn name(&mut self, name: Box<str>, operator: OperatorId, works: bool) {
        match self.names.entry(name) {
            Entry::Vacant(place) => {
                place.insert(Bearer {
                    operator,
                    works,
                    is_shared: false,
                });
            }
            Entry::Occupied(mut place) => {
                let bearer = place.get_mut();
                if works && bearer.works {
                    bearer.is_shared = true;
                } else if works {
                    (bearer.operator, bearer.works) = (operator, true);
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rstest::rstest;

    use super::*;
    use crate::chathub::Organization;
    use OperatorStatus::{Active, Deleted, Inactive, Other};

    /// Organization, id, name, status of each.
    pub(crate) fn roster(operators: &[(u64, u64, &str, OperatorStatus)]) -> Roster {
        let mut lists = HashMap::<_, Vec<_>>::new();
        for &(organization, id, name, status) in operators {
            let organization = OrganizationId(organization);
            lists.entry(organization).or_default().push(Operator {
                id: OperatorId(id),
                name: name.into(),
                status,
                organization: Organization {
                    id: organization,
                    name: "Acme".into(),
                },
            });
        }
        let mut roster = Roster::default();
        for (organization, operators) in lists {
            roster.add(organization, operators);
        }
        roster
    }

    #[rstest]
    #[case::one(&[(24, 101, "John Smith", Active)], Ok(101))]
    #[case::spaces_and_case(&[(24, 101, " JOHN  smith ", Active)], Ok(101))]
    #[case::nobody(&[(24, 101, "John Smithson", Active)], Err(Unfound::Unknown))]
    #[case::two(&[(24, 101, "John Smith", Active), (6, 102, "john smith", Active)], Err(Unfound::Ambiguous))]
    #[case::three(&[(24, 101, "John Smith", Active), (24, 102, "John Smith", Active), (24, 103, "John Smith", Active)], Err(Unfound::Ambiguous))]
    #[case::one_has_left(&[(24, 101, "John Smith", Deleted), (24, 102, "John Smith", Active)], Ok(102))]
    #[case::the_same_turned_round(&[(24, 102, "John Smith", Active), (24, 101, "John Smith", Inactive)], Ok(102))]
    #[case::all_have_left(&[(24, 101, "John Smith", Deleted), (24, 102, "John Smith", Inactive)], Ok(101))]
    #[case::a_status_that_nobody_knows(&[(24, 101, "John Smith", Other(7)), (24, 102, "John Smith", Active)], Err(Unfound::Ambiguous))]
    fn who_bears_a_name(
        #[case] operators: &[(u64, u64, &str, OperatorStatus)],
        #[case] expected: Result<u64, Unfound>,
    ) {
        let found = roster(operators).called("John Smith");
        assert_eq!(found.map(|operator| operator.0), expected);
    }

    #[test]
    fn only_active_operators_are_there_to_choose_from() {
        let roster = roster(&[
            (24, 101, "A", Active),
            (24, 102, "B", Inactive),
            (24, 103, "C", Active),
            (6, 21, "D", Deleted),
        ]);
        let active = |organization| roster.active(OrganizationId(organization));
        assert_eq!(active(24).unwrap()[..], [OperatorId(101), OperatorId(103)]);
        assert_eq!(active(6), None);
        assert_eq!(roster.status(OperatorId(21)), Some(Deleted));
        assert_eq!(roster.status(OperatorId(9)), None);
    }
}
