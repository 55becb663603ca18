//! Names on their way to ChatHub, and what is known of each.

use std::collections::HashMap;

use chathub::{AddedOperator, NewOperator, OperatorId, OrganizationId};

use crate::operators::name::folded;

/// What became of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was not sent, or sent and certainly not carried out.
    Left,
    /// It has been added. `others` have the same name, and came at the same time: somebody else's,
    /// or ChatHub's own doing.
    Added {
        id: OperatorId,
        others: Vec<OperatorId>,
    },
    /// ChatHub does not take this one, with this status.
    Refused(u16),
    /// It was sent, and nobody knows yet whether it was added.
    Unknown,
}

/// One organization's names on their way.
pub(super) struct Chunk<'a> {
    pub(super) organization: OrganizationId,
    names: &'a [String],
    pub(super) fates: Vec<Fate>,
    /// Waits in a row without anything gained.
    pub(super) waits: usize,
}

impl<'a> Chunk<'a> {
    pub(super) fn new(organization: OrganizationId, names: &'a [String]) -> Self {
        Self {
            organization,
            names,
            fates: vec![Fate::Left; names.len()],
            waits: 0,
        }
    }

    pub(super) fn new_operators(&self, which: &[usize]) -> Vec<NewOperator> {
        which
            .iter()
            .map(|at| NewOperator::new(self.organization, &self.names[*at]))
            .collect()
    }

    pub(super) fn mark(&mut self, which: &[usize], fate: &Fate) {
        for at in which {
            self.fates[*at] = fate.clone();
        }
    }

    /// Whether the answer is about all that were sent; then they are marked as added.
    pub(super) fn is_answered_by(&mut self, added: &[AddedOperator], sent: &[usize]) -> bool {
        if added.len() != sent.len() {
            return false;
        }
        let named = added
            .iter()
            .map(|operator| (operator.id, operator.name.clone()));
        if !self.find(named, sent).is_empty() {
            // ChatHub has written a name otherwise than it was sent: then the order tells.
            for (at, operator) in sent.iter().zip(added) {
                let (id, others) = (operator.id, Vec::new());
                self.fates[*at] = Fate::Added { id, others };
            }
        }
        true
    }

    /// Marks those that are among `operators` as added, and gives back the others.
    pub(super) fn find(
        &mut self,
        operators: impl Iterator<Item = (OperatorId, String)>,
        which: &[usize],
    ) -> Vec<usize> {
        let mut by_name: HashMap<String, Vec<OperatorId>> = which
            .iter()
            .map(|at| (folded(&self.names[*at]), Vec::new()))
            .collect();
        for (id, name) in operators {
            if let Some(ids) = by_name.get_mut(&folded(&name)) {
                ids.push(id);
            }
        }
        let mut missing = Vec::new();
        for at in which {
            let mut ids = by_name
                .remove(&folded(&self.names[*at]))
                .unwrap_or_default();
            ids.sort_unstable();
            if ids.is_empty() {
                missing.push(*at);
                continue;
            }
            self.waits = 0;
            self.fates[*at] = Fate::Added {
                id: ids.remove(0),
                others: ids,
            };
        }
        missing
    }
}
