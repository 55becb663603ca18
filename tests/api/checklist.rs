//! `open-chat check`: it tells a right set-up from each of the wrong ones, and says what to do.

use chathub_simulator::{Endpoint, Fault, Rules};
use rstest::rstest;
use serde_json::Value;

use crate::administration::Shell;
use crate::harness::{own_address, rules};
use crate::process::Ended;

const OPEN: (&str, &str) = ("ACCESS", "open");

fn check(shell: &Shell, variables: &[(&str, &str)]) -> Ended {
    shell.run_with(&["check"], &[&[OPEN], variables].concat(), "")
}

/// The outcomes for scripts, in order: `clock ok`.
fn outcomes(shell: &Shell, variables: &[(&str, &str)]) -> Vec<String> {
    let variables = [&[OPEN], variables].concat();
    let ended = shell.run_with(&["check", "--json"], &variables, "");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        report["ok"].as_bool(),
        Some(ended.code == Some(0)),
        "{ended:?}"
    );
    let line = |finding: &Value| {
        let [check, outcome] = ["check", "outcome"].map(|name| finding[name].as_str().unwrap());
        format!("{check} {outcome}")
    };
    report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

fn assert_says(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.stdout.contains(word), "{word} is not in {ended:?}");
    }
    assert!(
        !ended.stdout.contains("canary") && !ended.stdout.contains("eyJ"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_set_up() {
    let shell = Shell::start();
    shell.chathub.store().set_status(21, 0);
    let ended = check(&shell, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "ok       configuration  every setting is good\n\
         ok       chathub        it answers, and accepts the credentials\n\
         ok       clock          it agrees with ChatHub's\n\
         ok       organizations  2\n\
         ok       operators      Acme Sales (6): 1 of 2 active\n\
         ok       operators      Acme Support (24): 2 of 2 active\n\
         ok       token          minted for operator 21 Inactive Ivan, and valid\n"
    );
    assert_eq!(
        outcomes(&shell, &[]),
        [
            "configuration ok",
            "chathub ok",
            "clock ok",
            "organizations ok",
            "operators ok",
            "operators ok",
            "token ok"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password() {
    let shell = Shell::start();
    let wrong = [("CHATHUB_PASSWORD", "canary-password-wrong")];
    assert_says(
        &check(&shell, &wrong),
        1,
        &[
            "FAILED   chathub        ChatHub does not accept the company's credentials",
            "→ Check CHATHUB_LOGIN and CHATHUB_PASSWORD",
            "skipped  token",
        ],
    );
    assert_eq!(
        shell.chathub.calls(Endpoint::CompanyToken),
        1,
        "accounts get locked"
    );
    assert_eq!(
        outcomes(&shell, &wrong),
        [
            "configuration ok",
            "chathub failed",
            "clock skipped",
            "organizations skipped",
            "operators skipped",
            "token skipped"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_url() {
    for fault in [
        Fault::Status(404),
        Fault::Status(405),
        Fault::Body("<html>Welcome to nginx</html>".into()),
        Fault::Redirect("https://www.example/".into()),
    ] {
        let shell = Shell::start();
        shell.chathub.always(Endpoint::CompanyToken, Some(fault));
        assert_says(
            &check(&shell, &[]),
            1,
            &[
                "FAILED   chathub        ChatHub's answer makes no sense",
                "→ Check CHATHUB_URL: something that is not ChatHub answers there",
            ],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_answer() {
    let shell = Shell::start();
    let nowhere = format!("http://{}/", own_address());
    assert_says(
        &check(&shell, &[("CHATHUB_URL", &nowhere)]),
        1,
        &[
            "FAILED   chathub        ChatHub is unavailable: no connection: the connection was refused (127.",
            "→ Check host and port of CHATHUB_URL",
        ],
    );
    assert_eq!(shell.chathub.total_calls(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_key_that_is_wrong_and_an_address_that_is() {
    let shell = Shell::start();
    let key = [
        ("CHATHUB_LOGIN", ""),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_API_KEY", "canary-key-wrong"),
    ];
    assert_says(
        &check(&shell, &key),
        1,
        &["FAILED   chathub        ChatHub does not accept"],
    );
    shell
        .chathub
        .always(Endpoint::Organizations, Some(Fault::Status(404)));
    assert_says(
        &check(&shell, &key),
        1,
        &["FAILED   chathub", "→ Check CHATHUB_URL"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_without_operators() {
    let shell = Shell::start();
    shell.chathub.store().add_organization(30, "Acme New");
    assert_says(
        &check(&shell, &[]),
        0,
        &[
            "warning  operators      Acme New (30) has no operators",
            "→ `open-chat operators add --organization 30 NAME…` adds them",
            "warning  operators      Acme Sales (6): none of 2 is active",
            "ok       token",
        ],
    );
    for id in [101, 102] {
        shell.chathub.store().set_status(id, 1);
    }
    let nobody = check(&shell, &[]);
    assert_says(
        &nobody,
        1,
        &["FAILED   token          no organization has an active operator"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_five_minutes_off() {
    for (clock_ahead, words) in [(300, "behind ChatHub"), (-300, "ahead of ChatHub")] {
        let shell = Shell::start_with(Rules {
            clock_ahead,
            ..rules()
        });
        let ended = check(&shell, &[]);
        assert_says(
            &ended,
            0,
            &[
                "warning  clock",
                words,
                "→ Set the clock by NTP",
                "ok       token",
            ],
        );
        // Half of the time that an answer took is not known.
        let minutes = ["4m", "5m"];
        assert!(
            minutes.iter().any(|text| ended.stdout.contains(text)),
            "{ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration() {
    let shell = Shell::start();
    let wrong = [("ACCESS", "pass"), ("TOKEN_TTL", "x")];
    assert_says(
        &check(&shell, &wrong),
        1,
        &[
            "FAILED   configuration  PASS_SECRET: must be set for ACCESS=pass",
            "FAILED   configuration  TOKEN_TTL: not a duration",
            concat!(
                env!("CARGO_PKG_REPOSITORY"),
                "/docs/settings.md has every setting"
            ),
            // ChatHub's own settings are good, so it is tried all the same.
            "ok       chathub",
            "ok       token",
        ],
    );
    let half = check(&shell, &[("CHATHUB_LOGIN", "")]);
    assert_says(
        &half,
        1,
        &[
            "FAILED   configuration  CHATHUB_LOGIN: must be set",
            "skipped  chathub",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_chathub_does_not_take() {
    let shell = Shell::start();
    shell
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(500)));
    assert_says(
        &check(&shell, &[]),
        1,
        &["FAILED   token          operator 101 John Smith: ChatHub is unavailable: status 500"],
    );
    shell.chathub.always(
        Endpoint::OperatorToken,
        Some(Fault::Body("\"nonsense\"".into())),
    );
    assert_says(
        &check(&shell, &[]),
        1,
        &[
            "FAILED   token          operator 101 John Smith: ChatHub's answer makes no sense: what should be a token is no JWT",
        ],
    );
    // A JWT, which ChatHub has not signed.
    shell.chathub.always(
        Endpoint::OperatorToken,
        Some(Fault::Body(
            "\"eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl\"".into(),
        )),
    );
    assert_says(
        &check(&shell, &[]),
        1,
        &[
            "FAILED   token          minted for operator 101 John Smith, but ChatHub does not take it: Invalid token",
        ],
    );
    shell.chathub.always(Endpoint::OperatorToken, None);
    shell.chathub.always(
        Endpoint::ValidateToken,
        Some(Fault::Body(r#"{"isValid":true,"operatorId":102}"#.into())),
    );
    assert_says(
        &check(&shell, &[]),
        1,
        &[
            "FAILED   token          operator 101 John Smith: ChatHub's answer makes no sense: the token in it is for another operator",
        ],
    );
}

#[rstest]
#[case::not_permitted(Fault::Status(403), "ChatHub does not permit this")]
#[case::empty(Fault::Body("[]".into()), "the company has none")]
#[tokio::test(flavor = "multi_thread")]
async fn organizations_that_are_none(#[case] fault: Fault, #[case] words: &str) {
    let shell = Shell::start();
    shell.chathub.always(Endpoint::Organizations, Some(fault));
    let line = format!("FAILED   organizations  {words}");
    let skipped = ["skipped  operators", "skipped  token"];
    assert_says(&check(&shell, &[]), 1, &[&*line, skipped[0], skipped[1]]);
    assert_eq!(shell.chathub.calls(Endpoint::Operators), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_do_not_come() {
    let shell = Shell::start();
    let broken = Some(Fault::Status(403));
    shell.chathub.always(Endpoint::Operators, broken);
    assert_says(
        &check(&shell, &[]),
        1,
        &[
            "FAILED   operators      Acme Sales (6): ChatHub does not permit this",
            "FAILED   operators      Acme Support (24): ChatHub does not permit this",
            "skipped  token",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sso_without_a_secret_says_what_it_relies_on() {
    let shell = Shell::start();
    let sso = [
        ("ACCESS", "sso"),
        ("SSO_HEADER", "X-Auth-Request-Email"),
        ("TRUSTED_PROXIES", "192.0.2.7, 192.0.2.8"),
    ];
    assert_says(
        &check(&shell, &sso),
        0,
        &[
            "warning  configuration  SSO_PROXY_SECRET is not set: any program that can send requests from 192.0.2.7, 192.0.2.8 (TRUSTED_PROXIES) can name any agent in X-Auth-Request-Email",
            "→ Set SSO_PROXY_SECRET",
            "ok       configuration  every setting is good",
        ],
    );
    let with_secret = [&sso[..], &[("SSO_PROXY_SECRET", "canary-proxy-secret")]].concat();
    let ended = check(&shell, &with_secret);
    assert!(!ended.stdout.contains("SSO_PROXY_SECRET"), "{ended:?}");
}
