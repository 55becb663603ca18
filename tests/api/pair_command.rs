//! `open-chat pair`: invitations from a shell, for one browser and for many.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use chathub_simulator::{Endpoint, Fault};
use chrono::{DateTime, Utc};
use rstest::rstest;

use crate::administration::Shell;
use crate::harness::file;
use crate::process::{Ended, open_chat, run_with_input};

const ACCESS: (&str, &str) = ("ACCESS", "pass,device");
const PUBLIC_URL: (&str, &str) = ("PUBLIC_URL", "https://chat.example");
const SECRET: (&str, &str) = (
    "DEVICE_SECRET",
    "canary-device-secret-of-more-than-32-bytes",
);

/// What `serve` has where it pairs browsers; what the pass takes is not needed here.
const SETTINGS: [(&str, &str); 3] = [ACCESS, PUBLIC_URL, SECRET];

fn pair(shell: &Shell, arguments: &[&str]) -> Ended {
    shell.run_with(&[&["pair"], arguments].concat(), &SETTINGS, "")
}

/// A command that was refused has printed no invitation and no secret.
fn assert_refused(ended: &Ended, code: i32, words: &str) {
    assert_eq!((ended.code, &*ended.stdout), (Some(code), ""), "{ended:?}");
    assert!(ended.stderr.contains(words), "{words} is not in {ended:?}");
    assert!(!ended.stderr.contains("canary"), "{ended:?}");
    assert!(!ended.stderr.contains("invitation="), "{ended:?}");
}

/// How long a moment lies ahead, in minutes and rounded up.
fn minutes_ahead(moment: &str) -> i64 {
    let moment = DateTime::parse_from_rfc3339(moment).unwrap();
    assert!(moment.to_rfc3339().ends_with("+00:00"), "{moment}");
    (moment.to_utc() - Utc::now()).num_seconds().div_euclid(60) + 1
}

#[rstest]
#[case::by_id("101", "operator 101 (John Smith)")]
#[case::by_name("sarah johnson", "operator 102 (Sarah Johnson)")]
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_stands_alone_on_standard_output(
    #[case] operator: &str,
    #[case] described: &str,
) {
    let shell = Shell::start();
    let ended = pair(&shell, &["--operator", operator]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (line, rest) = ended.stdout.split_once('\n').unwrap();
    let invitation = line.strip_prefix("https://chat.example/pair?invitation=");
    let invitation = invitation.expect("an invitation's URL");
    let is_unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    assert!(invitation.len() > 40 && invitation.chars().all(is_unreserved));
    assert_eq!(rest, "");
    assert!(!ended.stderr.contains(invitation), "{}", ended.stderr);
    let said = format!("for the chats of {described}, in one browser, until ");
    let (_, said) = ended.stderr.split_once(&said).expect(&ended.stderr);
    let (until, device) = said.split_once("; the device will be ").unwrap();
    // A day, unless something else is said; the test may take a while.
    assert!((1380..=1440).contains(&minutes_ahead(until)), "{until}");
    assert!(
        device
            .trim_end()
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit()),
        "{device}"
    );
}

#[rstest]
#[case("30m", 30)]
#[case("7d", 7 * 24 * 60)]
#[tokio::test(flavor = "multi_thread")]
async fn it_is_good_for_as_long_as_it_is_asked_for(#[case] ttl: &str, #[case] minutes: i64) {
    let shell = Shell::start();
    let ended = pair(&shell, &["--operator", "101", "--ttl", ttl]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (_, until) = ended.stderr.split_once(" until ").unwrap();
    let until = until.split(';').next().unwrap();
    let ahead = minutes_ahead(until);
    assert!((minutes - 25..=minutes).contains(&ahead), "{until}");
}

#[rstest]
#[case::an_unknown_id("999", "there is no operator 999")]
#[case::an_unknown_name("Jane Doe", "there is no operator `Jane Doe`")]
#[case::inactive("21", "operator 21 (Inactive Ivan) is inactive: no chat would open")]
#[case::deleted(
    "Deleted Dana",
    "operator 22 (Deleted Dana) is deleted: no chat would open"
)]
#[case::several("auto:24", "a browser is paired with one")]
#[case::nothing(" ", "there is no operator")]
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_can_open_no_chat_is_not_invited(
    #[case] operator: &str,
    #[case] words: &str,
) {
    let shell = Shell::start();
    let settings = [ACCESS, PUBLIC_URL, SECRET, ("OPERATOR_AUTO", "on")];
    let ended = shell.run_with(&["pair", "--operator", operator], &settings, "");
    assert_refused(&ended, 1, words);
}

/// The operator map comes first, as for a click.
#[rstest]
#[case::an_id("101", "operator 101 (John Smith)")]
#[case::a_name("\"Sarah Johnson\"", "operator 102 (Sarah Johnson)")]
#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_its_operator(#[case] operator: &str, #[case] described: &str) {
    let shell = Shell::start();
    let map = file("map.toml", &format!("\"ann@example.com\" = {operator}\n"));
    let map = ("OPERATOR_MAP_FILE", map.to_str().unwrap());
    let arguments = ["pair", "--operator", "ann@example.com"];
    let ended = shell.run_with(&arguments, &[ACCESS, PUBLIC_URL, SECRET, map], "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains(described), "{}", ended.stderr);
}

/// A setting that is missing or wrong is named, and how the service has it is said.
#[rstest]
#[case::no_access(&[PUBLIC_URL, SECRET], "ACCESS: must be set")]
#[case::no_device(&[("ACCESS", "pass,key"), PUBLIC_URL, SECRET], "ACCESS: must have `device` in it")]
#[case::no_public_url(&[ACCESS, SECRET], "PUBLIC_URL: must be set")]
#[case::a_path(&[ACCESS, SECRET, ("PUBLIC_URL", "https://chat.example/chat")], "PUBLIC_URL: must have no path")]
#[case::no_secret(&[ACCESS, PUBLIC_URL], "DEVICE_SECRET: must be set")]
#[case::a_short_secret(&[ACCESS, PUBLIC_URL, ("DEVICE_SECRET", "canary-short")], "DEVICE_SECRET")]
fn a_setting_that_is_missing_is_named(#[case] settings: &[(&str, &str)], #[case] words: &str) {
    let ended = run_with_input(&mut open_chat(&["pair", "--operator", "101"], settings), "");
    assert_refused(&ended, 78, words);
}

#[rstest]
#[case::too_long(&["--operator", "101", "--ttl", "169h"], "7 days at most")]
#[case::no_duration(&["--operator", "101", "--ttl", "soon"], "not a duration")]
#[case::no_time(&["--operator", "101", "--ttl", "0s"], "not a duration")]
#[case::no_operator(&[], "--operator")]
#[case::one_and_many(&["--operator", "101", "--csv", "a", "--out", "b"], "cannot be used with")]
#[case::nowhere_to_write(&["--csv", "a"], "--out")]
#[case::a_file_for_one(&["--operator", "101", "--out", "b"], "--out")]
#[case::nothing_to_read(&["--out", "b"], "--csv")]
fn a_wrong_command_line_is_refused(#[case] arguments: &[&str], #[case] words: &str) {
    let arguments = [&["pair"], arguments].concat();
    let ended = run_with_input(&mut open_chat(&arguments, &SETTINGS), "");
    assert_refused(&ended, 2, words);
}

/// Without ChatHub's credentials an id is taken as it is, and that is said.
#[test]
fn an_operator_is_not_looked_up_without_credentials() {
    let run = |operator| {
        let arguments = ["pair", "--operator", operator];
        run_with_input(&mut open_chat(&arguments, &SETTINGS), "")
    };
    let ended = run("101");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("operators are not looked up: "));
    let invitation = "https://chat.example/pair?invitation=";
    assert!(ended.stdout.starts_with(invitation));
    let words = "`John Smith` is no operator's id: a name takes ChatHub's credentials";
    assert_refused(&run("John Smith"), 1, words);
}

/// An invitation lives for days: one for an operator who cannot be looked up waits.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_chathub_makes_no_invitation() {
    let shell = Shell::start();
    let fault = Some(Fault::Status(500));
    shell.chathub.always(Endpoint::Organizations, fault);
    let ended = pair(&shell, &["--operator", "101"]);
    assert_refused(&ended, 1, "ChatHub");
}

/// A path for invitations, where nothing is.
fn new_file(name: &str) -> PathBuf {
    let path = file(name, "");
    std::fs::remove_file(&path).unwrap();
    path
}

fn pair_all(shell: &Shell, input: &str, out: &Path) -> Ended {
    let input = file("agents.csv", input);
    let paths = [input.to_str().unwrap(), out.to_str().unwrap()];
    pair(
        shell,
        &["--csv", paths[0], "--out", paths[1], "--ttl", "3d"],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_operators_becomes_a_list_of_invitations() {
    let shell = Shell::start();
    let out = new_file("invitations.csv");
    let agents = "\u{feff}Mail;Operator\r\na@example.com;101\r\nb@example.com;Sarah Johnson\r\nc@example.com;101\r\n";
    let ended = pair_all(&shell, agents, &out);
    assert_eq!((ended.code, &*ended.stdout), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.contains("3 invitations are in "), "{ended:?}");
    assert!(!ended.stderr.contains("invitation="), "{ended:?}");

    let mode = std::fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600, "{mode:o}");
    let text = std::fs::read_to_string(&out).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("operator,url,expires_at"));
    let rows: Vec<Vec<_>> = lines.map(|line| line.split(',').collect()).collect();
    let operators: Vec<_> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(operators, ["101", "Sarah Johnson", "101"]);
    for row in &rows {
        let [_, url, expires_at] = row[..] else {
            panic!("three columns")
        };
        assert!(url.starts_with("https://chat.example/pair?invitation="));
        assert!((4300..=4320).contains(&minutes_ahead(expires_at)));
    }
    // An agent with two browsers has two invitations.
    assert_ne!(rows[0][1], rows[2][1]);
}

/// `-` is standard input, where another program says who is to be invited.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_may_come_by_standard_input() {
    let shell = Shell::start();
    let out = new_file("invitations.csv");
    let arguments = ["pair", "--csv", "-", "--out", out.to_str().unwrap()];
    let ended = shell.run_with(&arguments, &SETTINGS, "operator\n102\n");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with("102,https://"));
    let ended = shell.run_with(&arguments, &SETTINGS, "operator\n999\n");
    assert_refused(&ended, 1, "exists already");
    std::fs::remove_file(&out).unwrap();
    let ended = shell.run_with(&arguments, &SETTINGS, "operator\n999\n");
    assert_refused(&ended, 1, "standard input: 1 row is wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_is_named_and_nothing_is_written() {
    let shell = Shell::start();
    let out = new_file("invitations.csv");
    let agents = "operator\n101\n999\n\n21\n\"\"\n";
    let ended = pair_all(&shell, agents, &out);
    assert_refused(&ended, 1, "3 rows are wrong, so nothing was written:");
    for words in [
        "line 3: there is no operator 999",
        "line 5: operator 21 (Inactive Ivan) is inactive",
        "line 6: there is no operator",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    assert!(!out.exists());
}

/// The cell of an alias that a spreadsheet would take for a formula.
#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_no_formula_in_the_list() {
    let shell = Shell::start();
    let out = new_file("invitations.csv");
    let agents = file("agents.csv", "operator\n=1+1\n");
    let map = file("map.toml", "\"=1+1\" = 101\n");
    let map = ("OPERATOR_MAP_FILE", map.to_str().unwrap());
    let paths = [&agents, &out].map(|path| path.to_str().unwrap());
    let arguments = ["pair", "--csv", paths[0], "--out", paths[1]];
    let ended = shell.run_with(&arguments, &[ACCESS, PUBLIC_URL, SECRET, map], "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.lines().nth(1).unwrap().starts_with("'=1+1,https://"));
}

/// As `mktemp` makes one, which others may even read.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_makes_room() {
    let shell = Shell::start();
    let out = file("invitations.csv", "");
    std::fs::set_permissions(&out, Permissions::from_mode(0o644)).unwrap();
    let ended = pair_all(&shell, "operator\n101\n", &out);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mode = std::fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600, "{mode:o}");
    let text = std::fs::read_to_string(&out).unwrap();
    assert_eq!(text.lines().count(), 2);
}

/// Invitations that were not sent yet may be in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_kept() {
    let shell = Shell::start();
    let out = file("invitations.csv", "mine");
    let ended = pair_all(&shell, "operator\n101\n", &out);
    assert_refused(&ended, 1, "exists already; name a new one");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "mine");
}

#[rstest]
#[case::no_column(
    "agent\n101\n",
    "agents.csv: there is no column `operator`; it has the column `agent`"
)]
#[case::no_row("operator\n", "agents.csv: there is no row below the header")]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_operators_is_refused(#[case] agents: &str, #[case] words: &str) {
    let shell = Shell::start();
    let out = new_file("invitations.csv");
    assert_refused(&pair_all(&shell, agents, &out), 1, words);
    assert!(!out.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_written_is_named() {
    let shell = Shell::start();
    let out = Path::new("/no-such-directory/invitations.csv");
    let ended = pair_all(&shell, "operator\n101\n", out);
    let words = "the file /no-such-directory/invitations.csv cannot be written: ";
    assert_refused(&ended, 1, words);
}
