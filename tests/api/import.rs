//! `open-chat operators import`: nobody twice, nobody lost, and results that are true, whatever
//! ChatHub does meanwhile.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use chathub_simulator::{Endpoint, Fault};
use rstest::rstest;
use serde_json::{Value, json};

use crate::administration::Shell;
use crate::harness::{eventually, file};
use crate::process::{Ended, end, interrupt, piped};

/// A row of the results file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    organization: u64,
    name: String,
    id: String,
    outcome: String,
    note: String,
}

/// The results file by line; where a line stands twice, the later one counts. No name of these
/// tests has a comma.
fn results(path: &Path) -> BTreeMap<u64, Told> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = text.trim_start_matches('\u{feff}').lines();
    assert_eq!(
        rows.next(),
        Some("line,organizationId,name,id,outcome,note")
    );
    rows.map(|row| {
        let cells: Vec<_> = row.split(',').collect();
        let [line, organization, name, id, outcome, note] = cells[..] else {
            panic!("not a row: {row}");
        };
        let told = Told {
            organization: organization.parse().unwrap(),
            name: name.into(),
            id: id.into(),
            outcome: outcome.into(),
            note: note.into(),
        };
        (line.parse().unwrap(), told)
    })
    .collect()
}

/// The outcome of each line, with the id and the note where there are any.
fn told(path: &Path) -> Vec<String> {
    let tell = |(line, row): (u64, Told)| {
        let text = format!("{line} {} {} {}", row.outcome, row.id, row.note);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    results(path).into_iter().map(tell).collect()
}

/// An import that is run, perhaps several times.
struct Import<'a> {
    shell: &'a Shell,
    file: PathBuf,
    results: PathBuf,
}

impl<'a> Import<'a> {
    fn of(shell: &'a Shell, rows: &str) -> Self {
        let file = file("operators.csv", rows);
        let results = PathBuf::from(format!("{}.results.csv", file.display()));
        let _ = std::fs::remove_file(&results);
        Self {
            shell,
            file,
            results,
        }
    }

    fn command(&self, more: &[&str]) -> Command {
        let file = self.file.to_str().unwrap();
        let patience = if more.contains(&"--backoff") {
            &[][..]
        } else {
            &["--backoff", "10ms"]
        };
        let arguments = [&["operators", "import", file], patience, more].concat();
        self.shell.command(&arguments, &[])
    }

    fn run(&self, more: &[&str]) -> Ended {
        end(piped(&mut self.command(more)))
    }

    /// The summary for scripts, less the file's path; exit code before it.
    fn summary(&self, more: &[&str]) -> (Option<i32>, Value) {
        let ended = self.run(&[more, &["--json"]].concat());
        let mut summary: Value = serde_json::from_str(&ended.stdout).expect(&ended.stderr);
        let path = summary.as_object_mut().unwrap().remove("results").unwrap();
        summary.as_object_mut().unwrap().remove("addedNow").unwrap();
        assert_eq!(path.as_str().unwrap(), self.results.to_str().unwrap());
        (ended.code, summary)
    }
}

fn counts(added: u64, exists: u64, duplicate: u64, failed: u64, left: u64) -> Value {
    json!({
        "rows": added + exists + duplicate + failed + left,
        "added": added,
        "exists": exists,
        "duplicate": duplicate,
        "failed": failed,
        "left": left,
        "dryRun": false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_added_once_and_the_rest_is_told() {
    let shell = Shell::start();
    let world = shell.chathub.store();
    world
        .add_operators(&[(6, "Twin".into()), (6, "twin".into())])
        .unwrap();
    let rows = "\u{feff}organizationId,name\r\n24,Ann Lee\r\n24,JOHN SMITH\r\n6,Ann Lee\r\n\r\n24,\"ann lee\"\r\n6,Deleted dana\r\n6,TWIN\r\n";
    let import = Import::of(&shell, rows);

    let dry = import.run(&["--dry-run"]);
    assert_eq!(
        (dry.code, &*dry.stdout),
        (
            Some(0),
            "6 rows: 0 added, 3 exist already, 1 given twice, 0 refused by ChatHub, 2 would be added. Nothing was changed.\n"
        )
    );
    assert!(!import.results.exists());
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 0);

    let ended = import.run(&[]);
    assert_eq!(
        ended.stdout,
        format!(
            "6 rows: 2 added, 3 exist already, 1 given twice, 0 refused by ChatHub\nWhat became of each row: {}\n",
            import.results.display()
        )
    );
    assert_eq!(
        (ended.code, &*ended.stderr),
        (Some(0), ""),
        "no bar where nobody watches"
    );
    assert_eq!(
        told(&import.results),
        [
            "2 added 106",
            "3 exists 101",
            "4 added 105",
            "6 duplicate line 2 has the same name",
            "7 exists 22 deleted",
            "8 exists 103 also 104",
        ]
    );
    // A second time there is nothing left to do.
    assert_eq!(import.summary(&[]), (Some(0), counts(2, 3, 1, 0, 0)));
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 2);
    assert_eq!(results(&import.results).len(), 6);
}

/// Line ends of an old Macintosh, or of a program that still writes them.
#[tokio::test(flavor = "multi_thread")]
async fn lines_that_end_in_carriage_returns_are_told_apart() {
    let shell = Shell::start();
    let rows = "organizationId,name\r24,Ann Lee\r24,ANN LEE\r24,Bob\r";
    let import = Import::of(&shell, rows);
    assert_eq!(import.summary(&[]), (Some(0), counts(2, 0, 1, 0, 0)));
    assert_eq!(
        told(&import.results),
        [
            "2 added 103",
            "3 duplicate line 2 has the same name",
            "4 added 104",
        ]
    );
    // It is known for the same import when it is started again.
    assert_eq!(import.summary(&[]), (Some(0), counts(2, 0, 1, 0, 0)));
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_alone_go_to_the_organization_that_is_given() {
    let shell = Shell::start();
    let import = Import::of(&shell, "name\nAnn\nJohn Smith\n");
    let to_6 = ["--organization", "6"];
    assert_eq!(import.summary(&to_6), (Some(0), counts(2, 0, 0, 0, 0)));
    assert_eq!(shell.chathub.store().operator(104).unwrap().organization, 6);

    let elsewhere = import.run(&["--organization", "24"]);
    assert_eq!(elsewhere.code, Some(1));
    assert!(
        elsewhere.stderr.contains("it is of another import"),
        "{elsewhere:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_and_nothing_is_sent() {
    let shell = Shell::start();
    let long = "x".repeat(101);
    let rows =
        format!("organizationId,name\n24,Good\nx,Ann\n24,\n24,{long}\n24,A\u{7}nn\n24,Lee, Ann\n");
    let import = Import::of(&shell, &rows);
    let ended = import.run(&[]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        format!(
            "open-chat: {}: 5 rows are wrong, so nothing was sent:\n  \
               line 3: organizationId is not a number\n  \
               line 4: the name is empty\n  \
               line 5: the name has more than 100 characters\n  \
               line 6: the name has a control character in it, such as a line break\n  \
               line 7: 3 columns instead of 2; put a name with a separator in it in quotes\n",
            import.file.display()
        )
    );
    assert_eq!(shell.chathub.total_calls(), 0, "not even asked");
    assert!(!import.results.exists());

    let many = "0,\n".repeat(1000);
    let import = Import::of(&shell, &format!("organizationId,name\n{many}"));
    let ended = import.run(&[]);
    assert!(
        ended
            .stderr
            .ends_with("line 21: the name is empty\n  and 980 more\n"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_does_not_exist_is_a_bad_row() {
    let shell = Shell::start();
    let import = Import::of(&shell, "organizationId,name\n24,Ann\n25,Bob\n");
    let ended = import.run(&[]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .contains("line 3: the company has no organization 25"),
        "{ended:?}"
    );
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 0);
}

/// One of a hundred is refused by ChatHub: the others get through, and it is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_chathub_refuses_stops_nobody_else() {
    let shell = Shell::start();
    let rows: String = (0..100).fold("name\n".into(), |rows, number| {
        format!("{rows}Agent {number}\n")
    });
    let import = Import::of(&shell, &rows);
    // The whole, its first half, …, and at last the first alone.
    for _ in 0..8 {
        shell
            .chathub
            .next(Endpoint::Synchronize, Fault::Status(422));
    }
    let to_24 = ["--organization", "24"];
    assert_eq!(import.summary(&to_24), (Some(1), counts(99, 0, 0, 1, 0)));
    assert_eq!(told(&import.results)[0], "2 failed ChatHub answers 422");
    assert_eq!(
        shell.chathub.store().operators_of(24).unwrap().len(),
        2 + 99
    );

    assert_eq!(
        import.summary(&to_24),
        (Some(0), counts(100, 0, 0, 0, 0)),
        "tried again"
    );
    assert_eq!(
        shell.chathub.store().operators_of(24).unwrap().len(),
        2 + 100
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chathub_that_refuses_everything_is_not_asked_for_ever() {
    let shell = Shell::start();
    let rows: String = (0..1000).fold("name\n".into(), |rows, number| {
        format!("{rows}Agent {number}\n")
    });
    let import = Import::of(&shell, &rows);
    shell
        .chathub
        .always(Endpoint::Synchronize, Some(Fault::Status(400)));
    let ended = import.run(&["--organization", "24"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .stderr
            .contains("ChatHub has refused 100 rows one after another"),
        "{ended:?}"
    );
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 199);
}

/// It gives up in the end, and goes on when it is started again.
#[rstest]
#[case::always_failing(Fault::Status(500))]
#[case::always_throttling(Fault::Throttled(0))]
#[case::no_right_to_it(Fault::Status(403))]
#[tokio::test(flavor = "multi_thread")]
async fn a_chathub_that_stays_away_loses_nothing(#[case] fault: Fault) {
    let shell = Shell::start();
    let import = Import::of(&shell, "organizationId,name\n24,Ann\n24,Bob\n");
    shell.chathub.always(Endpoint::Synchronize, Some(fault));
    let ended = import.run(&[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("2 rows are left. The same command again goes on with what is left"),
        "{ended:?}"
    );

    shell.chathub.always(Endpoint::Synchronize, None);
    assert_eq!(import.summary(&[]), (Some(0), counts(2, 0, 0, 0, 0)));
    assert_eq!(told(&import.results), ["2 added 103", "3 added 104"]);
}

/// The chunk has arrived, and neither its answer nor a list gets back: only the next run can know.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_is_found_out_by_the_next_run() {
    let shell = Shell::start();
    let import = Import::of(&shell, "organizationId,name\n24,Ann\n24,Bob\n");
    shell
        .chathub
        .next(Endpoint::Synchronize, Fault::ResetAfterwards);
    let child = piped(&mut import.command(&["--backoff", "1h"]));
    eventually("they are added", async || {
        shell.chathub.store().operator(104).is_some()
    })
    .await;
    interrupt(&child);
    let ended = end(child);
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(told(&import.results), ["2 unknown", "3 unknown"]);

    assert_eq!(import.summary(&[]), (Some(0), counts(2, 0, 0, 0, 0)));
    assert_eq!(told(&import.results), ["2 added 103", "3 added 104"]);
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_ends_at_once() {
    let shell = Shell::start();
    let import = Import::of(&shell, "organizationId,name\n24,Ann\n");
    shell.chathub.next(Endpoint::Synchronize, Fault::Silence);
    let child = piped(&mut import.command(&[]));
    eventually("it is sent", async || {
        shell.chathub.calls(Endpoint::Synchronize) == 1
    })
    .await;
    let mut child = child;
    let mut heard = BufReader::new(child.stderr.take().unwrap());
    interrupt(&child);
    let mut line = String::new();
    heard.read_line(&mut line).unwrap();
    assert_eq!(
        line,
        "Finishing what is on its way; Ctrl-C again ends at once.\n"
    );
    interrupt(&child);
    let ended = end(child);
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_eq!(told(&import.results), ["2 unknown"]);
    assert_eq!(import.summary(&[]), (Some(0), counts(1, 0, 0, 0, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_results_file_is_written_by_one_import() {
    let shell = Shell::start();
    let import = Import::of(&shell, "organizationId,name\n24,Ann\n");
    let other = std::fs::File::create(&import.results).unwrap();
    other.lock().unwrap();
    let ended = import.run(&[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("another import is writing it"),
        "{ended:?}"
    );
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 0);
    drop(other);
    assert_eq!(import.summary(&[]), (Some(0), counts(1, 0, 0, 0, 0)));
}

#[rstest]
#[case::in_a_row(
    "line,organizationId,name,id,outcome,note\n2,24,Ann,7,added,\n3,24,Bo",
    1
)]
#[case::in_the_header("line,organizationId,na", 0)]
#[tokio::test(flavor = "multi_thread")]
async fn a_results_file_that_was_cut_off_is_mended(#[case] text: &str, #[case] added: u64) {
    let shell = Shell::start();
    let import = Import::of(&shell, "organizationId,name\n24,Ann\n24,Bob\n");
    std::fs::write(&import.results, text).unwrap();
    let mut would_be = counts(added, 0, 0, 0, 2 - added);
    would_be["dryRun"] = true.into();
    assert_eq!(import.summary(&["--dry-run"]), (Some(0), would_be));
    assert_eq!(
        std::fs::read_to_string(&import.results).unwrap(),
        text,
        "nothing is mended yet"
    );

    assert_eq!(import.summary(&[]), (Some(0), counts(2, 0, 0, 0, 0)));
    let ann = if added == 1 { 7 } else { 103 };
    let bob = if added == 1 { 103 } else { 104 };
    assert_eq!(
        told(&import.results),
        [format!("2 added {ann}"), format!("3 added {bob}")]
    );
}

/// Somebody may name the wrong file: not a byte of it is lost.
#[rstest]
#[case::the_rows("organizationId,name\n24,Ann\n24,Bob\n")]
#[case::one_row_without_a_line_end("organizationId,name\n24,Ann")]
#[case::a_header_alone("organizationId,name\n")]
#[case::half_a_line("notes to self")]
#[case::more_than_the_header("line,organizationId,name,id,outcome,note,mine")]
#[case::not_text("\0\0\n\0")]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_results_file_is_left_as_it_is(
    #[case] text: &str,
    #[values(&[][..], &["--dry-run"])] more: &[&str],
) {
    let shell = Shell::start();
    let import = Import::of(&shell, "organizationId,name\n24,Ann\n24,Bob\n");
    std::fs::write(&import.results, text).unwrap();
    let ended = import.run(more);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("it is not a results file"),
        "{ended:?}"
    );
    assert_eq!(std::fs::read_to_string(&import.results).unwrap(), text);
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_are_not_written_over_with_their_results() {
    let shell = Shell::start();
    let rows = "organizationId,name\n24,Ann\n24,Bob";
    let import = Import::of(&shell, rows);
    let ended = import.run(&["--results", import.file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("it is not a results file"),
        "{ended:?}"
    );
    assert_eq!(std::fs::read_to_string(&import.file).unwrap(), rows);
}

const ROWS: u64 = 100_000;

/// Every fifth row is a name that an earlier row has, in another case; every organization has some
/// that exist already.
fn hundred_thousand() -> String {
    let mut rows = "organizationId,name\r\n".to_owned();
    for number in 0..ROWS {
        let organization = if number % 3 == 0 { 6 } else { 24 };
        if number % 5 == 4 {
            // Three rows back the organization may be another one, so look where it is the same.
            let _ = write!(rows, "{organization},AGENT {}\r\n", number - 3);
        } else {
            let _ = write!(rows, "{organization},Agent {number}\r\n");
        }
    }
    rows
}

/// The trial of the whole: ChatHub fails in every way, Ctrl-C comes in the middle, and then it is
/// run again.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_rows_over_a_chathub_that_fails() {
    let shell = Shell::start();
    let world = shell.chathub.store();
    let already: Vec<_> = (0..50)
        .map(|number| (24, format!("agent {}", number * 15 + 1)))
        .collect();
    world.add_operators(&already).unwrap();
    let import = Import::of(&shell, &hundred_thousand());
    let next = |fault| shell.chathub.next(Endpoint::Synchronize, fault);

    for fault in [
        Fault::Status(500),
        Fault::Throttled(1),
        Fault::ResetAfterwards,
        Fault::Reset,
    ] {
        next(fault);
    }
    // One in the middle is answered only after Ctrl-C.
    for _ in 0..500 {
        next(Fault::Late(0));
    }
    next(Fault::Held);
    let mut child = piped(&mut import.command(&["--json"]));
    eventually("more than half is added", async || {
        shell.chathub.calls(Endpoint::Synchronize) == 505
    })
    .await;
    interrupt(&child);
    let mut heard = BufReader::new(child.stderr.take().unwrap());
    let said = heard.by_ref().lines().map(Result::unwrap);
    let said = said.take_while(|line| !line.starts_with("Finishing what is on its way"));
    assert!(said.count() < 10, "it says what it waits for");
    shell.chathub.release();
    let first = end(child);
    drop(heard);
    assert_eq!(first.code, Some(130), "{first:?}");
    let summary: Value = serde_json::from_str(&first.stdout).unwrap();
    let left = summary["left"].as_u64().unwrap();
    assert!((1..ROWS).contains(&left), "{summary}");
    assert_true(&shell, &import, false);

    for fault in [
        Fault::ResetAfterwards,
        Fault::Body("[]".into()),
        Fault::Status(502),
        Fault::Throttled(0),
    ] {
        next(fault);
    }
    // An answer that contradicts the list is somebody's to look at; after that it goes on.
    let stopped = import.run(&[]);
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    assert!(
        stopped.stderr.contains("not the documented JSON"),
        "{stopped:?}"
    );
    assert_true(&shell, &import, false);

    let (code, summary) = import.summary(&[]);
    assert_eq!((code, &summary["left"]), (Some(0), &json!(0)), "{summary}");
    assert_eq!(results(&import.results).len() as u64, ROWS);
    assert_true(&shell, &import, true);
}

/// What the results say is what the simulator knows: each added row is an operator, and no operator
/// is there twice.
fn assert_true(shell: &Shell, import: &Import<'_>, is_over: bool) {
    let mut known = BTreeMap::new();
    for organization in [6, 24] {
        for (id, operator) in shell.chathub.store().operators_of(organization).unwrap() {
            let twin = known.insert((organization, operator.name.to_lowercase()), id);
            assert_eq!(twin, None, "{} is there twice", operator.name);
        }
    }
    let results = results(&import.results);
    let mut added = 0;
    for row in results.values() {
        let id = known.get(&(row.organization, row.name.to_lowercase()));
        added += usize::from(row.outcome == "added");
        // Before the end, the row that a duplicate repeats may be still to come, and some are of
        // unknown outcome.
        if !is_over && ["duplicate", "unknown"].contains(&&*row.outcome) {
            continue;
        }
        let id = id.unwrap_or_else(|| panic!("{row:?} is lost"));
        assert!(
            row.outcome == "duplicate" || row.id == id.to_string(),
            "{row:?}"
        );
    }
    // Four came with the simulator, fifty with the test.
    assert_eq!(known.len(), 54 + added);
}
