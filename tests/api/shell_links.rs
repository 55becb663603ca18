//! `open-chat link`, `pass mint` and `operators add --link`: what a click would be refused for is
//! refused here, and nothing is left out without a word.

use rstest::rstest;

use crate::administration::Shell;
use crate::harness::file;
use crate::process::{Ended, open_chat, run_with_input};

const PUBLIC_URL: (&str, &str) = ("PUBLIC_URL", "https://chat.example");
const SECRET: (&str, &str) = ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes");
const UNSIGNED: &str = "unsigned: works with ACCESS=open, sso or device only";

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    run_with_input(&mut open_chat(arguments, variables), "")
}

fn assert_refused(ended: &Ended, code: i32, words: &str) {
    assert_eq!((ended.code, &*ended.stdout), (Some(code), ""), "{ended:?}");
    assert!(ended.stderr.contains(words), "{words} is not in {ended:?}");
    assert!(!ended.stderr.contains("canary"), "{ended:?}");
}

#[rstest]
#[case::once(&["link", "--operator", "101", "--once"])]
#[case::ttl(&["link", "--operator", "101", "--ttl", "5m"])]
#[case::ttl_as_by_default(&["link", "--operator", "101", "--ttl", "10m"])]
#[case::both(&["link", "--operator", "101", "--once", "--ttl", "5m"])]
#[case::added(&["operators", "add", "--organization", "24", "Ann", "--link", "--ttl", "5m"])]
fn what_only_a_signature_can_carry_is_refused_without_a_key(#[case] arguments: &[&str]) {
    let ended = run(arguments, &[PUBLIC_URL]);
    assert_refused(&ended, 2, "PASS_SECRET or a key that can sign");
}

#[test]
fn an_unsigned_link_says_so() {
    let ended = run(&["link", "--operator", "101"], &[PUBLIC_URL]);
    assert_eq!(
        ended.stdout,
        "https://chat.example/open-chat?operator=101\n"
    );
    assert_eq!((ended.code, ended.stderr.trim_end()), (Some(0), UNSIGNED));
    let signed = run(
        &["link", "--operator", "101", "--once", "--ttl", "5m"],
        &[PUBLIC_URL, SECRET],
    );
    assert_eq!((signed.code, &*signed.stderr), (Some(0), ""), "{signed:?}");
    assert!(signed.stdout.contains("/open-chat?pass="));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_of_new_operators_say_once_that_they_are_unsigned() {
    let shell = Shell::start();
    let add = [
        "operators",
        "add",
        "--organization",
        "24",
        "Ann",
        "Bob",
        "--link",
    ];
    let ended = shell.run_with(&add, &[PUBLIC_URL], "");
    assert_eq!((ended.code, ended.stderr.trim_end()), (Some(0), UNSIGNED));
}

/// As `POST /links` refuses it, whether it is to be signed or not.
#[rstest]
#[case::no_phone(&["--phone", "zzz"], "a word without a digit")]
#[case::letters_in_a_phone(&["--phone", "050abc1234567"], "contains letters")]
#[case::short_phone(&["--phone", "12"], "not a valid number")]
#[case::source(&["--phone", "0501234567", "--source", "zzz"], "The source is not one of")]
#[case::source_alone(&["--source", "zzz"], "The source is not one of")]
#[case::template(&["--phone", "{{contact.phone}}"], "`phone` is still a template")]
#[case::template_of_a_sender(&["--from", "{{contact.owner}}"], "`from` is still a template")]
#[case::control(&["--chat-raw-id", "a\u{7}b"], "control character")]
#[case::no_operator(&["--operator", " "], "`operator=`")]
#[case::template_of_an_operator(&["--operator", "{{user.id}}"], "`operator` is still a template")]
#[case::auto(&["--operator", "auto:24"], "OPERATOR_AUTO")]
fn what_a_click_would_be_refused_for_is_refused(
    #[case] more: &[&str],
    #[case] words: &str,
    #[values(&[PUBLIC_URL][..], &[PUBLIC_URL, SECRET])] variables: &[(&str, &str)],
) {
    let operator = ["--operator", "101"];
    let operator = if more[0] == "--operator" {
        &[][..]
    } else {
        &operator
    };
    let ended = run(&[&["link"], operator, more].concat(), variables);
    assert_refused(&ended, 2, words);
    if variables.len() > 1 {
        let ended = run(&[&["pass", "mint"], operator, more].concat(), variables);
        assert_refused(&ended, 2, words);
    }
}

#[test]
fn a_pass_of_no_time_is_none() {
    let mint = ["pass", "mint", "--operator", "101", "--ttl", "0s"];
    assert_refused(&run(&mint, &[SECRET]), 2, "--ttl");
}

#[test]
fn what_must_be_set_is_a_matter_of_the_configuration() {
    let link = run(&["link", "--operator", "101"], &[SECRET]);
    assert_refused(&link, 78, "PUBLIC_URL: must be set");
    let add = ["operators", "add", "--organization", "24", "Ann", "--link"];
    assert_refused(&run(&add, &[SECRET]), 78, "PUBLIC_URL: must be set");
    let mint = ["pass", "mint", "--operator", "101"];
    assert_refused(&run(&mint, &[]), 78, "no key can sign");
    let long = [&mint[..], &["--ttl", "48h"]].concat();
    assert_refused(&run(&long, &[SECRET]), 1, "may live for 24h at most");
}

/// A name is looked up where ChatHub can be asked, an alias in the map.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_looked_up() {
    let shell = Shell::start();
    let link = |operator: &str, variables: &[(&str, &str)]| {
        let variables = [&[PUBLIC_URL, SECRET], variables].concat();
        shell.run_with(&["link", "--operator", operator], &variables, "")
    };
    assert_eq!(link("john smith", &[]).code, Some(0));
    let unknown = link("Jon Smith", &[]);
    assert_refused(&unknown, 1, "there is no operator `Jon Smith`");
    assert!(unknown.stderr.contains("John Smith (101)"), "{unknown:?}");
    let map = file(
        "links-map.toml",
        "\"kommo-5\" = 101\n\"gone\" = \"Nobody Here\"\n",
    );
    let map = ("OPERATOR_MAP_FILE", map.to_str().unwrap());
    let alias = link("KOMMO-5", &[map]);
    assert_eq!((alias.code, &*alias.stderr), (Some(0), ""), "{alias:?}");
    assert_refused(&link("gone", &[map]), 1, "OPERATOR_MAP_FILE");
    // An id asks for nothing, whoever it is: 22 is deleted, and there is no 999.
    for id in ["22", "999"] {
        let ended = link(id, &[]);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
    }
    // Who makes a link may have no access to ChatHub.
    let unasked = link(
        "Jon Smith",
        &[("CHATHUB_LOGIN", ""), ("CHATHUB_PASSWORD", "")],
    );
    assert_eq!(unasked.code, Some(0), "{unasked:?}");
    assert!(
        unasked.stderr.contains("`Jon Smith` was not looked up"),
        "{unasked:?}"
    );
}
