//! Invitations for a file of operators: a new file, whole and readable to its owner alone, or none.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tempfile::NamedTempFile;

use super::{Invited, Inviter};
use crate::cli::{CsvText, listed, sanitized, say};
use chathub::OperatorId;

/// A row that asks for an invitation.
struct Row {
    /// The line of the file on which it begins, from 1.
    line: u64,
    /// As it stands there.
    operator: String,
}

/// Reads the operators of a file, and writes an invitation for each row; where a row is refused,
/// nothing is written.
pub(super) fn invite(inviter: &Inviter, file: &Path, out: &Path) -> anyhow::Result<()> {
    let is_there = is_empty_file(out)?;
    let text = CsvText::read(file)?;
    let rows = rows(&text).with_context(|| text.source.clone())?;
    let operators = find(inviter, &rows).with_context(|| text.source.clone())?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["operator", "url", "expires_at"])?;
    for (row, operator) in rows.iter().zip(operators) {
        let Invited {
            url, expires_at, ..
        } = inviter.invite(operator)?;
        writer.write_record([cell(&row.operator).as_str(), url.expose(), &expires_at])?;
    }
    write(out, &writer.into_inner()?, is_there)
        .with_context(|| format!("the file {} cannot be written", out.display()))?;
    say(&format!(
        "{} invitations are in {}; each is good once, so send each to its agent alone",
        rows.len(),
        out.display()
    ));
    Ok(())
}

/// Whether an empty file is there, as `mktemp` makes one. Any other is refused: invitations that
/// were not sent yet may be in it, or the list itself.
fn is_empty_file(out: &Path) -> anyhow::Result<bool> {
    let Ok(found) = out.symlink_metadata() else {
        return Ok(false);
    };
    let is_empty = found.is_file() && found.len() == 0;
    ensure!(
        is_empty,
        "the file {} exists already; name a new one",
        out.display()
    );
    Ok(true)
}

/// Line and operator of each row.
#[cfg(fuzzing)]
pub(in crate::cli) fn read(text: &CsvText) -> anyhow::Result<Vec<(u64, String)>> {
    let rows = rows(text)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.line, row.operator))
        .collect())
}

/// What [`cell`] makes of a text.
#[cfg(fuzzing)]
pub(in crate::cli) fn cell_of(text: &str) -> String {
    cell(text)
}

/// The rows below the header; other columns are ignored.
fn rows(text: &CsvText) -> anyhow::Result<Vec<Row>> {
    let mut reader = text.reader();
    let header = reader.headers()?;
    let is_operator = |name: &str| name.trim().eq_ignore_ascii_case("operator");
    let Some(column) = header.iter().position(is_operator) else {
        bail!(
            "there is no column `operator`; it has {}",
            CsvText::columns(header)
        );
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        rows.push(Row {
            line: text.line_of(&record),
            operator: record.get(column).unwrap_or_default().trim().to_owned(),
        });
    }
    ensure!(!rows.is_empty(), "there is no row below the header");
    Ok(rows)
}

/// The operator of each row, or the rows that have none.
fn find(inviter: &Inviter, rows: &[Row]) -> anyhow::Result<Vec<OperatorId>> {
    let (mut operators, mut refused) = (Vec::new(), Vec::new());
    for Row { line, operator } in rows {
        match inviter.find(operator) {
            Ok(operator) => operators.push(operator),
            Err(error) => refused.push(format!("line {line}: {error}")),
        }
    }
    let count = match refused.len() {
        0 => return Ok(operators),
        1 => "1 row is".to_owned(),
        count => format!("{count} rows are"),
    };
    let refused = listed(refused.into_iter()).join("\n  ");
    bail!("{count} wrong, so nothing was written:\n  {refused}")
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let text = sanitized(text);
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

/// Writes a file that is there whole or not at all, and that its owner alone may read. It may take
/// the place of an empty one.
fn write(out: &Path, text: &[u8], is_there: bool) -> anyhow::Result<()> {
    // `parent` of a bare name is empty.
    let directory = out.parent().filter(|path| !path.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    if is_there {
        file.persist(out)?;
    } else {
        file.persist_noclobber(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_name("Ann Lee", "Ann Lee")]
    #[case::an_address("ann@example.com", "ann@example.com")]
    #[case::a_formula("=1+1", "'=1+1")]
    #[case::a_sum("+1", "'+1")]
    #[case::a_difference("-1", "'-1")]
    #[case::an_old_formula("@SUM(1)", "'@SUM(1)")]
    #[case::a_line_break("a\r\n=b", "a\u{fffd}\u{fffd}=b")]
    fn no_cell_is_a_formula(#[case] operator: &str, #[case] expected: &str) {
        assert_eq!(cell(operator), expected);
    }

    #[rstest]
    #[case::commas("operator,mail\n101,a\n\nJohn Smith,b\n")]
    #[case::semicolons("\u{feff}Mail;Operator\r\na;101\r\n\r\nb;John Smith\r\n")]
    fn rows_are_read_with_their_lines(#[case] file: &str) {
        let text = CsvText::of("agents.csv".into(), file.as_bytes()).unwrap();
        let rows = rows(&text).unwrap().into_iter();
        let rows: Vec<_> = rows.map(|row| (row.line, row.operator)).collect();
        assert_eq!(rows, [(2, "101".into()), (4, "John Smith".into())]);
    }

    #[rstest]
    #[case::no_column(
        "agent\n101\n",
        "there is no column `operator`; it has the column `agent`"
    )]
    #[case::no_row("operator\n", "there is no row below the header")]
    fn a_file_without_operators_is_refused(#[case] file: &str, #[case] words: &str) {
        let text = CsvText::of("agents.csv".into(), file.as_bytes()).unwrap();
        assert_eq!(rows(&text).err().unwrap().to_string(), words);
    }
}
