//! The summary of an import over all its runs.

use std::path::Path;

use serde::Serialize;

use super::results::{ResultLine, RowOutcomes};
use crate::cli::admin::operators::batch_adder::Stop;
use crate::cli::admin::operators::row_outcome::RowOutcome;
use crate::cli::{Exit, OutputFormat, output};

/// The known outcomes, and how the run was started.
pub(super) struct Summary {
    pub(super) rows: usize,
    outcomes: RowOutcomes,
    /// Whether an earlier run has written results.
    is_resumed: bool,
    /// Operators that this run has added.
    added_now: usize,
    dry_run: bool,
    results: String,
}

/// The counts of the JSON output.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts<'a> {
    rows: usize,
    added: usize,
    /// The part of them that this run has added.
    added_now: usize,
    exists: usize,
    duplicate: usize,
    failed: usize,
    /// Not sent yet, or of unknown outcome.
    left: usize,
    dry_run: bool,
    results: &'a str,
}

impl Summary {
    pub(super) fn new(rows: usize, earlier: RowOutcomes, dry_run: bool, results: &Path) -> Self {
        Self {
            rows,
            is_resumed: !earlier.is_empty(),
            outcomes: earlier,
            added_now: 0,
            dry_run,
            results: results.display().to_string(),
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
    pub(super) fn print(&self, format: OutputFormat, stop: Option<Stop>) -> anyhow::Result<Exit> {
        let counts = self.counts();
        if format.json {
            output::json(&counts)?;
        } else {
            output::line(&self.text(&counts))?;
        }
        Stop::exit(stop, counts.failed > 0)
    }

    fn counts(&self) -> Counts<'_> {
        let count = |wanted| {
            self.outcomes
                .values()
                .filter(|outcome| **outcome == wanted)
                .count()
        };
        let added = count(RowOutcome::Added);
        let exists = count(RowOutcome::Exists);
        let duplicate = count(RowOutcome::Duplicate);
        let failed = count(RowOutcome::Failed);
        Counts {
            rows: self.rows,
            added,
            added_now: self.added_now,
            exists,
            duplicate,
            failed,
            left: self.rows - added - exists - duplicate - failed,
            dry_run: self.dry_run,
            results: &self.results,
        }
    }

    fn text(&self, counts: &Counts<'_>) -> String {
        let left = counts.left;
        let added = if self.is_resumed {
            let before = counts.added - self.added_now;
            format!("{} added now, {before} added before", self.added_now)
        } else {
            format!("{} added", counts.added)
        };
        let mut text = format!(
            "{}: {added}, {} exist already, {} given twice, {} refused by ChatHub",
            counted(self.rows),
            counts.exists,
            counts.duplicate,
            counts.failed
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
