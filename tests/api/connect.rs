//! CRMs whose buttons ask for a chat: Kommo's endpoint, the tickets of framed pages, and
//! `CONNECTORS_FILE`.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use chrono::Utc;
use crm_simulator::kommo;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use open_chat::config::Config;
use reqwest::{Method, Response};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{
    PANEL, PASSWORD, Problem, Service, eventually, file, header, log_line, rules,
};
use crate::links::{self, API_KEY_SHA256};
use crate::once::one_of_many;
use crate::redis::{Redis, replica};

const PASS: &str = "canary-pass-secret-of-more-than-32-bytes";
const ACME: &str = "canary-kommo-acme-0123456789";
const OTHER: &str = "canary-kommo-other-0123456789";
const PANEL_SECRET: &str = "canary-pipedrive-panel-0123456789-abcdef";
const ACCOUNT: &str = "https://acme.kommo.com";
const SERVICE: &str = "https://chat.example";

/// Two accounts of Kommo, and a company of Pipedrive.
fn connectors() -> String {
    format!(
        "[[kommo]]\naccounts = [\"{ACCOUNT}\"]\nsecret = \"{ACME}\"\n\
         [[kommo]]\naccounts = [\"other.kommo.com\"]\nsecret = \"{OTHER}\"\nprefix = \"other-\"\naccount_id = 77\noperators = [102]\n\
         [pipedrive]\ncompanies = [{{ id = 123, host = \"acme.pipedrive.com\" }}]\njwt_secret = \"{PANEL_SECRET}\"\napi_token = \"canary-pipedrive-api-token-0123456789\"\n"
    )
}

/// The variables of a service with these connectors and this operator map.
fn variables(connectors: &str, map: &str) -> Vec<(&'static str, String)> {
    let path = |name, text| file(name, text).to_str().unwrap().to_owned();
    vec![
        ("ACCESS", "pass".into()),
        ("PASS_SECRET", PASS.into()),
        ("PUBLIC_URL", SERVICE.into()),
        ("CONNECTORS_FILE", path("connectors.toml", connectors)),
        ("OPERATOR_MAP_FILE", path("map.toml", map)),
    ]
}

const MAP: &str =
    "\"kommo-5\" = 101\n\"other-5\" = 102\n\"other-6\" = 101\n\"pipedrive-7\" = 101\n\"5\" = 102\n";

async fn service_with(more: &[(&str, &str)]) -> Service {
    let base = variables(&connectors(), MAP);
    let mut all: Vec<_> = base
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    all.extend(more);
    Service::start_with(rules(), &all).await
}

async fn service() -> Service {
    service_with(&[]).await
}

/// The claims of agent 5's token.
fn claims(jti: &str) -> Value {
    kommo::claims(ACCOUNT, SERVICE, 5, jti)
}

fn with(jti: &str, name: &str, value: Value) -> Value {
    let mut claims = claims(jti);
    claims[name] = value;
    claims
}

/// What Kommo's widget sends.
async fn ask(service: &Service, query: &str, token: &str) -> Response {
    let request = service.request(&format!("/connect/kommo?{query}"));
    let request = request
        .header("Origin", ACCOUNT)
        .header("X-Auth-Token", token);
    request.send().await.unwrap()
}

async fn refused(service: &Service, query: &str, token: &str) -> (u16, String) {
    let problem = Problem::read(ask(service, query, token).await).await;
    (problem.status, problem.kind)
}

async fn link(response: Response) -> String {
    assert_eq!(response.status(), 200);
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    answer["url"].as_str().unwrap().to_owned()
}

fn query_of(link: &str) -> &str {
    link.strip_prefix("https://chat.example/open-chat?")
        .unwrap()
}

#[tokio::test]
async fn kommo_s_agent_gets_a_link_that_opens_this_chat_once() {
    let service = service().await;
    let token = kommo::token(&claims("1"), ACME);
    let response = ask(
        &service,
        "phone=050%20123-45-67&source=viber&from=Acme",
        &token,
    )
    .await;
    assert_eq!(header(&response, "access-control-allow-origin"), ACCOUNT);
    assert_eq!(header(&response, "vary"), "Origin");
    assert_eq!(header(&response, "access-control-allow-credentials"), "");
    assert_eq!(header(&response, "cache-control"), "no-store");
    let line = log_line(&header(&response, "x-request-id")).await;
    let expected = [
        ("message", json!("connector")),
        ("outcome", json!("connector")),
        ("caller", json!("kommo:5")),
        ("installation", json!("acme.kommo.com")),
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
    let other = service.refusal(&format!("{query}&operator=102")).await;
    assert_eq!(other.kind, "pass-mismatch");
    let click = service.click(query).await;
    let chat = format!("{PANEL}?source=0&from=Acme&phone=%2B380501234567&token=");
    assert!(header(&click, "location").starts_with(&chat));
    assert_eq!(service.refusal(query).await.kind, "pass-used");
    let counted = r#"open_chat_connector_requests_total{connector="kommo",outcome="link"}"#;
    assert_eq!(service.metric(counted).await, 1);
}

/// The pass of a link: how long it lives, and what it fixes.
#[tokio::test]
async fn a_link_lives_for_a_minute() {
    let service = service().await;
    let token = kommo::token(&claims("1"), ACME);
    let link = link(
        ask(
            &service,
            "phone=0501234567&chat_raw_id=65a1f0c2&operator=102",
            &token,
        )
        .await,
    )
    .await;
    let pass = query_of(&link).strip_prefix("pass=").unwrap();
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(pass)
        .unwrap()
        .claims;
    let number = |name: &str| claims[name].as_i64().unwrap();
    assert_eq!(number("exp") - number("iat"), 60);
    assert_eq!(claims["sub"], "101");
    assert_eq!(claims["phone"], "0501234567");
    assert!(claims["jti"].is_string() && claims["chat_raw_id"].is_null());
}

#[rstest]
#[case::another_s_secret(claims("1"), OTHER, "connector-unproven")]
#[case::a_forged_one(claims("1"), "canary-guess-0123456789", "connector-unproven")]
#[case::the_pass_s_secret(claims("1"), PASS, "connector-unproven")]
#[case::an_account_that_is_not_listed(with("1", "iss", json!("https://evil.kommo.com")), ACME, "portal-not-allowed")]
#[case::the_same_host_without_tls(with("1", "iss", json!("http://acme.kommo.com")), ACME, "portal-not-allowed")]
#[case::another_service(with("1", "aud", json!("https://evil.example")), ACME, "connector-unproven")]
#[case::two_services(with("1", "aud", json!([SERVICE, "https://evil.example"])), ACME, "connector-unproven")]
#[case::no_service(with("1", "aud", Value::Null), ACME, "connector-unproven")]
#[case::over(with("1", "exp", json!(Utc::now().timestamp() - 1)), ACME, "connector-unproven")]
#[case::for_two_hours(with("1", "exp", json!(Utc::now().timestamp() + 7200)), ACME, "connector-unproven")]
#[case::without_an_end(with("1", "exp", Value::Null), ACME, "connector-unproven")]
#[case::of_tomorrow(with("1", "nbf", json!(Utc::now().timestamp() + 600)), ACME, "connector-unproven")]
#[case::without_a_number(with("1", "jti", Value::Null), ACME, "connector-unproven")]
#[case::with_an_empty_number(with("1", "jti", json!("")), ACME, "connector-unproven")]
#[case::without_an_agent(with("1", "user_id", Value::Null), ACME, "connector-unproven")]
#[case::an_agent_who_is_no_number(with("1", "user_id", json!("05")), ACME, "connector-unproven")]
#[case::without_an_account(with("1", "account_id", Value::Null), ACME, "connector-unproven")]
#[case::an_agent_who_is_not_in_the_map(with("1", "user_id", json!(9)), ACME, "identity-unknown")]
#[tokio::test]
async fn a_token_that_is_not_right_opens_nothing(
    #[case] claims: Value,
    #[case] secret: &str,
    #[case] kind: &str,
) {
    let service = service().await;
    let calls = service.chathub.total_calls();
    let token = kommo::token(&claims, secret);
    let status = if kind == "connector-unproven" {
        401
    } else {
        403
    };
    let response = ask(&service, "phone=0501234567", &token).await;
    assert_eq!(header(&response, "access-control-allow-origin"), ACCOUNT);
    let problem = Problem::read(response).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (status, kind),
        "{}",
        problem.detail
    );
    assert!(!problem.detail.contains(&token) && !problem.detail.contains("canary"));
    assert_eq!(service.chathub.total_calls(), calls);
    let counted = r#"open_chat_connector_requests_total{connector="kommo",outcome="refused"}"#;
    assert_eq!(service.metric(counted).await, 1);
}

/// The algorithm is the section's and never the token's.
#[tokio::test]
async fn a_token_of_another_algorithm_opens_nothing() {
    let service = service().await;
    let unproven = (401, "connector-unproven".to_owned());
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let key = EncodingKey::from_secret(ACME.as_bytes());
        let token = encode(&Header::new(algorithm), &claims("1"), &key).unwrap();
        assert_eq!(
            refused(&service, "phone=0501234567", &token).await,
            unproven
        );
    }
    let good = kommo::token(&claims("1"), ACME);
    let claims = good.split('.').nth(1).unwrap();
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let cut = &good[..good.len() - 1];
    let long = format!("{good}{}", "A".repeat(4096));
    for token in [&unsigned, cut, &long, "a.b.c", "canary"] {
        assert_eq!(refused(&service, "phone=0501234567", token).await, unproven);
    }
    // Signed as it must be, and longer than any of Kommo's.
    let padded = kommo::token(&with("2", "padding", json!("a".repeat(4096))), ACME);
    let refusal = refused(&service, "phone=0501234567", &padded).await;
    assert_eq!(refusal, unproven);
    let without = service
        .request("/connect/kommo?phone=0501234567")
        .send()
        .await;
    let without = Problem::read(without.unwrap()).await;
    assert_eq!((without.status, without.kind), unproven);
}

#[tokio::test]
async fn agent_5_of_one_account_is_not_agent_5_of_another() {
    let service = service().await;
    let other = |user: u64, jti: &str| {
        let mut claims = kommo::claims("https://other.kommo.com", SERVICE, user, jti);
        claims["account_id"] = json!(77);
        claims
    };
    let ask = async |claims: &Value| {
        let request = service.request("/connect/kommo?phone=0501234567");
        let request = request.header("X-Auth-Token", kommo::token(claims, OTHER));
        request.send().await.unwrap()
    };
    let response = ask(&other(5, "1")).await;
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(
        (&line["operator"], &line["installation"]),
        (&json!(102), &json!("other.kommo.com"))
    );
    // The numbers of tokens are an account's own, too.
    let acme = kommo::token(&claims("1"), ACME);
    link(self::ask(&service, "phone=0501234567", &acme).await).await;
    // Its section has a list of operators, and operator 101 is not on it.
    let problem = Problem::read(ask(&other(6, "2")).await).await;
    assert_eq!(problem.kind, "operator-not-allowed");
    // An agent whom the map lacks is to be added to it, list or not.
    let problem = Problem::read(ask(&other(9, "5")).await).await;
    assert_eq!(problem.kind, "identity-unknown");
    // The account's number is its section's.
    let mut foreign = other(5, "3");
    foreign["account_id"] = json!(78);
    assert_eq!(
        Problem::read(ask(&foreign).await).await.kind,
        "connector-unproven"
    );
    // A page of one account does not show a token of another.
    let token = kommo::token(&other(5, "4"), OTHER);
    let from_acme = refused(&service, "phone=0501234567", &token).await;
    assert_eq!(from_acme, (401, "connector-unproven".into()));
}

/// Those who name operators in ChatHub do not choose who a CRM's agent is.
#[tokio::test]
async fn an_operator_who_is_called_like_an_agent_is_not_that_agent() {
    let service = service_with(&[("DIRECTORY_REFRESH", "20ms")]).await;
    service.chathub.store().add_operator(24, "kommo-9");
    let claims = json!({"sub": "kommo-9", "exp": Utc::now().timestamp() + 600});
    let key = EncodingKey::from_secret(PASS.as_bytes());
    let pass = encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
    let click = format!("phone=0501234567&pass={pass}");
    eventually("a pass names the operator", async || {
        service.click(&click).await.status() == 302
    })
    .await;
    let token = kommo::token(&kommo::claims(ACCOUNT, SERVICE, 9, "1"), ACME);
    let agent = refused(&service, "phone=0501234567", &token).await;
    assert_eq!(agent, (403, "identity-unknown".into()));
}

/// An alias that looks like an id hides that id, so the link names the agent instead.
#[tokio::test]
async fn an_agent_s_link_never_leads_to_the_alias_that_hides_its_operator() {
    let map = file(
        "hiding-map.toml",
        "\"kommo-5\" = \"John Smith\"\n101 = 102\n",
    );
    let service = service_with(&[("OPERATOR_MAP_FILE", map.to_str().unwrap())]).await;
    let token = kommo::token(&claims("1"), ACME);
    let link = link(ask(&service, "phone=0501234567", &token).await).await;
    let click = service.click(query_of(&link)).await;
    assert_eq!(click.status(), 302);
    let line = log_line(&header(&click, "x-request-id")).await;
    assert_eq!(line["operator"], 101);
}

#[rstest]
#[case("", "target-missing")]
#[case("phone=", "target-missing")]
#[case("chat_raw_id=65a1f0c2", "target-missing")]
#[case("phone=12", "phone-invalid")]
#[case("phone={{phone}}", "placeholder-unfilled")]
#[case("phone=0501234567&phone=0501234568", "parameter-repeated")]
#[case("phone=0501234567&source=9", "source-invalid")]
#[tokio::test]
async fn a_half_request_says_what_is_missing(#[case] query: &str, #[case] kind: &str) {
    let service = service().await;
    let token = kommo::token(&claims("1"), ACME);
    assert_eq!(
        refused(&service, query, &token).await,
        (400, kind.to_owned())
    );
}

#[tokio::test]
async fn a_token_is_good_once_for_each_phone() {
    let service = service().await;
    let token = kommo::token(&claims("1"), ACME);
    link(ask(&service, "phone=0501234567", &token).await).await;
    let again = refused(&service, "phone=%2B380501234567", &token).await;
    assert_eq!(again, (401, "connector-unproven".into()));
    link(ask(&service, "phone=0671234567", &token).await).await;
}

#[rstest]
#[case::in_memory(1)]
#[case::on_redis(2)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_come_at_once_with_one_token_one_gets_a_link(#[case] replicas: usize) {
    let redis = (replicas > 1).then(Redis::start);
    let base = variables(&connectors(), MAP);
    let all: Vec<_> = base
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut services = Vec::new();
    for _ in 0..replicas {
        services.push(match &redis {
            Some(redis) => replica(redis, &all).await,
            None => Service::start_with(rules(), &all).await,
        });
    }
    one_of_many(20, 200, 401, async |round| {
        let token = kommo::token(&claims(&format!("round-{round}")), ACME);
        let mut running = JoinSet::new();
        for service in services.iter().cycle().take(8) {
            let request = service.request("/connect/kommo?phone=0501234567");
            let request = request.header("X-Auth-Token", &token);
            running.spawn(async move { request.send().await.unwrap().status().as_u16() });
        }
        running.join_all().await
    })
    .await;
}

/// HEAD would use up a token for a link that no program receives.
#[rstest]
#[case("kommo", &["HEAD", "POST", "PUT", "BREW"], "GET, OPTIONS")]
#[case("bitrix24", &["GET", "HEAD", "OPTIONS", "PUT"], "POST")]
#[case("bitrix24/install", &["GET", "HEAD", "OPTIONS", "PUT"], "POST")]
#[case("pipedrive/open", &["GET", "HEAD", "OPTIONS", "PUT"], "POST")]
#[case("pipedrive/ticket", &["GET", "HEAD", "OPTIONS", "PUT"], "POST")]
#[tokio::test]
async fn other_methods_are_refused(
    #[case] path: &str,
    #[case] methods: &[&str],
    #[case] allowed: &str,
) {
    let service = service().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for method in methods {
        let url = format!("{}/connect/{path}", service.url());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let response = client.request(method, url).send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(header(&response, "allow"), allowed);
    }
}

async fn preflight(service: &Service, origin: &str) -> Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/connect/kommo?phone=0501234567", service.url());
    let request = client
        .request(Method::OPTIONS, url)
        .header("Origin", origin);
    let request = request.header("Access-Control-Request-Method", "GET");
    request.send().await.unwrap()
}

#[tokio::test]
async fn scripts_of_a_listed_account_alone_may_read_the_answer() {
    let service =
        service_with(&[("RATE_LIMIT_CLIENT", "1/h"), ("RATE_LIMIT_REFUSED", "1/h")]).await;
    let calls = service.chathub.total_calls();
    for _ in 0..5 {
        let answer = preflight(&service, ACCOUNT).await;
        assert_eq!(answer.status(), 204);
        assert_eq!(header(&answer, "access-control-allow-origin"), ACCOUNT);
        assert_eq!(header(&answer, "access-control-allow-methods"), "GET");
        assert_eq!(
            header(&answer, "access-control-allow-headers"),
            "X-Auth-Token"
        );
        assert_eq!(header(&answer, "access-control-allow-credentials"), "");
        assert_eq!(header(&answer, "vary"), "Origin");
    }
    for origin in [
        "https://evil.example",
        "null",
        "*",
        "https://acme.kommo.com.evil.example",
        "http://acme.kommo.com",
        "https://ACME.kommo.com",
        "",
    ] {
        let answer = preflight(&service, origin).await;
        assert_eq!(
            header(&answer, "access-control-allow-origin"),
            "",
            "{origin}"
        );
        assert_eq!(
            header(&answer, "access-control-allow-headers"),
            "",
            "{origin}"
        );
        assert_eq!(header(&answer, "vary"), "Origin");
    }
    // It has cost nothing: the one that counts is still there.
    let token = kommo::token(&claims("1"), ACME);
    link(ask(&service, "phone=0501234567", &token).await).await;
    assert_eq!(service.chathub.total_calls(), calls);
}

#[tokio::test]
async fn an_agent_s_links_are_limited_and_are_no_clicks() {
    let service = service_with(&[("RATE_LIMIT_OPERATOR", "2/h")]).await;
    let mut links = Vec::new();
    for jti in ["1", "2"] {
        let token = kommo::token(&claims(jti), ACME);
        links.push(link(ask(&service, "phone=0501234567", &token).await).await);
    }
    let token = kommo::token(&claims("3"), ACME);
    assert_eq!(
        refused(&service, "phone=0501234567", &token).await,
        (429, "rate-limited".into())
    );
    // What was counted was the asking; the clicks count by themselves.
    for link in links {
        assert_eq!(service.click(query_of(&link)).await.status(), 302);
    }
}

/// Whatever a company calls its back ends, and by whichever way a link is asked for.
#[tokio::test]
async fn a_back_end_called_connector_takes_nothing_from_agents() {
    let keys = format!("[[key]]\nname = \"connector\"\nsha256 = \"{API_KEY_SHA256}\"\n");
    let keys = file("api-keys.toml", &keys);
    let service = service_with(&[
        ("ACCESS", "pass,key"),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("RATE_LIMIT_OPERATOR", "1/h"),
    ])
    .await;
    let wanted = json!({"operator": 101, "phone": "0501234567"});
    for status in [201, 429] {
        let answer = links::post(&service, "canary-api-key", &wanted).await;
        assert_eq!(answer.status(), status);
    }
    let token = kommo::token(&claims("1"), ACME);
    link(ask(&service, "phone=0501234567", &token).await).await;
}

#[tokio::test]
async fn an_address_that_keeps_trying_is_told_to_wait() {
    let service = service_with(&[("RATE_LIMIT_REFUSED", "1/h")]).await;
    assert_eq!(refused(&service, "phone=0501234567", "a.b.c").await.0, 401);
    assert_eq!(refused(&service, "phone=0501234567", "a.b.c").await.0, 429);
    let token = kommo::token(&claims("1"), ACME);
    link(ask(&service, "phone=0501234567", &token).await).await;
}

#[tokio::test]
async fn without_the_file_there_is_no_route() {
    let service = Service::start().await;
    for path in [
        "/connect/kommo",
        "/connect/hubspot",
        "/connect/pipedrive",
        "/connect/zendesk",
        "/connect/pipedrive/open",
        "/connect/pipedrive/ticket",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request = client.request(method, format!("{}{path}", service.url()));
            assert_eq!(request.send().await.unwrap().status(), 404, "{path}");
        }
    }
}

/// The key of tickets, by RFC 5869.
fn ticket_key(credential: &str, vouching: &str) -> Vec<u8> {
    let salt = Salt::new(HKDF_SHA256, vouching.as_bytes());
    let purpose = [b"open-chat connector ticket 1".as_slice()];
    let extracted = salt.extract(credential.as_bytes());
    let mut key = [0; 32];
    extracted
        .expand(&purpose, HKDF_SHA256)
        .unwrap()
        .fill(&mut key)
        .unwrap();
    key.to_vec()
}

fn ticket_claims() -> Value {
    let now = Utc::now().timestamp();
    json!({
        "connector": "pipedrive", "installation": "123", "user": 7,
        "proven_at": now, "iat": now, "exp": now + 3600,
        "phones": ["+380501234567", "+380671234567"], "source": "viber", "from": "Acme",
    })
}

/// A ticket, as a page of Pipedrive's would have it.
fn ticket(claims: &Value, key: &[u8]) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("pipedrive 123".into());
    encode(&header, claims, &EncodingKey::from_secret(key)).unwrap()
}

fn good_key() -> Vec<u8> {
    ticket_key(PASSWORD, PANEL_SECRET)
}

const BUTTON: [(&str, &str); 3] = [
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
];
const SCRIPT: [(&str, &str); 2] = [
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Dest", "empty"),
];

async fn post(
    service: &Service,
    path: &str,
    headers: &[(&str, &str)],
    form: &[(&str, &str)],
) -> Response {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let mut request = client.post(format!("{}{path}", service.url())).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn the_page_s_button_leads_to_a_link_each_time() {
    let service = service().await;
    let ticket = ticket(&ticket_claims(), &good_key());
    for phone in ["+380501234567", "+380671234567", "+380501234567"] {
        let form = [("ticket", ticket.as_str()), ("phone", phone)];
        let response = post(&service, "/connect/pipedrive/open", &BUTTON, &form).await;
        assert_eq!(response.status(), 303);
        let line = log_line(&header(&response, "x-request-id")).await;
        assert_eq!(
            (&line["caller"], &line["outcome"]),
            (&json!("pipedrive:7"), &json!("connector"))
        );
        let link = header(&response, "location");
        let encoded = phone.replace('+', "%2B");
        let chat = format!("{PANEL}?source=0&from=Acme&phone={encoded}&token=");
        assert!(header(&service.click(query_of(&link)).await, "location").starts_with(&chat));
    }
}

#[tokio::test]
async fn the_page_renews_its_ticket_up_to_twelve_hours_after_the_proof() {
    let service = service().await;
    let now = Utc::now().timestamp();
    let mut claims = ticket_claims();
    claims["proven_at"] = json!(now - 12 * 3600 + 600);
    claims["iat"] = json!(now - 3000);
    claims["exp"] = json!(now + 600);
    let form = [("ticket", ticket(&claims, &good_key()))];
    let form: Vec<_> = form
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let response = post(&service, "/connect/pipedrive/ticket", &SCRIPT, &form).await;
    assert_eq!(response.status(), 200);
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let renewed = answer["ticket"].as_str().unwrap();
    let renewed = jsonwebtoken::dangerous::insecure_decode::<Value>(renewed)
        .unwrap()
        .claims;
    // What the page is told is what is left of it, on a slow machine less.
    let left = answer["expires_in"].as_u64().unwrap();
    assert!((1..=600).contains(&left), "{left}");
    assert_eq!(
        renewed["exp"],
        json!(now + 600),
        "the proof does not get younger"
    );
    let counted = r#"open_chat_connector_requests_total{connector="pipedrive",outcome="ticket"}"#;
    assert_eq!(service.metric(counted).await, 1);
    assert_eq!(renewed["phones"], claims["phones"]);
    for field in ["proven_at", "connector", "installation", "user"] {
        assert_eq!(renewed[field], claims[field]);
    }
}

fn changed(name: &str, value: Value) -> Value {
    let mut claims = ticket_claims();
    claims[name] = value;
    claims
}

fn hours_ago(hours: i64) -> Value {
    json!(Utc::now().timestamp() - hours * 3600)
}

#[rstest]
#[case::no_ticket(String::new(), "")]
#[case::of_another_secret(ticket(&ticket_claims(), &ticket_key(PASSWORD, "canary-of-another-section")), "")]
#[case::of_another_credential(ticket(&ticket_claims(), &ticket_key("canary-other", PANEL_SECRET)), "")]
#[case::signed_by_the_vendor(ticket(&ticket_claims(), PANEL_SECRET.as_bytes()), "")]
#[case::a_pass(ticket(&json!({"sub": "101", "exp": Utc::now().timestamp() + 60}), PASS.as_bytes()), "")]
#[case::of_another_connector(ticket(&changed("connector", json!("zendesk")), &good_key()), "")]
#[case::of_another_installation(ticket(&changed("installation", json!("124")), &good_key()), "")]
#[case::over(ticket(&changed("exp", json!(Utc::now().timestamp() - 1)), &good_key()), "The page's ticket has expired")]
#[case::for_two_hours(ticket(&changed("exp", json!(Utc::now().timestamp() + 7200)), &good_key()), "")]
#[case::of_tomorrow(ticket(&changed("iat", json!(Utc::now().timestamp() + 600)), &good_key()), "")]
#[case::proven_yesterday(ticket(&changed("proven_at", hours_ago(13)), &good_key()), "The page's ticket has expired")]
#[case::with_another_claim(ticket(&changed("operator", json!(102)), &good_key()), "")]
#[tokio::test]
async fn a_ticket_that_is_not_right_opens_and_renews_nothing(
    #[case] ticket: String,
    #[case] words: &str,
) {
    let service = service().await;
    let form = [("ticket", ticket.as_str()), ("phone", "+380501234567")];
    for (path, headers) in [("open", BUTTON.as_slice()), ("ticket", SCRIPT.as_slice())] {
        let path = format!("/connect/pipedrive/{path}");
        let problem = Problem::read(post(&service, &path, headers, &form).await).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (401, "connector-unproven"),
            "{path}"
        );
        assert!(problem.detail.contains(words), "{}", problem.detail);
    }
}

#[tokio::test]
async fn a_ticket_counts_for_its_phones_and_at_its_connector() {
    let service = service().await;
    let ticket = ticket(&ticket_claims(), &good_key());
    let kind = async |path: &str, form: &[(&str, &str)]| {
        Problem::read(post(&service, path, &BUTTON, form).await)
            .await
            .kind
    };
    let open = "/connect/pipedrive/open";
    let ticket = ("ticket", ticket.as_str());
    let phone = ("phone", "+380501234567");
    assert_eq!(
        kind(open, &[ticket, ("phone", "+380631234567")]).await,
        "connector-unproven"
    );
    assert_eq!(
        kind("/connect/zendesk/open", &[ticket, phone]).await,
        "connector-unproven"
    );
    assert_eq!(
        kind("/connect/kommo/open", &[ticket, phone]).await,
        "not-found"
    );
    assert_eq!(kind(open, &[ticket]).await, "target-missing");
    assert_eq!(
        kind(open, &[ticket, phone, phone]).await,
        "parameter-repeated"
    );
    assert_eq!(
        kind(open, &[ticket, ticket, phone]).await,
        "parameter-repeated"
    );
}

#[rstest]
#[case::another_site("open", &[("Sec-Fetch-Site", "cross-site"), BUTTON[1], BUTTON[2]])]
#[case::a_sibling("open", &[("Sec-Fetch-Site", "same-site"), BUTTON[1], BUTTON[2]])]
#[case::in_a_frame("open", &[BUTTON[0], BUTTON[1], ("Sec-Fetch-Dest", "iframe")])]
#[case::by_a_script("open", &[BUTTON[0], ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")])]
#[case::untold("open", &[])]
#[case::without_the_site("open", &[BUTTON[1], BUTTON[2]])]
#[case::ahead_of_a_click("open", &[BUTTON[0], BUTTON[1], BUTTON[2], ("Sec-Purpose", "prefetch")])]
#[case::another_site_s_script("ticket", &[("Sec-Fetch-Site", "cross-site"), SCRIPT[1]])]
#[case::a_navigation("ticket", &BUTTON)]
#[case::untold_by_a_script("ticket", &[])]
#[case::ahead_by_a_script("ticket", &[SCRIPT[0], SCRIPT[1], ("Sec-Purpose", "prefetch")])]
#[tokio::test]
async fn only_the_page_itself_may_use_its_ticket(
    #[case] path: &str,
    #[case] headers: &[(&str, &str)],
) {
    let service = service().await;
    let ticket = ticket(&ticket_claims(), &good_key());
    let form = [("ticket", ticket.as_str()), ("phone", "+380501234567")];
    let path = format!("/connect/pipedrive/{path}");
    let problem = Problem::read(post(&service, &path, headers, &form).await).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "not-a-navigation")
    );
}

/// The panel's quota is an agent's: 60 a minute.
#[tokio::test]
async fn a_page_that_asks_without_end_is_told_to_wait() {
    let service = service().await;
    let ticket = ticket(&ticket_claims(), &good_key());
    let form = [("ticket", ticket.as_str())];
    let limited = r#"open_chat_rate_limited_total{limit="panel"}"#;
    eventually("the limit is reached", async || {
        post(&service, "/connect/pipedrive/ticket", &SCRIPT, &form).await;
        service.metric(limited).await > 0
    })
    .await;
    // The agent's own button still works.
    let form = [("ticket", ticket.as_str()), ("phone", "+380501234567")];
    let response = post(&service, "/connect/pipedrive/open", &BUTTON, &form).await;
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn a_section_that_is_gone_takes_its_tickets_along() {
    let base = variables(&connectors(), MAP);
    let all: Vec<_> = base
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let service = Service::start_with(rules(), &all).await;
    let ticket = ticket(&ticket_claims(), &good_key());
    let form = [("ticket", ticket.as_str()), ("phone", "+380501234567")];
    let open = async || {
        post(&service, "/connect/pipedrive/open", &BUTTON, &form)
            .await
            .status()
    };
    assert_eq!(open().await, 303);
    let (kommo, _) = connectors()
        .split_once("[pipedrive]")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let path = &all
        .iter()
        .find(|(name, _)| *name == "CONNECTORS_FILE")
        .unwrap()
        .1;
    // A file that cannot be read changes nothing.
    std::fs::write(path, "[kommo\n").unwrap();
    let failed = r#"open_chat_file_reload_failed{file="CONNECTORS_FILE"}"#;
    eventually("the broken file is noticed", async || {
        service.metric(failed).await == 1
    })
    .await;
    assert_eq!(open().await, 303);
    std::fs::write(path, kommo).unwrap();
    eventually("the section is gone", async || open().await == 401).await;
}

/// What is wrong with a configuration with this file.
fn trouble(connectors: &str, more: &[(&str, &str)]) -> String {
    let mut all = variables(connectors, MAP);
    let plain = [("CHATHUB_LOGIN", "acme"), ("CHATHUB_PASSWORD", PASSWORD)];
    all.extend(
        plain
            .iter()
            .chain(more)
            .map(|(n, v)| (*n, (*v).to_owned()))
            .map(|(n, v)| {
                // The names live as long as the test.
                (Box::leak(n.to_owned().into_boxed_str()) as &str, v)
            }),
    );
    let all: std::collections::BTreeMap<_, _> = all.into_iter().collect();
    let environment = all
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    let trouble = Config::from_vars(environment)
        .err()
        .map(|error| error.to_string());
    let trouble = trouble.unwrap_or_default();
    assert!(!trouble.contains("canary"), "{trouble}");
    trouble
}

const KOMMO: &str = "[kommo]\naccounts = [\"acme.kommo.com\"]\nsecret = \"canary-0123456789\"\n";

#[rstest]
#[case::good("", "")]
#[case::nothing("-", "has no connector")]
#[case::a_short_secret(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"canary-01234567\"",
    "`secret` must have at least 16 bytes"
)]
#[case::an_empty_secret(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"\"",
    "`secret` must have at least 16 bytes"
)]
#[case::no_secret(
    "[kommo]\naccounts = [\"a.kommo.com\"]",
    "`secret` or `secret_file` is missing"
)]
#[case::two_secrets(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"canary-0123456789\"\nsecret_file = \"/nowhere\"",
    "exclude each other"
)]
#[case::two_accounts(
    "[kommo]\naccounts = [\"a.kommo.com\", \"b.kommo.com\"]\nsecret = \"canary-0123456789\"",
    "`accounts` must have one entry"
)]
#[case::no_account(
    "[kommo]\naccounts = []\nsecret = \"canary-0123456789\"",
    "`accounts` must have one entry"
)]
#[case::plain_http(
    "[kommo]\naccounts = [\"http://a.kommo.com\"]\nsecret = \"canary-0123456789\"",
    "`accounts` must be a host"
)]
#[case::a_path(
    "[kommo]\naccounts = [\"https://a.kommo.com/x\"]\nsecret = \"canary-0123456789\"",
    "`accounts` must be a host"
)]
#[case::an_empty_prefix(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"canary-0123456789\"\nprefix = \"\"",
    "`prefix` must not be empty"
)]
#[case::a_prefix_that_ends_in_a_digit(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"canary-0123456789\"\nprefix = \"kommo1\"",
    "end in a digit"
)]
#[case::a_prefix_with_a_space_before_it(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"canary-0123456789\"\nprefix = \" kommo-\"",
    "begin or end with white space"
)]
#[case::a_prefix_of_two_lines(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"canary-0123456789\"\nprefix = \"a\\nb-\"",
    "`prefix` must not"
)]
#[case::a_secret_that_spaces_make_long(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = \"canary-01234     \"",
    "`secret` must have at least 16 bytes"
)]
#[case::no_client_id(
    "[bitrix24]\nportals = [\"a.bitrix24.com\"]\nclient_id = \"local.64d1\"",
    "`client_id` must have at least 16 characters"
)]
#[case::a_short_secret_of_hubspot(
    "[hubspot]\nportals = [1]\napp_id = 9\nclient_secret = \"canary-01234567\"",
    "`client_secret` must have at least 16 bytes"
)]
#[case::a_short_api_token(
    "[pipedrive]\ncompanies = [{ id = 1, host = \"a.pipedrive.com\" }]\njwt_secret = \"canary-0123456789-0123456789-0123456789\"\napi_token = \"canary-01234567\"",
    "`api_token` must have at least 16 bytes"
)]
#[case::a_setting_of_nobody(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecrets = \"canary-0123456789\"",
    "see line 3: there is no `secrets`"
)]
#[case::another_crm("[sugar]\nx = 1", "see line 1: there is no `sugar`")]
#[case::no_text(
    "[kommo]\naccounts = [\"a.kommo.com\"]\nsecret = canary",
    "see line 3: what follows `secret =` is no TOML"
)]
#[case::an_empty_application_token(
    "[bitrix24]\nportals = [\"a.bitrix24.com\"]\nclient_id = \"local.64d1000000000\"\napplication_token = \"\"",
    "`application_token` must have at least 16 bytes"
)]
#[case::a_short_secret_of_pipedrive(
    "[pipedrive]\ncompanies = [{ id = 1, host = \"a.pipedrive.com\" }]\njwt_secret = \"canary-0123456789-0123456789-01\"\napi_token = \"canary-0123456789\"",
    "`jwt_secret` must have at least 32 bytes"
)]
#[case::hubspot_without_its_app(
    "[hubspot]\nportals = [1]\nclient_secret = \"canary-0123456789\"",
    "`app_id` is missing"
)]
#[case::no_public_key(
    "[zendesk]\naccounts = [\"a.zendesk.com\"]\npublic_key_file = \"/dev/null\"",
    "/dev/null"
)]
fn a_connectors_file_that_is_wrong_stops_the_start(#[case] text: &str, #[case] words: &str) {
    let text = match text {
        "" => KOMMO,
        "-" => "# none",
        text => text,
    };
    let trouble = trouble(text, &[]);
    if words.is_empty() {
        assert_eq!(trouble, "");
    } else {
        assert!(
            trouble.contains("CONNECTORS_FILE: ") && trouble.contains(words),
            "{trouble}"
        );
    }
}

#[test]
fn two_installations_never_share_a_name() {
    let second = KOMMO.replace("[kommo]", "[[kommo]]");
    let other = second.replace("acme", "other");
    let both = |more: &str| format!("{second}{other}{more}");
    let same = trouble(&both(""), &[]);
    assert!(
        same.contains("two sections have the prefix `kommo-`"),
        "{same}"
    );
    let same = trouble(&both("prefix = \"KOMMO-\"\n"), &[]);
    assert!(same.contains("two sections have the prefix"), "{same}");
    assert_eq!(trouble(&both("prefix = \"other-\"\n"), &[]), "");
    let twice = trouble(&format!("{second}{second}prefix = \"other-\"\n"), &[]);
    assert!(
        twice.contains("two sections [[kommo]] are for acme.kommo.com"),
        "{twice}"
    );
    let by_email = trouble(&both("prefix = \"other-\"\nby_email = true\n"), &[]);
    assert!(
        by_email.contains("`by_email` needs `operators`"),
        "{by_email}"
    );
    let listed = both("prefix = \"other-\"\nby_email = true\noperators = [101]\n");
    assert_eq!(trouble(&listed, &[]), "");
    let keys = format!(
        "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret = \"{PASS}\"\n[[key]]\nid = \"kommo\"\nalgorithm = \"HS256\"\nsecret = \"{PASS}-2\"\noperator_claim = \"user_id\"\noperator_prefix = \"KOMMO-\"\n"
    );
    let keys = file("keys.toml", &keys);
    let taken = trouble(
        KOMMO,
        &[
            ("PASS_SECRET", ""),
            ("PASS_KEYS_FILE", keys.to_str().unwrap()),
        ],
    );
    assert!(
        taken.contains("`kommo-` is an `operator_prefix` of PASS_KEYS_FILE"),
        "{taken}"
    );
}

#[test]
fn connectors_need_what_their_links_need() {
    let without = trouble(
        KOMMO,
        &[("PUBLIC_URL", ""), ("ACCESS", "open"), ("PASS_SECRET", "")],
    );
    for words in [
        "PUBLIC_URL: must be set with CONNECTORS_FILE",
        "ACCESS: must have `pass` in it with CONNECTORS_FILE",
    ] {
        assert!(without.contains(words), "{without}");
    }
}
