//! `POST /connect/zendesk`: the app in Zendesk's sidebar. What its page does in a browser is in
//! `tests/browser/zendesk.rs`.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chathub_simulator::{Endpoint, Fault};
use chrono::Utc;
use crm_simulator::zendesk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, Response};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{PANEL, Problem, Service, eventually, file, header, log_line, rules};
use crate::once::one_of_many;
use crate::redis::{Redis, replica};

const PASS: &str = "canary-pass-secret-of-more-than-32-bytes";
const ACCOUNT: &str = "https://acme.zendesk.com";
const OTHER: &str = "https://other.zendesk.com";
const PLACE: &str = "origin=https%3A%2F%2Facme.zendesk.com&app_guid=4f0d9b1e";

/// An app's key pair, in PEM.
pub struct Key {
    pub private: String,
    pub public: String,
}

impl Key {
    pub fn new() -> Self {
        let pem = |kind: &str, der: &[u8]| {
            let text = STANDARD.encode(der);
            format!("-----BEGIN {kind} KEY-----\n{text}\n-----END {kind} KEY-----\n")
        };
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
        let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        Self {
            private: pem("PRIVATE", private.as_ref()),
            public: pem("PUBLIC", public.as_ref()),
        }
    }

    fn sign(&self, claims: &Value) -> String {
        zendesk::token(claims, &self.private)
    }
}

/// Two accounts, each with an app of its own.
struct Accounts {
    acme: Key,
    other: Key,
    variables: Vec<(&'static str, String)>,
}

impl Accounts {
    fn new() -> Self {
        let (acme, other) = (Key::new(), Key::new());
        let path = |name: &str, text: &str| file(name, text).to_str().unwrap().to_owned();
        let connectors = format!(
            "[[zendesk]]\naccounts = [\"acme.zendesk.com\"]\npublic_key_file = \"{}\"\ninstallation = 82\n\
             [[zendesk]]\naccounts = [\"{OTHER}\"]\npublic_key_file = \"{}\"\nprefix = \"other-\"\n",
            path("acme.pem", &acme.public),
            path("other.pem", &other.public),
        );
        let map = "\"zendesk-5\" = 101\n\"other-5\" = 102\n\"5\" = 102\n";
        let variables = vec![
            ("ACCESS", "pass".into()),
            ("PASS_SECRET", PASS.into()),
            ("PUBLIC_URL", "https://chat.example/desk".into()),
            ("CONNECTORS_FILE", path("zendesk.toml", &connectors)),
            ("OPERATOR_MAP_FILE", path("zendesk-map.toml", map)),
        ];
        Self {
            acme,
            other,
            variables,
        }
    }

    async fn service(&self, more: &[(&str, &str)]) -> Service {
        Service::start_with(rules(), &self.all(more)).await
    }

    fn all<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let own = self.variables.iter().map(|(name, value)| (*name, &**value));
        own.chain(more.iter().copied()).collect()
    }
}

/// The claims of agent 5's token.
fn claims(jti: &str) -> Value {
    zendesk::claims(ACCOUNT, 82, 5, jti)
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("1");
    claims[name] = value;
    claims
}

/// What Zendesk's page sends, as a browser does it.
const IN_A_FRAME: [(&str, &str); 4] = [
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "iframe"),
    ("Content-Type", "application/x-www-form-urlencoded"),
];

/// What the page's button sends.
const BUTTON: [(&str, &str); 3] = [
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
];

async fn send(
    service: &Service,
    path: &str,
    headers: &[(&str, &str)],
    form: &[(&str, &str)],
) -> Response {
    let client = reqwest::Client::builder().no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none());
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let url = format!("{}{path}", service.url());
    let mut request = client.build().unwrap().post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn app(service: &Service, token: &str) -> Response {
    let path = format!("/connect/zendesk?{PLACE}");
    send(service, &path, &IN_A_FRAME, &[("token", token)]).await
}

async fn refused(service: &Service, token: &str) -> (u16, String) {
    let problem = Problem::read(app(service, token).await).await;
    assert!(!problem.detail.contains(token) || token.is_empty());
    (problem.status, problem.kind)
}

/// The ticket of a page.
fn ticket(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"ticket\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

#[tokio::test]
async fn zendesk_s_agent_gets_a_page_without_a_link() {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let calls = service.chathub.total_calls();
    let path = format!("/connect/zendesk?{PLACE}&source=viber&from=Acme&phone=0671234567");
    let token = accounts.acme.sign(&claims("1"));
    let response = send(&service, &path, &IN_A_FRAME, &[("token", &token)]).await;
    assert_eq!(response.status(), 200);
    let script = "'sha256-";
    let policy = header(&response, "content-security-policy");
    let directive = |name: &str| {
        let mut all = policy.split("; ");
        let found = all.find_map(|one| one.strip_prefix(&format!("{name} ")));
        found
            .unwrap_or_else(|| panic!("{name}: {policy}"))
            .to_owned()
    };
    let sdk = "https://static.zdassets.com/zendesk_app_framework_sdk/2.0/zaf_sdk.min.js";
    let scripts = directive("script-src");
    let (own, vendor) = scripts.split_once(' ').unwrap();
    assert!(own.starts_with(script) && vendor == sdk, "{scripts}");
    assert_eq!(directive("default-src"), "'none'");
    assert_eq!(directive("frame-ancestors"), ACCOUNT);
    assert_eq!(
        directive("connect-src"),
        "https://chat.example/desk/connect/zendesk/ticket"
    );
    assert_eq!(
        directive("form-action"),
        "https://chat.example/desk/connect/zendesk/open https://chat.smsbat.com"
    );
    for name in ["cache-control", "referrer-policy", "x-content-type-options"] {
        assert_ne!(header(&response, name), "", "{name}");
    }
    // In a frame, the policy of the window's own page counts.
    assert_eq!(header(&response, "cross-origin-opener-policy"), "");
    let line = log_line(&header(&response, "x-request-id")).await;
    let expected = [
        ("outcome", json!("connector")),
        ("caller", json!("zendesk:5")),
        ("installation", json!("acme.zendesk.com")),
        ("operator", json!(101)),
    ];
    for (name, value) in expected {
        assert_eq!(line[name], value, "{name}");
    }
    let page = response.text().await.unwrap();
    assert!(page.contains(&format!("src=\"{sdk}\"")), "{page}");
    assert!(
        !page.contains("open-chat?") && !page.contains(&token),
        "{page}"
    );
    // Whose phones are shown is Zendesk's to say.
    assert!(!page.contains("671234567"), "{page}");
    assert_eq!(service.chathub.total_calls(), calls);
    let counted = r#"open_chat_connector_requests_total{connector="zendesk",outcome="page"}"#;
    assert_eq!(service.metric(counted).await, 1);
    the_ticket_opens_any_phone(&service, &ticket(&page)).await;
}

/// As the page's button does, and its script.
async fn the_ticket_opens_any_phone(service: &Service, ticket: &str) {
    let script = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Dest", "empty"),
    ];
    let form = [("ticket", ticket)];
    let renewed = send(service, "/connect/zendesk/ticket", &script, &form).await;
    let renewed: Value = serde_json::from_str(&renewed.text().await.unwrap()).unwrap();
    assert_eq!(renewed["expires_in"], 3600);
    let ticket = renewed["ticket"].as_str().unwrap();
    for (phone, encoded) in [
        ("+38 (050) 123-45-67", "%2B380501234567"),
        ("0671234567", "%2B380671234567"),
    ] {
        let form = [("ticket", ticket), ("phone", phone)];
        let response = send(service, "/connect/zendesk/open", &BUTTON, &form).await;
        assert_eq!(response.status(), 303);
        let link = header(&response, "location");
        let query = link.strip_prefix("https://chat.example/desk/open-chat?");
        let chat = format!("{PANEL}?source=0&from=Acme&phone={encoded}&token=");
        let click = service.click(query.unwrap()).await;
        assert!(header(&click, "location").starts_with(&chat));
    }
    let form = [("ticket", ticket), ("phone", "no phone")];
    let response = send(service, "/connect/zendesk/open", &BUTTON, &form).await;
    assert_eq!(Problem::read(response).await.kind, "phone-invalid");
}

#[rstest]
#[case::an_account_that_is_not_listed(with("iss", json!("evil.zendesk.com")), "portal-not-allowed")]
#[case::without_tls(with("iss", json!("http://acme.zendesk.com")), "portal-not-allowed")]
#[case::another_account_s_key(with("iss", json!("other.zendesk.com")), "connector-unproven")]
#[case::without_an_issuer(with("iss", Value::Null), "connector-unproven")]
#[case::another_installation(with("aud", json!("https://acme.zendesk.com/api/v2/apps/installations/83.json")), "connector-unproven")]
#[case::an_installation_elsewhere(with("aud", json!("https://other.zendesk.com/api/v2/apps/installations/82.json")), "connector-unproven")]
#[case::another_service(with("aud", json!("https://chat.example/desk")), "connector-unproven")]
#[case::two_audiences(with("aud", json!(["https://acme.zendesk.com/api/v2/apps/installations/82.json", "x"])), "connector-unproven")]
#[case::without_an_audience(with("aud", Value::Null), "connector-unproven")]
#[case::over(with("exp", json!(Utc::now().timestamp() - 1)), "connector-unproven")]
#[case::for_two_hours(with("exp", json!(Utc::now().timestamp() + 7200)), "connector-unproven")]
#[case::without_an_end(with("exp", Value::Null), "connector-unproven")]
#[case::of_tomorrow(with("nbf", json!(Utc::now().timestamp() + 600)), "connector-unproven")]
#[case::without_an_agent(with("sub", Value::Null), "connector-unproven")]
#[case::an_address(with("sub", json!("ann@example.com")), "connector-unproven")]
#[case::an_agent_elsewhere(with("sub", json!("https://other.zendesk.com/api/v2/users/5.json")), "connector-unproven")]
#[case::a_number_in_two_ways(with("sub", json!("05")), "connector-unproven")]
#[case::an_agent_who_is_not_in_the_map(with("sub", json!("9")), "identity-unknown")]
#[tokio::test]
async fn a_token_that_is_not_right_shows_nothing(#[case] claims: Value, #[case] kind: &str) {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let calls = service.chathub.total_calls();
    let unproven = kind == "connector-unproven";
    let status = if unproven { 401 } else { 403 };
    let token = accounts.acme.sign(&claims);
    assert_eq!(refused(&service, &token).await, (status, kind.to_owned()));
    assert_eq!(service.chathub.total_calls(), calls);
    let counted = r#"open_chat_connector_requests_total{connector="zendesk",outcome="refused"}"#;
    assert_eq!(service.metric(counted).await, 1);
}

/// The algorithm is RS256, whatever a token says.
#[tokio::test]
async fn a_token_of_another_key_or_algorithm_shows_nothing() {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let unproven = (401, "connector-unproven".to_owned());
    let good = accounts.acme.sign(&claims("1"));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, payload) = signed.split_once('.').unwrap();
    let secret = EncodingKey::from_secret(accounts.acme.public.as_bytes());
    let symmetric = encode(&Header::default(), &claims("1"), &secret).unwrap();
    let rsa = EncodingKey::from_rsa_pem(accounts.acme.private.as_bytes()).unwrap();
    let longer = encode(&Header::new(Algorithm::RS512), &claims("1"), &rsa).unwrap();
    let padded = encode(&Header::new(Algorithm::PS256), &claims("1"), &rsa).unwrap();
    let tokens = [
        accounts.other.sign(&claims("1")),
        Key::new().sign(&claims("1")),
        symmetric,
        longer,
        padded,
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}."),
        format!("{signed}."),
        format!("{good}{}", "A".repeat(4096)),
        "a.b.c".into(),
        String::new(),
    ];
    for token in &tokens {
        assert_eq!(refused(&service, token).await, unproven, "{token}");
    }
    assert_eq!(app(&service, &good).await.status(), 200);
}

#[tokio::test]
async fn agent_5_of_one_account_is_not_agent_5_of_another() {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let token = accounts.other.sign(&zendesk::claims(OTHER, 7, 5, "1"));
    // A page of one account does not show an agent of another.
    let unproven = (401, "connector-unproven".to_owned());
    assert_eq!(refused(&service, &token).await, unproven);
    let path = "/connect/zendesk?origin=https%3A%2F%2Fother.zendesk.com&app_guid=1";
    let response = send(&service, path, &IN_A_FRAME, &[("token", &token)]).await;
    let policy = header(&response, "content-security-policy");
    assert!(
        policy.ends_with("; frame-ancestors https://other.zendesk.com"),
        "{policy}"
    );
    let line = log_line(&header(&response, "x-request-id")).await;
    let who = (&line["operator"], &line["installation"]);
    assert_eq!(who, (&json!(102), &json!("other.zendesk.com")));
}

#[rstest]
#[case::no_form("", &[], 401, "connector-unproven")]
#[case::two_tokens("", &[("token", "a.b.c"), ("token", "a.b.c")], 400, "parameter-repeated")]
#[case::two_places("origin=https%3A%2F%2Facme.zendesk.com&origin=https%3A%2F%2Fevil.example", &[("token", "a.b.c")], 400, "parameter-repeated")]
#[case::another_source("source=9", &[("token", "GOOD")], 400, "source-invalid")]
#[case::another_place("origin=https%3A%2F%2Fevil.example", &[("token", "GOOD")], 401, "connector-unproven")]
#[case::a_place_without_tls("origin=http%3A%2F%2Facme.zendesk.com", &[("token", "GOOD")], 401, "connector-unproven")]
#[tokio::test]
async fn a_half_request_says_what_is_missing(
    #[case] query: &str,
    #[case] form: &[(&str, &str)],
    #[case] status: u16,
    #[case] kind: &str,
) {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let good = accounts.acme.sign(&claims("1"));
    let form = form.iter().map(|(name, value)| match *value {
        "GOOD" => (*name, good.as_str()),
        value => (*name, value),
    });
    let path = format!("/connect/zendesk?{query}");
    let response = send(&service, &path, &IN_A_FRAME, &form.collect::<Vec<_>>()).await;
    let problem = Problem::read(response).await;
    assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
    // What was refused has not used the token up.
    assert_eq!(app(&service, &good).await.status(), 200);
}

#[rstest]
#[case::a_script(&[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "empty")])]
#[case::a_picture(&[("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")])]
#[case::ahead_of_a_click(&[("Sec-Purpose", "prefetch")])]
#[tokio::test]
async fn only_a_page_that_opens_is_shown(#[case] headers: &[(&str, &str)]) {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let token = accounts.acme.sign(&claims("1"));
    let path = format!("/connect/zendesk?{PLACE}");
    let problem = Problem::read(send(&service, &path, headers, &[("token", &token)]).await).await;
    assert_eq!((problem.status, &*problem.kind), (403, "not-a-navigation"));
    assert_eq!(app(&service, &token).await.status(), 200);
}

#[rstest]
#[case::with_a_number(claims("1"))]
#[case::without(with("jti", Value::Null))]
#[tokio::test]
async fn a_token_shows_one_page(#[case] claims: Value) {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let token = accounts.acme.sign(&claims);
    assert_eq!(app(&service, &token).await.status(), 200);
    let again = refused(&service, &token).await;
    assert_eq!(again, (401, "connector-unproven".into()));
}

#[rstest]
#[case::in_memory(1)]
#[case::on_redis(2)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_come_at_once_with_one_token_one_gets_a_page(#[case] replicas: usize) {
    let accounts = Accounts::new();
    let redis = (replicas > 1).then(Redis::start);
    let mut services = Vec::new();
    for _ in 0..replicas {
        services.push(match &redis {
            Some(redis) => replica(redis, &accounts.all(&[])).await,
            None => accounts.service(&[]).await,
        });
    }
    let services: Vec<_> = services.into_iter().map(Arc::new).collect();
    one_of_many(10, 200, 401, async |round| {
        let token = accounts.acme.sign(&claims(&format!("round-{round}")));
        let mut running = JoinSet::new();
        for service in services.iter().cycle().take(8) {
            let (service, token) = (Arc::clone(service), token.clone());
            running.spawn(async move { app(&service, &token).await.status().as_u16() });
        }
        running.join_all().await
    })
    .await;
}

/// A panel that is shown counts by agent, 60 a minute, and what is refused by address.
#[tokio::test]
async fn pages_without_end_and_guesses_are_told_to_wait() {
    let accounts = Accounts::new();
    let service = accounts.service(&[("RATE_LIMIT_REFUSED", "1/h")]).await;
    assert_eq!(refused(&service, "a.b.c").await.0, 401);
    assert_eq!(refused(&service, "a.b.c").await.0, 429);
    let limited = r#"open_chat_rate_limited_total{limit="panel"}"#;
    let mut shown = 0;
    eventually("the limit is reached", async || {
        app(&service, &accounts.acme.sign(&claims(&shown.to_string()))).await;
        shown += 1;
        service.metric(limited).await > 0
    })
    .await;
    assert!(shown > 60, "{shown}");
}

#[tokio::test]
async fn another_network_and_another_method_get_nothing() {
    let accounts = Accounts::new();
    let elsewhere = accounts
        .service(&[("ALLOWED_NETWORKS", "192.0.2.0/24")])
        .await;
    let token = accounts.acme.sign(&claims("1"));
    let refusal = refused(&elsewhere, &token).await;
    assert_eq!(refusal, (403, "network-not-allowed".into()));
    let service = accounts.service(&[]).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "BREW"] {
        let url = format!("{}/connect/zendesk?{PLACE}", service.url());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let response = client.request(method, url).send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(header(&response, "allow"), "POST");
    }
}

const IN_CRM: [(&str, &str); 2] = [
    (
        "en",
        "To try again, go back to the CRM, reload its page, and click the button there.",
    ),
    (
        "uk",
        "Щоб спробувати ще раз, поверніться до CRM, оновіть її сторінку й натисніть кнопку там.",
    ),
];

/// The page that a person sees after a request.
async fn page_of(response: reqwest::RequestBuilder, language: &str) -> String {
    let request = response
        .header("Accept", "text/html")
        .header("Accept-Language", language);
    request.send().await.unwrap().text().await.unwrap()
}

/// The link of a panel's button is over after a minute: a button that opens it again would be dead
/// when a person presses it.
#[tokio::test]
async fn a_click_that_fails_is_tried_again_from_the_crm() {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let response = app(&service, &accounts.acme.sign(&claims("1"))).await;
    let ticket = ticket(&response.text().await.unwrap());
    let form = [("ticket", &*ticket), ("phone", "0501234567")];
    let opened = send(&service, "/connect/zendesk/open", &BUTTON, &form).await;
    let link = header(&opened, "location");
    let link = link.strip_prefix("https://chat.example/desk").unwrap();
    let fault = Some(Fault::Status(500));
    service.chathub.always(Endpoint::OperatorToken, fault);
    for (language, words) in IN_CRM {
        let page = page_of(service.request(link), language).await;
        assert!(page.contains("chathub-unavailable"), "{page}");
        assert!(page.contains(words), "{page}");
        assert!(!page.contains("id=\"try-again\""), "{page}");
        assert!(page.contains("id=\"by-hand\""), "{page}");
    }
    service.chathub.always(Endpoint::OperatorToken, None);
    // In the CRM the button makes another link, and the first one still counts too.
    let again = send(&service, "/connect/zendesk/open", &BUTTON, &form).await;
    assert_eq!(again.status(), 303);
    assert_eq!(service.request(link).send().await.unwrap().status(), 302);
    let used = page_of(service.request(link), "en").await;
    assert!(used.contains("pass-used"), "{used}");
    assert!(
        used.contains("Go back to the CRM, reload the page there, and click the button again.")
    );
    assert!(!used.contains("id=\"try-again\""), "{used}");
}

/// The address that a button or Zendesk posts to takes no other request, as a link would be.
#[tokio::test]
async fn what_a_crm_posts_is_tried_again_from_the_crm() {
    let accounts = Accounts::new();
    let service = accounts.service(&[("RATE_LIMIT_OPERATOR", "1/h")]).await;
    let response = app(&service, &accounts.acme.sign(&claims("1"))).await;
    let ticket = ticket(&response.text().await.unwrap());
    let form = [("ticket", &*ticket), ("phone", "0501234567")];
    let opened = send(&service, "/connect/zendesk/open", &BUTTON, &form).await;
    assert_eq!(opened.status(), 303);
    for (language, words) in IN_CRM {
        let accept = [("Accept", "text/html"), ("Accept-Language", language)];
        let headers = [&BUTTON[..], &accept].concat();
        let refused = send(&service, "/connect/zendesk/open", &headers, &form).await;
        assert_eq!(refused.status(), 429);
        let page = refused.text().await.unwrap();
        assert!(page.contains(words), "{page}");
        assert!(!page.contains("id=\"try-again\""), "{page}");
    }
}

/// A pass that a CRM signs for longer opens the chat when it is tried again.
#[tokio::test]
async fn a_link_that_is_good_for_long_is_tried_again_at_once() {
    let accounts = Accounts::new();
    let service = accounts.service(&[]).await;
    let fault = Some(Fault::Status(500));
    service.chathub.always(Endpoint::OperatorToken, fault);
    let now = Utc::now().timestamp();
    for (seconds, is_short) in [(300, true), (3600, false)] {
        let claims = json!({"sub": "101", "exp": now + seconds, "jti": seconds.to_string()});
        let key = EncodingKey::from_secret(PASS.as_bytes());
        let pass = encode(&Header::default(), &claims, &key).unwrap();
        let path = format!("/open-chat?phone=0501234567&pass={pass}");
        let page = page_of(service.request(&path), "en").await;
        assert_eq!(page.contains("id=\"in-crm\""), is_short, "{page}");
        assert_eq!(page.contains("id=\"try-again\""), !is_short, "{page}");
    }
}
