//! ChatHub from a shell: the commands as processes, against a simulator; what people see and what
//! scripts read.

use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use rstest::rstest;
use serde_json::Value;

use crate::harness::{PASSWORD, eventually, file, own_address, rules};
use crate::process::{Ended, end, interrupt, open_chat, piped, run_with_input};

/// A company's shell: a simulator, and the environment that leads there.
pub struct Shell {
    pub chathub: Simulator,
    url: String,
}

impl Shell {
    pub fn start() -> Self {
        Self::start_with(rules())
    }

    pub fn start_with(rules: Rules) -> Self {
        let chathub = Simulator::start(rules).unwrap();
        let url = chathub.url();
        Self { chathub, url }
    }

    /// Runs a command with these variables over the plain ones.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Ended {
        run_with_input(&mut self.command(arguments, variables), input)
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[], "")
    }

    /// What a command that succeeds prints.
    pub fn prints(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{ended:?}");
        ended.stdout
    }

    pub fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> std::process::Command {
        let mut all = vec![
            ("CHATHUB_URL", self.url.as_str()),
            ("CHATHUB_LOGIN", "acme"),
            ("CHATHUB_PASSWORD", PASSWORD),
            ("CHATHUB_MAX_RATE", "10000"),
        ];
        all.extend(variables);
        open_chat(arguments, &all)
    }
}

/// Drops the token of a line of JSON, which no test's output should show.
fn without_token(json: &str) -> (Value, String) {
    let mut value: Value = serde_json::from_str(json).unwrap();
    let token = value["token"].take().as_str().unwrap().to_owned();
    (value, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_are_listed() {
    let shell = Shell::start();
    assert_eq!(
        shell.prints(&["organizations", "list"]),
        "ID  NAME\n\
         6   Acme Sales\n\
         24  Acme Support\n"
    );
    assert_eq!(
        shell.prints(&["organizations", "list", "--json"]),
        "[{\"id\":6,\"name\":\"Acme Sales\"},{\"id\":24,\"name\":\"Acme Support\"}]\n"
    );
}

#[rstest]
#[case::all(&[],
    "ID   NAME           STATUS    ORGANIZATION\n\
     21   Inactive Ivan  inactive  Acme Sales (6)\n\
     22   Deleted Dana   deleted   Acme Sales (6)\n\
     101  John Smith     active    Acme Support (24)\n\
     102  Sarah Johnson  active    Acme Support (24)\n")]
#[case::of_one_organization(&["--organization", "6"],
    "ID  NAME           STATUS    ORGANIZATION\n\
     21  Inactive Ivan  inactive  Acme Sales (6)\n\
     22  Deleted Dana   deleted   Acme Sales (6)\n")]
#[case::by_status(&["--status", "deleted"],
    "ID  NAME          STATUS   ORGANIZATION\n\
     22  Deleted Dana  deleted  Acme Sales (6)\n")]
#[case::for_scripts(&["--status", "inactive", "--json"],
    "[{\"id\":21,\"name\":\"Inactive Ivan\",\"status\":1,\"organization\":{\"id\":6,\"name\":\"Acme Sales\"}}]\n")]
#[case::none(&["--organization", "24", "--status", "deleted", "--json"], "[]\n")]
#[tokio::test(flavor = "multi_thread")]
async fn operators_are_listed(#[case] arguments: &[&str], #[case] printed: &str) {
    let shell = Shell::start();
    let arguments = [&["operators", "list"], arguments].concat();
    assert_eq!(shell.prints(&arguments), printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_counted() {
    let shell = Shell::start();
    assert_eq!(
        shell.prints(&["operators", "stats"]),
        "ORGANIZATION       ACTIVE  INACTIVE  DELETED  OTHER  TOTAL\n\
         Acme Sales (6)     0       1         1        0      2\n\
         Acme Support (24)  2       0         0        0      2\n\
         all                2       1         1        0      4\n"
    );
    assert_eq!(
        shell.prints(&["operators", "stats", "--json"]),
        "[{\"organization\":{\"id\":6,\"name\":\"Acme Sales\"},\"active\":0,\"inactive\":1,\"deleted\":1,\"other\":0,\"total\":2},\
         {\"organization\":{\"id\":24,\"name\":\"Acme Support\"},\"active\":2,\"inactive\":0,\"deleted\":0,\"other\":0,\"total\":2}]\n"
    );
}

/// A number that ChatHub's documents do not name, told as it came.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_status_is_told_by_its_number() {
    let shell = Shell::start();
    shell.chathub.store().set_status(21, 7);
    assert_eq!(
        shell.prints(&["operators", "list", "--organization", "6"]),
        "ID  NAME           STATUS    ORGANIZATION\n\
         21  Inactive Ivan  status 7  Acme Sales (6)\n\
         22  Deleted Dana   deleted   Acme Sales (6)\n"
    );
    let json = shell.prints(&["operators", "list", "--organization", "6", "--json"]);
    assert!(
        json.contains("\"id\":21,\"name\":\"Inactive Ivan\",\"status\":7,"),
        "{json}"
    );
    let stats = shell.prints(&["operators", "stats"]);
    assert!(
        stats.contains("Acme Sales (6)     0       0         1        1      2\n"),
        "{stats}"
    );
}

/// A name is somebody's text; a terminal must not obey it, and nothing here is ever coloured.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_cannot_steer_the_terminal() {
    let shell = Shell::start();
    let name = "\u{1b}[2JEve\u{9b}1m\n9  Nobody".to_owned();
    shell.chathub.store().add_operators(&[(6, name)]).unwrap();
    let text = shell.prints(&["operators", "list", "--organization", "6"]);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(
        text.contains("103  \u{fffd}[2JEve\u{fffd}1m\u{fffd}9  Nobody"),
        "{text}"
    );
}

/// Nor may it turn the writing direction, begin a line, or hide: in tables, in the checklist, in
/// JSON.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_shows_what_it_is() {
    let shell = Shell::start();
    let name = "Eve\u{202e}9\u{2028}9\u{200b}\u{3164}\u{2066}Й і\u{301}".to_owned();
    shell.chathub.store().set_status(101, 1);
    shell.chathub.store().set_status(102, 1);
    shell.chathub.store().add_operators(&[(6, name)]).unwrap();
    let table = "Eve\u{fffd}9\u{fffd}9\u{fffd}\u{fffd}\u{fffd}Й і\u{301}";
    let text = shell.prints(&["operators", "list", "--organization", "6"]);
    assert!(text.contains(&format!("103  {table}  active")), "{text}");
    let json = shell.prints(&["operators", "list", "--organization", "6", "--json"]);
    assert!(
        json.contains(r#""name":"Eve\u202e9\u20289\u200b\u3164\u2066Й і́""#),
        "{json}"
    );
    let check = shell.run_with(&["check"], &[("ACCESS", "open")], "");
    let line = format!("minted for operator 103 {table}, and valid");
    assert!(check.stdout.contains(&line), "{check:?}");
    // What somebody has typed is told back in the same way.
    let ended = shell.run_with(
        &["operators", "status", "A\u{202e}B", "--set", "active"],
        &[],
        "",
    );
    assert!(
        ended.stderr.contains("no operator `A\u{fffd}B`"),
        "{ended:?}"
    );
    let access = [("ACCESS", "op\u{202e}en")];
    let ended = shell.run_with(&["check"], &access, "");
    assert!(ended.stdout.contains("ACCESS: `op\u{fffd}en`"), "{ended:?}");
    let ended = shell.run_with(&["serve"], &access, "");
    assert!(ended.stderr.contains("ACCESS: `op\u{fffd}en`"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_a_hundred_thousand_gets_through() {
    let shell = Shell::start_with(Rules {
        operators: 100_000,
        ..rules()
    });
    // As slow as it would be over a thin line, and too slow for a click. A shell waits thirty times
    // as long.
    shell.chathub.next(Endpoint::Operators, Fault::Late(4200));
    let list = ["operators", "list", "--organization", "24", "--json"];
    let listed = shell.run_with(&list, &[("CHATHUB_ATTEMPT_TIMEOUT", "4s")], "");
    assert_eq!((listed.code, &*listed.stderr), (Some(0), ""));
    let operators: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(operators.len(), 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_ends_quietly_where_nobody_reads_on() {
    let shell = Shell::start_with(Rules {
        operators: 20_000,
        ..rules()
    });
    let program = env!("CARGO_BIN_EXE_open-chat");
    let mut pipe = shell.command(&[], &[]);
    let mut sh = std::process::Command::new("/bin/sh");
    sh.env_clear()
        .envs(
            pipe.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .args([
            "-c",
            "\"$0\" operators list --json | /usr/bin/head -c 10",
            program,
        ]);
    pipe.env_clear();
    let ended = run_with_input(&mut sh, "");
    assert_eq!((&*ended.stdout, &*ended.stderr), ("[{\"id\":21,", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_added_and_known_names_skipped() {
    let shell = Shell::start();
    let add = ["operators", "add", "--organization", "24"];
    assert_eq!(
        shell.prints(&[&add[..], &["Ann Lee", "JOHN  smith", " ann LEE "]].concat()),
        "ID   NAME        OUTCOME\n\
         103  Ann Lee     added\n\
         101  JOHN smith  exists\n\
         103  ann LEE     duplicate\n"
    );
    assert_eq!(
        shell.prints(&[&add[..], &["Ann Lee", "Bob Ray", "--json"]].concat()),
        "[{\"name\":\"Ann Lee\",\"organizationId\":24,\"id\":103,\"outcome\":\"exists\"},\
         {\"name\":\"Bob Ray\",\"organizationId\":24,\"id\":104,\"outcome\":\"added\"}]\n"
    );
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 2);

    let nothing_new = shell.prints(&[&add[..], &["bob ray"]].concat());
    assert!(nothing_new.contains("exists"), "{nothing_new}");
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_operator_gets_a_button_at_once() {
    let shell = Shell::start();
    let public = ("PUBLIC_URL", "https://chat.example");
    let secret = ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes");
    let add = |names: &[&str], variables: &[(&str, &str)]| {
        let arguments = [&["operators", "add", "--organization", "24"], names].concat();
        shell.run_with(&arguments, variables, "")
    };
    let open = add(&["Ann", "--link"], &[public]);
    assert_eq!(
        open.stdout,
        "ID   NAME  OUTCOME\n103  Ann   added\n\n103 Ann:\nhttps://chat.example/open-chat?operator=103\n"
    );

    let signed = add(
        &["Bob", "--link", "--pass", "--ttl", "8h", "--json"],
        &[public, secret],
    );
    let lines: Value = serde_json::from_str(&signed.stdout).unwrap();
    let (link, pass) = (
        lines[0]["link"].as_str().unwrap(),
        lines[0]["pass"].as_str().unwrap(),
    );
    assert!(
        link.starts_with("https://chat.example/open-chat?pass="),
        "no signed link"
    );
    let claims = claims(pass);
    assert_eq!(claims["sub"], "104");
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        8 * 3600
    );

    // What cannot be signed is found out before anybody is added.
    for (arguments, variables, words) in [
        (["Cid", "--link"], &[][..], "PUBLIC_URL: must be set"),
        (["Cid", "--pass"], &[], "no key can sign"),
        (["Cid", "--ttl=48h"], &[public, secret], ""),
        (["--pass", "--ttl=48h"], &[secret], "required"),
    ] {
        let ended = add(&arguments, variables);
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    let too_long = add(&["Dan", "--pass", "--ttl", "48h"], &[secret]);
    assert_eq!(too_long.code, Some(1));
    assert!(
        too_long.stderr.contains("may live for 24h at most"),
        "{too_long:?}"
    );
    let names: Vec<_> = shell.chathub.store().operators_of(24).unwrap();
    assert!(
        names.iter().all(|(_, operator)| operator.name != "Dan"),
        "{names:?}"
    );
}

fn claims(jwt: &str) -> Value {
    use base64::Engine as _;
    let payload = jwt.split('.').nth(1).unwrap();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[rstest]
#[case::empty(" ", "the name is empty")]
#[case::long(&"\u{457}".repeat(101), "more than 100 characters")]
#[case::control("Ann\u{7}", "control character")]
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_name_is_refused_before_anything_is_asked(#[case] name: &str, #[case] words: &str) {
    let shell = Shell::start();
    let ended = shell.run(&["operators", "add", "--organization", "24", "Good", name]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains(words), "{ended:?}");
    assert_eq!(shell.chathub.total_calls(), 0);
}

/// The answer is lost, and with it whether anything was added: the list tells.
#[rstest]
#[case::carried_out(Fault::ResetAfterwards, 1)]
#[case::not_carried_out(Fault::Reset, 2)]
#[case::an_error(Fault::Status(500), 2)]
#[case::a_page(Fault::Body("<html></html>".into()), 2)]
#[case::asked_to_wait(Fault::Throttled(1), 2)]
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_added_twice(#[case] fault: Fault, #[case] calls: u64) {
    let shell = Shell::start();
    shell.chathub.next(Endpoint::Synchronize, fault);
    let ended = shell.run(&[
        "operators",
        "add",
        "--organization",
        "24",
        "Ann",
        "Bob",
        "--json",
    ]);
    assert_eq!(
        (ended.code, &*ended.stdout),
        (
            Some(0),
            "[{\"name\":\"Ann\",\"organizationId\":24,\"id\":103,\"outcome\":\"added\"},\
             {\"name\":\"Bob\",\"organizationId\":24,\"id\":104,\"outcome\":\"added\"}]\n"
        ),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("going on in"), "{ended:?}");
    assert_eq!(shell.chathub.store().operators_of(24).unwrap().len(), 4);
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), calls);
}

/// The first list does not show them yet, the second does: that one is held up until they are
/// there.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_added_twice_who_arrives_while_it_looks() {
    let shell = Shell::start();
    shell.chathub.next(Endpoint::Synchronize, Fault::Reset);
    for fault in [Fault::Late(0), Fault::Late(0), Fault::Held] {
        shell.chathub.next(Endpoint::Operators, fault);
    }
    let add = ["operators", "add", "--organization", "24", "Ann", "--json"];
    let child = piped(&mut shell.command(&add, &[]));
    eventually("it looks a second time", async || {
        shell.chathub.calls(Endpoint::Operators) == 3
    })
    .await;
    let world = shell.chathub.store();
    assert_eq!(world.add_operator(24, "Ann"), Some(103));
    shell.chathub.release();
    let ended = end(child);
    assert_eq!(
        (ended.code, &*ended.stdout),
        (
            Some(0),
            "[{\"name\":\"Ann\",\"organizationId\":24,\"id\":103,\"outcome\":\"added\"}]\n"
        ),
        "{ended:?}"
    );
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 1);
}

/// What was sent may have arrived, and is said to be unknown; what was not sent is not told of.
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_while_many_are_added() {
    let shell = Shell::start();
    shell
        .chathub
        .next(Endpoint::Synchronize, Fault::ResetAfterwards);
    // It looks whether they have arrived, again and again.
    shell
        .chathub
        .always(Endpoint::Operators, Some(Fault::Status(500)));
    shell
        .chathub
        .next(Endpoint::Operators, Fault::Body("[]".into()));
    let names: Vec<_> = (0..101).map(|number| format!("Agent {number}")).collect();
    let names = names.iter().map(String::as_str);
    let add = ["operators", "add", "--organization", "24", "--json"];
    let child = piped(&mut shell.command(&add.into_iter().chain(names).collect::<Vec<_>>(), &[]));
    eventually("a hundred are added", async || {
        shell.chathub.store().operator(202).is_some()
    })
    .await;
    interrupt(&child);
    let ended = end(child);
    assert_eq!(ended.code, Some(130), "{ended:?}");
    let lines: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(lines.len(), 100);
    assert!(
        lines.iter().all(|line| line["outcome"] == "unknown"),
        "{ended:?}"
    );
    assert_eq!(shell.chathub.calls(Endpoint::Synchronize), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_set_by_id_or_name() {
    let shell = Shell::start();
    let status = |id| shell.chathub.store().operator(id).unwrap().status;
    assert_eq!(
        shell.prints(&[
            "operators",
            "status",
            "john SMITH",
            "102",
            "101",
            "--set",
            "inactive"
        ]),
        "ID   NAME           STATUS    ORGANIZATION\n\
         101  John Smith     inactive  Acme Support (24)\n\
         102  Sarah Johnson  inactive  Acme Support (24)\n"
    );
    assert_eq!((status(101), status(102)), (1, 1));
    assert_eq!(
        shell.prints(&["operators", "status", "22", "--set", "active", "--json"]),
        "[{\"id\":22,\"name\":\"Deleted Dana\",\"status\":0,\"organization\":{\"id\":6,\"name\":\"Acme Sales\"}}]\n"
    );
    assert_eq!(status(22), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_several_have_is_refused() {
    let shell = Shell::start();
    let twins = [(6, "ann".to_owned()), (24, "Ann".to_owned())];
    shell.chathub.store().add_operators(&twins).unwrap();
    let ended = shell.run(&["operators", "status", "101", "ANN", "--set", "inactive"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        "open-chat: 2 operators are called `ANN`; give the id of one of them:\n  \
           103  active, Acme Sales (6)\n  \
           104  active, Acme Support (24)\n"
    );
    assert_eq!(
        shell.chathub.calls(Endpoint::OperatorStatus),
        0,
        "not even 101's"
    );

    shell.prints(&[
        "operators",
        "status",
        "ANN",
        "--organization",
        "6",
        "--set",
        "inactive",
    ]);
    assert_eq!(shell.chathub.store().operator(103).unwrap().status, 1);
    let nobody = shell.run(&["operators", "status", "Nobody", "--set", "active"]);
    assert!(
        nobody.stderr.contains("there is no operator `Nobody`"),
        "{nobody:?}"
    );
}

const AS_THEY_WERE: &str = "operator 101 and those named after it are as they were";
const NOT_KNOWN: &str = "whether operator 101 was changed is not known, `open-chat operators list` shows it; those named after it are as they were";

/// The call is made twice before it fails, and the first may have been carried out, whatever the
/// second says.
#[rstest]
#[case::refused(&[Fault::Status(422)], 0, AS_THEY_WERE)]
#[case::asked_to_wait_at_last(&[Fault::ResetAfterwards, Fault::Throttled(1)], 1, NOT_KNOWN)]
#[case::both_answers_lost(&[Fault::ResetAfterwards, Fault::ResetAfterwards], 1, NOT_KNOWN)]
#[case::no_answer(&[Fault::Silence, Fault::Silence], 0, NOT_KNOWN)]
#[case::an_error(&[Fault::Status(500), Fault::Status(500)], 0, NOT_KNOWN)]
#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_said_to_be_as_it_was_only_where_that_is_known(
    #[case] faults: &[Fault],
    #[case] status: u8,
    #[case] words: &str,
) {
    let shell = Shell::start();
    for fault in faults {
        shell.chathub.next(Endpoint::OperatorStatus, fault.clone());
    }
    let set = ["operators", "status", "101", "102", "--set", "inactive"];
    // Thirty times as long is what each silence lasts, and what all that comes before has.
    let quick = [("CHATHUB_ATTEMPT_TIMEOUT", "200ms")];
    let is_silent = matches!(faults[0], Fault::Silence);
    let variables = if is_silent { &quick[..] } else { &[] };
    let ended = shell.run_with(&set, variables, "");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.starts_with(&format!("open-chat: {words}: ")),
        "{ended:?}"
    );
    let status_of = |id| shell.chathub.store().operator(id).unwrap().status;
    assert_eq!((status_of(101), status_of(102)), (status, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_deleted_unasked() {
    let shell = Shell::start();
    let delete = ["operators", "status", "101", "--set", "deleted"];
    let ended = shell.run_with(&delete, &[], "y\n");
    assert_eq!(ended.code, Some(2), "a pipe is nobody to ask: {ended:?}");
    assert!(
        ended.stderr.contains("`--yes` deletes them without asking"),
        "{ended:?}"
    );
    assert_eq!(shell.chathub.total_calls(), 0);

    shell.prints(&[&delete[..], &["--yes"]].concat());
    assert_eq!(shell.chathub.store().operator(101).unwrap().status, 2);
}

/// `script` gives the program a terminal to ask at.
#[rstest]
#[case::yes("y\n", 0, 2)]
#[case::no("n\n", 1, 0)]
#[case::nothing("\n", 1, 0)]
#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_it_asks(#[case] answer: &str, #[case] code: i32, #[case] status: u8) {
    let shell = Shell::start();
    let plain = shell.command(&[], &[]);
    let delete = format!(
        "{} operators status 101 --set deleted",
        env!("CARGO_BIN_EXE_open-chat")
    );
    let mut script = std::process::Command::new("script");
    script.args(["--quiet", "--return", "--command", &delete, "/dev/null"]);
    script.envs(
        plain
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let ended = run_with_input(&mut script, answer);
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("101  John Smith, active, Acme Support (24)"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains("Delete 1 of them? [y/N]"),
        "{ended:?}"
    );
    assert_eq!(shell.chathub.store().operator(101).unwrap().status, status);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_meets_the_same_operator_however_the_phone_is_written() {
    let shell = Shell::start_with(Rules {
        operators: 10,
        ..rules()
    });
    let assign = |phone: &str, more: &[&str]| {
        let arguments = [
            "operators",
            "assign",
            "--organization",
            "24",
            "--phone",
            phone,
        ];
        shell.run(&[&arguments[..], more].concat())
    };
    // The operator that the hash's own tests give for these ids.
    for phone in ["0501234567", "+38 (050) 123-45-67", "00380501234567"] {
        assert_eq!(assign(phone, &[]).stdout, "107 Operator 107\n");
    }
    assert_eq!(
        assign("0671234567", &["--json"]).stdout,
        "{\"id\":107,\"name\":\"Operator 107\",\"status\":0,\"organization\":{\"id\":24,\"name\":\"Acme Support\"}}\n"
    );
    shell.chathub.store().set_status(107, 1);
    let other = assign("0501234567", &[]);
    assert!(
        other.code == Some(0) && !other.stdout.starts_with("107"),
        "{other:?}"
    );

    let no_phone = assign("12345", &[]);
    assert_eq!(no_phone.code, Some(2), "{no_phone:?}");
    assert!(
        no_phone.stderr.contains("not a valid number"),
        "{no_phone:?}"
    );
    let nobody = shell.run(&[
        "operators",
        "assign",
        "--organization",
        "6",
        "--phone",
        "0501234567",
    ]);
    assert_eq!(nobody.code, Some(1));
    assert!(
        nobody
            .stderr
            .contains("organization 6 has no active operator"),
        "{nobody:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_minted_and_validated() {
    let shell = Shell::start();
    let minted = shell.prints(&["token", "mint", "--operator", "Sarah johnson", "--json"]);
    let (json, token) = without_token(&minted);
    assert_eq!(json["id"], 102);
    let end = json["expiresAt"].as_str().unwrap();
    let left = chrono::DateTime::parse_from_rfc3339(end).unwrap().to_utc() - chrono::Utc::now();
    assert!((3000..=3600).contains(&left.num_seconds()), "{left}");

    let validate = |arguments: &[&str], input: &str| {
        shell.run_with(&[&["token", "validate"], arguments].concat(), &[], input)
    };
    let seconds = format!("{}Z", end.split('.').next().unwrap());
    let valid = validate(&[], &format!("{token}\n"));
    assert_eq!(
        (valid.code, valid.stdout),
        (Some(0), format!("valid, operator 102, until {seconds}\n"))
    );
    let path = file("token", &token);
    let valid = validate(&["--token-file", path.to_str().unwrap(), "--json"], "");
    let check: Value = serde_json::from_str(&valid.stdout).unwrap();
    assert_eq!(
        (&check["isValid"], &check["operatorId"], &check["clientId"]),
        (&true.into(), &102.into(), &0.into())
    );
    assert_eq!(check["error"], Value::Null);

    shell.chathub.store().pass_time(3700);
    let over = validate(&[], &token);
    assert_eq!(
        (over.code, &*over.stdout),
        (Some(1), "not valid: Invalid token\n")
    );
    let over = validate(&["--json"], &token);
    assert_eq!(
        (over.code, &*over.stdout),
        (
            Some(1),
            "{\"isValid\":false,\"operatorId\":null,\"clientId\":null,\"expiresAt\":null,\"error\":\"Invalid token\"}\n"
        )
    );
    let calls = shell.chathub.total_calls();
    for input in ["", "\n", "two words", &"t".repeat(9000)] {
        let none = validate(&[], input);
        assert!(
            none.code == Some(1) && none.stderr.contains("this is no token"),
            "{none:?}"
        );
    }
    assert_eq!(shell.chathub.total_calls(), calls);
}

#[rstest]
#[case::unknown(&["--operator", "999"], 1, "ChatHub does not know this\n`open-chat organizations list`")]
#[case::inactive_by_id(&["--operator", "21"], 1, "ChatHub does not permit this\nThe company's account has no right")]
#[case::inactive_by_name(&["--operator", "Inactive Ivan"], 1, "operator 21 is inactive: only an active one gets a token")]
#[case::too_long(&["--operator", "101", "--ttl", "24h"], 2, "not a duration of at most 23h55m")]
#[case::as_an_argument(&["--operator", "101", "--password", "x"], 2, "unexpected argument")]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] words: &str,
) {
    let shell = Shell::start();
    let ended = shell.run(&[&["token", "mint"], arguments].concat());
    assert_eq!((ended.code, &*ended.stdout), (Some(code), ""), "{ended:?}");
    assert!(ended.stderr.contains(words), "{ended:?}");
}

/// Only active operators stand in each other's way, and where there is none, nobody is picked from
/// among the others.
#[rstest]
#[case::one_active_and_one_deleted(&[0, 2], None)]
#[case::two_active_and_one_deleted(&[0, 0, 2], Some(
    "open-chat: 2 operators are called `ann`; give the id of one of them:\n  \
       103  active, Acme Support (24)\n  \
       104  active, Acme Support (24)\n"))]
#[case::one_deleted(&[2], Some(
    "open-chat: operator 103 is deleted: only an active one gets a token; \
     `open-chat operators status 103 --set active` makes it one\n"))]
#[case::one_inactive_and_one_deleted(&[1, 2], Some(
    "open-chat: 2 operators are called `ann`; give the id of one of them:\n  \
       103  inactive, Acme Support (24)\n  \
       104  deleted, Acme Support (24)\n"))]
#[case::nobody(&[], Some(
    "open-chat: there is no operator `ann`: give an id, or the exact name; `open-chat operators list` shows them\n"))]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_by_a_name_that_several_have(
    #[case] statuses: &[u8],
    #[case] refused: Option<&str>,
) {
    let shell = Shell::start();
    let world = shell.chathub.store();
    for status in statuses {
        let added = world.add_operators(&[(24, "Ann".into())]).unwrap();
        world.set_status(added[0], *status);
    }
    let ended = shell.run(&["token", "mint", "--operator", "ann"]);
    assert_eq!(ended.code, Some(i32::from(refused.is_some())));
    assert_eq!(ended.stderr, refused.unwrap_or_default());
}

/// A token of a day is asked for by ChatHub's clock, which may be ahead or behind.
#[rstest]
#[case(900)]
#[case(-900)]
#[tokio::test(flavor = "multi_thread")]
async fn the_longest_token_is_minted_whatever_the_clock_says(#[case] clock_ahead: i64) {
    let shell = Shell::start_with(Rules {
        clock_ahead,
        ..rules()
    });
    shell.prints(&["token", "mint", "--operator", "101", "--ttl", "23h55m"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_says_what_to_do() {
    let shell = Shell::start();
    let list = ["organizations", "list"];
    let canary = ("CHATHUB_PASSWORD", "canary-password-wrong");
    let nowhere = format!("http://{}/", own_address());
    for (variables, code, words) in [
        (
            &[canary][..],
            1,
            "does not accept the company's credentials\nCheck CHATHUB_LOGIN",
        ),
        (
            &[("CHATHUB_PASSWORD", "")],
            78,
            "CHATHUB_PASSWORD: must be set with CHATHUB_LOGIN",
        ),
        (
            &[("CHATHUB_MAX_RATE", "0")],
            78,
            "CHATHUB_MAX_RATE: not a number of requests",
        ),
        (
            &[("CHATHUB_URL", &nowhere)],
            1,
            "no connection: the connection was refused\nCheck host and port of CHATHUB_URL",
        ),
        // Nothing else is read, so nothing else can be wrong.
        (&[("ACCESS", "nonsense"), ("LISTEN", "x")], 0, ""),
    ] {
        let ended = shell.run_with(&list, variables, "");
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(
            ended.stderr.contains(words) && !ended.stderr.contains("canary"),
            "{ended:?}"
        );
    }
    let unknown = shell.run(&["operators", "list", "--organization", "99"]);
    assert!(
        unknown
            .stderr
            .contains("the company has no organization 99"),
        "{unknown:?}"
    );
    let no_id = shell.run(&["operators", "list", "--organization", "Acme"]);
    assert_eq!(no_id.code, Some(2), "{no_id:?}");
}

#[rstest]
#[case(&["check"])]
#[case(&["organizations", "list"])]
#[case(&["operators", "list"])]
#[case(&["operators", "stats"])]
#[case(&["operators", "add"])]
#[case(&["operators", "import"])]
#[case(&["operators", "status"])]
#[case(&["operators", "assign"])]
#[case(&["token", "mint"])]
#[case(&["token", "validate"])]
#[case(&["completions"])]
#[case(&["link"])]
#[case(&["pass", "mint"])]
#[case(&["serve"])]
#[case(&["demo"])]
#[case(&["simulate"])]
#[case(&["health"])]
fn every_command_has_an_example(#[case] command: &[&str]) {
    let ended = run_with_input(&mut open_chat(&[command, &["--help"]].concat(), &[]), "");
    assert_eq!(ended.code, Some(0));
    let example = format!("open-chat {}", command.join(" "));
    let (_, examples) = ended.stdout.rsplit_once("xample").expect("an example");
    assert!(examples.contains(&example), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn shells_complete_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = run_with_input(&mut open_chat(&["completions", shell], &[]), "");
        assert_eq!(ended.code, Some(0));
        for word in ["operators", "assign", "organization"] {
            assert!(ended.stdout.contains(word), "{shell} does not know {word}");
        }
    }
}
