//! A batch of names on the way to ChatHub, and the outcome of each.

use std::collections::HashMap;

use crate::operators::name::folded;
use chathub::{AddedOperator, NewOperator, OperatorId, OrganizationId};

/// What happened to the add of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AddOutcome {
    /// Not sent, or sent and certainly not added.
    NotSent,
    /// Added. `others` have the same name and appeared at the same time, added by another program
    /// or by ChatHub itself.
    Added {
        id: OperatorId,
        others: Vec<OperatorId>,
    },
    /// ChatHub refuses the name with this status.
    Refused(u16),
    /// Sent, and not yet known whether it was added.
    Unknown,
}

/// Names of one organization.
pub(super) struct Batch<'a> {
    pub(super) organization: OrganizationId,
    names: &'a [String],
    pub(super) outcomes: Vec<AddOutcome>,
    /// Waits in a row without progress.
    pub(super) waits: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(organization: OrganizationId, names: &'a [String]) -> Self {
        Self {
            organization,
            names,
            outcomes: vec![AddOutcome::NotSent; names.len()],
            waits: 0,
        }
    }

    pub(super) fn new_operators(&self, which: &[usize]) -> Vec<NewOperator> {
        which
            .iter()
            .map(|at| NewOperator::new(self.organization, &self.names[*at]))
            .collect()
    }

    pub(super) fn mark(&mut self, which: &[usize], outcome: &AddOutcome) {
        for at in which {
            self.outcomes[*at] = outcome.clone();
        }
    }

    /// Whether the answer is about all names that were sent; if so, marks them as added.
    pub(super) fn is_answered_by(&mut self, added: &[AddedOperator], sent: &[usize]) -> bool {
        if added.len() != sent.len() {
            return false;
        }
        let named = added
            .iter()
            .map(|operator| (operator.id, operator.name.clone()));
        if !self.find(named, sent).is_empty() {
            // ChatHub has changed the spelling of a name, so the order decides.
            for (at, operator) in sent.iter().zip(added) {
                let (id, others) = (operator.id, Vec::new());
                self.outcomes[*at] = AddOutcome::Added { id, others };
            }
        }
        true
    }

    /// Marks the names that `operators` have as added, and returns the others.
    pub(super) fn find(
        &mut self,
        operators: impl Iterator<Item = (OperatorId, String)>,
        which: &[usize],
    ) -> Vec<usize> {
        let mut by_name: HashMap<String, Vec<OperatorId>> = HashMap::new();
        for (id, name) in operators {
            by_name.entry(folded(&name)).or_default().push(id);
        }
        let mut missing = Vec::new();
        for at in which {
            let Some(mut others) = by_name.remove(&folded(&self.names[*at])) else {
                missing.push(*at);
                continue;
            };
            others.sort_unstable();
            let id = others.remove(0);
            self.waits = 0;
            self.outcomes[*at] = AddOutcome::Added { id, others };
        }
        missing
    }
}
