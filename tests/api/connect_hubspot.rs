//! HubSpot's card asks for links: what HubSpot's servers send, signed by HubSpot's own package and
//! by its stand-in, and what others might.

use std::process::Command;

use chrono::Utc;
use crm_simulator::hubspot::{User, signed, signed_now};
use reqwest::{Method, Response};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{PANEL, Problem, Service, file, header, log_line, rules};
use crate::once::one_of_many;
use crate::process::run;
use crate::redis::{Redis, replica};

const PASS: &str = "canary-pass-secret-of-more-than-32-bytes";
const ACME: &str = "canary-hubspot-acme-0123456789";
const OTHER: &str = "canary-hubspot-other-0123456789";
const ADDRESS: &str = "https://chat.example/desk/connect/hubspot";

const MAP: &str = "\"hubspot-5\" = 101\n\"other-5\" = 102\n\"other-6\" = 101\n\"ann@example.com\" = 102\n\"5\" = 102\n";

const ANN: User<'_> = User {
    id: 5,
    portal: 12345,
    email: "ann@example.com",
    app: 9,
};

/// Two portals, each with its own secret.
fn variables() -> Vec<(&'static str, String)> {
    let connectors = format!(
        "[[hubspot]]\nportals = [12345]\napp_id = 9\nclient_secret = \"{ACME}\"\n\
         [[hubspot]]\nportals = [777]\napp_id = 10\nclient_secret = \"{OTHER}\"\nprefix = \"other-\"\noperators = [102]\n"
    );
    let path = |name, text| file(name, text).to_str().unwrap().to_owned();
    vec![
        ("ACCESS", "pass".into()),
        ("PASS_SECRET", PASS.into()),
        ("PUBLIC_URL", "https://chat.example/desk".into()),
        ("CONNECTORS_FILE", path("connectors.toml", &connectors)),
        ("OPERATOR_MAP_FILE", path("map.toml", MAP)),
    ]
}

fn with<'a>(
    base: &'a [(&'static str, String)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let base = base.iter().map(|(name, value)| (*name, value.as_str()));
    base.chain(more.iter().copied()).collect()
}

async fn service_with(more: &[(&str, &str)]) -> Service {
    Service::start_with(rules(), &with(&variables(), more)).await
}

async fn service() -> Service {
    service_with(&[]).await
}

/// What the service gets where HubSpot asks this public address.
async fn send(service: &Service, address: &str, headers: &[(&str, String)]) -> Response {
    let path = address.strip_prefix("https://chat.example/desk").unwrap();
    let mut request = service.request(path);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.send().await.unwrap()
}

/// What a card of this user's gets for this query.
async fn ask(service: &Service, query: &str, user: User<'_>, secret: &str) -> Response {
    let address = user.address(&format!("{ADDRESS}?{query}"));
    send(service, &address, &signed_now(&address, secret)).await
}

async fn refused(response: Response) -> (u16, String) {
    let problem = Problem::read(response).await;
    assert!(!problem.detail.contains("canary"));
    (problem.status, problem.kind)
}

async fn link(response: Response) -> String {
    assert_eq!(response.status(), 200);
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    answer["url"].as_str().unwrap().to_owned()
}

fn query_of(link: &str) -> &str {
    link.strip_prefix("https://chat.example/desk/open-chat?")
        .unwrap()
}

/// The signatures that HubSpot's own package makes for these addresses.
fn vendors(timestamp: i64, addresses: &[&str]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/hubspot.cjs");
    let mut node = Command::new("node");
    node.args([script, ACME, &timestamp.to_string()]);
    let (code, text) = run(node.args(addresses));
    assert_eq!(code, Some(0), "{text}");
    text.lines().map(ToOwned::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hubspot_s_own_package_signs_is_taken() {
    let service = service().await;
    let sent = format!(
        "{ADDRESS}?phone=050%20123-45-67&source=viber&from=Acme&userId=5&portalId=12345&userEmail=ann%40example.com&appId=9"
    );
    // HubSpot's page tells to decode some characters; the package leaves that to its caller.
    let decoded = sent.replace("%40", "@");
    let now = Utc::now().timestamp_millis();
    let signatures = vendors(now, &[&sent, &decoded]);
    assert_ne!(signatures[0], signatures[1]);
    for signature in signatures {
        let headers = [
            ("X-HubSpot-Signature-v3", signature),
            ("X-HubSpot-Request-Timestamp", now.to_string()),
        ];
        let response = send(&service, &sent, &headers).await;
        assert_eq!(header(&response, "access-control-allow-origin"), "");
        assert_eq!(header(&response, "cache-control"), "no-store");
        let line = log_line(&header(&response, "x-request-id")).await;
        let expected = [
            ("message", json!("connector")),
            ("outcome", json!("connector")),
            ("caller", json!("hubspot:5")),
            ("installation", json!("12345")),
            ("operator", json!(101)),
            ("phone", json!("+38050***4567")),
            ("source", json!("viber")),
        ];
        for (name, value) in expected {
            assert_eq!(line[name], value, "{name}");
        }
        let link = link(response).await;
        let query = query_of(&link);
        let other = service.refusal(&format!("{query}&phone=0671234567")).await;
        assert_eq!(other.kind, "pass-mismatch");
        let click = service.click(query).await;
        let chat = format!("{PANEL}?source=0&from=Acme&phone=%2B380501234567&token=");
        assert!(header(&click, "location").starts_with(&chat));
        assert_eq!(service.refusal(query).await.kind, "pass-used");
    }
    let counted = r#"open_chat_connector_requests_total{connector="hubspot",outcome="link"}"#;
    assert_eq!(service.metric(counted).await, 2);
}

/// The card shows the link, and the agent has to find it.
#[tokio::test]
async fn a_link_lives_for_five_minutes() {
    let service = service().await;
    let query = "phone=0501234567&chat_raw_id=65a1f0c2&operator=102";
    let link = link(ask(&service, query, ANN, ACME).await).await;
    let pass = query_of(&link).strip_prefix("pass=").unwrap();
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(pass);
    let claims = claims.unwrap().claims;
    let number = |name: &str| claims[name].as_i64().unwrap();
    assert_eq!(number("exp") - number("iat"), 300);
    assert_eq!(
        (&claims["sub"], &claims["phone"]),
        (&json!("101"), &json!("0501234567"))
    );
    assert!(claims["jti"].is_string() && claims["chat_raw_id"].is_null());
}

const CARD: &str = "https://chat.example/desk/connect/hubspot?phone=0501234567";

fn unproven() -> (u16, String) {
    (401, "connector-unproven".into())
}

#[rstest]
#[case::another_s_secret(ANN, OTHER, "connector-unproven")]
#[case::a_forged_one(ANN, "canary-guess-0123456789", "connector-unproven")]
#[case::the_pass_s_secret(ANN, PASS, "connector-unproven")]
#[case::a_portal_that_is_not_listed(User { portal: 54321, ..ANN }, ACME, "portal-not-allowed")]
#[case::the_portal_of_another_secret(User { portal: 777, ..ANN }, ACME, "connector-unproven")]
#[case::another_app(User { app: 10, ..ANN }, ACME, "connector-unproven")]
#[case::no_agent(User { id: 0, ..ANN }, ACME, "connector-unproven")]
#[case::an_agent_who_is_not_in_the_map(User { id: 6, ..ANN }, ACME, "identity-unknown")]
#[tokio::test]
async fn a_request_that_is_not_right_opens_nothing(
    #[case] user: User<'_>,
    #[case] secret: &str,
    #[case] kind: &str,
) {
    let service = service().await;
    let calls = service.chathub.total_calls();
    let status = if kind == "connector-unproven" {
        401
    } else {
        403
    };
    let response = ask(&service, "phone=0501234567", user, secret).await;
    assert_eq!(refused(response).await, (status, kind.to_owned()));
    assert_eq!(service.chathub.total_calls(), calls);
    let counted = r#"open_chat_connector_requests_total{connector="hubspot",outcome="refused"}"#;
    assert_eq!(service.metric(counted).await, 1);
}

/// Each part of what is signed counts: method, address, query and time.
#[tokio::test]
async fn a_signature_counts_for_the_request_that_it_was_made_for() {
    let service = service().await;
    let sent = ANN.address(CARD);
    for other in [
        sent.replace("https://", "http://"),
        sent.replace("chat.example", "chat.example:443"),
        sent.replace("/desk", ""),
        sent.replace("/hubspot", "/kommo"),
        sent.replace("0501234567", "0671234567"),
        sent.replace("userId=5", "userId=6"),
        sent.replace("%40", "%2540"),
        sent.replace("phone=", "source=viber&phone="),
        sent.split('?').next().unwrap().to_owned(),
        format!("{sent}#"),
        // Signed as a POST, or with a body.
        format!("POST{sent}"),
        format!("{sent}{{}}"),
    ] {
        let response = send(&service, &sent, &signed_now(&other, ACME)).await;
        assert_eq!(refused(response).await, unproven(), "{other}");
    }
    let now = Utc::now().timestamp_millis();
    let [signature, _] = signed(&sent, ACME, now - 1000);
    let times = [
        now.to_string(),
        format!("+{}", now - 1000),
        String::new(),
        "now".into(),
    ];
    for time in times {
        let headers = [signature.clone(), ("X-HubSpot-Request-Timestamp", time)];
        assert_eq!(
            refused(send(&service, &sent, &headers).await).await,
            unproven()
        );
    }
}

#[rstest]
#[case::six_minutes_ago(-360, false)]
#[case::four_minutes_ago(-240, true)]
#[case::in_two_minutes(120, false)]
#[tokio::test]
async fn a_request_is_of_now(#[case] seconds: i64, #[case] is_taken: bool) {
    let service = service().await;
    let sent = ANN.address(CARD);
    let time = Utc::now().timestamp_millis() + seconds * 1000;
    let response = send(&service, &sent, &signed(&sent, ACME, time)).await;
    assert_eq!(response.status(), if is_taken { 200 } else { 401 });
}

#[tokio::test]
async fn half_a_signature_is_none() {
    let service = service().await;
    let sent = ANN.address(CARD);
    let [signature, time] = signed_now(&sent, ACME);
    let text = |text: &str| ("X-HubSpot-Signature-v3", text.to_owned());
    let signed = &signature.1;
    for headers in [
        vec![],
        vec![signature.clone()],
        vec![time.clone()],
        // A proxy and this service might each read another.
        vec![signature.clone(), text("AAAA"), time.clone()],
        vec![signature.clone(), time.clone(), time.clone()],
        vec![text("canary"), time.clone()],
        vec![text(&signed[..signed.len() - 1]), time.clone()],
        vec![text(&format!("{signed}{signed}")), time.clone()],
        vec![text(&signed.to_lowercase()), time.clone()],
        // Of version 2.
        vec![("X-HubSpot-Signature", signed.clone()), time.clone()],
    ] {
        let response = send(&service, &sent, &headers).await;
        assert_eq!(refused(response).await, unproven(), "{headers:?}");
    }
}

/// A card's own `userId` is no agent, however it is spelled, and neither is half of HubSpot's.
#[rstest]
#[case("userId=6&userId=5&portalId=12345&userEmail=ann@example.com&appId=9")]
#[case("user%49d=6&userId=5&portalId=12345&userEmail=ann@example.com&appId=9")]
#[case("USERID=6&userId=5&portalId=12345&userEmail=ann@example.com&appId=9")]
#[case("portalId=777&userId=5&portalId=12345&userEmail=ann@example.com&appId=9")]
#[case("userId=5&portalId=12345&userEmail=ann@example.com")]
#[case("userId=5&portalId=12345&userEmail=ann@example.com&appId=9&from=Acme")]
#[case("userId=5&amp;portalId=12345&amp;userEmail=ann@example.com&amp;appId=9")]
#[case("a=1")]
#[tokio::test]
async fn what_hubspot_appends_is_there_once_and_last(#[case] query: &str) {
    let service = service().await;
    let sent = format!("{CARD}&{query}");
    let response = send(&service, &sent, &signed_now(&sent, ACME)).await;
    let problem = Problem::read(response).await;
    assert_eq!((problem.status, problem.kind), unproven());
    assert!(
        problem
            .detail
            .starts_with("`userId`, `portalId`, `userEmail` and `appId` must")
    );
}

#[tokio::test]
async fn agent_5_of_one_portal_is_not_agent_5_of_another() {
    let service = service().await;
    let other = User {
        portal: 777,
        app: 10,
        ..ANN
    };
    let response = ask(&service, "phone=0501234567", other, OTHER).await;
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(
        (&line["operator"], &line["installation"]),
        (&json!(102), &json!("777"))
    );
    // Its section has a list of operators, and operator 101 is not on it.
    let response = ask(&service, "phone=0501234567", User { id: 6, ..other }, OTHER).await;
    assert_eq!(Problem::read(response).await.kind, "operator-not-allowed");
}

#[rstest]
#[case("a=1", "target-missing")]
#[case("phone=", "target-missing")]
#[case("chat_raw_id=65a1f0c2", "target-missing")]
#[case("phone=12", "phone-invalid")]
#[case("phone={{phone}}", "placeholder-unfilled")]
#[case("phone=0501234567&phone=0501234568", "parameter-repeated")]
#[case("phone=0501234567&source=9", "source-invalid")]
#[tokio::test]
async fn a_half_request_says_what_is_missing(#[case] query: &str, #[case] kind: &str) {
    let service = service().await;
    let response = ask(&service, query, ANN, ACME).await;
    assert_eq!(refused(response).await, (400, kind.to_owned()));
}

#[tokio::test]
async fn a_signature_counts_once() {
    let service = service().await;
    let sent = ANN.address(CARD);
    let headers = signed_now(&sent.replace("%40", "@"), ACME);
    link(send(&service, &sent, &headers).await).await;
    // The same request in its other spelling is the same.
    for again in [&sent, &sent.replace("%40", "@")] {
        assert_eq!(
            refused(send(&service, again, &headers).await).await,
            unproven()
        );
    }
    link(
        send(
            &service,
            &sent,
            &signed(&sent, ACME, Utc::now().timestamp_millis() - 1),
        )
        .await,
    )
    .await;
}

#[rstest]
#[case::in_memory(1)]
#[case::on_redis(2)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_come_at_once_with_one_signature_one_gets_a_link(#[case] replicas: usize) {
    let redis = (replicas > 1).then(Redis::start);
    let base = variables();
    let all = with(&base, &[("RATE_LIMIT_OPERATOR", "1000/s")]);
    let mut services = Vec::new();
    for _ in 0..replicas {
        services.push(match &redis {
            Some(redis) => replica(redis, &all).await,
            None => Service::start_with(rules(), &all).await,
        });
    }
    one_of_many(20, 200, 401, async |round| {
        let sent = ANN.address(&format!("{CARD}&round={round}"));
        let headers = signed_now(&sent, ACME);
        let mut running = JoinSet::new();
        for service in services.iter().cycle().take(8) {
            let path = sent.strip_prefix("https://chat.example/desk").unwrap();
            let mut request = service.request(path);
            for (name, value) in &headers {
                request = request.header(*name, value);
            }
            running.spawn(async move { request.send().await.unwrap().status().as_u16() });
        }
        running.join_all().await
    })
    .await;
}

/// HubSpot's servers are no agent's network; the click on the link comes from there.
#[tokio::test]
async fn networks_hold_for_the_click_and_not_for_hubspot_s_servers() {
    let service = service_with(&[("ALLOWED_NETWORKS", "10.0.0.0/8")]).await;
    let link = link(ask(&service, "phone=0501234567", ANN, ACME).await).await;
    let click = service.refusal(query_of(&link)).await;
    assert_eq!(click.kind, "network-not-allowed");
}

/// All customers of HubSpot share its addresses: strangers do not use them up, and an agent's quota
/// is the agent's own.
#[tokio::test]
async fn an_agent_is_limited_and_an_address_is_not() {
    let service = service_with(&[
        ("RATE_LIMIT_OPERATOR", "2/h"),
        ("RATE_LIMIT_REFUSED", "1/h"),
    ])
    .await;
    for _ in 0..3 {
        let response = ask(&service, "phone=0501234567", ANN, OTHER).await;
        assert_eq!(refused(response).await, unproven());
    }
    for _ in 0..2 {
        link(ask(&service, "phone=0501234567", ANN, ACME).await).await;
    }
    let response = ask(&service, "phone=0501234567", ANN, ACME).await;
    assert_eq!(refused(response).await, (429, "rate-limited".into()));
    let other = User {
        portal: 777,
        app: 10,
        ..ANN
    };
    link(ask(&service, "phone=0501234567", other, OTHER).await).await;
}

/// HEAD would use up a signature for a link that no program receives.
#[tokio::test]
async fn other_methods_are_refused() {
    let service = service().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for method in ["HEAD", "POST", "OPTIONS", "PUT", "BREW"] {
        let url = format!("{}/connect/hubspot?phone=0501234567", service.url());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let response = client.request(method, url).send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(header(&response, "allow"), "GET");
    }
}

#[tokio::test]
async fn a_portal_that_is_not_listed_is_told_its_number() {
    let service = service().await;
    let stranger = User {
        portal: 54321,
        ..ANN
    };
    let response = ask(&service, "phone=0501234567", stranger, ACME).await;
    let problem = Problem::read(response).await;
    assert_eq!(problem.status, 403);
    let words = "The request is from the account with the number `54321`, which no section";
    assert!(problem.detail.starts_with(words), "{}", problem.detail);
}
