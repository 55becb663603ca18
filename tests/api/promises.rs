//! `docs/promises.md` names, for each promise, the test that fails when it is broken. The page is
//! complete for what the code itself lists, and each test that it names exists.

use std::collections::BTreeSet;

use open_chat::config::Config;
use open_chat::http::{Kind, paths};
use open_chat::metrics::Metrics;

use crate::documents::{document, raw_table};

const PAGE: &str = "docs/promises.md";

/// What is wrong with a table whose first column is a list of the code's own.
fn faults_of_list(page: &str, heading: &str, real: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for row in raw_table(page, heading) {
        let [name, _, tests] = &row[..] else {
            faults.push(format!("{heading}: a row has not three cells: {row:?}"));
            continue;
        };
        let name = name.trim_matches('`').to_owned();
        if !real.contains(&name.as_str()) {
            faults.push(format!(
                "{heading}: there is no `{name}` in the code: take its row out of {PAGE}"
            ));
        }
        if !seen.insert(name.clone()) {
            faults.push(format!(
                "{heading}: `{name}` has two rows in {PAGE}: keep one"
            ));
        }
        let own = faults_of_tests(tests);
        faults.extend(
            own.iter()
                .map(|fault| format!("{heading}: `{name}`: {fault}")),
        );
    }
    for name in real.iter().filter(|name| !seen.contains(**name)) {
        faults.push(format!(
            "{heading}: add a row for `{name}` to {PAGE}, with the test that fails if it does nothing, or something else"
        ));
    }
    faults
}

/// What is wrong with a table of sentences: each stands in its page, word by word.
fn faults_of_sentences(page: &str, heading: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for row in raw_table(page, heading) {
        let [promise, source, tests] = &row[..] else {
            faults.push(format!("{heading}: a row has not three cells: {row:?}"));
            continue;
        };
        let source = source.trim_matches('`');
        let fault = |what: &str| format!("{heading}: `{promise}`: {what}");
        if promise.split_whitespace().count() < 3 {
            faults.push(fault(
                "is too short to be a promise: quote more of the sentence",
            ));
        }
        if !is_file(source) {
            faults.push(fault(&format!(
                "there is no file {source}: name the page by its path from the root"
            )));
        } else if !stands_in(source, promise) {
            faults.push(fault(&format!(
                "does not stand in {source} any more: quote what stands there now, and see that its tests still hold it"
            )));
        }
        if !seen.insert((promise.clone(), source.to_owned())) {
            faults.push(fault("has two rows: keep one"));
        }
        faults.extend(faults_of_tests(tests).iter().map(|what| fault(what)));
    }
    faults
}

fn is_file(path: &str) -> bool {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    !path.is_empty() && root.join(path).is_file()
}

/// A text with single spaces where it has white space.
fn as_words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether these words stand in this file. A `|` needs its backslash in a table only.
fn stands_in(path: &str, promise: &str) -> bool {
    let (text, promise) = (words_of(path), as_words(promise));
    text.contains(&promise) || text.contains(&promise.replace(r"\|", "|"))
}

/// The words of a page or, without the marks of its lines, of the comments of a file.
fn words_of(path: &str) -> String {
    let text = document(path);
    if matches!(path.rsplit_once('.'), Some((_, "md"))) {
        return as_words(&text);
    }
    let lines = text.lines().map(|line| {
        let line = line.trim_start();
        let marks = ["//!", "///", "//", "#"];
        let mark = marks.iter().find_map(|mark| line.strip_prefix(mark));
        mark.unwrap_or(line)
    });
    as_words(&lines.collect::<Vec<_>>().join("\n"))
}

/// What is wrong with the tests that a cell names: each code span is one.
///
/// `click::a_test` is in `tests/api/click.rs`; other files are named by their path, as in
/// `src/rate_limit/mod.rs::a_test` or `tests/chart/test_names.py::Class.test_this`; what a make
/// target tries as a whole is `make deny`.
pub fn faults_of_tests(cell: &str) -> Vec<String> {
    let spans: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
    let mut faults: Vec<_> = spans
        .iter()
        .filter_map(|name| fault_of_test(name))
        .collect();
    if spans.is_empty() {
        faults.push("name at least one test that fails if it is not so".to_owned());
    }
    if spans.iter().collect::<BTreeSet<_>>().len() < spans.len() {
        faults.push("names a test twice".to_owned());
    }
    faults
}

fn fault_of_test(name: &str) -> Option<String> {
    if let Some(target) = name.strip_prefix("make ") {
        let is_there = document("Makefile").contains(&format!("\n{target}:"));
        return (!is_there).then(|| format!("`{name}`: the Makefile has no such target"));
    }
    let Some((file, test)) = name.split_once("::") else {
        return Some(format!(
            "`{name}` is no test: write `file::test` or `path::test`"
        ));
    };
    let path = if file.contains('/') {
        file.to_owned()
    } else {
        format!("tests/api/{file}.rs")
    };
    if !is_file(&path) {
        return Some(format!("`{name}`: there is no file {path}"));
    }
    let source = document(&path);
    let count = match path.rsplit_once('.') {
        Some((_, "rs")) => rust_tests(&source, test),
        Some((_, "py")) => python_tests(&source, test),
        Some((_, "mjs")) => source.matches(&format!("test(\"{test}\"")).count(),
        _ => 0,
    };
    match count {
        1 => None,
        0 => Some(format!("`{name}`: {path} has no test of this name")),
        _ => Some(format!(
            "`{name}`: {path} has {count} tests of this name: rename all but one"
        )),
    }
}

/// How many tests of this name a Rust file has, in any module, by macro or with cases.
fn rust_tests(source: &str, name: &str) -> usize {
    let lines: Vec<_> = source.lines().collect();
    let is_function = |line: &&str| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|line| line.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    let is_test = |line: &&str| {
        let line = line.trim_start();
        ["#[test]", "#[tokio::test", "#[rstest]"]
            .iter()
            .any(|attribute| line.starts_with(attribute))
    };
    (0..lines.len())
        .filter(|at| is_function(&lines[*at]))
        .filter(|at| {
            // Its attributes begin after what stands before it.
            let head = lines[..*at].iter().rev();
            head.take_while(|line| !line.is_empty() && line.trim_start() != "}")
                .any(is_test)
        })
        .count()
}

/// How many tests a Python file has of this `Class.test_name`.
fn python_tests(source: &str, name: &str) -> usize {
    let Some((class, test)) = name.split_once('.') else {
        return 0;
    };
    let mut owner = "";
    let mut count = 0;
    for line in source.lines() {
        if let Some(head) = line.strip_prefix("class ") {
            owner = head.split(['(', ':']).next().unwrap_or_default();
        }
        let is_it = line.strip_prefix("    def ").is_some_and(|head| {
            head.strip_prefix(test)
                .is_some_and(|rest| rest.starts_with('('))
        });
        count += usize::from(is_it && owner == class && test.starts_with("test_"));
    }
    count
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_setting_has_a_test() {
    let variables = Config::variables();
    let names: Vec<_> = variables.iter().map(|(name, _)| name.as_str()).collect();
    none(&faults_of_list(&document(PAGE), "## Settings", &names));
}

#[test]
fn every_refusal_has_a_test() {
    let names = Kind::ALL.map(Kind::name);
    none(&faults_of_list(&document(PAGE), "## Refusals", &names));
}

#[test]
fn every_metric_has_a_test() {
    none(&faults_of_list(
        &document(PAGE),
        "## Metrics",
        &Metrics::names(),
    ));
}

#[test]
fn every_route_has_a_test() {
    let paths: Vec<_> = paths().collect();
    none(&faults_of_list(&document(PAGE), "## Routes", &paths));
}

#[test]
fn every_promise_stands_in_its_page_and_has_a_test() {
    let page = document(PAGE);
    let tables = ["## Security", "## Guides", "## Operation"];
    let faults = tables.map(|heading| faults_of_sentences(&page, heading));
    none(&faults.concat());
}

const LIST: &str = "
## List

| name | promise | tests |
|---|---|---|
";

#[test]
fn a_row_too_many_or_too_few_is_told_of() {
    let good = "| `A` | is so | `click::a_profile_key_needs_no_login` |\n";
    let faults =
        |rows: &str, real: &[&str]| faults_of_list(&format!("{LIST}{rows}"), "## List", real);
    assert_eq!(faults(good, &["A"]), Vec::<String>::new());
    assert_eq!(
        faults(good, &["A", "B"]),
        [
            "## List: add a row for `B` to docs/promises.md, with the test that fails if it does nothing, or something else"
        ]
    );
    assert_eq!(
        faults(good, &[]),
        ["## List: there is no `A` in the code: take its row out of docs/promises.md"]
    );
    assert_eq!(
        faults(&good.repeat(2), &["A"]),
        ["## List: `A` has two rows in docs/promises.md: keep one"]
    );
    assert_eq!(
        faults("| `A` | is so | |\n", &["A"]),
        ["## List: `A`: name at least one test that fails if it is not so"]
    );
}

#[test]
fn a_test_that_is_not_there_is_told_of() {
    let fault = |cell: &str| faults_of_tests(cell).join("; ");
    for good in [
        "`click::a_profile_key_needs_no_login`, `commands::a_bad_setting_stops_the_start_by_name`",
        "`properties::a_query_of_any_bytes_is_answered_plainly`",
        "`src/metrics.rs::a_doc_comment_is_the_help_text`",
        "`src/http/route.rs::a_path_is_written_in_one_way`",
        "`tests/chart/test_names.py::Names.test_nothing`, `make deny`",
    ] {
        let expected = if good.contains("Names.") {
            "`tests/chart/test_names.py::Names.test_nothing`: tests/chart/test_names.py has no test of this name"
        } else {
            ""
        };
        assert_eq!(fault(good), expected, "{good}");
    }
    assert_eq!(
        fault("`click::run`, `commands::run`"),
        "`click::run`: tests/api/click.rs has no test of this name; `commands::run`: tests/api/commands.rs has no test of this name"
    );
    assert_eq!(
        fault("`nowhere::test`"),
        "`nowhere::test`: there is no file tests/api/nowhere.rs"
    );
    assert_eq!(
        fault("`clicks`"),
        "`clicks` is no test: write `file::test` or `path::test`"
    );
    assert_eq!(
        fault("`make nothing`"),
        "`make nothing`: the Makefile has no such target"
    );
    let twice = "#[test]\nfn a() {}\n\nmod b {\n    #[tokio::test]\n    async fn a() {\n    }\n\n    fn a() {}\n}\n";
    assert_eq!(rust_tests(twice, "a"), 2);
    let python = "class One(Case):\n    def test_a(self):\n        pass\n\n\nclass Two:\n    def test_b(self):\n        pass\n";
    assert_eq!(python_tests(python, "One.test_a"), 1);
    assert_eq!(python_tests(python, "One.test_b"), 0);
}

#[test]
fn a_sentence_that_was_changed_is_told_of() {
    let faults = |row: &str| faults_of_sentences(&format!("{LIST}{row}"), "## List").join("; ");
    let test = "`click::a_profile_key_needs_no_login`";
    let quoted = format!(
        "| A bad value stops the start with exit code 78 | `docs/settings.md` | {test} |\n"
    );
    assert_eq!(faults(&quoted), "");
    // Its lines begin with the marks of a comment.
    let commented = format!(
        "| Labels come from closed sets only, so the number of series is bounded. Does not know what increments a metric. | `src/metrics.rs` | {test} |\n"
    );
    assert_eq!(faults(&commented), "");
    assert_eq!(
        faults(&quoted.replace("78", "79")),
        "## List: `A bad value stops the start with exit code 79`: does not stand in docs/settings.md any more: quote what stands there now, and see that its tests still hold it"
    );
    assert_eq!(
        faults(&quoted.replace("settings.md", "setting.md")),
        "## List: `A bad value stops the start with exit code 78`: there is no file docs/setting.md: name the page by its path from the root"
    );
    assert_eq!(
        faults(&quoted.repeat(2)),
        "## List: `A bad value stops the start with exit code 78`: has two rows: keep one"
    );
}
