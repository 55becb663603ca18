//! The results file: the outcome of each row, written as it happens, and read when the import is
//! started again.
//!
//! CSV, a line for each row of the import. Where a row has two lines, the later one counts: an
//! `unknown` or `failed` row is tried again.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};

use super::rows::Row;
use crate::cli::admin::operators::row_outcome::RowOutcome;
use chathub::OperatorId;

/// The first line: the fields of [`ResultLine`].
const HEADER: &str = "line,organizationId,name,id,outcome,note";

/// The error for any other file.
const NOT_RESULTS: &str = "it is not a results file";

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
    pub(super) outcome: RowOutcome,
    /// For people: why, or what else there is to know.
    pub(super) note: String,
}

impl ResultLine {
    pub(super) fn new(
        row: &Row,
        outcome: RowOutcome,
        id: Option<OperatorId>,
        note: String,
    ) -> Self {
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
pub(super) type RowOutcomes = HashMap<u64, RowOutcome>;

/// The open results file. A lock keeps other imports from writing it.
pub(super) struct Results {
    writer: csv::Writer<File>,
    path: PathBuf,
    /// Whether the file has a line, at least the header.
    has_lines: bool,
}

impl Results {
    /// Opens the file for an import of `rows`, and returns the outcomes of earlier runs. A new file
    /// gets the separator of the rows.
    pub(super) fn open(
        path: &Path,
        rows: &[Row],
        separator: u8,
    ) -> anyhow::Result<(Self, RowOutcomes)> {
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
            let whole = whole_lines(&text)?;
            let (outcomes, own) = read(whole, rows)?;
            // After the check that it is a results file: of any other file no byte may be dropped.
            file.set_len(whole.len() as u64)?;
            file.seek(SeekFrom::End(0))?;
            let has_lines = !whole.is_empty();
            let writer = csv::WriterBuilder::new()
                .delimiter(own.unwrap_or(separator))
                .has_headers(!has_lines)
                .from_writer(file);
            let results = Self {
                writer,
                path: path.to_owned(),
                has_lines,
            };
            Ok((results, outcomes))
        };
        open().with_context(|| format!("the results file {} cannot be used", path.display()))
    }

    /// Reads the outcomes of earlier runs without changing the file.
    pub(super) fn peek(path: &Path, rows: &[Row]) -> anyhow::Result<RowOutcomes> {
        if !path.exists() {
            return Ok(RowOutcomes::new());
        }
        let peek = || read(whole_lines(&std::fs::read(path)?)?, rows);
        let peeked = peek().map(|(outcomes, _)| outcomes);
        peeked.with_context(|| format!("the results file {} cannot be used", path.display()))
    }

    /// Writes lines and flushes them, so that they survive a kill of the process.
    pub(super) fn write(&mut self, lines: &[ResultLine]) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if !self.has_lines {
            // The mark makes Excel read UTF-8. Nothing is buffered yet.
            self.writer.get_ref().write_all(MARK)?;
        }
        self.has_lines = true;
        for line in lines {
            self.writer.serialize(line)?;
        }
        Ok(self.writer.flush()?)
    }

    /// Ends the import, and removes a file without lines.
    pub(super) fn end(self) {
        if !self.has_lines {
            // The lock is held until here, so no other import has written to it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A byte order mark.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// The header with this separator.
fn header(separator: u8) -> String {
    HEADER.replace(',', &char::from(separator).to_string())
}

/// Removes the byte order mark, or the part of one that is the whole text.
fn without_mark(text: &[u8]) -> &[u8] {
    let half = MARK.starts_with(text);
    text.strip_prefix(MARK)
        .unwrap_or(if half { &[] } else { text })
}

/// Drops the half line that a killed run may have left. A file that is only half a line must be a
/// half header, or it is another file.
fn whole_lines(text: &[u8]) -> anyhow::Result<&[u8]> {
    let end = text.iter().rposition(|byte| *byte == b'\n');
    let (whole, half) = text.split_at(end.map_or(0, |end| end + 1));
    let half = without_mark(half);
    let is_half_a_header = || (0..=127).any(|one| header(one).as_bytes().starts_with(half));
    ensure!(!whole.is_empty() || is_half_a_header(), NOT_RESULTS);
    Ok(whole)
}

/// Reads the outcomes and the separator. The header is checked even where no line follows, as in a
/// new file.
fn read(text: &[u8], rows: &[Row]) -> anyhow::Result<(RowOutcomes, Option<u8>)> {
    let mut outcomes = RowOutcomes::new();
    if text.is_empty() {
        return Ok((outcomes, None));
    }
    let text = without_mark(text);
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = first.strip_suffix(b"\r").unwrap_or(first);
    let separator = (0..=127).find(|one| header(*one).as_bytes() == first);
    let separator = separator.context(NOT_RESULTS)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .from_reader(text);
    let rows: HashMap<u64, &Row> = rows.iter().map(|row| (row.line, row)).collect();
    for line in reader.deserialize() {
        let line: ResultLine = line.context(NOT_RESULTS)?;
        ensure!(
            rows.get(&line.line).is_some_and(|row| line.is_of(row)),
            "it is of another import, or line {} has changed since; `--results` names another file",
            line.line
        );
        outcomes.insert(line.line, line.outcome);
    }
    Ok((outcomes, Some(separator)))
}
