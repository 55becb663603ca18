//! Ready links: for back ends that cannot sign, and from a shell.

use std::sync::OnceLock;

use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{PANEL, Problem, Service, file, header, log_line, rules};
use crate::process::{self, open_chat};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";
const PUBLIC_URL: &str = "https://chat.example";

/// `printf %s canary-api-key | sha256sum`
pub const API_KEY_SHA256: &str = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";

async fn service(variables: &[(&str, &str)]) -> Service {
    let text =
        format!("[[key]]\nname = \"odoo\"\nsha256 = \"{API_KEY_SHA256}\"\noperators = [101]\n");
    let keys = file("api-keys.toml", &text);
    let mut all = vec![
        ("ACCESS", "pass,key"),
        ("PASS_SECRET", SECRET),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("PUBLIC_URL", PUBLIC_URL),
    ];
    all.extend(variables);
    Service::start_with(rules(), &all).await
}

/// Asks for a link with an API key.
pub async fn post(service: &Service, key: &str, body: &Value) -> Response {
    reqwest::Client::new()
        .post(format!("{}/links", service.url()))
        .header("Authorization", format!("Bearer {key}"))
        .body(body.to_string())
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_back_end_gets_a_link_that_opens_this_chat_and_no_other() {
    let service = service(&[]).await;
    let wanted = json!({"operator": 101, "phone": "050 123 45 67", "source": "viber", "from": "Acme", "ttl": "5m", "once": true});
    let response = post(&service, "canary-api-key", &wanted).await;
    assert_eq!(response.status(), 201);
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(
        (&line["message"], &line["caller"], &line["operator"]),
        (&json!("link"), &json!("key:odoo"), &json!(101))
    );
    let link: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let ends = chrono::DateTime::parse_from_rfc3339(link["expires_at"].as_str().unwrap()).unwrap();
    let left = ends.to_utc() - chrono::Utc::now();
    assert!((1..=300).contains(&left.num_seconds()), "{left}");
    let url = link["url"].as_str().unwrap();
    let query = url.strip_prefix("https://chat.example/open-chat?").unwrap();

    assert_eq!(
        service
            .refusal(&format!("{query}&phone=0671234567"))
            .await
            .kind,
        "pass-mismatch"
    );
    assert_eq!(
        service.refusal(&format!("{query}&operator=102")).await.kind,
        "pass-mismatch"
    );
    let click = service.click(query).await;
    let expected = format!("{PANEL}?source=0&from=Acme&phone=%2B380501234567&token=");
    assert!(header(&click, "location").starts_with(&expected));
    assert_eq!(service.refusal(query).await.kind, "pass-used");

    // The next link is another one, and not used up with the first.
    let link = post(&service, "canary-api-key", &wanted).await;
    let link: Value = serde_json::from_str(&link.text().await.unwrap()).unwrap();
    let (_, query) = link["url"].as_str().unwrap().split_once('?').unwrap();
    let click = service.click(query).await;
    assert!(header(&click, "location").starts_with(&expected));
}

#[rstest]
#[case::no_key("", json!({"operator": 101, "phone": "0501234567"}), 401, "api-key-invalid")]
#[case::a_wrong_key("canary-api-guess", json!({"operator": 101, "phone": "0501234567"}), 401, "api-key-invalid")]
#[case::another_s_operator("canary-api-key", json!({"operator": 102, "phone": "0501234567"}), 403, "operator-not-allowed")]
#[case::no_operator("canary-api-key", json!({"operator": "", "phone": "0501234567"}), 400, "operator-missing")]
#[case::an_unknown_operator("canary-api-key", json!({"operator": "ann", "phone": "0501234567"}), 403, "operator-not-allowed")]
#[case::no_target("canary-api-key", json!({"operator": 101}), 400, "target-missing")]
#[case::a_bad_phone("canary-api-key", json!({"operator": 101, "phone": 12345}), 400, "phone-invalid")]
#[case::a_bad_source("canary-api-key", json!({"operator": 101, "phone": "0501234567", "source": 8}), 400, "source-invalid")]
#[case::a_bad_ttl("canary-api-key", json!({"operator": 101, "phone": "0501234567", "ttl": "soon"}), 400, "parameter-invalid")]
#[case::too_long("canary-api-key", json!({"operator": 101, "phone": "0501234567", "ttl": "25h"}), 400, "parameter-invalid")]
#[case::neither_text_nor_number("canary-api-key", json!({"operator": 101, "phone": ["0501234567"]}), 400, "parameter-invalid")]
#[case::a_control_character("canary-api-key", json!({"operator": 101, "phone": "0501234567", "from": "a\r\nb"}), 400, "parameter-invalid")]
#[case::unknown_fields("canary-api-key", json!({"operator": 101, "fone": "0501234567"}), 400, "parameter-invalid")]
#[case::no_object("canary-api-key", json!("101"), 400, "parameter-invalid")]
#[case::a_list("canary-api-key", json!([101, "0501234567", null, null, null, "10m", false, false]), 400, "parameter-invalid")]
#[case::too_much("canary-api-key", json!({"operator": 101, "from": "a".repeat(20_000)}), 400, "parameter-invalid")]
#[tokio::test]
async fn a_wrong_request_gets_no_link(
    #[case] key: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] kind: &str,
) {
    let service = service(&[]).await;
    let calls = service.chathub.total_calls();
    let problem = Problem::read(post(&service, key, &body).await).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (status, kind),
        "{}",
        problem.detail
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

#[tokio::test]
async fn what_opens_panels_makes_no_links() {
    let service = service(&[]).await;
    let environment = [("PASS_SECRET", SECRET)];
    let (code, pass) = process::run(&mut open_chat(
        &["pass", "mint", "--operator", "101"],
        &environment,
    ));
    assert_eq!(code, Some(0), "{pass}");
    let body = json!({"operator": 101, "phone": "0501234567"});
    assert_eq!(
        Problem::read(post(&service, pass.trim(), &body).await)
            .await
            .kind,
        "api-key-invalid"
    );

    let get = service.request("/links").send().await.unwrap();
    assert_eq!(header(&get, "allow"), "POST");
    assert_eq!(Problem::read(get).await.kind, "method-not-allowed");
}

fn link(operator: u64) -> Value {
    json!({"operator": operator, "phone": "0501234567"})
}

/// What a back end asks for has a count of its own: it is limited, and takes nothing from the agent
/// or the office.
#[tokio::test]
async fn a_back_end_that_asks_too_often_holds_up_no_agent() {
    let limits = [
        ("ACCESS", "pass,key,open"),
        ("RATE_LIMIT_OPERATOR", "3/h"),
        ("RATE_LIMIT_CLIENT", "5/h"),
    ];
    let service = service(&limits).await;
    let ask = async |operator| {
        let answer = post(&service, "canary-api-key", &link(operator)).await;
        answer.status().as_u16()
    };
    for expected in [201, 201, 201, 429, 429] {
        assert_eq!(ask(101).await, expected);
    }
    // The same key in a click: a back end's click is no agent's either.
    let click = service
        .request("/open-chat?operator=101&phone=0501234567")
        .header("Authorization", "Bearer canary-api-key");
    assert_eq!(click.send().await.unwrap().status(), 429);
    for _ in 0..3 {
        let destination = service.destination("operator=101&phone=0501234567").await;
        assert_eq!(destination, format!("{PANEL}?phone=%2B380501234567&token="));
    }
    assert_eq!(
        service
            .click("operator=101&phone=0501234567")
            .await
            .status(),
        429
    );
}

#[tokio::test]
async fn a_back_end_s_address_is_limited_apart_from_the_office_s() {
    let limits = [("ACCESS", "pass,key,open"), ("RATE_LIMIT_CLIENT", "2/h")];
    let service = service(&limits).await;
    for expected in [201, 201, 429] {
        let answer = post(&service, "canary-api-key", &link(101)).await;
        assert_eq!(answer.status(), expected);
    }
    service.destination("operator=101&phone=0501234567").await;
}

/// One for all requests, because each takes a while to make.
static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();

/// A key shown from this address, as a trusted proxy says: the status, and the kind of the refusal.
async fn post_from(url: String, client: &'static str, key: String) -> (u16, String) {
    let client_of_all = CLIENT.get_or_init(|| {
        // Each test has a runtime of its own, which its connections do not outlive.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0);
        client.build().unwrap()
    });
    let request = || {
        client_of_all
            .post(format!("{url}/links"))
            .header("Authorization", format!("Bearer {key}"))
            .header("X-Forwarded-For", client)
            .body(link(101).to_string())
            .send()
    };
    // A busy machine may take longer from connecting to asking than the service waits.
    let mut answer = request().await;
    for _ in 0..20 {
        if answer.as_ref().is_ok_and(|answer| answer.status() != 408) {
            break;
        }
        answer = request().await;
    }
    let answer = answer.unwrap();
    if answer.status() == 201 {
        return (201, String::new());
    }
    let problem = Problem::read(answer).await;
    (problem.status, problem.kind)
}

/// The right key, from this address.
async fn right(service: &Service, client: &'static str) -> (u16, String) {
    post_from(
        service.url().to_owned(),
        client,
        "canary-api-key".to_owned(),
    )
    .await
}

/// One that is a guess.
async fn guess(service: &Service, client: &'static str) -> (u16, String) {
    post_from(service.url().to_owned(), client, "canary-guess".to_owned()).await
}

fn good() -> (u16, String) {
    (201, String::new())
}

fn limited() -> (u16, String) {
    (429, "rate-limited".to_owned())
}

const GUESSING: [(&str, &str); 2] = [
    ("RATE_LIMIT_REFUSED", "3/h"),
    ("TRUSTED_PROXIES", "127.0.0.1"),
];

/// However many guesses come at once, a few are looked at; one that is right afterwards is not.
#[tokio::test(flavor = "multi_thread")]
async fn guessing_an_api_key_is_limited_and_not_only_answered_alike() {
    let service = service(&GUESSING).await;
    let mut guesses = JoinSet::new();
    for number in 0..60 {
        let (url, key) = (service.url().to_owned(), format!("canary-guess-{number}"));
        guesses.spawn(post_from(url, "192.0.2.66", key));
    }
    let answers = guesses.join_all().await;
    let looked_at = answers
        .iter()
        .filter(|(_, kind)| kind == "api-key-invalid")
        .count();
    // Fewer, where an answer was lost and the guess made again.
    assert!((1..=3).contains(&looked_at), "{answers:?}");
    assert_eq!(right(&service, "192.0.2.66").await, limited());
    // Nor is it looked at anywhere else where a key is taken.
    for path in [
        "/open-chat?operator=101&phone=0501234567",
        "/widget?operator=101",
        "/widget/token?operator=101",
    ] {
        let request = service
            .request(path)
            .header("Authorization", "Bearer canary-api-key")
            .header("X-Forwarded-For", "192.0.2.66");
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!((problem.status, problem.kind), limited(), "{path}");
    }
    // From another address it is.
    assert_eq!(right(&service, "192.0.2.7").await, good());
}

#[tokio::test]
async fn who_guesses_beside_a_back_end_does_not_lock_it_out() {
    let service = service(&GUESSING).await;
    assert_eq!(right(&service, "192.0.2.7").await, good());
    for _ in 0..20 {
        assert_ne!(guess(&service, "192.0.2.7").await, good());
    }
    // Nor do the refused links of an office's agents hold up a back end that is new there.
    for _ in 0..10 {
        let request = service
            .request("/open-chat?operator=101&phone=0501234567&pass=guess")
            .header("X-Forwarded-For", "192.0.2.8");
        assert_ne!(request.send().await.unwrap().status(), 302);
    }
    for client in ["192.0.2.7", "192.0.2.8"] {
        for _ in 0..10 {
            assert_eq!(right(&service, client).await, good());
        }
    }
}

/// The limit must not tell a good key from a bad one to whoever may not use it.
#[tokio::test]
async fn outside_the_allowed_networks_a_good_key_looks_like_any_other() {
    let networks = ("ALLOWED_NETWORKS", "10.0.0.0/8");
    let service = service(&[GUESSING[0], GUESSING[1], networks]).await;
    for _ in 0..3 {
        let (status, kind) = right(&service, "192.0.2.66").await;
        assert_eq!((status, kind.as_str()), (403, "network-not-allowed"));
    }
    assert_eq!(right(&service, "192.0.2.66").await, limited());
    assert_eq!(guess(&service, "192.0.2.66").await, limited());
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let service = service(&[]).await;
    let request =
        "POST /links HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{";
    let answer = crate::harness::raw(&service, request).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn an_api_key_counts_only_where_the_mode_is_on() {
    let service = service(&[("ACCESS", "pass")]).await;
    let body = json!({"operator": 101, "phone": "0501234567"});
    let problem = Problem::read(post(&service, "canary-api-key", &body).await).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (401, "api-key-invalid")
    );
}

#[tokio::test]
async fn without_a_public_url_there_are_no_links() {
    let service = service(&[("PUBLIC_URL", "")]).await;
    let body = json!({"operator": 101, "phone": "0501234567"});
    let problem = Problem::read(post(&service, "canary-api-key", &body).await).await;
    assert_eq!((problem.status, problem.kind.as_str()), (404, "not-found"));
    assert!(problem.detail.contains("PUBLIC_URL"), "{}", problem.detail);
}

#[tokio::test]
async fn a_shell_makes_links_and_passes() {
    let signing = [("PASS_SECRET", SECRET), ("PUBLIC_URL", PUBLIC_URL)];
    let wanted = [
        "--operator",
        "101",
        "--phone",
        "+380501234567",
        "--source",
        "viber",
        "--from",
        "Acme Shop",
    ];
    let link = |first: &str, environment: &[(&str, &str)], more: &[&str]| {
        let arguments = [&[first], &wanted[..], more].concat();
        process::run(&mut open_chat(&arguments, environment))
    };
    let (code, url) = link("link", &signing, &[]);
    assert_eq!(code, Some(0), "{url}");
    let service = service(&[]).await;
    let query = url
        .trim()
        .strip_prefix("https://chat.example/open-chat?")
        .unwrap();
    let expected = format!("{PANEL}?source=0&from=Acme%20Shop&phone=%2B380501234567&token=");
    assert!(header(&service.click(query).await, "location").starts_with(&expected));

    let (code, url) = link("link", &signing[1..], &[]);
    assert_eq!(code, Some(0));
    assert_eq!(
        url.trim_end()
            .trim_end_matches("unsigned: works with ACCESS=open, sso or device only")
            .trim_end(),
        "https://chat.example/open-chat?operator=101&phone=%2B380501234567&from=Acme+Shop&source=viber"
    );
    assert_eq!(
        link("link", &signing[..1], &[]).0,
        Some(78),
        "no PUBLIC_URL"
    );
    assert_eq!(
        link("link", &signing, &["--ttl", "25h"]).0,
        Some(1),
        "over PASS_MAX_TTL"
    );
    let (code, text) = link("link", &[("PASS_SECRET", "canary-short"), signing[1]], &[]);
    assert_eq!(code, Some(78));
    assert!(
        text.contains("PASS_SECRET") && text.contains("32 bytes") && !text.contains("canary"),
        "{text}"
    );
}
