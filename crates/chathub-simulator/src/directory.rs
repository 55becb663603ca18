//! Who there is: organizations, and the operators of each.

use std::collections::{BTreeMap, BTreeSet};

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorRecord {
    /// The display name.
    pub name: String,
    /// 0 active, 1 inactive, 2 deleted.
    pub status: u8,
    /// The organization's id.
    pub organization: u64,
}

#[derive(Default)]
pub(crate) struct Directory {
    pub(crate) organizations: BTreeMap<u64, Organization>,
    pub(crate) operators: BTreeMap<u64, OperatorRecord>,
}

/// An organization, and the ids of its operators: lists are asked for by organization, of which
/// there may be thousands.
pub(crate) struct Organization {
    pub(crate) name: String,
    pub(crate) operators: BTreeSet<u64>,
    /// Records that stand in its list as they are, whether they are JSON or not.
    pub(crate) odd_records: Vec<String>,
    /// The status that its list is answered with instead.
    pub(crate) broken: Option<u16>,
}

impl Directory {
    pub(crate) fn add_organization(&mut self, id: u64, name: String) {
        let none = || Organization {
            name: String::new(),
            operators: BTreeSet::new(),
            odd_records: Vec::new(),
            broken: None,
        };
        self.organizations.entry(id).or_insert_with(none).name = name;
    }

    pub(crate) fn remove_operator(&mut self, id: u64) {
        self.operators.remove(&id);
        for organization in self.organizations.values_mut() {
            organization.operators.remove(&id);
        }
    }

    pub(crate) fn add(&mut self, id: u64, organization: u64, name: String, status: u8) {
        if let Some(organization) = self.organizations.get_mut(&organization) {
            organization.operators.insert(id);
        }
        self.operators.insert(
            id,
            OperatorRecord {
                name,
                status,
                organization,
            },
        );
    }
}
