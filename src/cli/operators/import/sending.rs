//! Chunk after chunk to ChatHub; what became of each is written down before the next goes out.

use std::time::Duration;

use anyhow::ensure;
use chathub::ChatHub;
use indicatif::{ProgressBar, ProgressStyle};

use super::plan::{Plan, same_name};
use super::results::{Outcome, ResultLine, Results};
use super::rows::Row;
use super::summary::Summary;
use crate::cli::operators::adding::{Adding, CHUNK, Stop};
use crate::cli::operators::chunk::Fate;
use crate::cli::operators::interrupt::{FINISHING, Interrupt};
use crate::cli::output;

/// Refusals in a row after which the fault is not with the rows.
const MOST_REFUSED: usize = 20;

/// Where it is told what becomes of the rows.
pub(super) struct Sending<'a> {
    results: &'a mut Results,
    summary: &'a mut Summary,
    /// On a terminal it is drawn on standard error, elsewhere not at all.
    bar: ProgressBar,
    refused_in_a_row: usize,
}

impl<'a> Sending<'a> {
    /// The bar begins with what needs no sending, so that it counts as the summary does.
    pub(super) fn new(results: &'a mut Results, summary: &'a mut Summary, plan: &Plan<'_>) -> Self {
        let to_send: usize = plan.to_send.values().map(Vec::len).sum();
        let rows = summary.rows();
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

    /// Sends what the plan has to send, and says why where it ends early.
    pub(super) async fn run(
        mut self,
        chathub: &ChatHub,
        plan: Plan<'_>,
        first_wait: Duration,
    ) -> anyhow::Result<Option<Stop>> {
        let (bar, bar_of_interrupt) = (self.bar.clone(), self.bar.clone());
        let interrupt = Interrupt::listen(move || say(&bar_of_interrupt, FINISHING));
        let mut adding = Adding {
            chathub,
            interrupt,
            first_wait,
            say: &|text| say(&bar, text),
        };
        let outcome = self.send(&mut adding, &plan).await;
        self.bar.finish_and_clear();
        outcome
    }

    async fn send(
        &mut self,
        adding: &mut Adding<'_>,
        plan: &Plan<'_>,
    ) -> anyhow::Result<Option<Stop>> {
        for (organization, rows) in &plan.to_send {
            for chunk in rows.chunks(CHUNK) {
                if adding.interrupt.has_come() {
                    return Ok(Some(Stop::Interrupted));
                }
                let names: Vec<_> = chunk.iter().map(|row| row.name.clone()).collect();
                let (fates, stop) = adding.add(*organization, &names).await;
                self.note(chunk, &fates)?;
                if stop.is_some() {
                    return Ok(stop);
                }
                ensure!(
                    self.refused_in_a_row < MOST_REFUSED,
                    "ChatHub has refused {} rows one after another; the results file says with which status",
                    self.refused_in_a_row
                );
            }
        }
        Ok(None)
    }

    fn note(&mut self, rows: &[&Row], fates: &[Fate]) -> anyhow::Result<()> {
        let lines: Vec<_> = rows.iter().zip(fates).filter_map(line).collect();
        self.results.write(&lines)?;
        self.summary.note_sent(&lines);
        self.bar.inc(lines.len() as u64);
        for line in &lines {
            let is_refused = line.outcome == Outcome::Failed;
            self.refused_in_a_row = if is_refused {
                self.refused_in_a_row + 1
            } else {
                0
            };
        }
        Ok(())
    }
}

/// Says something above the bar.
fn say(bar: &ProgressBar, text: &str) {
    bar.suspend(|| output::say(text));
}

/// The line of a row that is not left as it was.
fn line((row, fate): (&&Row, &Fate)) -> Option<ResultLine> {
    Some(match fate {
        Fate::Left => return None,
        Fate::Added { id, others } => {
            let note = same_name(others).unwrap_or_default();
            ResultLine::new(row, Outcome::Added, Some(*id), note)
        }
        Fate::Refused(status) => {
            let note = format!("ChatHub answers {status}");
            ResultLine::new(row, Outcome::Failed, None, note)
        }
        Fate::Unknown => ResultLine::new(row, Outcome::Unknown, None, String::new()),
    })
}
