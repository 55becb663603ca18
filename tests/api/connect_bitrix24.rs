//! Bitrix24's local application: `POST /connect/bitrix24` of a button, and
//! `POST /connect/bitrix24/install`. What the page does in a browser is in
//! `tests/browser/bitrix24.rs`.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crm_simulator::Fault;
use crm_simulator::bitrix24::{APPLICATION_TOKEN, Form, Portal, SCOPES, as_form, multifield};
use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use url::form_urlencoded::Serializer;

use crate::harness::{PANEL, Problem, Service, eventually, file, header, log, log_line, rules};
use crate::redis::{Redis, replica};

const PASS: &str = "canary-pass-secret-of-more-than-32-bytes";
const CLIENT: &str = "local.64d1a5c0ffee.12345678";
const OTHER_CLIENT: &str = "local.64d1bad0bad0.87654321";
const TOKEN: &str = "canary-7c3a7166007e9c94001e30ba00000001f0f10716";
const CONTACT: &str = "CRM_CONTACT_DETAIL_TOOLBAR";
const DEAL: &str = "CRM_DEAL_DETAIL_TOOLBAR";

/// A portal with a contact, and a service that lists it.
struct World {
    portal: Portal,
    service: Service,
}

/// Agent 17's token, and contact 43 with one phone.
fn portal() -> Portal {
    let portal = Portal::start().unwrap();
    portal.token(TOKEN, CLIENT, 17, SCOPES);
    portal.contact(43, &["+38 (050) 123-45-67"]);
    portal
}

/// The section of a portal.
fn section(portal: &Portal, more: &str) -> String {
    let origin = portal.origin();
    format!("[[bitrix24]]\nportals = [\"{origin}\"]\nclient_id = \"{CLIENT}\"\n{more}\n")
}

const MAP: &str = "\"bitrix24-17\" = 101\n\"other-17\" = 102\n\"agent-18@example.com\" = 102\n";

fn variables(connectors: &str) -> Vec<(&'static str, String)> {
    let path = |name, text| file(name, text).to_str().unwrap().to_owned();
    vec![
        ("ACCESS", "pass".into()),
        ("PASS_SECRET", PASS.into()),
        ("PUBLIC_URL", "https://chat.example".into()),
        ("CONNECTORS_FILE", path("bitrix24.toml", connectors)),
        ("OPERATOR_MAP_FILE", path("bitrix24-map.toml", MAP)),
    ]
}

fn with<'a>(
    base: &'a [(&'static str, String)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let base = base.iter().map(|(name, value)| (*name, value.as_str()));
    base.chain(more.iter().copied()).collect()
}

impl World {
    async fn with(section_has: &str, more: &[(&str, &str)]) -> Self {
        let portal = portal();
        let base = variables(&section(&portal, section_has));
        let service = Service::start_with(rules(), &with(&base, more)).await;
        Self { portal, service }
    }

    async fn start() -> Self {
        Self::with("", &[]).await
    }

    /// What the portal sends when the button on contact 43 is pressed.
    fn form(&self) -> Form {
        self.portal.form(TOKEN, CONTACT, "43")
    }

    async fn press(&self, form: &Form) -> Response {
        let path = format!("/connect/bitrix24?{}", self.portal.query());
        send(&self.service, &path, encoded(form), &[]).await
    }

    async fn refused(&self, form: &Form) -> Problem {
        Problem::read(self.press(form).await).await
    }

    async fn install(&self, body: String) -> Response {
        send(&self.service, "/connect/bitrix24/install", body, &[]).await
    }
}

fn encoded(form: &Form) -> String {
    Serializer::new(String::new()).extend_pairs(form).finish()
}

/// A form in which a field has another value, or none.
fn changed(mut form: Form, name: &'static str, value: Option<&str>) -> Form {
    form.retain(|(field, _)| *field != name);
    form.extend(value.map(|value| (name, value.to_owned())));
    form
}

async fn send(service: &Service, path: &str, body: String, headers: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::builder().no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none());
    let url = format!("{}{path}", service.url());
    let mut request = client.build().unwrap().post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// The phones of a page's buttons, and its ticket.
async fn shown(response: Response) -> (Vec<String>, String) {
    assert_eq!(response.status(), 200);
    let page = response.text().await.unwrap();
    let values = |before: &str| -> Vec<String> {
        let parts = page.split(before).skip(1);
        parts
            .map(|part| part.split('"').next().unwrap().to_owned())
            .collect()
    };
    let tickets = values("name=\"ticket\" value=\"");
    (
        values("name=\"phone\" value=\""),
        tickets.into_iter().next().unwrap_or_default(),
    )
}

/// A listener at which no connection may arrive.
struct Elsewhere(TcpListener);

impl Elsewhere {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn host(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    fn assert_unasked(&self) {
        assert!(self.0.accept().is_err(), "a connection has arrived");
    }
}

#[tokio::test]
async fn a_button_s_page_leads_to_the_chat_of_this_client() {
    let world = World::start().await;
    let path = format!(
        "/connect/bitrix24?{}&source=viber&from=Acme",
        world.portal.query()
    );
    let response = send(&world.service, &path, encoded(&world.form()), &[]).await;
    let policy = header(&response, "content-security-policy");
    let framed = format!("; frame-ancestors {}", world.portal.origin());
    assert!(policy.ends_with(&framed), "{policy}");
    let line = log_line(&header(&response, "x-request-id")).await;
    let expected = [
        ("outcome", json!("connector")),
        ("caller", json!("bitrix24:17")),
        ("installation", json!(world.portal.domain())),
        ("operator", json!(101)),
        ("route", json!("/connect/bitrix24")),
    ];
    for (name, value) in expected {
        assert_eq!(line[name], value, "{name}");
    }
    let (phones, ticket) = shown(response).await;
    assert_eq!(phones, ["+380501234567"]);
    let form = vec![("ticket", ticket), ("phone", "+380501234567".into())];
    let button = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
    ];
    let path = "/connect/bitrix24/open";
    let opened = send(&world.service, path, encoded(&form), &button).await;
    assert_eq!(opened.status(), 303);
    let link = header(&opened, "location");
    let query = link
        .strip_prefix("https://chat.example/open-chat?")
        .unwrap();
    let click = world.service.click(query).await;
    let chat = format!("{PANEL}?source=0&from=Acme&phone=%2B380501234567&token=");
    assert!(header(&click, "location").starts_with(&chat));
    let counted = r#"open_chat_connector_requests_total{connector="bitrix24",outcome="page"}"#;
    assert_eq!(world.service.metric(counted).await, 1);
}

/// One request, with the token in its body and nowhere else; and no second question about the same
/// token.
#[tokio::test]
async fn the_portal_is_asked_once_and_in_the_body() {
    let world = World::start().await;
    for _ in 0..2 {
        assert_eq!(shown(world.press(&world.form()).await).await.0.len(), 1);
    }
    let calls = world.portal.received();
    let asked: Vec<Value> = calls
        .iter()
        .map(|call| {
            assert_eq!(
                (call.path.as_str(), call.query.as_str()),
                ("/rest/batch", "")
            );
            serde_json::from_str(&call.body).unwrap()
        })
        .collect();
    let contact = "crm.contact.get?ID=43";
    assert_eq!(
        asked,
        [
            json!({"auth": TOKEN, "halt": 0, "cmd": {"app": "app.info", "client": contact, "me": "profile"}}),
            json!({"auth": TOKEN, "halt": 0, "cmd": {"client": contact}}),
        ]
    );
    let log = log();
    for secret in [TOKEN, APPLICATION_TOKEN, "canary-refresh"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

/// A deal and a lead have the phones of their contact and their company.
#[rstest]
#[case::contact(CONTACT, "43", &["+380501234567"])]
#[case::several(CONTACT, "44", &["+380501234567", "+380671234567"])]
#[case::in_a_list("CRM_CONTACT_LIST_MENU", "44", &["+380501234567", "+380671234567"])]
#[case::company("CRM_COMPANY_DETAIL_TOOLBAR", "12", &["+380442345678"])]
#[case::deal(DEAL, "410", &["+380501234567", "+380442345678"])]
#[case::deal_of_a_company(DEAL, "411", &["+380442345678"])]
#[case::deal_of_no_client(DEAL, "412", &[])]
#[case::lead("CRM_LEAD_DETAIL_TOOLBAR", "7", &["+380931234567"])]
#[case::lead_of_a_client("CRM_LEAD_LIST_MENU", "8", &["+380501234567"])]
#[case::nothing_that_is_a_phone(CONTACT, "45", &[])]
#[tokio::test]
async fn each_record_shows_its_client_s_phones(
    #[case] placement: &str,
    #[case] id: &str,
    #[case] expected: &[&str],
) {
    let world = World::start().await;
    let portal = &world.portal;
    portal.contact(44, &["0501234567", "067 123 45 67", "+380501234567"]);
    portal.contact(45, &["ext. 12", ""]);
    let company = json!({"ID": "12", "PHONE": multifield(&["044 234 56 78"])});
    portal.record("crm.company.get", 12, company);
    let deal =
        |contact: Value, company: Value| json!({"CONTACT_ID": contact, "COMPANY_ID": company});
    portal.record("crm.deal.get", 410, deal(json!("43"), json!("12")));
    portal.record("crm.deal.get", 411, deal(Value::Null, json!("12")));
    portal.record("crm.deal.get", 412, deal(json!("0"), Value::Null));
    let lead = json!({"PHONE": multifield(&["0931234567"]), "CONTACT_ID": null});
    portal.record("crm.lead.get", 7, lead);
    portal.record("crm.lead.get", 8, json!({"PHONE": [], "CONTACT_ID": "43"}));
    let form = portal.form(TOKEN, placement, id);
    let response = world.press(&form).await;
    if expected.is_empty() {
        let page = response.text().await.unwrap();
        assert!(page.contains("This client has no phone that can be read."));
        assert!(!page.contains("<button"));
    } else {
        assert_eq!(shown(response).await.0, expected);
    }
    assert_eq!(portal.calls(), 1);
}

/// JSON, too, and a domain that is written in another way.
#[tokio::test]
async fn a_request_may_be_spelled_in_other_ways() {
    let portal = portal();
    let origin = portal.origin().replace("127.0.0.1", "localhost");
    let connectors = section(&portal, "").replace(&portal.origin(), &origin);
    let base = variables(&connectors);
    let service = Service::start_with(rules(), &with(&base, &[])).await;
    let port = portal.domain().rsplit_once(':').unwrap().1.to_owned();
    let domain = format!("LocalHost:{port}");
    let form = portal.form(TOKEN, CONTACT, "43");
    let path = format!("/connect/bitrix24?DOMAIN={domain}.");
    let response = send(&service, &path, encoded(&form), &[]).await;
    assert_eq!(shown(response).await.0, ["+380501234567"]);
    let mut body: serde_json::Map<String, Value> = form
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    body.insert("DOMAIN".into(), json!(domain));
    body.insert("PLACEMENT_OPTIONS".into(), json!({"ID": 43}));
    let response = send(&service, "/connect/bitrix24", json!(body).to_string(), &[]).await;
    assert_eq!(shown(response).await.0, ["+380501234567"]);
}

type Change = fn(Form) -> Form;

/// Nothing is asked: not the portal, not ChatHub.
#[rstest]
#[case::no_token(|form| changed(form, "AUTH_ID", None), 401, "connector-unproven")]
#[case::an_empty_token(|form| changed(form, "AUTH_ID", Some("")), 401, "connector-unproven")]
#[case::no_token_at_all(|form| changed(form, "AUTH_ID", Some("a b")), 401, "connector-unproven")]
#[case::a_long_token(|form| changed(form, "AUTH_ID", Some(&"a".repeat(1025))), 401, "connector-unproven")]
#[case::no_application_token(|form| changed(form, "APPLICATION_TOKEN", None), 401, "connector-unproven")]
#[case::another_application_token(|form| changed(form, "APPLICATION_TOKEN", Some("canary-ec1b2074a9d3f5c81b6e40d27a95cf39")), 401, "connector-unproven")]
#[case::no_place(|form| changed(form, "PLACEMENT", None), 401, "connector-unproven")]
#[case::another_place(|form| changed(form, "PLACEMENT", Some("DEFAULT")), 401, "connector-unproven")]
#[case::an_injected_place(|form| changed(form, "PLACEMENT", Some("CRM_CONTACT_DETAIL_TOOLBAR&auth=x")), 401, "connector-unproven")]
#[case::no_record(|form| changed(form, "PLACEMENT_OPTIONS", None), 401, "connector-unproven")]
#[case::an_injected_record(|form| changed(form, "PLACEMENT_OPTIONS", Some(r#"{"ID":"43&auth=x"}"#)), 401, "connector-unproven")]
#[case::a_reference(|form| changed(form, "PLACEMENT_OPTIONS", Some(r#"{"ID":"$result[me][ID]"}"#)), 401, "connector-unproven")]
#[case::another_domain(|form| changed(form, "DOMAIN", Some("acme.bitrix24.com")), 401, "connector-unproven")]
#[case::two_tokens(|mut form: Form| { form.push(("AUTH_ID", "canary-second".into())); form }, 400, "parameter-repeated")]
#[case::nothing(|_| Vec::new(), 401, "connector-unproven")]
#[tokio::test]
async fn a_half_or_forged_request_is_refused_unasked(
    #[case] change: Change,
    #[case] status: u16,
    #[case] kind: &str,
) {
    let secret = format!("application_token = \"{APPLICATION_TOKEN}\"");
    let world = World::with(&secret, &[]).await;
    let calls = world.service.chathub.total_calls();
    let problem = world.refused(&change(world.form())).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (status, kind),
        "{}",
        problem.detail
    );
    assert!(!problem.detail.contains("canary"), "{}", problem.detail);
    assert_eq!(world.portal.calls(), 0);
    assert_eq!(world.service.chathub.total_calls(), calls);
    let counted = r#"open_chat_connector_requests_total{connector="bitrix24",outcome="refused"}"#;
    assert_eq!(world.service.metric(counted).await, 1);
    // As it is it counts.
    assert_eq!(world.press(&world.form()).await.status(), 200);
}

/// A field that is there twice could be read in two ways, in JSON too.
#[rstest]
#[case(r#"{"DOMAIN":"a.example","DOMAIN":"b.example"}"#)]
#[case(r#"{"AUTH_ID":"canary-one","AUTH\u005fID":"canary-two"}"#)]
#[case(r#"{"auth":{"domain":"a.example","domain":"b.example"}}"#)]
#[case(r#"{"auth":{"domain":"a.example"},"auth[domain]":"b.example"}"#)]
#[tokio::test]
async fn a_field_that_is_there_twice_in_json_is_refused(#[case] body: &str) {
    let world = World::start().await;
    let response = send(&world.service, "/connect/bitrix24", body.into(), &[]).await;
    let problem = Problem::read(response).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (400, "parameter-repeated")
    );
    assert_eq!(world.portal.calls(), 0);
}

/// Whatever a request says of where to ask, only the listed origin is asked.
#[tokio::test]
async fn no_other_host_is_ever_connected_to() {
    let world = World::start().await;
    let elsewhere = Elsewhere::new();
    let host = elsewhere.host();
    let domain = world.portal.domain();
    let queries = [
        format!("DOMAIN={host}"),
        format!("DOMAIN={host}&source=viber"),
        format!("DOMAIN={domain}@{host}"),
        format!("DOMAIN={host}/{domain}"),
        format!("DOMAIN={domain}%23@{host}"),
        format!("DOMAIN={domain}..&PROTOCOL=1"),
        format!("DOMAIN=http://{domain}"),
        format!("DOMAIN=%20{domain}"),
    ];
    for query in queries {
        let path = format!("/connect/bitrix24?{query}");
        let response = send(&world.service, &path, encoded(&world.form()), &[]).await;
        let problem = Problem::read(response).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (403, "portal-not-allowed"),
            "{query}"
        );
    }
    let twice = format!("/connect/bitrix24?DOMAIN={domain}&DOMAIN={host}");
    let problem =
        Problem::read(send(&world.service, &twice, encoded(&world.form()), &[]).await).await;
    assert_eq!(problem.kind, "parameter-repeated");
    assert_eq!(world.portal.calls(), 0);
    // What is not read changes nothing.
    let url = format!("http://{host}/rest/");
    let mut form = world.form();
    for name in [
        "SERVER_ENDPOINT",
        "client_endpoint",
        "member_id",
        "PROTOCOL",
    ] {
        form = changed(form, name, Some(&url));
    }
    assert_eq!(world.press(&form).await.status(), 200);
    let mut installation = world.portal.installation(TOKEN);
    for name in ["client_endpoint", "server_endpoint", "member_id"] {
        installation["auth"][name] = json!(url);
    }
    assert_eq!(world.install(installation.to_string()).await.status(), 200);
    installation["auth"]["domain"] = json!(host);
    let refused = Problem::read(world.install(installation.to_string()).await).await;
    assert_eq!(refused.kind, "portal-not-allowed");
    assert!(
        refused.detail.contains(&format!("portals = [\"{host}\"]")),
        "{}",
        refused.detail
    );
    // Nor does a redirect of the portal.
    for status in [301, 302, 307, 308] {
        world.portal.fail_next(Fault::Redirect(status, url.clone()));
        assert_eq!(world.refused(&world.form()).await.kind, "crm-bad-answer");
    }
    elsewhere.assert_unasked();
}

/// The portal is asked once, and its no is remembered.
#[rstest]
#[case::unknown("canary-unknown-token", "(`AUTH_ID`)")]
#[case::of_another_application("canary-foreign-token", "`client_id`")]
#[tokio::test]
async fn a_token_that_the_portal_does_not_confirm_opens_nothing(
    #[case] token: &str,
    #[case] words: &str,
) {
    let world = World::start().await;
    world
        .portal
        .token("canary-foreign-token", OTHER_CLIENT, 17, SCOPES);
    let calls = world.service.chathub.total_calls();
    for _ in 0..3 {
        let problem = world
            .refused(&world.portal.form(token, CONTACT, "43"))
            .await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (401, "connector-unproven")
        );
        assert!(problem.detail.contains(words), "{}", problem.detail);
        assert_eq!(world.portal.calls(), 1);
    }
    assert_eq!(world.service.chathub.total_calls(), calls);
    // An installation by it puts no button anywhere.
    let refused = Problem::read(
        world
            .install(world.portal.installation(token).to_string())
            .await,
    )
    .await;
    assert_eq!(refused.kind, "connector-unproven");
    assert!(world.portal.bound(CONTACT).is_none());
    assert_eq!(world.portal.calls(), 1);
}

/// A yes does not outlive the token.
#[tokio::test]
async fn a_token_that_has_ended_is_refused_though_it_was_good() {
    let world = World::start().await;
    assert_eq!(world.press(&world.form()).await.status(), 200);
    world.portal.expire(TOKEN);
    assert_eq!(
        world.refused(&world.form()).await.kind,
        "connector-unproven"
    );
    assert_eq!(
        world.refused(&world.form()).await.kind,
        "connector-unproven"
    );
    assert_eq!(world.portal.calls(), 2);
}

#[rstest]
#[case::no_scope(&["placement"], "43", 401, "connector-unproven", "`crm` and `placement`")]
#[case::no_such_client(SCOPES, "99", 400, "target-missing", "no record of this number")]
#[tokio::test]
async fn what_the_portal_does_not_show_is_said(
    #[case] scopes: &'static [&'static str],
    #[case] id: &str,
    #[case] status: u16,
    #[case] kind: &str,
    #[case] words: &str,
) {
    let world = World::with("", &[("RATE_LIMIT_REFUSED", "1/h")]).await;
    world.portal.token(TOKEN, CLIENT, 17, scopes);
    // That is not the agent's fault, and does not count.
    for _ in 0..3 {
        let problem = world.refused(&world.portal.form(TOKEN, CONTACT, id)).await;
        assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
        assert!(problem.detail.contains(words), "{}", problem.detail);
    }
}

#[tokio::test]
async fn an_agent_who_is_no_operator_reads_what_to_add() {
    let world = World::start().await;
    world.portal.token(TOKEN, CLIENT, 18, SCOPES);
    let problem = world.refused(&world.form()).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "identity-unknown")
    );
    assert!(
        problem.detail.contains("`\"bitrix24-18\" = 101`"),
        "{}",
        problem.detail
    );
}

#[tokio::test]
async fn agent_17_of_one_portal_is_not_agent_17_of_another() {
    let (acme, other) = (portal(), portal());
    let others = section(&other, "prefix = \"other-\"");
    let base = variables(&format!("{}{others}", section(&acme, "")));
    let service = Service::start_with(rules(), &with(&base, &[])).await;
    for (portal, operator) in [(&acme, 101), (&other, 102)] {
        let path = format!("/connect/bitrix24?{}", portal.query());
        let form = portal.form(TOKEN, CONTACT, "43");
        let response = send(&service, &path, encoded(&form), &[]).await;
        let line = log_line(&header(&response, "x-request-id")).await;
        assert_eq!(line["operator"], json!(operator));
        assert_eq!(portal.calls(), 1);
    }
    // A token that one has confirmed is none of the other's.
    acme.token("canary-acme-alone", CLIENT, 17, SCOPES);
    for (portal, status) in [(&acme, 200), (&other, 401)] {
        let path = format!("/connect/bitrix24?{}", portal.query());
        let form = portal.form("canary-acme-alone", CONTACT, "43");
        assert_eq!(
            send(&service, &path, encoded(&form), &[]).await.status(),
            status
        );
    }
}

#[rstest]
#[case::allowed("by_email = true", SCOPES, Some(102))]
#[case::not_set("", SCOPES, None)]
#[case::not_shown("by_email = true", &["crm", "placement"], None)]
#[tokio::test]
async fn an_agent_is_known_by_address_only_where_that_is_set(
    #[case] section: &str,
    #[case] scopes: &'static [&'static str],
    #[case] operator: Option<u64>,
) {
    let world = World::with(section, &[]).await;
    world.portal.token(TOKEN, CLIENT, 18, scopes);
    let response = world.press(&world.form()).await;
    let status = if operator.is_some() { 200 } else { 403 };
    assert_eq!(response.status(), status);
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line.get("operator").and_then(Value::as_u64), operator);
}

#[rstest]
#[case::error(Fault::Status(500, "{}".into()), 503, "crm-unavailable", "a problem of its own")]
#[case::a_page(Fault::Status(502, "<html>".into()), 503, "crm-unavailable", "a problem of its own")]
#[case::too_often(Fault::Status(503, r#"{"error":"QUERY_LIMIT_EXCEEDED"}"#.into()), 503, "crm-unavailable", "as often as it allows")]
#[case::with_status_200(Fault::Garbage(r#"{"error":"OVERLOAD_LIMIT"}"#.into()), 503, "crm-unavailable", "as often as it allows")]
#[case::busy_with_one_question(Fault::Garbage(r#"{"result":{"result":[],"result_error":{"app":{"error":"OPERATION_TIME_LIMIT"}}}}"#.into()), 503, "crm-unavailable", "as often as it allows")]
#[case::no_rest(Fault::Status(403, r#"{"error":"ACCESS_DENIED"}"#.into()), 503, "crm-unavailable", "REST API")]
#[case::no_json(Fault::Garbage("<html>".into()), 502, "crm-bad-answer", "could not be understood")]
#[case::no_batch(Fault::Garbage(r#"{"result":true}"#.into()), 502, "crm-bad-answer", "could not be understood")]
#[case::huge(Fault::Garbage(format!("\"{}\"", "a".repeat(300 << 10))), 502, "crm-bad-answer", "could not be understood")]
#[tokio::test]
async fn the_portal_s_troubles_are_named(
    #[case] fault: Fault,
    #[case] status: u16,
    #[case] kind: &str,
    #[case] words: &str,
) {
    let world = World::with("", &[("RATE_LIMIT_REFUSED", "1/h")]).await;
    for _ in 0..2 {
        world.portal.fail_next(fault.clone());
        let problem = world.refused(&world.form()).await;
        assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
        assert!(problem.detail.contains(words), "{}", problem.detail);
        assert_eq!(problem.retry_after.is_some(), status == 503);
    }
    // Nothing of it is remembered, or counted against the agent.
    assert_eq!(world.press(&world.form()).await.status(), 200);
}

#[tokio::test]
async fn a_portal_that_is_slow_or_away_is_not_waited_for_any_longer_than_a_click() {
    let times = [
        ("CLICK_BUDGET", "300ms"),
        ("CHATHUB_ATTEMPT_TIMEOUT", "200ms"),
        ("CHATHUB_CONNECT_TIMEOUT", "100ms"),
    ];
    let world = World::with("", &times).await;
    world
        .portal
        .fail_next(Fault::Delay(Duration::from_mins(10)));
    let problem = world.refused(&world.form()).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (504, "crm-timeout")
    );
    let closed = Elsewhere::new();
    let connectors = section(&world.portal, "").replace(&world.portal.domain(), &closed.host());
    let domain = closed.host();
    drop(closed);
    let base = variables(&connectors);
    let service = Service::start_with(rules(), &with(&base, &[])).await;
    let path = format!("/connect/bitrix24?DOMAIN={domain}");
    let response = send(&service, &path, encoded(&world.form()), &[]).await;
    let problem = Problem::read(response).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (503, "crm-unavailable")
    );
    assert!(
        problem.detail.contains("cannot be reached"),
        "{}",
        problem.detail
    );
}

/// A dozen strangers at once, each with a token of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn strangers_do_not_use_up_what_the_portal_takes() {
    let world = World::start().await;
    assert_eq!(world.press(&world.form()).await.status(), 200);
    let started = Instant::now();
    let mut running = JoinSet::new();
    for stranger in 0..12 {
        let path = format!(
            "{}/connect/bitrix24?{}",
            world.service.url(),
            world.portal.query()
        );
        let form = world
            .portal
            .form(&format!("canary-stranger-{stranger}"), CONTACT, "43");
        running.spawn(async move {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            client
                .post(path)
                .body(encoded(&form))
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        });
    }
    // Agents go on working meanwhile.
    assert_eq!(world.press(&world.form()).await.status(), 200);
    let statuses = running.join_all().await;
    assert!(
        statuses.iter().all(|status| [401, 503].contains(status)),
        "{statuses:?}"
    );
    // Five at once, then one a second; and those of the agent.
    let allowed = 5 + started.elapsed().as_secs() + 1 + 2;
    let calls = u64::try_from(world.portal.calls()).unwrap();
    assert!(calls <= allowed, "{calls} of {allowed}");
    assert_eq!(world.press(&world.form()).await.status(), 200);
}

/// What a portal takes is there for all of its agents.
#[tokio::test]
async fn an_agent_who_asks_without_end_costs_no_question() {
    let world = World::start().await;
    let (_, ticket) = shown(world.press(&world.form()).await).await;
    let script = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Dest", "empty"),
    ];
    let body = encoded(&vec![("ticket", ticket)]);
    let (mut pages, mut last) = (1, 200);
    // However slow the machine is: a page that is shown asks once, and one that is not, never.
    while last != 429 {
        let renew = async || {
            let path = "/connect/bitrix24/ticket";
            send(&world.service, path, body.clone(), &script).await
        };
        while renew().await.status() == 200 {}
        last = world.press(&world.form()).await.status().as_u16();
        pages += usize::from(last == 200);
    }
    assert_eq!(world.portal.calls(), pages);
}

/// An address that fails too often is told to wait, and the portal is not asked; but an agent there
/// whose token the portal has confirmed goes on working.
#[rstest]
#[case::in_memory(false)]
#[case::on_redis(true)]
#[tokio::test]
async fn an_address_that_keeps_failing_is_refused_unasked(#[case] is_shared: bool) {
    let redis = is_shared.then(Redis::start);
    let portal = portal();
    let base = variables(&section(&portal, ""));
    let limits = [("RATE_LIMIT_REFUSED", "3/h")];
    let all = with(&base, &limits);
    let (first, second) = match &redis {
        Some(redis) => (replica(redis, &all).await, Some(replica(redis, &all).await)),
        None => (Service::start_with(rules(), &all).await, None),
    };
    let path = format!("/connect/bitrix24?{}", portal.query());
    let press = async |service: &Service, token: &str| {
        let form = portal.form(token, CONTACT, "43");
        send(service, &path, encoded(&form), &[]).await
    };
    assert_eq!(press(&first, TOKEN).await.status(), 200);
    for token in ["canary-a", "canary-b", "canary-c"] {
        assert_eq!(press(&first, token).await.status(), 401);
    }
    let calls = portal.calls();
    for service in [&first, second.as_ref().unwrap_or(&first)] {
        let problem = Problem::read(press(service, "canary-d").await).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (429, "rate-limited")
        );
        assert_eq!(portal.calls(), calls);
    }
    assert_eq!(press(&first, TOKEN).await.status(), 200);
}

#[rstest]
#[case::as_a_form(true)]
#[case::as_json(false)]
#[tokio::test]
async fn an_installation_puts_the_buttons_into_the_portal(#[case] is_form: bool) {
    let secret = format!("application_token = \"{APPLICATION_TOKEN}\"");
    let world = World::with(&secret, &[]).await;
    let installation = world.portal.installation(TOKEN);
    let body = if is_form {
        as_form(&installation)
    } else {
        installation.to_string()
    };
    // Saving the form again installs it again.
    for _ in 0..2 {
        let path = "/connect/bitrix24/install?source=viber&from=Acme%20%26%20Co";
        let response = send(&world.service, path, body.clone(), &[]).await;
        assert_eq!(response.status(), 200);
        let line = log_line(&header(&response, "x-request-id")).await;
        assert_eq!(
            (&line["outcome"], &line["caller"]),
            (&json!("connector"), &json!("bitrix24:17"))
        );
        assert_eq!(response.text().await.unwrap(), r#"{"installed":true}"#);
    }
    for record in ["CONTACT", "LEAD", "DEAL", "COMPANY"] {
        for place in ["DETAIL_TOOLBAR", "LIST_MENU"] {
            let bound = world
                .portal
                .bound(&format!("CRM_{record}_{place}"))
                .unwrap();
            let handler = "https://chat.example/connect/bitrix24?source=viber&from=Acme+%26+Co";
            assert_eq!(bound["HANDLER"], handler);
            assert_eq!(bound["TITLE"], "Open the chat");
            assert_eq!(bound["LANG_ALL[en][TITLE]"], "Open the chat");
            assert_eq!(bound["LANG_ALL[ua][TITLE]"], "Відкрити чат");
        }
    }
    let counted = r#"open_chat_connector_requests_total{connector="bitrix24",outcome="installed"}"#;
    assert_eq!(world.service.metric(counted).await, 2);
    assert!(!log().contains("canary-refresh") && !log().contains(TOKEN));
}

fn without(mut installation: Value, name: &str) -> Value {
    installation["auth"].as_object_mut().unwrap().remove(name);
    installation
}

#[rstest]
#[case::no_token(|all| without(all, "access_token"), "connector-unproven", "no token")]
#[case::no_application_token(|all| without(all, "application_token"), "connector-unproven", "`application_token`")]
#[case::no_domain(|all| without(all, "domain"), "connector-unproven", "")]
#[case::another_event(|mut all: Value| { all["event"] = json!("ONAPPUNINSTALL"); all }, "connector-unproven", "")]
#[case::no_event(|mut all: Value| { all["event"] = Value::Null; all }, "connector-unproven", "")]
#[case::of_a_page(|_| json!({"AUTH_ID": "canary-token", "PLACEMENT": "DEFAULT"}), "connector-unproven", "`Script only (no user interface)`")]
#[case::no_json(|_| json!("{"), "connector-unproven", "")]
#[tokio::test]
async fn an_installation_that_is_not_right_asks_nothing(
    #[case] change: fn(Value) -> Value,
    #[case] kind: &str,
    #[case] words: &str,
) {
    let secret = format!("application_token = \"{APPLICATION_TOKEN}\"");
    let world = World::with(&secret, &[]).await;
    let body = change(world.portal.installation(TOKEN)).to_string();
    let problem = Problem::read(world.install(body).await).await;
    assert_eq!(problem.kind, kind);
    assert!(problem.detail.contains(words), "{}", problem.detail);
    assert_eq!(world.portal.calls(), 0);
}

#[tokio::test]
async fn an_installation_without_its_scopes_says_so() {
    let world = World::start().await;
    world.portal.token(TOKEN, CLIENT, 17, &["crm"]);
    let body = world.portal.installation(TOKEN).to_string();
    let problem = Problem::read(world.install(body).await).await;
    assert_eq!(problem.kind, "connector-unproven");
    assert!(
        problem.detail.contains("`crm` and `placement`"),
        "{}",
        problem.detail
    );
    let told = "Bitrix24's application was not installed. The application lacks a permission.";
    eventually(told, async || log().contains(told)).await;
}

/// The vendor's servers ask for all portals, and from anywhere.
#[tokio::test]
async fn installations_are_not_counted_by_address_and_not_bound_to_networks() {
    let more = [
        ("RATE_LIMIT_REFUSED", "1/h"),
        ("ALLOWED_NETWORKS", "10.0.0.0/8"),
    ];
    let world = World::with("", &more).await;
    let foreign = without(world.portal.installation(TOKEN), "access_token").to_string();
    for _ in 0..5 {
        let problem = Problem::read(world.install(foreign.clone()).await).await;
        assert_eq!(problem.kind, "connector-unproven");
    }
    let good = world.portal.installation(TOKEN).to_string();
    assert_eq!(world.install(good).await.status(), 200);
    assert_eq!(
        world.refused(&world.form()).await.kind,
        "network-not-allowed"
    );
}

/// By portal and administrator they are.
#[tokio::test]
async fn installations_are_counted_by_who_installs() {
    let world = World::with("", &[("RATE_LIMIT_OPERATOR", "2/h")]).await;
    let body = world.portal.installation(TOKEN).to_string();
    for _ in 0..2 {
        assert_eq!(world.install(body.clone()).await.status(), 200);
    }
    let problem = Problem::read(world.install(body).await).await;
    assert_eq!(problem.kind, "rate-limited");
}

/// Only what opens a page gets one.
#[tokio::test]
async fn another_site_s_script_gets_no_page() {
    let world = World::start().await;
    let path = format!("/connect/bitrix24?{}", world.portal.query());
    let script = [
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Dest", "empty"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    let response = send(&world.service, &path, encoded(&world.form()), &script).await;
    assert_eq!(Problem::read(response).await.kind, "not-a-navigation");
    assert_eq!(world.portal.calls(), 0);
}
