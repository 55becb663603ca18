//! What is to be done for each row: nothing, where an operator of that name exists or an earlier
//! row has it; else it is sent.

use std::collections::{BTreeMap, HashMap};

use chathub::{Operator, OperatorId, OperatorStatus, OrganizationId};

use super::results::{Outcome, Outcomes, ResultLine};
use super::rows::Row;
use crate::cli::output::shown;
use crate::operators::name::{folded, spelling};

/// The operators that exist, by organization and name.
#[derive(Default)]
pub(super) struct Existing(HashMap<(OrganizationId, String), Vec<There>>);

/// An operator that has a name already.
struct There {
    id: OperatorId,
    status: OperatorStatus,
    name: String,
}

impl Existing {
    pub(super) fn add(&mut self, operators: &[Operator]) {
        for operator in operators {
            let key = (operator.organization.id, spelling(&operator.name));
            self.0.entry(key).or_default().push(There {
                id: operator.id,
                status: operator.status,
                name: operator.name.clone(),
            });
        }
    }
}

/// What is known before anything is sent, and what is left to send.
pub(super) struct Plan<'a> {
    /// Rows that need not be sent, less those that the results file has already.
    pub(super) known: Vec<ResultLine>,
    pub(super) to_send: BTreeMap<OrganizationId, Vec<&'a Row>>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(rows: &'a [Row], existing: &Existing, earlier: &Outcomes) -> Self {
        let mut plan = Self {
            known: Vec::new(),
            to_send: BTreeMap::new(),
        };
        let mut first_lines: HashMap<(OrganizationId, String), u64> = HashMap::new();
        for row in rows {
            let key = (row.organization, spelling(&row.name));
            let first_line = *first_lines.entry(key.clone()).or_insert(row.line);
            let before = earlier.get(&row.line).copied();
            if before.is_some_and(Outcome::is_settled) {
                continue;
            }
            if first_line != row.line {
                let note = format!("line {first_line} has the same name");
                plan.known
                    .push(ResultLine::new(row, Outcome::Duplicate, None, note));
            } else if let Some(there) = existing.0.get(&key) {
                plan.known.push(line_of_existing(row, there, before));
            } else {
                plan.to_send.entry(row.organization).or_default().push(row);
            }
        }
        plan
    }
}

/// A row that an earlier run has sent without learning the end of it was added by that run.
fn line_of_existing(row: &Row, there: &[There], before: Option<Outcome>) -> ResultLine {
    let outcome = if before == Some(Outcome::Unknown) {
        Outcome::Added
    } else {
        Outcome::Exists
    };
    let active = |other: &&There| other.status == OperatorStatus::Active;
    let found = there.iter().find(active).unwrap_or(&there[0]);
    let mut notes = Vec::new();
    if found.status != OperatorStatus::Active {
        notes.push(found.status.to_string());
    }
    if folded(&found.name) != folded(&row.name) {
        notes.push(format!("in ChatHub it is written {}", shown(&found.name)));
    }
    let others = there.iter().map(|other| other.id);
    let others: Vec<_> = others.filter(|other| *other != found.id).collect();
    notes.extend(same_name(&others));
    ResultLine::new(row, outcome, Some(found.id), notes.join("; "))
}

/// `also 105 106`
pub(super) fn same_name(others: &[OperatorId]) -> Option<String> {
    let ids: Vec<_> = others.iter().map(ToString::to_string).collect();
    (!ids.is_empty()).then(|| format!("also {}", ids.join(" ")))
}
