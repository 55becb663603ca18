//! The results file: what became of each row, written as it happens, and read when the import is started again.
//!
//! CSV, a line for each row of the import. Where a row stands twice, the later line counts: one that was `unknown` or `failed` is
//! looked at again.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::rows::Row;
use crate::chathub::OperatorId;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// A new operator.
    Added,
    /// The organization has an operator of this name.
    Exists,
    /// An earlier row has the same organization and name.
    Duplicate,
    /// ChatHub does not take it.
    Failed,
    /// It was sent, and the import ended before it was known whether it was added.
    Unknown,
}

impl Outcome {
    /// Whether nothing is left to do for such a row.
    pub(super) const fn is_settled(self) -> bool {
        matches!(self, Self::Added | Self::Exists | Self::Duplicate)
    }
}

/// A line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResultLine {
    /// The line of the import's file.
    pub(super) line: u64,
    organization_id: u64,
    name: String,
    /// The operator of this name, new or old.
    pub(super) id: Option<OperatorId>,
    pub(super) outcome: Outcome,
    /// For people: why, or what else there is to know.
    pub(super) note: String,
}

impl ResultLine {
    pub(super) fn new(row: &Row, outcome: Outcome, id: Option<OperatorId>, note: String) -> Self {
        Self {
            line: row.line,
            organization_id: row.organization.0,
            name: row.name.clone(),
            id,
            outcome,
            note,
        }
    }

    fn is_of(&self, row: &Row) -> bool {
        self.organization_id == row.organization.0 && self.name == row.name
    }
}

/// The outcome of each row so far, by its line.
pub(super) type Outcomes = HashMap<u64, Outcome>;

/// The open results file; nobody else writes it meanwhile.
pub(super) struct Results(csv::Writer<File>);

impl Results {
    /// Opens the file for an import of `rows`, and tells what an earlier run has done.
    pub(super) fn open(path: &Path, rows: &[Row]) -> anyhow::Result<(Self, Outcomes)> {
        let open = || {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => bail!("another import is writing it"),
                // Not every file system has locks.
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            // A run that was cut off may have left half a line, which says nothing.
            let whole = text
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1);
            text.truncate(whole);
            file.set_len(whole as u64)?;
            file.seek(SeekFrom::End(0))?;
            let outcomes = read(&text, rows)?;
            let writer = csv::WriterBuilder::new()
                .has_headers(whole == 0)
                .from_writer(file);
            Ok((Self(writer), outcomes))
        };
        open().with_context(|| format!("the results file {} cannot be used", path.display()))
    }

    /// What an earlier run has done, without touching the file.
    pub(super) fn peek(path: &Path, rows: &[Row]) -> anyhow::Result<Outcomes> {
        if !path.exists() {
            return Ok(Outcomes::new());
        }
        read(&std::fs::read(path)?, rows)
            .with_context(|| format!("the results file {} cannot be used", path.display()))
    }

    /// Writes lines, and hands them to the system: a run that is killed afterwards has them.
    pub(super) fn write(&mut self, lines: &[ResultLine]) -> anyhow::Result<()> {
        for line in lines {
            self.0.serialize(line)?;
        }
        Ok(self.0.flush()?)
    }
}

fn read(text: &[u8], rows: &[Row]) -> anyhow::Result<Outcomes> {
    let rows: HashMap<u64, &Row> = rows.iter().map(|row| (row.line, row)).collect();
    let mut outcomes = Outcomes::new();
    for line in csv::Reader::from_reader(text).deserialize() {
        let line: ResultLine = line.context("it is not a results file")?;
        ensure!(
            rows.get(&line.line).is_some_and(|row| line.is_of(row)),
            "it is of another import, or line {} has changed since; `--results` names another file",
            line.line
        );
        outcomes.insert(line.line, line.outcome);
    }
    Ok(outcomes)
}
