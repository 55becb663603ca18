//! The log for people, as the running program writes it: a line says what the service says,
//! whatever a caller is called.

use std::io::{BufRead as _, BufReader, Read as _};

use chathub_simulator::Simulator;

use crate::harness::{PASSWORD, rules};
use crate::process::{interrupt, open_chat, piped};
use crate::serving::Serving;

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_forges_no_field_and_hides_nothing() {
    let chathub = Simulator::start(rules()).unwrap();
    let url = chathub.url();
    let variables = [
        ("ACCESS", "sso"),
        ("SSO_HEADER", "X-User"),
        (
            "SSO_PROXY_SECRET",
            "canary-proxy-secret-of-32-bytes-or-more",
        ),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("LISTEN", "127.0.0.1:0"),
        ("LOG_FORMAT", "text"),
        ("CHATHUB_URL", &url),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", PASSWORD),
    ];
    let mut child = piped(&mut open_chat(&["serve"], &variables));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut log = String::new();
    let port = loop {
        let start = log.len();
        assert_ne!(output.read_line(&mut log).unwrap(), 0, "{log}");
        if let Some((_, address)) = log[start..].split_once("listen=127.0.0.1:") {
            break address.split_once(' ').unwrap().0.to_owned();
        }
    };
    for identity in [
        "a outcome=redirect caller=sso:boss operator=101",
        "eve\" operator=\"101",
        "eve\u{202e}gro.elpmaxe\u{2028}x",
        "Zoë",
    ] {
        let answer = reqwest::Client::new()
            .get(format!(
                "http://127.0.0.1:{port}/open-chat?phone=0501234567"
            ))
            .header("X-User", identity.as_bytes())
            .header("X-Proxy-Secret", "canary-proxy-secret-of-32-bytes-or-more")
            .send()
            .await
            .unwrap();
        assert_ne!(answer.status(), 302);
    }
    interrupt(&child);
    output.read_to_string(&mut log).unwrap();
    assert!(child.wait().unwrap().success());
    for words in [
        r#" caller="sso:a outcome=redirect caller=sso:boss operator=101""#,
        r#" caller="sso:eve\" operator=\"101""#,
        r#" caller="sso:eve\u202egro.elpmaxe\u2028x""#,
        " caller=sso:Zoë",
    ] {
        assert!(log.contains(words), "{words} is not in\n{log}");
    }
    assert!(!log.contains("canary"), "{log}");
}

/// `open_chat::request=off` leaves out the line a click, and no other; with a collector or without.
#[tokio::test(flavor = "multi_thread")]
async fn the_line_a_click_can_be_turned_off() {
    const CLICK: &str = "/open-chat?operator=101&phone=0501234567";
    let chathub = Simulator::start(rules()).unwrap();
    for format in ["json", "text"] {
        for collector in ["", "http://127.0.0.1:9"] {
            for (filter, lines) in [
                ("info", 3),
                ("info,open_chat::request=off", 0),
                ("info,open_chat::request=warn", 0),
            ] {
                let variables = [
                    ("RUST_LOG", filter),
                    ("LOG_FORMAT", format),
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", collector),
                ];
                let serving = Serving::start(&chathub, &variables).await;
                serving.is_ready().await;
                for _ in 0..3 {
                    assert_eq!(serving.ask(CLICK).await.0, 302);
                }
                let log = serving.end();
                let clicks = log.matches("redirect").count();
                assert_eq!(clicks, lines, "{filter} {format} {collector}\n{log}");
                assert!(log.contains("ready: ChatHub has accepted"), "{log}");
            }
        }
    }
}
