//! The operator panel for a CRM's iframe, and its next token.

use chathub_simulator::{Endpoint, Fault};
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Problem, Service, eventually, file, header, log, log_line, rules};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

const SCRIPT: &str = "https://widget.smsbat.com/operator-chat-panel/widget-script.js";

fn pass_by(kid: Option<&str>, secret: &str, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = kid.map(Into::into);
    let mut all = json!({"exp": Utc::now().timestamp() + 3600});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    encode(&header, &all, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn pass(claims: &Value) -> String {
    pass_by(None, SECRET, claims)
}

async fn with_passes(variables: &[(&str, &str)]) -> Service {
    let mut all = vec![("ACCESS", "pass"), ("PASS_SECRET", SECRET)];
    all.extend(variables);
    Service::start_with(rules(), &all).await
}

async fn ask(service: &Service, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = service.request(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn kind(service: &Service, path: &str, headers: &[(&str, &str)]) -> String {
    let response = ask(service, path, headers).await;
    if response.status() == 200 {
        return String::new();
    }
    Problem::read(response).await.kind
}

/// An attribute of the page, the first of its name.
fn attribute(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Opens the widget and gives out its ticket.
async fn ticket(service: &Service, pass: &str) -> String {
    let page = ask(service, &format!("/widget?pass={pass}"), &[]).await;
    assert_eq!(page.status(), 200);
    attribute(&page.text().await.unwrap(), "data-ticket").expect("a ticket")
}

async fn next(service: &Service, ticket: &str) -> Response {
    ask(service, "/widget/token", &[("X-Widget-Ticket", ticket)]).await
}

#[tokio::test]
async fn the_page_has_the_panel_s_script_with_the_operator_s_token() {
    let service = Service::start().await;
    let response = ask(&service, "/widget?operator=101&utm_source=crm", &[]).await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        header(&response, "content-type"),
        "text/html; charset=utf-8"
    );
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(header(&response, "referrer-policy"), "no-referrer");
    assert_eq!(
        header(&response, "cross-origin-opener-policy"),
        "same-origin"
    );
    let id = header(&response, "x-request-id");
    let page = response.text().await.unwrap();
    let tag =
        format!(r#"<script type="module" id="operator-chat-panel-script" src="{SCRIPT}" token=""#);
    assert!(page.contains(&tag), "{page}");
    let token = attribute(&page, "token").unwrap();
    assert_eq!(token.matches('.').count(), 2);
    let expires_in: u64 = attribute(&page, "data-expires-in")
        .unwrap()
        .parse()
        .unwrap();
    assert!((3000..=3600).contains(&expires_in), "{expires_in}");
    // Whoever needs no pass needs no ticket.
    assert_eq!(attribute(&page, "data-ticket"), None);

    let line = log_line(&id).await;
    let expected = json!({"message": "widget", "outcome": "widget", "route": "/widget", "operator": 101,
        "caller": "anyone", "token_outcome": "minted"});
    for (field, value) in expected.as_object().unwrap() {
        assert_eq!(&line[field], value, "{field}");
    }
    assert_eq!(line["token"].as_str().unwrap().len(), 16);
    let series = r#"http_requests_total{method="GET",route="/widget",status="200"}"#;
    assert_eq!(service.metric(series).await, 1);
    assert!(!log().contains(&token));
}

#[tokio::test]
async fn the_page_may_do_what_it_must_and_stand_where_it_should() {
    let policy = async |variables: &[(&str, &str)]| {
        let service = Service::start_with(rules(), variables).await;
        let page = ask(&service, "/widget?operator=101", &[]).await;
        header(&page, "content-security-policy")
    };
    let plain = policy(&[]).await;
    let smsbat = "https://widget.smsbat.com https://*.smsbat.com wss://*.smsbat.com;";
    for part in [
        "default-src 'none';",
        &format!("connect-src 'self' {smsbat}"),
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    ] {
        assert!(plain.contains(part), "{part} in {plain}");
    }
    let scripts = plain.split("script-src ").nth(1).unwrap();
    let scripts: Vec<_> = scripts.split(';').next().unwrap().split(' ').collect();
    assert_eq!(scripts.len(), 2, "{scripts:?}");
    assert!(scripts[0].starts_with("'sha256-"));
    assert_eq!(scripts[1], "https://widget.smsbat.com");

    let other = policy(&[
        ("WIDGET_URL", "https://panel.example/w.js?v=2"),
        ("WIDGET_SOURCES", "none"),
        (
            "WIDGET_FRAME_ANCESTORS",
            "https://acme.bitrix24.com, https://*.crm.example",
        ),
    ])
    .await;
    assert!(!other.contains("smsbat"), "{other}");
    assert!(
        other.ends_with("frame-ancestors https://acme.bitrix24.com https://*.crm.example"),
        "{other}"
    );
    assert!(
        policy(&[("WIDGET_FRAME_ANCESTORS", "none")])
            .await
            .ends_with("frame-ancestors 'none'")
    );
}

#[rstest]
#[case("/widget", "Sec-Fetch-Dest", "iframe", true)]
#[case("/widget", "Sec-Fetch-Dest", "frame", true)]
#[case("/widget", "Sec-Fetch-Dest", "document", true)]
#[case("/widget", "Sec-Fetch-Dest", "empty", false)]
#[case("/widget", "Sec-Fetch-Dest", "script", false)]
#[case("/widget", "Sec-Fetch-Dest", "embed", false)]
#[case("/widget", "Sec-Fetch-Dest", "object", false)]
#[case("/widget", "Sec-Purpose", "prefetch;prerender", false)]
#[case("/widget", "User-Agent", "Slackbot-LinkExpanding 1.0", false)]
#[case("/widget/token", "Sec-Fetch-Dest", "empty", true)]
#[case("/widget/token", "Sec-Fetch-Dest", "document", false)]
#[case("/widget/token", "Sec-Fetch-Dest", "iframe", false)]
#[case("/widget/token", "Sec-Fetch-Dest", "script", false)]
#[case("/widget/token", "Sec-Fetch-Dest", "image", false)]
#[case("/widget/token", "Sec-Fetch-Site", "same-origin", true)]
#[case("/widget/token", "Sec-Fetch-Site", "same-site", false)]
#[case("/widget/token", "Sec-Fetch-Site", "cross-site", false)]
#[case("/widget/token", "Sec-Fetch-Site", "none", false)]
#[tokio::test]
async fn only_a_frame_opens_the_widget_and_only_its_own_script_renews_the_token(
    #[case] path: &str,
    #[case] name: &str,
    #[case] value: &str,
    #[case] works: bool,
) {
    let service = Service::start().await;
    let calls = service.chathub.total_calls();
    let expected = if works { "" } else { "not-a-navigation" };
    let path = format!("{path}?operator=101");
    assert_eq!(kind(&service, &path, &[(name, value)]).await, expected);
    if !works {
        assert_eq!(service.chathub.total_calls(), calls);
    }
}

#[tokio::test]
async fn the_widget_is_as_locked_as_a_click() {
    let service = with_passes(&[("RATE_LIMIT_OPERATOR", "2/h")]).await;
    let calls = service.chathub.total_calls();
    let widget = async |query: &str| kind(&service, &format!("/widget?{query}"), &[]).await;
    assert_eq!(widget("operator=101").await, "pass-missing");
    assert_eq!(widget("operator=101&pass=eyJ.eyJ.x").await, "pass-invalid");
    assert_eq!(widget("operator={{user.id}}").await, "placeholder-unfilled");
    let good = pass(&json!({"sub": "102"}));
    assert_eq!(
        widget(&format!("operator=101&pass={good}")).await,
        "pass-mismatch"
    );
    let over = pass(&json!({"sub": "102", "exp": Utc::now().timestamp() - 1}));
    assert_eq!(widget(&format!("pass={over}")).await, "pass-expired");
    // It shows all of an operator's chats, so a pass for one of them is not enough.
    let one_chat = pass(&json!({"sub": "101", "phone": "+380501234567"}));
    assert_eq!(widget(&format!("pass={one_chat}")).await, "pass-mismatch");
    assert_eq!(service.chathub.total_calls(), calls);

    let once = pass(&json!({"sub": "102", "jti": "widget-once"}));
    assert_eq!(widget(&format!("pass={once}")).await, "");
    assert_eq!(widget(&format!("pass={once}")).await, "pass-used");
    // The used one has not counted.
    assert_eq!(widget(&format!("pass={good}")).await, "");
    assert_eq!(widget(&format!("pass={good}")).await, "rate-limited");

    let closed = Service::start_with(rules(), &[("ALLOWED_NETWORKS", "192.0.2.0/24")]).await;
    for path in ["/widget?operator=101", "/widget/token?operator=101"] {
        assert_eq!(kind(&closed, path, &[]).await, "network-not-allowed");
    }
    let ticket = [("X-Widget-Ticket", "eyJ.eyJ.x")];
    assert_eq!(
        kind(&closed, "/widget/token", &ticket).await,
        "network-not-allowed"
    );
}

#[tokio::test]
async fn nobody_is_chosen_for_a_widget() {
    let service = Service::start_with(rules(), &[("OPERATOR_AUTO", "on")]).await;
    assert_eq!(
        kind(&service, "/widget?operator=auto:24", &[]).await,
        "operator-missing"
    );
}

#[tokio::test]
async fn a_ticket_renews_the_token_when_the_pass_is_over() {
    let service = with_passes(&[("TOKEN_REUSE", "0")]).await;
    let once = pass(&json!({"sub": "101", "jti": "page"}));
    let ticket = ticket(&service, &once).await;
    // The pass has been used; the ticket is the page's own.
    for _ in 0..2 {
        let response = next(&service, &ticket).await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert_eq!(
            header(&response, "cross-origin-resource-policy"),
            "same-origin"
        );
        let line = log_line(&header(&response, "x-request-id")).await;
        assert_eq!(
            (&line["caller"], &line["operator"], &line["route"]),
            (
                &json!("pass:PASS_SECRET"),
                &json!(101),
                &json!("/widget/token")
            )
        );
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(answer["token"].as_str().unwrap().matches('.').count(), 2);
        let ends = answer["expires_at"].as_str().unwrap();
        let left = chrono::DateTime::parse_from_rfc3339(ends).unwrap().to_utc() - Utc::now();
        assert!((3000..=3600).contains(&left.num_seconds()), "{left}");
        assert!((3000..=3600).contains(&answer["expires_in"].as_u64().unwrap()));
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 3);
    assert!(!log().contains(&ticket));
}

#[tokio::test]
async fn a_ticket_is_no_pass_and_a_pass_no_ticket() {
    let service = with_passes(&[]).await;
    let good = pass(&json!({"sub": "101"}));
    let ticket = ticket(&service, &good).await;
    assert_eq!(next(&service, &ticket).await.status(), 200);
    let as_pass = format!("phone=0501234567&pass={ticket}");
    assert_eq!(service.refusal(&as_pass).await.kind, "pass-invalid");
    assert_eq!(
        kind(&service, &format!("/widget?pass={ticket}"), &[]).await,
        "pass-invalid"
    );
    let bearer = [("Authorization", &*format!("Bearer {ticket}"))];
    assert_eq!(
        kind(&service, "/widget/token", &bearer).await,
        "pass-invalid"
    );
    let problem = Problem::read(next(&service, &good).await).await;
    assert_eq!(problem.kind, "pass-invalid");
    // Its shape, signed with the secret for passes.
    let forged = pass_by(Some("PASS_SECRET"), SECRET, &json!({"sub": "101"}));
    assert_eq!(
        Problem::read(next(&service, &forged).await).await.kind,
        "pass-invalid"
    );
    for bad in ["", "x", "eyJ.eyJ.x", &ticket[..ticket.len() - 4]] {
        let problem = Problem::read(next(&service, bad).await).await;
        assert_eq!(problem.status, 401, "{bad}");
    }
}

#[tokio::test]
async fn a_ticket_ends_with_its_time_its_key_and_its_operator() {
    let entry = |id: &str| {
        format!(
            "[[key]]\nid = \"{id}\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}-{id}\"\noperators = [101]\n"
        )
    };
    let keys = file("widget-keys.toml", &(entry("crm") + &entry("shop")));
    let keys_file = keys.to_str().unwrap();
    let variables = [("ACCESS", "pass"), ("PASS_KEYS_FILE", keys_file)];
    let service = Service::start_with(rules(), &variables).await;
    let by = |id: &str| pass_by(Some(id), &format!("{SECRET}-{id}"), &json!({"sub": "101"}));
    let ticket = ticket(&service, &by("shop")).await;
    assert_eq!(next(&service, &ticket).await.status(), 200);
    std::fs::write(&keys, entry("crm")).unwrap();
    eventually("the ticket ends with its key", async || {
        next(&service, &ticket).await.status() == 401
    })
    .await;
    std::fs::write(
        &keys,
        (entry("crm") + &entry("shop")).replace("[101]", "[102]"),
    )
    .unwrap();
    eventually(
        "the key does not speak for the operator any more",
        async || next(&service, &ticket).await.status() == 403,
    )
    .await;

    let short = with_passes(&[("WIDGET_SESSION", "1s")]).await;
    let ticket = self::ticket(&short, &pass(&json!({"sub": "101"}))).await;
    eventually("the ticket's time is over", async || {
        next(&short, &ticket).await.status() == 401
    })
    .await;
    let problem = Problem::read(next(&short, &ticket).await).await;
    assert_eq!(problem.kind, "pass-expired");
}

#[tokio::test]
async fn an_identity_is_shown_again_for_each_token() {
    let map = file("widget-map.toml", "\"ann@example.com\" = 101\n");
    let variables = [
        ("ACCESS", "sso"),
        ("SSO_HEADER", "X-Auth-Request-Email"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let ann = [("X-Auth-Request-Email", "ann@example.com")];
    let page = ask(&service, "/widget", &ann).await.text().await.unwrap();
    assert_eq!(attribute(&page, "data-ticket"), None);
    assert_eq!(kind(&service, "/widget/token", &ann).await, "");
    assert_eq!(
        kind(&service, "/widget/token", &[]).await,
        "identity-missing"
    );
    // A ticket counts only where passes do.
    let ticket = [ann[0], ("X-Widget-Ticket", "eyJ.eyJ.x")];
    assert_eq!(
        kind(&service, "/widget/token", &ticket).await,
        "pass-invalid"
    );
}

#[tokio::test]
async fn without_a_token_there_is_no_page() {
    let service = Service::start().await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(500)));
    assert_eq!(
        kind(&service, "/widget?operator=101", &[]).await,
        "chathub-unavailable"
    );
    assert_eq!(
        kind(&service, "/widget?operator=", &[]).await,
        "operator-missing"
    );
    service.chathub.always(Endpoint::OperatorToken, None);
    let refused = kind(&service, "/widget/token?operator=4711", &[]).await;
    assert_eq!(refused, "operator-unknown");
}

#[rstest]
#[case("WIDGET_URL", "http://widget.example/w.js", "https://")]
#[case("WIDGET_FRAME_ANCESTORS", "*", "not an origin")]
#[case("WIDGET_SOURCES", "https://a.example; script-src *", "not an origin")]
#[case("WIDGET_SESSION", "long", "not a duration")]
fn a_bad_setting_is_named(#[case] variable: &str, #[case] value: &str, #[case] words: &str) {
    let variables = [
        ("ACCESS", "open"),
        ("CHATHUB_API_KEY", "x"),
        (variable, value),
    ];
    let error = open_chat::config::Config::from_vars(variables.map(|(n, v)| (n.into(), v.into())))
        .err()
        .expect("an error")
        .to_string();
    assert!(
        error.starts_with(&format!("{variable}: ")) && error.contains(words),
        "{error}"
    );
}
