//! Plans an import: a row is sent, unless an operator of its name exists or an earlier row has the
//! same name.

use std::collections::{BTreeMap, HashMap};

use super::results::{ResultLine, RowOutcomes};
use super::rows::Row;
use crate::cli::admin::operators::row_outcome::RowOutcome;
use crate::cli::sanitized;
use crate::operators::name::{folded, spelling};
use chathub::{Operator, OperatorId, OperatorStatus, OrganizationId};

/// The operators that exist, by organization and name.
pub(super) type Existing = HashMap<(OrganizationId, String), Vec<Operator>>;

/// The outcomes that are known before anything is sent, and the rows to send.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// Rows that need not be sent, without those that are in the results file already.
    pub(super) known: Vec<ResultLine>,
    pub(super) to_send: BTreeMap<OrganizationId, Vec<&'a Row>>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(rows: &'a [Row], existing: &Existing, earlier: &RowOutcomes) -> Self {
        let mut plan = Self::default();
        let mut first_lines: HashMap<(OrganizationId, String), u64> = HashMap::new();
        for row in rows {
            let key = (row.organization, spelling(&row.name));
            let first_line = *first_lines.entry(key.clone()).or_insert(row.line);
            let before = earlier.get(&row.line).copied();
            if before.is_some_and(RowOutcome::is_final) {
                continue;
            }
            if first_line != row.line {
                let note = format!("line {first_line} has the same name");
                plan.known
                    .push(ResultLine::new(row, RowOutcome::Duplicate, None, note));
            } else if let Some(same_name) = existing.get(&key) {
                plan.known.push(line_of_existing(row, same_name, before));
            } else {
                plan.to_send.entry(row.organization).or_default().push(row);
            }
        }
        plan
    }
}

/// A row that an earlier run has sent without an answer was added by that run.
fn line_of_existing(row: &Row, existing: &[Operator], before: Option<RowOutcome>) -> ResultLine {
    let outcome = if before == Some(RowOutcome::Unknown) {
        RowOutcome::Added
    } else {
        RowOutcome::Exists
    };
    let active = |other: &&Operator| other.status == OperatorStatus::Active;
    let found = existing.iter().find(active).unwrap_or(&existing[0]);
    let mut notes = Vec::new();
    if found.status != OperatorStatus::Active {
        notes.push(found.status.to_string());
    }
    if folded(&found.name) != folded(&row.name) {
        notes.push(format!(
            "in ChatHub it is written {}",
            sanitized(&found.name)
        ));
    }
    let others = existing.iter().map(|other| other.id);
    let others: Vec<_> = others.filter(|other| *other != found.id).collect();
    notes.extend(same_name(&others));
    ResultLine::new(row, outcome, Some(found.id), notes.join("; "))
}

/// `also 105 106`
pub(super) fn same_name(others: &[OperatorId]) -> Option<String> {
    let ids: Vec<_> = others.iter().map(ToString::to_string).collect();
    (!ids.is_empty()).then(|| format!("also {}", ids.join(" ")))
}
