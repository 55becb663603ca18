//! The examples of `docs/signing/` sign passes that the service takes, each in its own language.

use std::path::{Path, PathBuf};
use std::process::Command;

use rstest::rstest;

use crate::harness::{PANEL, Service, header, rules};
use crate::process;

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/signing")
        .join(name)
}

/// What the example prints. A missing runtime fails the test: `tests/setup.sh` installs each.
fn signed(command: &mut Command, arguments: &[&str]) -> String {
    command.args(arguments).env("PASS_SECRET", SECRET);
    let (code, pass) = process::run(command);
    assert_eq!(code, Some(0), "{command:?}");
    pass.trim().to_owned()
}

fn runtime(program: &str, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(example(name));
    command
}

fn compiled() -> Command {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("Sign.exe");
    let out = format!("-out:{}", program.display());
    let source = example("Sign.cs");
    let (code, text) = process::run(Command::new("mcs").arg(out).arg(source));
    assert_eq!(code, Some(0), "{text}");
    let mut command = Command::new("mono");
    command.arg(program);
    command
}

#[rstest]
#[case::php(|| runtime("php", "sign.php"))]
#[case::python(|| runtime("python3", "sign.py"))]
#[case::node(|| runtime("node", "sign.js"))]
#[case::c_sharp(compiled)]
#[tokio::test(flavor = "multi_thread")]
async fn each_language_signs_passes_that_open_chats(#[case] example: fn() -> Command) {
    let map = crate::harness::file("signing-map.toml", "'Оля \"O\\' = 102\n");
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;

    let pass = signed(&mut example(), &["101"]);
    let click = service
        .click(&format!("phone=0671234567&pass={pass}"))
        .await;
    assert_eq!(click.status(), 302);

    // Quotes, backslashes and letters of other alphabets are not taken apart, and the phone is
    // fixed.
    let pass = signed(&mut example(), &["Оля \"O\\", "+380501234567"]);
    let click = service.click(&format!("pass={pass}")).await;
    assert_eq!(click.status(), 302);
    let expected = format!("{PANEL}?phone=%2B380501234567&token=");
    assert!(header(&click, "location").starts_with(&expected));
    let other = service
        .refusal(&format!("phone=0671234567&pass={pass}"))
        .await;
    assert_eq!(other.kind, "pass-mismatch");

    // A client without a phone in the CRM: the pass is good, and the advice is about the phone, not
    // the keys.
    for blank in ["", " "] {
        let pass = signed(&mut example(), &["101", blank]);
        let nobody = service.refusal(&format!("pass={pass}")).await;
        assert_eq!(nobody.kind, "target-missing", "{blank:?}");
    }
}

/// What a reader copies is what was run.
#[test]
fn the_guide_shows_the_examples_as_they_are() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/programmers.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let examples = [
        "sign.php", "sign.py", "sign.js", "Sign.cs", "Sign.cls", "sign.bsl",
    ];
    for name in examples {
        let text = std::fs::read_to_string(example(name)).unwrap();
        assert!(
            guide.contains(&text),
            "docs/programmers.md does not show {name}"
        );
    }
    let files = std::fs::read_dir(example("")).unwrap().count();
    assert_eq!(files, examples.len());
}
