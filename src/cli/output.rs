//! The output of commands: tables for people, JSON for scripts.
//!
//! Nothing is coloured, so `NO_COLOR` has nothing to switch off; clap and the progress bar read it
//! themselves. All output passes through here, so that no name from elsewhere moves the cursor,
//! turns the writing direction or hides.

use std::io::{self, Write as _};

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::printable;

/// How many entries a message lists.
const MAX_LISTED: usize = 20;

/// The option for scripts.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct OutputFormat {
    /// Print JSON, under ChatHub's own field names
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints a line of JSON, with hidden characters escaped.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&printable::escaped(&serde_json::to_string(value)?, &[]))
}

/// Prints a table.
pub(super) fn table<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| sanitized(&cell))));
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    line(&table.trim_fmt())
}

/// Prints a line, or several.
pub(super) fn line(text: &str) -> anyhow::Result<()> {
    print(&printable::lines(text))
}

/// Prints the lines of a CSV file, whose cells are printable already, with a byte order mark.
pub(super) fn csv(text: &str) -> anyhow::Result<()> {
    print(&format!("\u{feff}{}", text.trim_end_matches('\n')))
}

/// Prints a message on standard error.
pub(super) fn say(text: &str) {
    eprintln!("{}", printable::lines(text));
}

/// The first entries of a list, and how many more there are.
pub(super) fn listed(entries: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = entries.len().saturating_sub(MAX_LISTED);
    let more = (more > 0).then(|| format!("and {more} more"));
    entries.take(MAX_LISTED).chain(more).collect()
}

/// A closed pipe, as `head` leaves it, is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// A text from elsewhere, as one line without control characters: the name of an operator must not
/// control the administrator's terminal.
pub(super) fn sanitized(text: &str) -> String {
    printable::one_line(text)
}
