//! Sends batch after batch to ChatHub; the outcomes of each are written before the next is sent.

use std::time::Duration;

use anyhow::ensure;
use indicatif::{ProgressBar, ProgressStyle};

use super::plan::{Plan, same_name};
use super::results::{ResultLine, Results};
use super::rows::Row;
use super::summary::Summary;
use crate::cli::admin::operators::batch::AddOutcome;
use crate::cli::admin::operators::batch_adder::{BATCH_SIZE, BatchAdder, Stop};
use crate::cli::admin::operators::interrupt::{FINISHING, Interrupt};
use crate::cli::admin::operators::row_outcome::RowOutcome;
use crate::cli::output;
use chathub::ChatHub;

/// After so many refusals in a row the fault is not with the rows.
const MAX_REFUSED: usize = 20;

/// Sends rows, and records their outcomes.
pub(super) struct Sender<'a> {
    results: &'a mut Results,
    summary: &'a mut Summary,
    /// Drawn on standard error where that is a terminal.
    bar: ProgressBar,
    refused_in_a_row: usize,
}

impl<'a> Sender<'a> {
    /// The bar starts with the rows that need no sending, so that it agrees with the summary.
    pub(super) fn new(results: &'a mut Results, summary: &'a mut Summary, plan: &Plan<'_>) -> Self {
        let to_send: usize = plan.to_send.values().map(Vec::len).sum();
        let rows = summary.rows;
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} rows, {eta} left");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            results,
            summary,
            bar: ProgressBar::new(rows as u64)
                .with_style(style)
                .with_position((rows - to_send) as u64),
            refused_in_a_row: 0,
        }
    }

    /// Sends the rows of the plan. Returns why it ended early.
    pub(super) async fn run(
        mut self,
        chathub: &ChatHub,
        plan: Plan<'_>,
        first_wait: Duration,
    ) -> anyhow::Result<Option<Stop>> {
        let (bar, bar_of_interrupt) = (self.bar.clone(), self.bar.clone());
        let interrupt = Interrupt::listen(move || say(&bar_of_interrupt, FINISHING));
        let mut adder = BatchAdder {
            chathub,
            interrupt,
            first_wait,
            say: &|text| say(&bar, text),
        };
        let outcome = self.send(&mut adder, &plan).await;
        self.bar.finish_and_clear();
        outcome
    }

    async fn send(
        &mut self,
        adder: &mut BatchAdder<'_>,
        plan: &Plan<'_>,
    ) -> anyhow::Result<Option<Stop>> {
        for (organization, rows) in &plan.to_send {
            for batch in rows.chunks(BATCH_SIZE) {
                if adder.interrupt.is_pressed() {
                    return Ok(Some(Stop::Interrupted));
                }
                let names: Vec<_> = batch.iter().map(|row| row.name.clone()).collect();
                let (outcomes, stop) = adder.add(*organization, &names).await;
                self.note(batch, &outcomes)?;
                if stop.is_some() {
                    return Ok(stop);
                }
                ensure!(
                    self.refused_in_a_row < MAX_REFUSED,
                    "ChatHub has refused {} rows one after another; the results file says with which status",
                    self.refused_in_a_row
                );
            }
        }
        Ok(None)
    }

    fn note(&mut self, rows: &[&Row], outcomes: &[AddOutcome]) -> anyhow::Result<()> {
        let lines: Vec<_> = rows.iter().zip(outcomes).filter_map(line).collect();
        self.results.write(&lines)?;
        self.summary.note_sent(&lines);
        self.bar.inc(lines.len() as u64);
        for line in &lines {
            match line.outcome {
                RowOutcome::Failed => self.refused_in_a_row += 1,
                _ => self.refused_in_a_row = 0,
            }
        }
        Ok(())
    }
}

/// Prints a message above the bar.
fn say(bar: &ProgressBar, text: &str) {
    bar.suspend(|| output::say(text));
}

/// The results line of a row, unless it was not sent.
fn line((row, outcome): (&&Row, &AddOutcome)) -> Option<ResultLine> {
    let (outcome, id, note) = match outcome {
        AddOutcome::NotSent => return None,
        AddOutcome::Added { id, others } => (RowOutcome::Added, Some(*id), same_name(others)),
        AddOutcome::Refused(status) => {
            let note = format!("ChatHub answers {status}");
            (RowOutcome::Failed, None, Some(note))
        }
        AddOutcome::Unknown => (RowOutcome::Unknown, None, None),
    };
    Some(ResultLine::new(row, outcome, id, note.unwrap_or_default()))
}
