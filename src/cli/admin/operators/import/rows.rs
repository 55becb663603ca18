//! Parses a CSV file into operators to add; every row is checked before anything is sent.

use std::collections::HashSet;

use anyhow::{Context as _, anyhow, bail, ensure};

use crate::cli::{CsvText, listed, organization_id, sanitized};
use crate::operators::name;
use chathub::OrganizationId;

/// A row that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line of the file on which the row begins, from 1.
    pub(super) line: u64,
    pub(super) organization: OrganizationId,
    pub(super) name: String,
}

/// Which column holds what.
struct Columns {
    organization: Option<usize>,
    name: usize,
    /// How many there are.
    width: usize,
}

/// Reads the rows of a file. Its header is `organizationId,name` in either order, or `name` alone
/// where `organization` is given for all rows.
pub(super) fn read(
    text: &CsvText,
    organization: Option<OrganizationId>,
) -> anyhow::Result<Vec<Row>> {
    parse(text, organization).with_context(|| text.source.clone())
}

/// Line, organization and name of each row.
#[cfg(fuzzing)]
pub(in crate::cli) fn fields(
    text: &CsvText,
    organization: Option<OrganizationId>,
) -> anyhow::Result<Vec<(u64, OrganizationId, String)>> {
    let rows = read(text, organization)?;
    let fields = |row: Row| (row.line, row.organization, row.name);
    Ok(rows.into_iter().map(fields).collect())
}

fn parse(text: &CsvText, organization: Option<OrganizationId>) -> anyhow::Result<Vec<Row>> {
    let mut reader = text.reader();
    let columns = Columns::read(reader.headers()?, organization.is_some())?;
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record?;
        let line = text.line_of(&record);
        match columns.row(line, &record, organization) {
            Ok(row) => rows.push(row),
            Err(problem) => bad.push(format!("line {line}: {problem}")),
        }
    }
    refuse(bad)?;
    ensure!(!rows.is_empty(), "there is no row below the header");
    Ok(rows)
}

/// The error where there are bad rows, with the line and the problem of each.
fn refuse(bad: Vec<String>) -> anyhow::Result<()> {
    let rows = match bad.len() {
        0 => return Ok(()),
        1 => "1 row is",
        count => &format!("{count} rows are"),
    };
    let bad = listed(bad.into_iter()).join("\n  ");
    bail!("{rows} wrong, so nothing was sent:\n  {bad}")
}

/// What is said of another header: what it has, and what to change.
fn wrong_header(header: &csv::StringRecord, organization_is_given: bool) -> anyhow::Error {
    let wanted = if organization_is_given {
        &["name"][..]
    } else {
        &["organizationId", "name"]
    };
    let list = |names: Vec<&str>| {
        let quoted = names
            .iter()
            .map(|name| format!("`{}`", sanitized(name.trim())));
        quoted.collect::<Vec<_>>().join(" and ")
    };
    let is = |name: &str, wanted: &str| name.trim().eq_ignore_ascii_case(wanted);
    let missing: Vec<_> = wanted
        .iter()
        .copied()
        .filter(|wanted| !header.iter().any(|name| is(name, wanted)))
        .collect();
    let foreign: Vec<_> = header
        .iter()
        .filter(|name| !wanted.iter().any(|wanted| is(name, wanted)))
        .collect();
    let change = match (missing.len(), foreign.len()) {
        (0, 0) => "give each once".to_owned(),
        (0, _) => format!("leave out {}", list(foreign)),
        (_, 0) => format!("add {}", list(missing)),
        (2, 2) => format!("write {} in their place", list(missing)),
        _ => format!("write {} in place of {}", list(missing), list(foreign)),
    };
    anyhow!(
        "the first line must be `organizationId,name`, or `name` alone with `--organization ID`; it has {}: {change}",
        CsvText::columns(header)
    )
}

impl Columns {
    fn read(header: &csv::StringRecord, organization_is_given: bool) -> anyhow::Result<Self> {
        let names: Vec<_> = header
            .iter()
            .map(|name| name.trim().to_lowercase())
            .collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (organization, name) = match (&names[..], organization_is_given) {
            (["organizationid", "name"], false) => (Some(0), 1),
            (["name", "organizationid"], false) => (Some(1), 0),
            (["name"], true) => (None, 0),
            (["name"], false) => {
                bail!("there is no column organizationId: give `--organization ID` for all rows")
            }
            (["organizationid", "name"] | ["name", "organizationid"], true) => {
                bail!(
                    "organizations stand in the file and in `--organization`; leave out one of the two"
                )
            }
            _ => return Err(wrong_header(header, organization_is_given)),
        };
        Ok(Self {
            organization,
            name,
            width: header.len(),
        })
    }

    fn row(
        &self,
        line: u64,
        record: &csv::StringRecord,
        organization: Option<OrganizationId>,
    ) -> Result<Row, String> {
        if record.len() != self.width {
            return Err(format!(
                "{} columns instead of {}; put a name with a separator in it in quotes",
                record.len(),
                self.width
            ));
        }
        let name = name::parse(&record[self.name]).map_err(|error| error.to_string());
        let organization = match self.organization {
            Some(column) => organization_id(&record[column])
                .map_err(|_| "organizationId is not a number".to_owned())?,
            None => organization.ok_or("no organization")?,
        };
        Ok(Row {
            line,
            organization,
            name: name?,
        })
    }
}

/// Refuses rows of organizations that the company does not have.
pub(super) fn check_organizations(
    rows: &[Row],
    known: &HashSet<OrganizationId>,
) -> anyhow::Result<()> {
    let foreign = rows.iter().filter(|row| !known.contains(&row.organization));
    let problem = |row: &Row| {
        let Row {
            line, organization, ..
        } = row;
        format!("line {line}: the company has no organization {organization}")
    };
    refuse(foreign.map(problem).collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn rows(bytes: &[u8]) -> anyhow::Result<Vec<(u64, u64, String)>> {
        let rows = parse(&CsvText::of("rows.csv".into(), bytes)?, None)?;
        Ok(rows
            .into_iter()
            .map(|row| (row.line, row.organization.0, row.name))
            .collect())
    }

    #[rstest]
    #[case::plain("organizationId,name\n24,Ann Lee\n")]
    #[case::no_line_end("organizationId,name\n24,Ann Lee")]
    #[case::windows("\u{feff}organizationId,name\r\n24,Ann Lee\r\n")]
    #[case::old_macintosh("organizationId,name\r24,Ann Lee\r")]
    #[case::semicolons("organizationId;name\n24;Ann Lee\n")]
    #[case::tabs("organizationId\tname\n24\tAnn Lee\n")]
    #[case::more_space("organizationId,name\n24,Ann   Lee\n")]
    #[case::turned("Name, OrganizationID\nAnn Lee, 24\n")]
    #[case::quotes("organizationId,name\n\"24\",\" Ann Lee \"\n")]
    fn however_it_was_saved(#[case] file: &str) {
        assert_eq!(
            rows(file.as_bytes()).unwrap(),
            [(2, 24, "Ann Lee".to_owned())]
        );
    }

    #[rstest]
    #[case::unix("\n")]
    #[case::windows("\r\n")]
    #[case::old_macintosh("\r")]
    fn lines_are_those_of_an_editor(#[case] line_end: &str) {
        let file = "organizationId,name\n\n24,\"Lee, \"\"Ann\"\"\"\n\n\n6,Bob\n24,Cid";
        let name = "Lee, \"Ann\"".to_owned();
        assert_eq!(
            rows(file.replace('\n', line_end).as_bytes()).unwrap(),
            [(3, 24, name), (6, 6, "Bob".into()), (7, 24, "Cid".into())]
        );
    }

    #[rstest]
    #[case::empty("", "the first line must be")]
    #[case::header_only("organizationId,name\n", "there is no row")]
    #[case::no_header("24,Ann\n", "the first line must be")]
    #[case::no_organization("name\nAnn\n", "give `--organization ID`")]
    #[case::number(
        "organizationId,name\nx,Ann\n",
        "line 2: organizationId is not a number"
    )]
    #[case::no_name("organizationId,name\n24,\n", "line 2: the name is empty")]
    #[case::control(
        "organizationId,name\n24,\"Ann\nLee\"\n",
        "line 2: the name has a control"
    )]
    #[case::columns("organizationId,name\n24,Lee, Ann\n", "line 2: 3 columns instead of 2")]
    fn what_is_wrong_is_named(#[case] file: &str, #[case] words: &str) {
        let error = rows(file.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }

    #[rstest]
    #[case::unix(b"organizationId,name\n24,Ann\n24,\xc0\xed\xed\xe0\n")]
    #[case::old_macintosh(b"organizationId,name\r24,Ann\r24,\xc0\xed\xed\xe0\r")]
    fn another_encoding_is_named_with_its_line(#[case] file: &[u8]) {
        let error = rows(file).unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 3 is not UTF-8; save the file as \"CSV UTF-8\""
        );
    }
}
