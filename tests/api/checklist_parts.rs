//! `open-chat check` and the start, about what stands beside ChatHub: files, the operator map,
//! Redis, ready links. Each of them can be wrong while every setting is well-formed.

use crm_simulator::Simulator;
use crm_simulator::bitrix24::Portal;
use rstest::rstest;

use crate::administration::Shell;
use crate::harness::{Problem, Service, file, rules};
use crate::process::{Ended, open_chat, run};
use crate::redis::Redis;

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

fn check(shell: &Shell, variables: &[(&str, &str)]) -> Ended {
    let variables = [&[("ACCESS", "open")], variables].concat();
    shell.run_with(&["check"], &variables, "")
}

fn assert_says(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.stdout.contains(word), "{word} is not in {ended:?}");
    }
    assert!(!ended.stdout.contains("canary"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_that_lead_nowhere_are_named() {
    let shell = Shell::start();
    let map = file(
        "check-map.toml",
        "\"ann@example.com\" = 9999\n\"bob@example.com\" = \"No Such Name\"\n\"cid\" = 101\n\"dan\" = \"Inactive Ivan\"\n\"eve\" = \"auto:24\"\n",
    );
    let map = ("OPERATOR_MAP_FILE", map.to_str().unwrap());
    assert_says(
        &check(&shell, &[map]),
        1,
        &[
            "FAILED   operator map   5 aliases, 4 lead to nobody who can open a chat: \
             `ann@example.com` = 9999 (no such operator), \
             `bob@example.com` = No Such Name (no such operator), \
             `dan` = Inactive Ivan (inactive), `eve` = auto:24 (OPERATOR_AUTO is off)",
        ],
    );
    let good = file(
        "check-map-good.toml",
        "\"cid\" = 101\n\"eve\" = \"auto:24\"\n",
    );
    let good = ("OPERATOR_MAP_FILE", good.to_str().unwrap());
    let ended = check(&shell, &[good, ("OPERATOR_AUTO", "on")]);
    assert_says(
        &ended,
        0,
        &["ok       operator map   2 aliases, each leads to an operator"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_does_not_answer_is_found_out() {
    let shell = Shell::start();
    let nowhere = [("REDIS_URL", "redis://:canary@127.0.0.1:1/0")];
    assert_says(&check(&shell, &nowhere), 1, &["FAILED   redis"]);
}

#[rstest]
#[case::no_address(&[("ACCESS", "pass,key"), ("PASS_SECRET", SECRET)], "PUBLIC_URL is not set")]
#[case::no_key(&[("ACCESS", "open,key"), ("PUBLIC_URL", "https://chat.example")], "no key can sign")]
#[case::no_pass(&[("ACCESS", "key"), ("PUBLIC_URL", "https://chat.example"), ("PASS_SECRET", SECRET)], "ACCESS has no `pass`")]
#[tokio::test(flavor = "multi_thread")]
async fn links_that_cannot_be_made_are_said(
    #[case] variables: &[(&str, &str)],
    #[case] words: &str,
) {
    let shell = Shell::start();
    let keys = file("check-api-keys.toml", "");
    // `printf canary-api-key | sha256sum`
    std::fs::write(
        &keys,
        "[[key]]\nname = \"odoo\"\nsha256 = \"98b0b8bd8cc0fa1c53f5a7a2cd08ed0d3f2fb9ffe6d0ad7c4c1b7bdb0d3a7d10\"\n",
    )
    .unwrap();
    let variables = [variables, &[("API_KEYS_FILE", keys.to_str().unwrap())]].concat();
    let ended = check(&shell, &variables);
    assert_says(&ended, 0, &["warning  links          POST /links", words]);
    // The address is no machine's, so the start ends after it has said what it has to say.
    let start = [
        &[
            ("CHATHUB_LOGIN", "acme"),
            ("CHATHUB_PASSWORD", "canary-password"),
            ("LISTEN", "192.0.2.1:9"),
        ],
        &variables[..],
    ]
    .concat();
    let (_, text) = run(&mut open_chat(&["serve"], &start));
    assert!(text.contains(words), "{words} is not in {text}");
}

const DEVICE: [(&str, &str); 3] = [
    ("ACCESS", "device"),
    ("PUBLIC_URL", "https://chat.example"),
    (
        "DEVICE_SECRET",
        "canary-device-secret-of-more-than-32-bytes",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_once_means_for_invitations_is_said() {
    let shell = Shell::start();
    let line = "ok       devices        browsers are paired at https://chat.example/pair";
    let words =
        "REDIS_URL is not set: an invitation to pair a browser is good once in each replica";
    let ended = check(&shell, &DEVICE);
    assert_says(&ended, 0, &[line, "warning  devices        ", words]);
    let redis = Redis::start();
    let ended = check(
        &shell,
        &[&DEVICE[..], &[("REDIS_URL", &redis.url())]].concat(),
    );
    assert_says(&ended, 0, &[line]);
    assert!(!ended.stdout.contains("warning  devices"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connectors_are_named_with_what_is_doubtful() {
    let shell = Shell::start();
    let text = "[[kommo]]\naccounts = [\"acme.kommo.com\"]\nsecret = \"canary-kommo-0123456789\"\n\
                [[kommo]]\naccounts = [\"other.kommo.com\"]\nsecret = \"canary-other-0123456789\"\nprefix = \"other-\"\n\
                [hubspot]\nportals = [12345]\napp_id = 9\nclient_secret = \"canary-hubspot-0123456789\"\nby_email = true\n";
    let connectors = file("check-connectors.toml", text);
    let map = file("check-connectors-map.toml", "\"kommo-5\" = 101\n");
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
        ("PUBLIC_URL", "https://chat.example/desk"),
        ("CONNECTORS_FILE", connectors.to_str().unwrap()),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    let ended = check(&shell, &variables);
    let words = [
        "ok       connectors     requests count of kommo acme.kommo.com, kommo other.kommo.com, hubspot 12345",
        "kommo other.kommo.com: OPERATOR_MAP_FILE has none of its agents",
        "\"other-5\" = 101",
        "hubspot 12345: agents are known by e-mail address too",
        "PUBLIC_URL has a path",
        "warning  connectors     REDIS_URL is not set: what a CRM proves for one use",
    ];
    assert_says(&ended, 0, &words);
    assert!(
        !ended.stdout.contains("acme.kommo.com: OPERATOR_MAP_FILE"),
        "{ended:?}"
    );
    assert!(!ended.stdout.contains("canary"), "{ended:?}");
    let redis = Redis::start();
    let ended = check(
        &shell,
        &[&variables[..], &[("REDIS_URL", &redis.url())]].concat(),
    );
    assert_says(&ended, 0, &words[..1]);
    assert!(!ended.stdout.contains("REDIS_URL is not set"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn portals_that_cannot_be_asked_are_found_out() {
    let shell = Shell::start();
    let (portal, other) = (Portal::start().unwrap(), Simulator::start().unwrap());
    let section = |origin: &str| {
        format!(
            "[bitrix24]\nportals = [\"{origin}\"]\nclient_id = \"local.64d1000000000.00000000\"\n"
        )
    };
    for (origin, code, words) in [
        (
            portal.origin(),
            0,
            format!(
                "ok       connectors     bitrix24 {} answers; whether `client_id` is right",
                portal.domain()
            ),
        ),
        (
            other.origin(),
            1,
            format!(
                "FAILED   connectors     bitrix24 {}: what answers there is no portal",
                other.host()
            ),
        ),
        (
            "http://127.0.0.1:1".to_owned(),
            1,
            "FAILED   connectors     bitrix24 127.0.0.1:1 cannot be asked: no connection: the connection was refused".to_owned(),
        ),
    ] {
        let connectors = file("check-portals.toml", &section(&origin));
        let variables = [
            ("ACCESS", "pass"),
            ("PASS_SECRET", SECRET),
            ("PUBLIC_URL", "https://chat.example"),
            ("CONNECTORS_FILE", connectors.to_str().unwrap()),
        ];
        assert_says(&check(&shell, &variables), code, &[&words]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_lies_ahead_is_warned_of() {
    let shell = Shell::start();
    let revoked = "[[revoked]]\noperator = 101\nbefore = 2020-01-01T00:00:00Z\n\
                   [[revoked]]\nbefore = 2099-12-31T22:00:00-02:00\n";
    let revoked = file("check-revoked.toml", revoked);
    let revoked = [("DEVICES_REVOKED_FILE", revoked.to_str().unwrap())];
    let ended = check(&shell, &[&DEVICE[..], &revoked].concat());
    let words = "DEVICES_REVOKED_FILE has `before = 2100-01-01T00:00:00Z`, which lies ahead";
    assert_says(&ended, 0, &[words]);
    assert!(!ended.stdout.contains("2020-01-01"), "{ended:?}");
}

/// All of them at once, not the first.
#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_cannot_be_read_is_named() {
    let shell = Shell::start();
    let variables = [
        ("ACCESS", "pass,key"),
        ("PASS_KEYS_FILE", "/nowhere/keys.toml"),
        ("API_KEYS_FILE", "/nowhere/api.toml"),
        ("OPERATOR_MAP_FILE", "/nowhere/map.toml"),
        ("REDIS_URL_FILE", "/nowhere/redis"),
        ("LOGO_FILE", "/nowhere/logo.png"),
    ];
    let named = [
        "PASS_KEYS_FILE: the file /nowhere/keys.toml cannot be used",
        "API_KEYS_FILE: the file /nowhere/api.toml cannot be used",
        "OPERATOR_MAP_FILE: the file /nowhere/map.toml cannot be used",
        "REDIS_URL: the file /nowhere/redis cannot be used",
        "LOGO_FILE: the file /nowhere/logo.png cannot be used",
    ];
    assert_says(&check(&shell, &variables), 1, &named);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_quotes_is_warned_of() {
    let shell = Shell::start();
    let quoted = [
        (
            "PASS_SECRET",
            "\"canary-pass-secret-of-more-than-32-bytes\"",
        ),
        ("ACCESS", "pass"),
    ];
    let words = "PASS_SECRET begins and ends with a quotation mark";
    assert_says(
        &check(&shell, &quoted),
        0,
        &["warning  configuration", words],
    );
    let start = [
        &quoted[..],
        &[
            ("CHATHUB_LOGIN", "acme"),
            ("CHATHUB_PASSWORD", "'canary-password'"),
            ("LISTEN", "192.0.2.1:9"),
        ],
    ]
    .concat();
    let (_, text) = run(&mut open_chat(&["serve"], &start));
    assert!(text.contains(words), "{text}");
    assert!(text.contains("CHATHUB_PASSWORD begins and ends"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

/// A file that was written on Windows or pasted into: the service starts, and what cannot be seen
/// is named.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_show_around_a_setting_is_left_out_or_warned_of() {
    let shell = Shell::start();
    let file = file(
        "check-pass",
        "«canary-pass-secret-of-more-than-32-bytes»\r\n",
    );
    let path = format!("{} \r", file.display());
    let words = [
        "warning  configuration  CHATHUB_LOGIN begins or ends with white space or an invisible",
        "warning  configuration  PASS_SECRET begins and ends with a quotation mark",
    ];
    let variables = [
        ("ACCESS", "pass\r"),
        ("PASS_SECRET_FILE", &path),
        ("PUBLIC_URL", "https://chat.example\r"),
        ("CHATHUB_LOGIN", "acme\r"),
    ];
    // ChatHub does not know a login with such an end.
    assert_says(&check(&shell, &variables), 1, &words);
    assert_says(&check(&shell, &variables[..3]), 0, &words[1..]);
}

/// The map is at fault, and not the link.
#[rstest]
#[case::no_such_id("ann")]
#[case::no_such_name("bob")]
#[tokio::test(flavor = "multi_thread")]
async fn a_click_by_an_alias_that_leads_nowhere_blames_the_map(#[case] alias: &str) {
    let map = file(
        "astray-map.toml",
        "\"ann\" = 9999\n\"bob\" = \"No Such Name\"\n",
    );
    let map = [("OPERATOR_MAP_FILE", map.to_str().unwrap())];
    let service = Service::start_with(rules(), &map).await;
    let query = format!("operator={alias}&phone=0501234567");
    let problem: Problem = service.refusal(&query).await;
    assert_eq!(problem.kind, "operator-unknown");
    assert!(
        problem.detail.contains("OPERATOR_MAP_FILE"),
        "{}",
        problem.detail
    );
    let page = service.request(&format!("/open-chat?{query}"));
    let page = page
        .header("Accept", "text/html")
        .header("Accept-Language", "uk");
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("OPERATOR_MAP_FILE"), "{page}");
    let other = service.refusal("operator=9999&phone=0501234567").await;
    assert!(
        !other.detail.contains("OPERATOR_MAP_FILE"),
        "{}",
        other.detail
    );
}

#[rstest]
#[case::dotted(
    "\"ann\" = 101\njohn.smith = 101\n",
    "line 2: a name with a dot in it must be in quotes"
)]
#[case::section(
    "[operators]\n\"ann\" = 101\n",
    "and there are no sections, such as [operators]"
)]
#[case::kind("\"ann\" = 101\n\n\"bob\" = [1]\n", "line 3")]
#[case::syntax("\"ann\" = 101\nbob =\n", "line 2")]
fn an_operator_map_that_cannot_be_read_says_where_and_what(
    #[case] text: &str,
    #[case] words: &str,
) {
    let map = file(&format!("unreadable-map-{}.toml", text.len()), text);
    let variables = [
        ("ACCESS", "open"),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", "canary-p"),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    let (code, said) = run(&mut open_chat(&["serve"], &variables));
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains(words), "{words} is not in {said}");
    assert!(!said.contains("untagged"), "{said}");
}

#[rstest]
#[case::unknown(
    "[[key]]\nid = \"crm\"\nalgoritm = \"HS256\"\n",
    "line 3: there is no `algoritm` in this place: a key begins with [[key]]; docs/security.md"
)]
#[case::no_head(
    "id = \"crm\"\nalgorithm = \"HS256\"\n",
    "line 2: there is no `algorithm` in this place: a key begins with [[key]]"
)]
#[case::half_a_head("[key]\nid = \"crm\"\n", "line 1: a key begins with [[key]], and")]
#[case::missing("[[key]]\nid = \"crm\"\n", "line 1: `algorithm` is missing")]
#[case::a_value(
    "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret = 1234567890123\n",
    "line 4: `secret` is not what it should be"
)]
#[case::syntax("[[key]]\nid = \"crm\"\nsecret = canary-secret\n", "line 3")]
fn pass_keys_that_cannot_be_read_say_where_and_what(#[case] text: &str, #[case] words: &str) {
    let keys = file(&format!("unreadable-keys-{}.toml", text.len()), text);
    let variables = [
        ("ACCESS", "pass"),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", "canary-p"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let (code, said) = run(&mut open_chat(&["serve"], &variables));
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains(words), "{words} is not in {said}");
    assert!(
        !said.contains("canary") && !said.contains("1234567890123"),
        "{said}"
    );
}

#[test]
fn a_private_key_is_no_public_key_file() {
    let pem = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n";
    let pem = file("private-as-public.pem", pem);
    let keys = format!(
        "[[key]]\nid = \"crm\"\nalgorithm = \"EdDSA\"\npublic_key_file = \"{}\"\n",
        pem.display()
    );
    let keys = file("private-as-public.toml", &keys);
    let variables = [
        ("ACCESS", "pass"),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", "canary-p"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let (code, said) = run(&mut open_chat(&["serve"], &variables));
    assert_eq!(code, Some(78), "{said}");
    assert!(
        said.contains("key `crm`: public_key_file is a private key"),
        "{said}"
    );
}
