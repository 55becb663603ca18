//! Pipedrive's panel: the page beside a person or a deal, with a company that plays Pipedrive's
//! API.

use std::net::TcpListener;

use chrono::Utc;
use crm_simulator::Fault;
use crm_simulator::pipedrive::{Company, claims, query, token};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, Response};
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{PANEL, Problem, Service, file, header, log_line, rules};

const PASS: &str = "canary-pass-secret-of-more-than-32-bytes";
const ACME: &str = "canary-pipedrive-acme-0123456789-abcdef";
const OTHER: &str = "canary-pipedrive-other-0123456789-abcdef";
const API_TOKEN: &str = "canary-pipedrive-api-token-0123456789";

const MAP: &str = "\"pipedrive-7\" = 101\n\"pipedrive-8\" = 101\n\"other-7\" = 102\n\"7\" = 102\n";

/// Two companies, and the API of the first. The second's is nowhere.
async fn start_with(more: &[(&str, &str)]) -> (Service, Company) {
    let company = Company::start(API_TOKEN).unwrap();
    company.person(3, &["+38 (050) 123-45-67", "067 123 45 67"], &[7, 8]);
    company.person(4, &["+380631234567"], &[8]);
    company.person(5, &[], &[7]);
    company.deal(30, Some(3), &[7, 8]);
    company.deal(31, None, &[7]);
    company.deal(32, Some(4), &[7]);
    company.deal(33, Some(3), &[8]);
    let connectors = format!(
        "[[pipedrive]]\ncompanies = [{{ id = 123, host = \"{}\" }}]\njwt_secret = \"{ACME}\"\napi_token = \"{API_TOKEN}\"\n\
         [[pipedrive]]\ncompanies = [{{ id = 124, host = \"http://127.0.0.1:1\" }}]\njwt_secret = \"{OTHER}\"\napi_token = \"{API_TOKEN}\"\nprefix = \"other-\"\n",
        company.origin()
    );
    let connectors = file("connectors.toml", &connectors);
    let map = file("map.toml", MAP);
    let mut variables = vec![
        ("ACCESS", "pass"),
        ("PASS_SECRET", PASS),
        ("PUBLIC_URL", "https://chat.example"),
        ("CONNECTORS_FILE", connectors.to_str().unwrap()),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    variables.extend(more);
    (Service::start_with(rules(), &variables).await, company)
}

async fn start() -> (Service, Company) {
    start_with(&[]).await
}

/// The panel's address for user 7 beside a record; `age` makes one token differ from another.
fn address(resource: &str, id: u64, age: i64) -> String {
    let token = token(&claims(123, 7, age), ACME);
    format!("/connect/pipedrive?{}", query(&token, 123, 7, resource, id))
}

async fn frame(service: &Service, address: &str) -> Response {
    let request = service.request(address).header("Sec-Fetch-Dest", "iframe");
    let request = request.header("Sec-Fetch-Mode", "navigate");
    request.send().await.unwrap()
}

async fn refused(service: &Service, address: &str) -> (u16, String) {
    let problem = Problem::read(frame(service, address).await).await;
    assert!(!problem.detail.contains("canary"), "{}", problem.detail);
    (problem.status, problem.kind)
}

/// The phones on the buttons of a page.
fn buttons(page: &str) -> Vec<&str> {
    let buttons = page.split("name=\"phone\" value=\"").skip(1);
    buttons
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

fn paths(company: &Company) -> Vec<String> {
    let mut paths: Vec<_> = company
        .received()
        .into_iter()
        .map(|call| call.path)
        .collect();
    paths.sort_unstable();
    paths
}

const NO_PHONE: &str = "id=\"no-phone\">";

#[tokio::test]
async fn a_person_s_phones_are_buttons_that_lead_to_the_chat() {
    let (service, company) = start().await;
    let sent = address("person", 3, 0) + "&source=viber&from=Acme&phone=0991234567";
    let response = frame(&service, &sent).await;
    assert_eq!(response.status(), 200);
    let policy = header(&response, "content-security-policy");
    let ancestors = format!("frame-ancestors {}", company.origin());
    assert!(policy.ends_with(&ancestors), "{policy}");
    assert_eq!(header(&response, "cache-control"), "no-store");
    let line = log_line(&header(&response, "x-request-id")).await;
    let expected = [
        ("message", json!("connector")),
        ("outcome", json!("connector")),
        ("caller", json!("pipedrive:7")),
        ("installation", json!("123")),
        ("operator", json!(101)),
    ];
    for (name, value) in expected {
        assert_eq!(line[name], value, "{name}");
    }
    let page = response.text().await.unwrap();
    assert_eq!(buttons(&page), ["+380501234567", "+380671234567"]);
    assert_eq!(
        paths(&company),
        ["/api/v1/persons/3/permittedUsers", "/api/v2/persons/3"]
    );
    for call in company.received() {
        assert_eq!(call.api_token.as_deref(), Some(API_TOKEN));
        assert_eq!((call.query.as_str(), call.body.as_str()), ("", ""));
    }
    let ticket = page.split("name=\"ticket\" value=\"").nth(1).unwrap();
    let ticket = ticket.split('"').next().unwrap();
    let form = format!("ticket={ticket}&phone=%2B380671234567");
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    let button = client
        .build()
        .unwrap()
        .post(format!("{}/connect/pipedrive/open", service.url()))
        .header("Sec-Fetch-Site", "same-origin")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document");
    let opened = button.body(form).send().await.unwrap();
    assert_eq!(opened.status(), 303);
    let link = header(&opened, "location");
    let link = link
        .strip_prefix("https://chat.example/open-chat?")
        .unwrap();
    let click = service.click(link).await;
    let chat = format!("{PANEL}?source=0&from=Acme&phone=%2B380671234567&token=");
    assert!(header(&click, "location").starts_with(&chat));
    let counted = r#"open_chat_connector_requests_total{connector="pipedrive",outcome="page"}"#;
    assert_eq!(service.metric(counted).await, 1);
}

#[tokio::test]
async fn a_deal_has_the_phones_of_its_person() {
    let (service, company) = start().await;
    let page = frame(&service, &address("deal", 30, 0)).await.text().await;
    assert_eq!(buttons(&page.unwrap()), ["+380501234567", "+380671234567"]);
    assert_eq!(
        paths(&company),
        [
            "/api/v1/deals/30/permittedUsers",
            "/api/v1/persons/3/permittedUsers",
            "/api/v2/deals/30",
            "/api/v2/persons/3",
        ]
    );
}

#[rstest]
#[case::a_person("person", 5, 2)]
#[case::a_deal_without_one("deal", 31, 2)]
#[case::an_organization("organization", 3, 0)]
#[tokio::test]
async fn where_there_is_no_phone_the_page_says_so(
    #[case] resource: &str,
    #[case] id: u64,
    #[case] calls: usize,
) {
    let (service, company) = start().await;
    let response = frame(&service, &address(resource, id, 0)).await;
    assert_eq!(response.status(), 200);
    let page = response.text().await.unwrap();
    assert!(page.contains(NO_PHONE) && !page.contains("<form"), "{page}");
    assert_eq!(company.received().len(), calls);
}

/// What Pipedrive does not show to the user, this service does not either.
#[rstest]
#[case::a_person("person", 4)]
#[case::the_person_of_a_deal("deal", 32)]
#[case::a_deal("deal", 33)]
#[case::no_such_person("person", 99)]
#[tokio::test]
async fn a_hidden_client_is_not_shown(#[case] resource: &str, #[case] id: u64) {
    let (service, _company) = start().await;
    let problem = Problem::read(frame(&service, &address(resource, id, 0)).await).await;
    assert_eq!((problem.status, &*problem.kind), (400, "target-missing"));
    assert!(
        problem
            .detail
            .starts_with("The CRM shows no record of this number to this agent")
    );
    let others = token(&claims(123, 8, 0), ACME);
    let address = format!(
        "/connect/pipedrive?{}",
        query(&others, 123, 8, resource, id)
    );
    let response = frame(&service, &address).await;
    let may_see = ["person 4", "deal 33"].contains(&&*format!("{resource} {id}"));
    assert_eq!(response.status(), if may_see { 200 } else { 400 });
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims(123, 7, 0);
    claims[name] = value;
    claims
}

fn in_seconds(seconds: i64) -> Value {
    json!(Utc::now().timestamp() + seconds)
}

#[rstest]
#[case::another_s_secret(claims(123, 7, 0), OTHER, "connector-unproven")]
#[case::a_forged_one(
    claims(123, 7, 0),
    "canary-guess-0123456789-0123456789",
    "connector-unproven"
)]
#[case::the_pass_s_secret(claims(123, 7, 0), PASS, "connector-unproven")]
#[case::the_api_token(claims(123, 7, 0), API_TOKEN, "connector-unproven")]
#[case::over(claims(123, 7, 301), ACME, "connector-unproven")]
#[case::for_two_hours(with("exp", in_seconds(7200)), ACME, "connector-unproven")]
#[case::of_tomorrow(with("iat", in_seconds(86400)), ACME, "connector-unproven")]
#[case::without_times(json!({"userId": 7, "companyId": 123}), ACME, "connector-unproven")]
#[case::of_another_company(claims(124, 7, 0), ACME, "connector-unproven")]
#[case::without_a_company(with("companyId", Value::Null), ACME, "connector-unproven")]
#[case::of_another_user(claims(123, 8, 0), ACME, "connector-unproven")]
#[case::without_a_user(with("userId", Value::Null), ACME, "connector-unproven")]
#[case::a_user_who_is_no_number(with("userId", json!("07")), ACME, "connector-unproven")]
#[tokio::test]
async fn a_token_that_is_not_right_opens_nothing(
    #[case] claims: Value,
    #[case] secret: &str,
    #[case] kind: &str,
) {
    let (service, company) = start().await;
    let calls = service.chathub.total_calls();
    let token = token(&claims, secret);
    let address = format!("/connect/pipedrive?{}", query(&token, 123, 7, "person", 3));
    assert_eq!(refused(&service, &address).await, (401, kind.to_owned()));
    assert_eq!(company.received().len(), 0);
    assert_eq!(service.chathub.total_calls(), calls);
    let counted = r#"open_chat_connector_requests_total{connector="pipedrive",outcome="refused"}"#;
    assert_eq!(service.metric(counted).await, 1);
}

/// The algorithm is Pipedrive's and never the token's.
#[tokio::test]
async fn a_token_of_another_algorithm_opens_nothing() {
    let (service, company) = start().await;
    let key = EncodingKey::from_secret(ACME.as_bytes());
    let sign = |algorithm| encode(&Header::new(algorithm), &claims(123, 7, 0), &key).unwrap();
    let good = sign(Algorithm::HS256);
    let claims = good.split('.').nth(1).unwrap();
    for token in [
        sign(Algorithm::HS384),
        sign(Algorithm::HS512),
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}."),
        good[..good.len() - 1].to_owned(),
        format!("{good}{}", "A".repeat(3000)),
        "a.b.c".to_owned(),
        String::new(),
    ] {
        let address = format!("/connect/pipedrive?{}", query(&token, 123, 7, "person", 3));
        let unproven = (401, "connector-unproven".to_owned());
        assert_eq!(refused(&service, &address).await, unproven, "{token}");
    }
    assert_eq!(company.received().len(), 0);
}

/// What is not as Pipedrive writes it is refused, and neither Pipedrive nor ChatHub is asked.
#[rstest]
#[case("&token=", "&tokens=", "connector-unproven")]
#[case("companyId=123", "companyId=124", "connector-unproven")]
#[case("companyId=123", "companyId=125", "portal-not-allowed")]
#[case("companyId=123", "companyId=0123", "connector-unproven")]
#[case("companyId=123&", "", "connector-unproven")]
#[case("userId=7", "userId=8", "connector-unproven")]
#[case("userId=7&", "", "connector-unproven")]
#[case("resource=person", "resource=users", "parameter-invalid")]
#[case("resource=person&", "", "parameter-invalid")]
#[case("selectedIds=3", "selectedIds=3,4", "parameter-invalid")]
#[case("selectedIds=3", "selectedIds=3%2f..%2f4", "parameter-invalid")]
#[case("selectedIds=3&", "", "parameter-invalid")]
#[case("userId=7", "userId=7&userId=8", "parameter-repeated")]
#[case("companyId=123", "companyId=123&companyId=124", "parameter-repeated")]
#[case(
    "resource=person",
    "resource=person&resource=deal",
    "parameter-repeated"
)]
#[case("selectedIds=3", "selectedIds=3&selectedIds=4", "parameter-repeated")]
#[case("&token=", "&token=x&token=", "parameter-repeated")]
#[case("view=details", "source=9", "source-invalid")]
#[tokio::test]
async fn a_half_or_doubled_request_is_refused(
    #[case] right: &str,
    #[case] wrong: &str,
    #[case] kind: &str,
) {
    let (service, company) = start().await;
    let calls = service.chathub.total_calls();
    let address = address("person", 3, 0).replacen(right, wrong, 1);
    assert_eq!(refused(&service, &address).await.1, kind);
    assert_eq!(service.chathub.total_calls(), calls);
    // What a source is, is read when there is a page to be made.
    let asked = if kind == "source-invalid" { 2 } else { 0 };
    assert_eq!(company.received().len(), asked);
}

#[tokio::test]
async fn an_agent_who_is_no_operator_costs_no_question() {
    let (service, company) = start().await;
    let token = token(&claims(123, 9, 0), ACME);
    let address = format!("/connect/pipedrive?{}", query(&token, 123, 9, "person", 3));
    let problem = Problem::read(frame(&service, &address).await).await;
    assert_eq!(problem.kind, "identity-unknown");
    assert!(
        problem.detail.contains("\"pipedrive-9\" = 101"),
        "{}",
        problem.detail
    );
    assert_eq!(company.received().len(), 0);
}

#[tokio::test]
async fn user_7_of_one_company_is_not_user_7_of_another() {
    let (service, company) = start().await;
    let token = token(&claims(124, 7, 0), OTHER);
    let address = format!(
        "/connect/pipedrive?{}",
        query(&token, 124, 7, "organization", 3)
    );
    let response = frame(&service, &address).await;
    assert_eq!(response.status(), 200);
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(
        (&line["operator"], &line["installation"]),
        (&json!(102), &json!("124"))
    );
    assert_eq!(company.received().len(), 0);
}

#[tokio::test]
async fn a_token_counts_once() {
    let (service, company) = start().await;
    let first = address("person", 3, 0);
    assert_eq!(frame(&service, &first).await.status(), 200);
    let asked = company.received().len();
    // For another record, or in another frame, it is the same token.
    for again in [
        first.clone(),
        first.replace("selectedIds=3", "selectedIds=5"),
        first.replace("&id=", "&id=x"),
    ] {
        let unproven = (401, "connector-unproven".to_owned());
        assert_eq!(refused(&service, &again).await, unproven);
    }
    assert_eq!(company.received().len(), asked);
    // An age that the time since the first token does not make up for, however slow this is.
    let next = address("person", 3, 100);
    assert_eq!(frame(&service, &next).await.status(), 200);
}

#[rstest]
#[case::its_token_is_not_taken(Fault::Status(401, "{}".into()), 503, "crm-unavailable")]
#[case::it_is_asked_too_often(Fault::Status(429, "{}".into()), 503, "crm-unavailable")]
#[case::it_is_broken(Fault::Status(500, "{}".into()), 503, "crm-unavailable")]
#[case::it_says_something_else(Fault::Status(418, "{}".into()), 502, "crm-bad-answer")]
#[case::it_makes_no_sense(Fault::Garbage("<html>".into()), 502, "crm-bad-answer")]
#[case::it_says_no_users(Fault::Garbage("{\"success\": true, \"data\": null}".into()), 502, "crm-bad-answer")]
#[case::it_says_too_much(Fault::Garbage(format!("{{\"data\": [7], \"more\": \"{}\"}}", "a".repeat(256 << 10))), 502, "crm-bad-answer")]
#[case::it_is_gone(Fault::Status(404, "{}".into()), 400, "target-missing")]
#[case::it_forbids(Fault::Status(403, "{}".into()), 400, "target-missing")]
#[tokio::test]
async fn what_goes_wrong_at_pipedrive_is_said_and_can_be_tried_again(
    #[case] fault: Fault,
    #[case] status: u16,
    #[case] kind: &str,
) {
    let (service, company) = start().await;
    let address = address("person", 3, 0);
    company.fail_next("/api/v1/persons/3/permittedUsers", fault);
    assert_eq!(refused(&service, &address).await, (status, kind.to_owned()));
    // The token was not used.
    assert_eq!(frame(&service, &address).await.status(), 200);
}

/// No host outside of the file is connected to, whatever an answer says.
#[tokio::test]
async fn pipedrive_s_redirects_lead_nowhere() {
    let (service, company) = start().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}/api", elsewhere.local_addr().unwrap());
    for (age, status) in [(0, 301), (1, 302), (2, 307), (3, 308)] {
        company.fail_next("/api/v2/persons/3", Fault::Redirect(status, target.clone()));
        let bad = (502, "crm-bad-answer".to_owned());
        assert_eq!(refused(&service, &address("person", 3, age)).await, bad);
    }
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "a connection has come");
}

/// Pipedrive shows no page that does not tell that it is there: not even this.
#[tokio::test]
async fn a_refusal_in_the_frame_tells_that_it_is_there() {
    let (service, _company) = start().await;
    let request = service.request("/connect/pipedrive?resource=person&selectedIds=3");
    let response = request.header("Accept", "text/html").send().await.unwrap();
    assert_eq!(response.status(), 401);
    let policy = header(&response, "content-security-policy");
    assert!(
        policy.contains("; form-action 'none'; script-src 'sha256-")
            && !policy.contains("frame-ancestors"),
        "{policy}"
    );
    let page = response.text().await.unwrap();
    assert!(page.contains("command: 'initialize'"), "{page}");
}

#[tokio::test]
async fn agents_come_from_their_networks_and_wait_when_they_keep_trying() {
    let (service, company) = start_with(&[("ALLOWED_NETWORKS", "10.0.0.0/8")]).await;
    let outside = refused(&service, &address("person", 3, 0)).await;
    assert_eq!(outside.1, "network-not-allowed");
    assert_eq!(company.received().len(), 0);
    let (service, _company) = start_with(&[("RATE_LIMIT_REFUSED", "1/h")]).await;
    let forged = address("person", 3, 0).replace("&token=", "&token=x");
    assert_eq!(refused(&service, &forged).await.0, 401);
    assert_eq!(refused(&service, &forged).await.0, 429);
    assert_eq!(
        frame(&service, &address("person", 3, 0)).await.status(),
        200
    );
}

/// A panel beside an organization asks nothing, and counts as well.
#[tokio::test]
async fn an_agent_who_asks_without_end_costs_no_question() {
    let (service, company) = start().await;
    let mut number = 0;
    let mut show = async |resource: &str, id: u64| {
        number += 1;
        let claims = with("n", json!(number));
        let query = query(&token(&claims, ACME), 123, 7, resource, id);
        let address = format!("/connect/pipedrive?{query}");
        frame(&service, &address).await.status().as_u16()
    };
    let (mut shown, mut last) = (0, 200);
    // However slow the machine is: each page that is shown asks twice, and one that is not, never.
    while last != 429 {
        while show("organization", 1).await == 200 {}
        last = show("person", 3).await;
        shown += usize::from(last == 200);
    }
    assert_eq!(company.received().len(), 2 * shown);
}

#[tokio::test]
async fn only_a_page_is_given_and_only_by_get() {
    let (service, company) = start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for method in ["HEAD", "POST", "OPTIONS", "PUT", "BREW"] {
        let url = format!("{}{}", service.url(), address("person", 3, 0));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let response = client.request(method, url).send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(header(&response, "allow"), "GET");
    }
    for (name, value) in [("Sec-Fetch-Mode", "cors"), ("Sec-Purpose", "prefetch")] {
        let address = address("person", 3, 0);
        let request = service.request(&address).header(name, value);
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!(problem.kind, "not-a-navigation", "{name}");
    }
    assert_eq!(company.received().len(), 0);
}

#[tokio::test]
async fn a_company_that_is_not_listed_is_told_its_number() {
    let (service, _company) = start().await;
    let address = address("person", 3, 0).replace("companyId=123", "companyId=125");
    let problem = Problem::read(frame(&service, &address).await).await;
    assert_eq!(problem.status, 403);
    let words = "The request is from the account with the number `125`, which no section";
    assert!(problem.detail.starts_with(words), "{}", problem.detail);
}
