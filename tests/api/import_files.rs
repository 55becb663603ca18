//! The files of `open-chat operators import`, as spreadsheets write them and people fill them in.

use std::path::{Path, PathBuf};

use chathub_simulator::{Endpoint, Fault};
use rstest::rstest;

use crate::administration::Shell;
use crate::harness::file;
use crate::process::Ended;

const MARK: &str = "\u{feff}";

fn import(shell: &Shell, bytes: &[u8], more: &[&str]) -> (Ended, PathBuf) {
    let path = file("import.csv", "");
    std::fs::write(&path, bytes).unwrap();
    let results = PathBuf::from(format!("{}.results.csv", path.display()));
    let _ = std::fs::remove_file(&results);
    (again(shell, &path, more), results)
}

fn again(shell: &Shell, path: &Path, more: &[&str]) -> Ended {
    let arguments = [
        "operators",
        "import",
        path.to_str().unwrap(),
        "--backoff",
        "1ms",
    ];
    shell.run(&[&arguments, more].concat())
}

fn utf_16(text: &str) -> Vec<u8> {
    let units = format!("{MARK}{text}");
    units.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[rstest]
#[case::separator_said("sep=;\r\norganizationId;name\r\n24;Ann Lee\r\n".into(), ';')]
#[case::separator_said_after_a_mark("\u{feff}sep=;\r\norganizationId;name\r\n24;Ann Lee\r\n".into(), ';')]
#[case::another_separator_said("\"sep=|\"\norganizationId|name\n24|Ann Lee\n".into(), '|')]
#[case::tabs("organizationId\tname\r\n24\tAnn Lee\r\n".into(), '\t')]
#[case::semicolons("organizationId;name\r\n24;Ann Lee\r\n".into(), ';')]
#[case::commas("organizationId,name\n24,Ann Lee\n".into(), ',')]
#[case::unicode_text(utf_16("organizationId\tname\r\n24\tAnn Lee\r\n"), '\t')]
#[tokio::test(flavor = "multi_thread")]
async fn the_results_are_written_as_the_rows_came(#[case] rows: Vec<u8>, #[case] separator: char) {
    let shell = Shell::start();
    let (ended, results) = import(&shell, &rows, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let line = if rows.starts_with(b"organ") || rows.starts_with(&[0xff]) {
        2
    } else {
        3
    };
    let expected =
        format!("{MARK}line,organizationId,name,id,outcome,note\n{line},24,Ann Lee,103,added,\n");
    let expected = expected.replace(',', &separator.to_string());
    assert_eq!(std::fs::read_to_string(&results).unwrap(), expected);
    // And it goes on with such a file.
    let path = results.to_str().unwrap().trim_end_matches(".results.csv");
    let ended = again(&shell, Path::new(path), &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended
            .stdout
            .starts_with("1 row: 0 added now, 1 added before"),
        "{ended:?}"
    );
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 1);
}

#[rstest]
#[case::third_column("organizationId,name,phone\n24,Ann,1\n", &["columns `organizationId`, `name`, `phone`", "leave out `phone`"])]
#[case::ukrainian("Організація;Ім’я\n24;Ann\n", &["columns `Організація`, `Ім’я`", "write `organizationId` and `name` in their place"])]
#[case::one_unknown("organizationId,ПІБ\n24,Ann\n", &["columns `organizationId`, `ПІБ`", "write `name` in place of `ПІБ`"])]
#[case::rows_at_once("24,Ann\n", &["columns `24`, `Ann`", "the first line must be `organizationId,name`"])]
#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_not_taken_is_told_back(#[case] rows: &str, #[case] words: &[&str]) {
    let shell = Shell::start();
    let (ended, _) = import(&shell, rows.as_bytes(), &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word} is not in {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_encoding_is_told_with_the_file() {
    let shell = Shell::start();
    let (ended, results) = import(&shell, b"organizationId,name\n24,\xc0\xed\xed\xe0\n", &[]);
    let path = results
        .to_str()
        .unwrap()
        .trim_end_matches(".results.csv")
        .to_owned();
    assert!(
        ended
            .stderr
            .contains(&format!("{path}: line 2 is not UTF-8")),
        "{ended:?}"
    );
}

#[rstest]
#[case::refused("organizationId,name\n999,Ann\n", None)]
#[case::chathub_away("organizationId,name\n24,Ann\n", Some((Endpoint::Organizations, Fault::Status(403))))]
#[case::nothing_sent("organizationId,name\n24,Ann\n", Some((Endpoint::Synchronize, Fault::Status(403))))]
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_came_to_nothing_leaves_no_results(
    #[case] rows: &str,
    #[case] fault: Option<(Endpoint, Fault)>,
) {
    let shell = Shell::start();
    if let Some((endpoint, fault)) = fault {
        shell.chathub.always(endpoint, Some(fault));
    }
    let (ended, results) = import(&shell, rows.as_bytes(), &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(!results.exists(), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_run_has_added_is_told_from_what_was_there() {
    let shell = Shell::start();
    let (first, results) = import(&shell, b"organizationId,name\n24,Ann\n24,Bob\n", &[]);
    assert!(
        first.stdout.starts_with("2 rows: 2 added, 0 exist already"),
        "{first:?}"
    );
    let path = PathBuf::from(results.to_str().unwrap().trim_end_matches(".results.csv"));
    std::fs::write(&path, "organizationId,name\n24,Ann\n24,Bob\n24,Cid\n").unwrap();
    let second = again(&shell, &path, &[]);
    assert!(
        second
            .stdout
            .starts_with("3 rows: 1 added now, 2 added before, 0 exist already"),
        "{second:?}"
    );
    let third = again(&shell, &path, &["--json"]);
    assert!(
        third.stdout.contains("\"added\":3,\"addedNow\":0,"),
        "{third:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_by_a_pipe_too() {
    let shell = Shell::start();
    let rows = "name\nAnn\n";
    let command = ["operators", "import", "-", "--organization", "24"];
    let nowhere = shell.run_with(&command, &[], rows);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(nowhere.stderr.contains("`--results FILE`"), "{nowhere:?}");
    let dry = shell.run_with(&[&command[..], &["--dry-run"]].concat(), &[], rows);
    assert!(dry.stdout.contains("1 would be added"), "{dry:?}");
    let results = file("piped.results.csv", "");
    std::fs::remove_file(&results).unwrap();
    let told = ["--results", results.to_str().unwrap()];
    let ended = shell.run_with(&[&command[..], &told].concat(), &[], rows);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        std::fs::read_to_string(&results)
            .unwrap()
            .contains("2,24,Ann,103,added,")
    );
}

/// Three spellings of one apostrophe, and a character that is not seen.
#[tokio::test(flavor = "multi_thread")]
async fn one_name_in_several_spellings_is_one_operator() {
    let shell = Shell::start();
    shell.chathub.store().add_operator(24, "Лук’ян");
    let rows = "organizationId,name\n24,Мар'яна  Приклад\n24,Мар’яна Приклад\n24,Марʼяна При\u{200b}клад\n24,Лук'ян\n";
    let (ended, results) = import(&shell, rows.as_bytes(), &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        std::fs::read_to_string(&results).unwrap(),
        format!(
            "{MARK}line,organizationId,name,id,outcome,note\n\
             3,24,Мар’яна Приклад,,duplicate,line 2 has the same name\n\
             4,24,Марʼяна Приклад,,duplicate,line 2 has the same name\n\
             5,24,Лук'ян,103,exists,in ChatHub it is written Лук’ян\n\
             2,24,Мар'яна Приклад,104,added,\n"
        )
    );
    let operators = shell.chathub.store().operators_of(24).unwrap().into_iter();
    let names: Vec<_> = operators.map(|(_, operator)| operator.name).collect();
    assert!(names.contains(&"Мар'яна Приклад".to_owned()), "{names:?}");
}
