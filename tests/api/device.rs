//! Paired browsers: what their cookie opens, what it does not, and what ends it.

use std::path::Path;

use chathub_simulator::Endpoint;
use chrono::Utc;
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::{RequestBuilder, Response};
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Problem, Service, eventually, file, header, log, log_line, raw, rules};

pub const SECRET: &str = "canary-device-secret-of-more-than-32-bytes";
const OLD_SECRET: &str = "canary-older-device-secret-of-32-bytes-too";
const PASS_SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

/// Derived from `SECRET` and `OLD_SECRET` by Python's `hmac`, after RFC 5869.
const INVITATIONS: &str = "c54252ec1feaf000a60e3acb0749fd9ccce637f3bd9c92a9aaafa3880ea0201b";
const COOKIES: &str = "96e91d9fe8bf763007c374b2578712b09b7340b0cacea4efd1c7ed51c6421f93";
const OLD_COOKIES: &str = "b5ffd8d0c88e6f7e0e49d10e2f5d8bd4d9e0ac2d9baf961cf251aafa1c5a0de4";

/// `printf %s canary-api-key | sha256sum`
const API_KEY_SHA256: &str = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";

pub const NAME: &str = "__Host-open-chat-device";
pub const DEVICE: &str = "7f3a0c5e41d24b4f8f3a1c2d3e4f5a6b";
const CLICK: &str = "/open-chat?phone=0501234567";
const DAY: i64 = 24 * 60 * 60;

pub async fn start(variables: &[(&str, &str)]) -> Service {
    let mut all = vec![
        ("ACCESS", "device"),
        ("PUBLIC_URL", "https://chat.example"),
        ("DEVICE_SECRET", SECRET),
    ];
    all.extend(variables);
    Service::start_with(rules(), &all).await
}

fn signed(key: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(&hex::decode(key).unwrap());
    encode(&Header::default(), claims, &key).unwrap()
}

/// A pairing of operator 101 that was made so many seconds ago, with these claims over its own.
fn pairing(age: i64, ttl: i64, more: &Value) -> Value {
    let iat = Utc::now().timestamp() - age;
    let mut claims = json!({
        "device": DEVICE, "operator": 101, "invited_at": iat, "iat": iat, "exp": iat + ttl,
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// An invitation that was good for an hour, and is over since a minute.
pub fn invitation_that_is_over() -> String {
    signed(INVITATIONS, &pairing(3660, 3600, &json!({})))
}

/// An invitation for the operator, as `open-chat pair` makes it.
pub fn invitation(operator: u64, device: &str) -> String {
    let more = json!({"operator": operator, "device": device});
    signed(INVITATIONS, &pairing(0, 3600, &more))
}

/// A cookie of operator 101 that was set so many seconds ago, with these claims over its own.
pub fn cookie_aged(age: i64, more: &Value) -> String {
    signed(COOKIES, &pairing(age, 90 * DAY, more))
}

pub fn cookie(more: &Value) -> String {
    cookie_aged(0, more)
}

/// The request of a browser that opens a page in a tab of its own, because another site's page has
/// linked to it.
pub fn navigation(request: RequestBuilder) -> RequestBuilder {
    request
        .header("Sec-Fetch-Dest", "document")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Site", "cross-site")
}

pub async fn click_with(service: &Service, path: &str, cookie: &str) -> Response {
    let request = navigation(service.request(path)).header("Cookie", format!("{NAME}={cookie}"));
    request.send().await.unwrap()
}

/// The operator whose panel opened, or the kind of the refusal.
pub async fn outcome(response: Response) -> Value {
    if response.status() == 302 {
        return log_line(&header(&response, "x-request-id")).await["operator"].clone();
    }
    Problem::read(response).await.kind.into()
}

async fn opened(service: &Service, path: &str, cookie: &str) -> Value {
    outcome(click_with(service, path, cookie).await).await
}

/// Replaces a file at once, as a Kubernetes Secret changes.
pub fn rewrite(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, path).unwrap();
}

#[tokio::test]
async fn a_paired_browser_opens_its_operator_s_chats() {
    let service = start(&[]).await;
    let response = click_with(&service, CLICK, &cookie(&json!({}))).await;
    assert_eq!(response.status(), 302);
    let location = header(&response, "location");
    let (link, _) = location.split_once("token=").unwrap();
    assert_eq!(link, "https://chat.smsbat.com/?phone=%2B380501234567&");
    assert_eq!(header(&response, "set-cookie"), "");
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["caller"], format!("device:{DEVICE}"));
    assert_eq!(line["operator"], 101);
    assert_eq!(line["outcome"], "redirect");
}

#[tokio::test]
async fn a_browser_that_is_not_paired_is_told_how_to_be() {
    let service = start(&[]).await;
    let calls = service.chathub.total_calls();
    let request = navigation(service.request(CLICK));
    let response = request.header("Accept", "text/html").send().await.unwrap();
    assert_eq!(response.status(), 401);
    let page = response.text().await.unwrap();
    assert!(
        page.contains("<h1>This browser is not paired</h1>"),
        "{page}"
    );
    assert!(
        page.contains("Ask your administrator for an invitation link"),
        "{page}"
    );
    assert!(
        page.contains("<code>open-chat pair --operator 101</code>"),
        "{page}"
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

#[rstest]
#[case::in_a_frame("iframe", "navigate", "device-missing")]
#[case::in_a_frameset("frame", "navigate", "device-missing")]
#[case::by_a_script("empty", "cors", "not-a-navigation")]
#[case::by_an_image("image", "no-cors", "not-a-navigation")]
#[case::by_something_that_says_no_mode("document", "", "device-missing")]
#[case::by_something_that_says_no_destination("", "navigate", "device-missing")]
#[case::by_a_client_that_tells_nothing("", "", "device-missing")]
#[tokio::test]
async fn a_cookie_counts_in_a_tab_of_its_own_alone(
    #[case] destination: &str,
    #[case] mode: &str,
    #[case] kind: &str,
) {
    let service = start(&[]).await;
    let mut request = service
        .request(CLICK)
        .header("Sec-Fetch-Site", "cross-site")
        .header("Cookie", format!("{NAME}={}", cookie(&json!({}))));
    for (name, value) in [("Sec-Fetch-Dest", destination), ("Sec-Fetch-Mode", mode)] {
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    assert_eq!(outcome(request.send().await.unwrap()).await, kind);
}

#[tokio::test]
async fn a_script_of_our_own_pages_opens_nothing_by_a_cookie() {
    let service = start(&[]).await;
    let request = service
        .request(CLICK)
        .header("Sec-Fetch-Dest", "empty")
        .header("Sec-Fetch-Mode", "cors")
        .header("Sec-Fetch-Site", "same-origin")
        .header("Cookie", format!("{NAME}={}", cookie(&json!({}))));
    assert_eq!(
        outcome(request.send().await.unwrap()).await,
        "device-missing"
    );
}

/// A header that is there twice says nothing.
#[tokio::test]
async fn two_destinations_are_none() {
    let service = start(&[]).await;
    let request = navigation(service.request(CLICK))
        .header("Sec-Fetch-Dest", "document")
        .header("Cookie", format!("{NAME}={}", cookie(&json!({}))));
    assert_eq!(
        outcome(request.send().await.unwrap()).await,
        "not-a-navigation"
    );
}

#[tokio::test]
async fn a_cookie_opens_neither_the_widget_nor_links() {
    let service = start(&[]).await;
    let cookie = cookie(&json!({}));
    for path in ["/widget", "/widget?operator=101"] {
        assert_eq!(
            opened(&service, path, &cookie).await,
            "device-missing",
            "{path}"
        );
    }
    for (dest, site) in [("document", "none"), ("empty", "same-origin")] {
        let request = service
            .request("/widget/token?operator=101")
            .header("Sec-Fetch-Dest", dest)
            .header(
                "Sec-Fetch-Mode",
                if dest == "empty" { "cors" } else { "navigate" },
            )
            .header("Sec-Fetch-Site", site)
            .header("Cookie", format!("{NAME}={cookie}"));
        let status = request.send().await.unwrap().status();
        assert!(status == 401 || status == 403, "{dest}: {status}");
    }
    let links = format!("{}/links", service.url());
    let request = reqwest::Client::new()
        .post(links)
        .body(r#"{"operator": 101}"#);
    let request = navigation(request).header("Cookie", format!("{NAME}={cookie}"));
    let problem = Problem::read(request.send().await.unwrap()).await;
    assert_eq!(problem.kind, "api-key-invalid");
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 0);
}

/// Chromium sends a sibling host's `%5F_Host-…`, and one behind a Unicode space, beside ours.
#[rstest]
#[case::alone("NAME=COOKIE", true)]
#[case::behind_others("a=b; NAME=COOKIE", true)]
#[case::beside_a_strangers_that_is_none("%5F_Host-open-chat-device=x; NAME=COOKIE", true)]
#[case::encoded("%5F_Host-open-chat-device=COOKIE", false)]
#[case::u_2000("\u{2000}NAME=COOKIE", false)]
#[case::u_0085("\u{85}NAME=COOKIE", false)]
#[case::a_longer_name("xNAME=COOKIE", false)]
#[case::without_its_prefix("open-chat-device=COOKIE", false)]
#[case::two("NAME=COOKIE; NAME=COOKIE", false)]
#[case::two_in_two_headers("NAME=COOKIE\r\nCookie: NAME=x", false)]
#[tokio::test]
async fn a_cookie_counts_by_its_very_bytes(#[case] cookies: &str, #[case] is_taken: bool) {
    let service = start(&[]).await;
    let cookies = cookies.replace("NAME", NAME);
    let cookies = cookies.replace("COOKIE", &cookie(&json!({})));
    let request = format!(
        "GET {CLICK} HTTP/1.1\r\nHost: chat.example\r\nSec-Fetch-Dest: document\r\n\
         Sec-Fetch-Mode: navigate\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n"
    );
    let answer = raw(&service, &request).await;
    if is_taken {
        assert!(answer.starts_with("HTTP/1.1 302 "), "{answer}");
    } else {
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(
            answer.contains("urn:open-chat:problem:device-missing"),
            "{answer}"
        );
    }
}

#[rstest]
#[case::no_jwt("x")]
#[case::empty("")]
#[case::unsigned("eyJhbGciOiJub25lIn0.e30.")]
#[tokio::test]
async fn what_is_no_good_cookie_is_refused_and_never_passed_over(#[case] value: &str) {
    let service = start(&[("ACCESS", "open,device")]).await;
    let path = "/open-chat?operator=101&phone=0501234567";
    assert_eq!(opened(&service, path, value).await, "device-ended");
    // Without it, anyone may open it.
    service.destination("operator=101&phone=0501234567").await;
}

#[rstest]
#[case::in_force(cookie_aged(0, &json!({})), "101")]
#[case::over(cookie_aged(90 * DAY, &json!({})), "device-ended")]
#[case::signed_ahead(cookie_aged(-120, &json!({})), "device-ended")]
#[case::for_ever(cookie_aged(91 * DAY, &json!({"exp": i64::MAX})), "device-ended")]
#[case::older_than_400_days(cookie_aged(0, &json!({"invited_at": Utc::now().timestamp() - 400 * DAY})), "device-ended")]
#[case::by_another_key(signed(OLD_COOKIES, &pairing(0, 90 * DAY, &json!({}))), "device-ended")]
#[case::with_a_claim_that_is_none_of_ours(cookie(&json!({"admin": true})), "device-ended")]
#[tokio::test]
async fn a_cookie_has_its_time(#[case] cookie: String, #[case] expected: &str) {
    let service = start(&[]).await;
    let opened = opened(&service, CLICK, &cookie).await.to_string();
    assert_eq!(opened.trim_matches('"'), expected);
}

/// A day, of which a click in the last third renews the cookie for another day.
#[tokio::test]
async fn a_pairing_lasts_as_long_as_is_set() {
    let service = start(&[("DEVICE_TTL", "1d")]).await;
    for (age, expected) in [
        (DAY / 2, ""),
        (
            DAY * 3 / 4,
            "Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax",
        ),
    ] {
        let cookie = signed(COOKIES, &pairing(age, DAY, &json!({})));
        let click = service
            .request(CLICK)
            .header("Sec-Fetch-Dest", "document")
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Site", "none")
            .header("Cookie", format!("{NAME}={cookie}"));
        let response = click.send().await.unwrap();
        assert_eq!(response.status(), 302);
        let set = header(&response, "set-cookie");
        let attributes = set.split_once("; ").map_or("", |(_, rest)| rest);
        assert_eq!(attributes, expected);
    }
}

/// Of five kinds that this service signs, or has signed, none is taken for another.
#[tokio::test]
async fn no_kind_of_token_is_taken_for_another() {
    let variables = [("ACCESS", "pass,device"), ("PASS_SECRET", PASS_SECRET)];
    let service = start(&variables).await;
    let claims = json!({"sub": "101", "exp": Utc::now().timestamp() + 600});
    let key = EncodingKey::from_secret(PASS_SECRET.as_bytes());
    let pass = encode(&Header::default(), &claims, &key).unwrap();
    let page = service
        .request(&format!("/widget?pass={pass}"))
        .send()
        .await
        .unwrap();
    let page = page.text().await.unwrap();
    let (_, ticket) = page.split_once("data-ticket=\"").unwrap();
    let ticket = ticket.split('"').next().unwrap();
    let (cookie, invitation) = (cookie(&json!({})), invitation(101, DEVICE));

    for other in [&pass, ticket, &invitation] {
        assert_eq!(opened(&service, CLICK, other).await, "device-ended");
    }
    for other in [&pass, ticket, &cookie] {
        let request = navigation(service.request(&format!("/pair?invitation={other}")));
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (401, "invitation-invalid")
        );
    }
    for other in [ticket, &cookie, &invitation] {
        let problem = service
            .refusal(&format!("phone=0501234567&pass={other}"))
            .await;
        assert_eq!(problem.kind, "pass-invalid");
    }
    for other in [&pass, &cookie, &invitation] {
        let request = service
            .request("/widget/token")
            .header("X-Widget-Ticket", other);
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!(problem.kind, "pass-invalid");
    }
    assert_eq!(opened(&service, CLICK, &cookie).await, 101);
}

#[tokio::test]
async fn a_link_names_the_paired_operator_or_none() {
    let map = file(
        "device-map.toml",
        "\"ann\" = 101\n\"bob\" = 102\n101 = 102\n",
    );
    let service = start(&[("OPERATOR_MAP_FILE", map.to_str().unwrap())]).await;
    let cookie = cookie(&json!({}));
    for (operator, expected) in [
        ("", json!(101)),
        ("ann", json!(101)),
        ("John%20Smith", json!(101)),
        ("bob", json!("operator-not-allowed")),
        ("Nobody", json!("operator-not-allowed")),
        // An alias by now; the cookie holds the operator's id itself.
        ("101", json!("operator-not-allowed")),
    ] {
        let path = format!("{CLICK}&operator={operator}");
        assert_eq!(
            opened(&service, &path, &cookie).await,
            expected,
            "{operator}"
        );
    }
}

#[tokio::test]
async fn a_pass_and_a_login_come_before_a_cookie_and_open_after_it() {
    let map = file("device-sso.toml", "\"bob@example.com\" = 102\n");
    let service = start(&[
        ("ACCESS", "pass,sso,device,open"),
        ("PASS_SECRET", PASS_SECRET),
        ("SSO_HEADER", "X-User"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ])
    .await;
    let cookie = cookie(&json!({}));
    assert_eq!(opened(&service, CLICK, &cookie).await, 101);
    // With `open` it only fills in what the link leaves out.
    let other = format!("{CLICK}&operator=102");
    assert_eq!(opened(&service, &other, &cookie).await, 102);
    let request = navigation(service.request(CLICK))
        .header("X-User", "bob@example.com")
        .header("Cookie", format!("{NAME}={cookie}"));
    assert_eq!(outcome(request.send().await.unwrap()).await, 102);
    let path = format!("{CLICK}&pass=x.y.z");
    assert_eq!(opened(&service, &path, &cookie).await, "pass-invalid");
}

#[tokio::test]
async fn an_operator_who_was_disabled_is_refused_as_elsewhere() {
    let service = start(&[]).await;
    let calls = service.chathub.calls(Endpoint::OperatorToken);
    // 21 is inactive in the simulator.
    let cookie = cookie(&json!({"operator": 21}));
    assert_eq!(opened(&service, CLICK, &cookie).await, "operator-inactive");
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), calls);
}

#[tokio::test]
async fn a_line_that_is_taken_out_ends_what_it_has_signed() {
    let secrets = file("device-secret", &format!("\n {SECRET} \n\n{OLD_SECRET}\n"));
    let path = secrets.to_str().unwrap();
    let service = start(&[("DEVICE_SECRET", ""), ("DEVICE_SECRET_FILE", path)]).await;
    let old = signed(OLD_COOKIES, &pairing(0, 90 * DAY, &json!({})));
    let new = cookie(&json!({}));
    assert_eq!(opened(&service, CLICK, &old).await, 101);
    assert_eq!(opened(&service, CLICK, &new).await, 101);
    // A line that is too short changes nothing.
    rewrite(&secrets, &format!("{SECRET}\ncanary-short\n"));
    let failed = r#"open_chat_file_reload_failed{file="DEVICE_SECRET"}"#;
    eventually("the short line is noticed", async || {
        service.metric(failed).await == 1
    })
    .await;
    assert_eq!(opened(&service, CLICK, &old).await, 101);
    rewrite(&secrets, &format!("{SECRET}\n"));
    eventually("the old line has ended", async || {
        opened(&service, CLICK, &old).await == "device-ended"
    })
    .await;
    assert_eq!(opened(&service, CLICK, &new).await, 101);
}

#[rstest]
#[case::by_device(format!("device = \"{DEVICE}\""), true)]
#[case::by_operator("operator = 101".into(), true)]
#[case::by_key("key = \"odoo\"".into(), true)]
#[case::invited_before("before = 2100-01-01T00:00:00Z".into(), true)]
#[case::invited_after("before = 2020-01-01T00:00:00Z".into(), false)]
#[case::another_operator("operator = 102".into(), false)]
#[tokio::test]
async fn the_company_ends_a_pairing(#[case] entry: String, #[case] is_ended: bool) {
    let keys = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{API_KEY_SHA256}\"\npair = true\n");
    let keys = file("device-keys.toml", &keys);
    let revoked = file("revoked.toml", "");
    let service = start(&[
        ("ACCESS", "device,key"),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("DEVICES_REVOKED_FILE", revoked.to_str().unwrap()),
    ])
    .await;
    let cookie = cookie(&json!({"key": "odoo"}));
    assert_eq!(opened(&service, CLICK, &cookie).await, 101);
    // An entry beside it tells when the file is in force.
    let probe = "00000000000000000000000000000000";
    rewrite(
        &revoked,
        &format!("[[revoked]]\ndevice = \"{probe}\"\n[[revoked]]\n{entry}\n"),
    );
    let probe = self::cookie(&json!({"device": probe}));
    eventually("the file is in force", async || {
        opened(&service, CLICK, &probe).await == "device-ended"
    })
    .await;
    let expected = if is_ended {
        json!("device-ended")
    } else {
        json!(101)
    };
    assert_eq!(opened(&service, CLICK, &cookie).await, expected);
    // What cannot be read changes nothing.
    std::fs::remove_file(&revoked).unwrap();
    let failed = r#"open_chat_file_reload_failed{file="DEVICES_REVOKED_FILE"}"#;
    eventually("the loss is noticed", async || {
        service.metric(failed).await == 1
    })
    .await;
    assert_eq!(opened(&service, CLICK, &cookie).await, expected);
}

/// What an API key has invited is good for as long as the key might invite again.
#[rstest]
#[case::as_it_was("odoo", "pair = true", json!(101))]
#[case::with_this_operator("odoo", "pair = true\noperators = [101]", json!(101))]
#[case::by_name("odoo", "pair = true\noperators = [\"John Smith\"]", json!(101))]
#[case::for_another_operator("odoo", "pair = true\noperators = [102]", json!("device-ended"))]
#[case::withdrawn("odoo", "pair = false", json!("device-ended"))]
#[case::never_given("odoo", "", json!("device-ended"))]
#[case::another_key("erp", "pair = true", json!("device-ended"))]
#[tokio::test]
async fn what_an_api_key_has_invited_ends_with_its_right(
    #[case] name: &str,
    #[case] lines: &str,
    #[case] expected: Value,
) {
    let key = |name: &str, lines: &str| {
        format!("[[key]]\nname = \"{name}\"\nsha256 = \"{API_KEY_SHA256}\"\n{lines}\n")
    };
    let keys = file("device-keys.toml", &key(name, lines));
    let service = start(&[
        ("ACCESS", "device,key"),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
    ])
    .await;
    let invited = cookie(&json!({"key": "odoo"}));
    assert_eq!(opened(&service, CLICK, &invited).await, expected);
    // What no key has invited does not care.
    assert_eq!(opened(&service, CLICK, &cookie(&json!({}))).await, 101);
    rewrite(&keys, &key("odoo", "pair = true"));
    eventually("the right is back", async || {
        opened(&service, CLICK, &invited).await == 101
    })
    .await;
}

/// Neither without a file of keys, nor where `ACCESS` accepts them no more and the file stays.
#[rstest]
#[case::no_file(false)]
#[case::a_file_that_access_leaves_out(true)]
#[tokio::test]
async fn without_api_keys_nothing_that_one_has_invited_is_good(#[case] has_file: bool) {
    let key = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{API_KEY_SHA256}\"\npair = true\n");
    let keys = file("device-keys.toml", &key);
    let keys = [("API_KEYS_FILE", keys.to_str().unwrap())];
    let service = start(&keys[..usize::from(has_file)]).await;
    let invited = cookie(&json!({"key": "odoo"}));
    assert_eq!(opened(&service, CLICK, &invited).await, "device-ended");
    assert_eq!(opened(&service, CLICK, &cookie(&json!({}))).await, 101);
}

#[rstest]
#[case::typed_or_from_a_bookmark(61 * DAY, "none", true)]
#[case::from_our_own_page(61 * DAY, "same-origin", true)]
#[case::sooner(59 * DAY, "none", false)]
#[case::by_another_site(61 * DAY, "cross-site", false)]
#[case::by_a_sibling_host(61 * DAY, "same-site", false)]
#[case::by_nothing_that_tells(61 * DAY, "", false)]
#[tokio::test]
async fn a_click_in_the_last_third_renews_the_cookie(
    #[case] age: i64,
    #[case] site: &str,
    #[case] is_renewed: bool,
) {
    let service = start(&[]).await;
    let old = cookie_aged(age, &json!({}));
    let mut request = service
        .request(CLICK)
        .header("Sec-Fetch-Dest", "document")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Cookie", format!("{NAME}={old}"));
    if !site.is_empty() {
        request = request.header("Sec-Fetch-Site", site);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 302);
    let set = header(&response, "set-cookie");
    assert_eq!(!set.is_empty(), is_renewed, "{set}");
    let renewed = r#"open_chat_pairings_total{outcome="renewed"}"#;
    assert_eq!(service.metric(renewed).await, i64::from(is_renewed));
    if is_renewed {
        let rest = set.strip_prefix("__Host-open-chat-device=").unwrap();
        let (value, attributes) = rest.split_once("; ").unwrap();
        let expected = "Path=/; Max-Age=7776000; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(attributes, expected);
        assert_ne!(value, old);
        assert_eq!(opened(&service, CLICK, value).await, 101);
    }
}

/// The chat of a mailed link opens by its page's button, in whatever browser.
#[tokio::test]
async fn the_confirmation_s_button_opens_and_renews() {
    let service = start(&[("CONFIRM", "always")]).await;
    let old = cookie_aged(89 * DAY, &json!({}));
    let page = click_with(&service, CLICK, &old).await;
    assert_eq!(
        (page.status().as_u16(), header(&page, "set-cookie")),
        (200, String::new())
    );
    let post = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
        .post(format!("{}{CLICK}", service.url()))
        .header("Sec-Fetch-Dest", "document")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Site", "same-origin")
        .header("Cookie", format!("{NAME}={old}"));
    let response = post.send().await.unwrap();
    assert_eq!(response.status(), 302);
    assert!(header(&response, "set-cookie").contains("; Max-Age=7776000; "));
}

/// A browser takes the prefix over TLS alone.
#[tokio::test]
async fn on_loopback_in_the_clear_the_cookie_has_no_prefix() {
    let service = start(&[("PUBLIC_URL", "http://127.0.0.1:8080")]).await;
    let old = cookie_aged(61 * DAY, &json!({}));
    let request = |name: &str| {
        service
            .request(CLICK)
            .header("Sec-Fetch-Dest", "document")
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Site", "none")
            .header("Cookie", format!("{name}={old}"))
    };
    let response = request("open-chat-device").send().await.unwrap();
    assert_eq!(response.status(), 302);
    let set = header(&response, "set-cookie");
    assert!(set.starts_with("open-chat-device=ey"), "{set}");
    assert!(
        set.ends_with("; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax"),
        "{set}"
    );
    let response = request(NAME).send().await.unwrap();
    assert_eq!(outcome(response).await, "device-missing");
}

#[tokio::test]
async fn where_devices_are_off_a_cookie_means_nothing() {
    let service = start(&[("ACCESS", "open")]).await;
    let cookie = cookie(&json!({}));
    assert_eq!(opened(&service, CLICK, &cookie).await, "operator-missing");
    let path = format!("{CLICK}&operator=102");
    assert_eq!(opened(&service, &path, "x").await, 102);
}

#[tokio::test]
async fn no_cookie_is_in_the_log() {
    let service = start(&[]).await;
    let cookie = cookie_aged(61 * DAY, &json!({}));
    let request = service
        .request(CLICK)
        .header("Sec-Fetch-Dest", "document")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Site", "none")
        .header("Cookie", format!("{NAME}={cookie}"));
    let response = request.send().await.unwrap();
    log_line(&header(&response, "x-request-id")).await;
    let set = header(&response, "set-cookie");
    let (renewed, _) = set.split_once(';').unwrap();
    let (_, renewed) = renewed.split_once('=').unwrap();
    let log = log();
    for secret in [cookie.as_str(), renewed, SECRET] {
        let signature = secret.rsplit('.').next().unwrap();
        assert!(!log.contains(signature));
    }
}

/// A leaked API key must not make cookies.
#[test]
fn a_key_that_is_an_api_key_too_stops_the_start() {
    let sha256 = "057202a1dbb44106acf97a5180062be3e593cd61a3db06ac02eacfd8d088cfbb";
    let keys = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{sha256}\"\n");
    let keys = file("device-keys.toml", &keys);
    let variables = [
        ("ACCESS", "device,key"),
        ("PUBLIC_URL", "https://chat.example"),
        ("DEVICE_SECRET", SECRET),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", "canary-password"),
    ];
    let (code, text) = crate::process::run(&mut crate::process::open_chat(&["serve"], &variables));
    assert_eq!(code, Some(78), "{text}");
    assert!(
        text.contains("DEVICE_SECRET: has a key that is also an API key"),
        "{text}"
    );
    assert!(!text.contains("canary"), "{text}");
}
