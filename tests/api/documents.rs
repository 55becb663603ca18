//! What the documentation says of the program is what the program does.

use std::collections::BTreeSet;

use open_chat::config::Config;
use open_chat::http::Kind;
use open_chat::metrics::Metrics;

fn document(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The rows of the table under a heading: the text of their cells, less the code marks.
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let section = document
        .split(&format!("\n{heading}\n"))
        .nth(1)
        .unwrap_or_else(|| panic!("no {heading}"));
    section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|row| {
            row.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn every_variable_stands_in_the_table_with_its_default() {
    let operations = document("docs/operations.md");
    let mut documented: Vec<(String, Option<String>)> = table(&operations, "## Settings")
        .into_iter()
        .map(|row| {
            let default = Some(row[1].clone()).filter(|default| !default.is_empty());
            (row[0].clone(), default)
        })
        .collect();
    // That a secret can come from `NAME_FILE` is said once, above the table.
    let variables = Config::variables();
    let is_secret_file = |name: &str| {
        let secret = name.strip_suffix("_FILE");
        variables
            .iter()
            .any(|(other, _)| Some(other.as_str()) == secret)
    };
    let mut real: Vec<_> = variables
        .iter()
        .filter(|(name, _)| !is_secret_file(name))
        .cloned()
        .collect();
    documented.sort();
    real.sort();
    assert_eq!(documented, real);
}

#[test]
fn every_refusal_stands_in_the_table() {
    let operations = document("docs/operations.md");
    let documented: Vec<_> = table(&operations, "## Refusals")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].parse().unwrap()))
        .collect();
    let real: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| (kind.name().to_owned(), kind.status()))
        .collect();
    assert_eq!(documented, real);
}

#[test]
fn every_metric_stands_in_the_table() {
    let operations = document("docs/operations.md");
    let documented: BTreeSet<_> = table(&operations, "## Metrics")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    let real: BTreeSet<_> = Metrics::names()
        .into_iter()
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(documented, real);
}

/// A defence whose test is gone, or was never there, is a promise.
#[test]
fn every_threat_has_a_test_that_exists() {
    let security = document("docs/security.md");
    let mut tests = 0;
    for row in table(&security, "## Threats") {
        for name in row[2].split('`').filter(|name| name.contains("::")) {
            let (file, test) = name.split_once("::").unwrap();
            let source = document(&format!("tests/api/{file}.rs"));
            assert!(
                source.contains(&format!("fn {test}(")),
                "{name} does not exist"
            );
            tests += 1;
        }
    }
    assert!(tests >= 20, "{tests}");
}

#[test]
fn the_changelog_knows_this_version() {
    let changelog = document("CHANGELOG.md");
    assert!(
        changelog.contains(concat!("## [", env!("CARGO_PKG_VERSION"), "]"))
            || changelog.contains("## [Unreleased]")
    );
}
