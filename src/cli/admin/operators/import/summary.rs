//! The summary of an import over all its runs.

use std::path::Path;

use serde::Serialize;

use super::results::{ResultLine, RowOutcomes};
use crate::cli::admin::operators::batch_adder::Stop;
use crate::cli::admin::operators::row_outcome::RowOutcome;
use crate::cli::{Exit, OutputFormat, output};

/// The known outcomes, how the run was started, and what JSON shows of them.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    #[serde(skip)]
    outcomes: RowOutcomes,
    /// Whether an earlier run has written results.
    #[serde(skip)]
    is_resumed: bool,
    pub(super) rows: usize,
    added: usize,
    /// The part of them that this run has added.
    added_now: usize,
    exists: usize,
    duplicate: usize,
    failed: usize,
    /// Not sent yet, or of unknown outcome.
    left: usize,
    dry_run: bool,
    results: String,
}

impl Summary {
    pub(super) fn new(rows: usize, earlier: RowOutcomes, dry_run: bool, results: &Path) -> Self {
        Self {
            rows,
            is_resumed: !earlier.is_empty(),
            outcomes: earlier,
            dry_run,
            results: results.display().to_string(),
            ..Self::default()
        }
    }

    pub(super) fn note(&mut self, lines: &[ResultLine]) {
        for line in lines {
            self.outcomes.insert(line.line, line.outcome);
        }
    }

    /// The same for rows that this run has sent.
    pub(super) fn note_sent(&mut self, lines: &[ResultLine]) {
        let is_added = |line: &&ResultLine| line.outcome == RowOutcome::Added;
        self.added_now += lines.iter().filter(is_added).count();
        self.note(lines);
    }

    /// Prints the summary, and returns how the command ends.
    pub(super) fn print(
        mut self,
        format: OutputFormat,
        stop: Option<Stop>,
    ) -> anyhow::Result<Exit> {
        self.count();
        if format.json {
            output::json(&self)?;
        } else {
            output::line(&self.text())?;
        }
        Stop::exit(stop, self.failed > 0)
    }

    fn count(&mut self) {
        for outcome in self.outcomes.values() {
            match outcome {
                RowOutcome::Added => self.added += 1,
                RowOutcome::Exists => self.exists += 1,
                RowOutcome::Duplicate => self.duplicate += 1,
                RowOutcome::Failed => self.failed += 1,
                RowOutcome::Unknown => {}
            }
        }
        self.left = self.rows - self.added - self.exists - self.duplicate - self.failed;
    }

    fn text(&self) -> String {
        let left = self.left;
        let added = if self.is_resumed {
            let before = self.added - self.added_now;
            format!("{} added now, {before} added before", self.added_now)
        } else {
            format!("{} added", self.added)
        };
        let mut text = format!(
            "{}: {added}, {} exist already, {} given twice, {} refused by ChatHub",
            counted(self.rows),
            self.exists,
            self.duplicate,
            self.failed
        );
        if self.dry_run {
            return text + &format!(", {left} would be added. Nothing was changed.");
        }
        text = text + "\nWhat became of each row: " + &self.results;
        if left == 0 {
            return text;
        }
        let verb = if left == 1 { "is" } else { "are" };
        text + &format!(
            "\n{} {verb} left. The same command again goes on with what is left; no operator is added twice.",
            counted(left)
        )
    }
}

/// `1 row`, `2 rows`
fn counted(rows: usize) -> String {
    if rows == 1 {
        "1 row".into()
    } else {
        format!("{rows} rows")
    }
}
