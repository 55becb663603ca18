//! A CSV file of operators, for `operators import` and for `pair`: its rows are those of a plain
//! reading, on their lines, and the same in every way in which spreadsheets write a file. An error
//! moves no terminal's cursor.
#![no_main]

use chathub::OrganizationId;
use libfuzzer_sys::fuzz_target;
use open_chat::cli::fuzzing::{FILE, cell, import, invitations, text};
use open_chat::operators::name;
use open_chat::printable::is_printable;

type Row = (u64, OrganizationId, String);

fuzz_target!(|input: &[u8]| {
    let Ok((text, separator)) = text(input) else {
        // No text: not UTF-8, nor UTF-16 with its mark.
        let marks = [&[0xff, 0xfe][..], &[0xfe, 0xff]];
        let is_marked = marks.iter().any(|mark| input.starts_with(mark));
        assert!(is_marked || str::from_utf8(input).is_err());
        return;
    };
    assert!(!text.contains('\r') && separator.is_ascii());
    let records = records(&text, char::from(separator));
    let organization = OrganizationId(24);
    for given in [None, Some(organization)] {
        match import(input, given) {
            Ok(rows) => {
                assert_eq!(rows, expected_rows(&records, given));
                check_spellings(&rows);
            }
            Err(error) => check_error(&format!("{error:#}")),
        }
    }
    match invitations(input) {
        Ok(rows) => assert_eq!(rows, expected_operators(&records)),
        Err(error) => check_error(&format!("{error:#}")),
    }
    check_cell(&text);
});

/// A record, and the line on which it begins.
type Record = (u64, Vec<String>);

/// RFC 4180, and what spreadsheets make of quotes that are none of a whole cell's.
fn records(text: &str, separator: char) -> Vec<Record> {
    let mut records = Vec::new();
    let (mut line, mut start) = (1, 1);
    let mut cells = vec![String::new()];
    let (mut in_quotes, mut is_begun) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line += u64::from(c == '\n');
        let cell = cells.last_mut().unwrap();
        if in_quotes {
            match c {
                '"' if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => in_quotes = false,
                other => cell.push(other),
            }
        } else if c == '\n' {
            if is_begun {
                records.push((start, std::mem::take(&mut cells)));
                cells.push(String::new());
            }
            (start, is_begun) = (line, false);
            continue;
        } else if c == separator {
            cells.push(String::new());
        } else if c == '"' && cell.is_empty() && !is_cell_begun(text, &chars, separator) {
            in_quotes = true;
        } else {
            cell.push(c);
        }
        is_begun = true;
    }
    if is_begun {
        records.push((start, cells));
    }
    records
}

/// Whether quotes have closed in this cell, which is empty all the same: `""a`.
fn is_cell_begun(
    text: &str,
    rest: &std::iter::Peekable<std::str::Chars<'_>>,
    separator: char,
) -> bool {
    let left: usize = rest.clone().map(char::len_utf8).sum();
    let before = &text[..text.len() - left - 1];
    !before.is_empty() && !before.ends_with(['\n', separator])
}

fn expected_rows(records: &[Record], given: Option<OrganizationId>) -> Vec<Row> {
    let [(_, header), rows @ ..] = records else {
        panic!("a file without a header has rows");
    };
    let at = |wanted: &str| {
        header
            .iter()
            .position(|name| name.trim().to_lowercase().trim_matches('\u{feff}') == wanted)
    };
    let names = at("name").expect("there is a column `name`");
    let organizations = at("organizationid");
    assert_eq!(header.len(), 2 - usize::from(given.is_some()));
    let row = |(line, cells): &Record| {
        assert_eq!(cells.len(), header.len());
        let organization =
            organizations.map(|at| OrganizationId(cells[at].trim().parse().unwrap()));
        let organization = organization.or(given).unwrap();
        (*line, organization, name::parse(&cells[names]).unwrap())
    };
    rows.iter().map(row).collect()
}

fn expected_operators(records: &[Record]) -> Vec<(u64, String)> {
    let [(_, header), rows @ ..] = records else {
        panic!("a file without a header has rows");
    };
    let is_operator = |name: &String| {
        let name = name.trim_start_matches('\u{feff}').trim();
        name.eq_ignore_ascii_case("operator")
    };
    let column = header
        .iter()
        .position(is_operator)
        .expect("a column `operator`");
    let operator = |cells: &[String]| cells.get(column).map_or("", |cell| cell.trim()).to_owned();
    rows.iter()
        .map(|(line, cells)| (*line, operator(cells)))
        .collect()
}

/// The same rows in each way in which spreadsheets write them.
fn check_spellings(rows: &[Row]) {
    let expected: Vec<_> = rows
        .iter()
        .zip(2..)
        .map(|((_, organization, name), line)| (line, *organization, name.clone()))
        .collect();
    for (separator, end) in [(',', "\n"), (';', "\r\n"), ('\t', "\r")] {
        let mut text = format!("organizationId{separator}name{end}");
        for (_, organization, name) in rows {
            let name = name.replace('"', "\"\"");
            text += &format!("{organization}{separator}\"{name}\"{end}");
        }
        let marked = format!("\u{feff}{text}");
        let units: Vec<u16> = marked.encode_utf16().collect();
        let files = [
            text.into_bytes(),
            marked.into_bytes(),
            units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        ];
        for file in files {
            assert_eq!(import(&file, None).unwrap(), expected);
        }
    }
}

fn check_error(error: &str) {
    assert!(error.starts_with(FILE) || !error.is_empty());
    assert!(
        error.chars().all(|c| is_printable(c) || c == '\n'),
        "{error:?}"
    );
    assert!(error.lines().count() < 30, "{error}");
}

/// No spreadsheet takes a cell for a formula.
fn check_cell(text: &str) {
    let cell = cell(text);
    assert!(cell.chars().all(is_printable));
    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
}
