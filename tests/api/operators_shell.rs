//! Finding operators from a shell: by part of a name, by a name that is nearly right, from a file.

use crate::administration::Shell;
use crate::harness::file;
use crate::process::{Running, open_chat, run_with_input};

const LIST: [&str; 2] = ["operators", "list"];

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_found_by_a_part_of_their_name() {
    let shell = Shell::start();
    shell.chathub.store().add_operator(24, "Олена Іваненко");
    let named = |part| shell.prints(&[&LIST[..], &["--name", part]].concat());
    assert_eq!(
        named("ІВАН"),
        "ID   NAME            STATUS  ORGANIZATION\n\
         103  Олена Іваненко  active  Acme Support (24)\n"
    );
    assert_eq!(
        named("john").lines().count(),
        3,
        "John Smith, Sarah Johnson"
    );
    assert_eq!(named("zzz").lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_are_listed_for_a_spreadsheet_and_taken_from_one() {
    let shell = Shell::start();
    let csv = shell.prints(&[&LIST[..], &["--csv", "--organization", "24"]].concat());
    assert_eq!(
        csv,
        "\u{feff}id,name,status,organizationId,organization\n\
         101,John Smith,active,24,Acme Support\n\
         102,Sarah Johnson,active,24,Acme Support\n"
    );
    let both = shell.run(&[&LIST[..], &["--csv", "--json"]].concat());
    assert_eq!(both.code, Some(2), "{both:?}");
    let path = file("operators.csv", &csv);
    let path = path.to_str().unwrap();
    let printed = shell.prints(&["operators", "status", "--csv", path, "--set", "inactive"]);
    assert_eq!(printed.lines().count(), 3, "{printed}");
    let status = |id| shell.chathub.store().operator(id).unwrap().status;
    assert_eq!((status(101), status(102)), (1, 1));

    let bad = file("bad.csv", "id;name\n101;John Smith\nx;Sarah Johnson\n");
    let ended = shell.run(&[
        "operators",
        "status",
        "--csv",
        bad.to_str().unwrap(),
        "--set",
        "active",
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("line 3: `x` is not an operator's id"),
        "{ended:?}"
    );
    assert_eq!(status(101), 1, "nothing was changed");
    let none = file("none.csv", "name\nJohn Smith\n");
    let ended = shell.run(&[
        "operators",
        "status",
        "--csv",
        none.to_str().unwrap(),
        "--set",
        "active",
    ]);
    assert!(
        ended.stderr.contains("there is no column `id`"),
        "{ended:?}"
    );
    let nobody = shell.run(&["operators", "status", "--set", "active"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_nearly_right_is_offered() {
    let shell = Shell::start();
    shell.chathub.store().add_operator(24, "Олена Іваненко");
    for (typed, offered) in [
        ("Олена", "Олена Іваненко (103)"),
        ("Jon Smyth", "John Smith (101)"),
        ("sara johnson", "Sarah Johnson (102)"),
    ] {
        let ended = shell.run(&["operators", "status", typed, "--set", "active"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let words = format!("did you mean {offered}?");
        assert!(ended.stderr.contains(&words), "{words} is not in {ended:?}");
    }
    let ended = shell.run(&["operators", "status", "Zzzzzz", "--set", "active"]);
    assert!(!ended.stderr.contains("did you mean"), "{ended:?}");
}

/// In the order given, and with the id of the one that has the name.
#[tokio::test(flavor = "multi_thread")]
async fn added_operators_are_told_in_the_order_given() {
    let shell = Shell::start();
    let names = ["Ann  Lee", "JOHN smith", "ann lee", "Bob", "О'Ніл", "О’Ніл"];
    let add = ["operators", "add", "--organization", "24"];
    assert_eq!(
        shell.prints(&[&add[..], &names].concat()),
        "ID   NAME        OUTCOME\n\
         103  Ann Lee     added\n\
         101  JOHN smith  exists\n\
         103  ann lee     duplicate\n\
         104  Bob         added\n\
         105  О'Ніл       added\n\
         105  О’Ніл       duplicate\n"
    );
    assert_eq!(shell.chathub.store().operator(103).unwrap().name, "Ann Lee");
}

#[test]
fn the_simulator_prints_what_a_shell_needs() {
    let simulator = Running::start(&mut open_chat(&["simulate", "--port", "0"], &[]), "export");
    let url = simulator.url("/");
    let line =
        format!("export CHATHUB_URL={url} CHATHUB_LOGIN=demo CHATHUB_PASSWORD=demo-password");
    assert!(
        simulator.printed.lines().any(|printed| printed == line),
        "{}",
        simulator.printed
    );
    let mut sh = std::process::Command::new("/bin/sh");
    sh.args([
        "-c",
        &format!("{line}; exec \"$0\" organizations list"),
        env!("CARGO_BIN_EXE_open-chat"),
    ]);
    let ended = run_with_input(&mut sh, "");
    assert!(ended.stdout.contains("Acme Support"), "{ended:?}");
    let chosen = [
        "simulate",
        "--port",
        "0",
        "--password",
        "canary-simulated-password",
    ];
    let simulator = Running::start(&mut open_chat(&chosen, &[]), "export");
    assert!(
        simulator
            .printed
            .contains("CHATHUB_LOGIN=demo CHATHUB_PASSWORD= #"),
        "{}",
        simulator.printed
    );
    assert!(!simulator.printed.contains("canary"));
}
