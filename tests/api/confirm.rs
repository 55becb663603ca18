//! The page between a link and its chat: whoever only looks opens nothing, and nobody else can
//! press its button.

use chrono::Utc;
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::{Method, RequestBuilder, Response};
use rstest::rstest;
use serde_json::json;

use crate::harness::{PANEL, Problem, Service, header, log_line, rules};

const PATH: &str = "/open-chat?operator=101&phone=0501234567";
const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";
const PERSON: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const ROBOT: &str = "AcmeMailScanner/3.1";
const CRAWLER: &str = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)";

async fn service(confirm: &str) -> Service {
    Service::start_with(rules(), &[("CONFIRM", confirm)]).await
}

fn post(service: &Service, path: &str) -> RequestBuilder {
    let url = format!("{}{path}", service.url());
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
        .request(Method::POST, url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Content-Length", "0")
}

/// The button, as a browser presses it.
async fn press(service: &Service, path: &str) -> Response {
    let post = post(service, path).header("Sec-Fetch-Site", "same-origin");
    post.send().await.unwrap()
}

/// Who clicks, under which setting, and what comes: the chat, the page with the button, or the page
/// for crawlers.
#[rstest]
#[case("never", PERSON, "chat")]
#[case("never", ROBOT, "chat")]
#[case("never", CRAWLER, "crawler")]
#[case("crawlers", PERSON, "chat")]
#[case("crawlers", ROBOT, "confirmation")]
#[case("crawlers", CRAWLER, "crawler")]
#[case("always", PERSON, "confirmation")]
#[case("always", ROBOT, "confirmation")]
#[case("always", CRAWLER, "crawler")]
#[tokio::test]
async fn who_is_asked(#[case] confirm: &str, #[case] agent: &str, #[case] expected: &str) {
    let service = service(confirm).await;
    let calls = service.chathub.total_calls();
    let request = service.request(PATH).header("User-Agent", agent);
    let response = request.send().await.unwrap();
    if expected == "chat" {
        assert_eq!(response.status(), 302);
        return;
    }
    assert_eq!(response.status(), 200);
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(
        (&line["outcome"], line.get("token")),
        (&json!(expected), None)
    );
    let page = response.text().await.unwrap();
    assert_eq!(
        page.contains("method=\"post\""),
        expected == "confirmation",
        "{page}"
    );
    assert!(
        !page.contains("0501234567") && !page.contains("380501234567"),
        "{page}"
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

/// Office programs open each link by themselves before they hand it to the browser.
#[rstest]
#[case::excel(
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; ms-office)"
)]
#[case::word("Mozilla/4.0 (compatible; ms-office; MSOffice 16)")]
#[case::discovery("Microsoft Office Existence Discovery")]
#[case::excel_itself("Microsoft Office Excel 2014 (16.0.10730) Windows NT 10.0")]
#[case::upload("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Word 16.0.4266; Pro)")]
#[case::outlook(
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.11328)"
)]
#[case::new_outlook(
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OneOutlook/1.2024.1"
)]
#[case::outlook_on_a_mac("MacOutlook/16.30.19101301 (Intel Mac OS X Version 10.14.6)")]
#[case::word_on_a_mac("Mozilla/5.0 (Macintosh; Intel Mac OS X) Word/16.89.0")]
#[case::one_note("Microsoft OneNote/16.0 (Windows NT 10.0)")]
#[case::web_folders("Microsoft Data Access Internet Publishing Provider DAV")]
#[case::web_dav("Microsoft-WebDAV-MiniRedir/10.0.19045")]
#[case::libre_office("LibreOffice 24.8.1.2 denylistedbackend/8.8.0 OpenSSL/3.3.1")]
#[case::thunderbird("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.3.0")]
#[tokio::test]
async fn an_office_program_opens_no_chat(#[case] agent: &str) {
    for (confirm, has_button) in [("never", false), ("crawlers", true), ("always", true)] {
        let service = service(confirm).await;
        let calls = service.chathub.total_calls();
        let request = service.request(PATH).header("User-Agent", agent);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{confirm}");
        let line = log_line(&header(&response, "x-request-id")).await;
        let outcome = if has_button {
            "confirmation"
        } else {
            "crawler"
        };
        assert_eq!(line["outcome"], outcome, "{confirm}");
        let page = response.text().await.unwrap();
        assert_eq!(page.contains("method=\"post\""), has_button, "{page}");
        let widget = service.request("/widget?operator=101");
        let widget = widget.header("User-Agent", agent).send().await.unwrap();
        assert_eq!(Problem::read(widget).await.kind, "not-a-navigation");
        assert_eq!(service.chathub.total_calls(), calls);
    }
}

/// Mail gateways that name themselves, and nothing else of a robot.
#[rstest]
#[case("Mimecast Ltd")]
#[case("Mozilla/5.0 (compatible; Barracuda Sentinel (EE))")]
#[case("Proofpoint URL Defense")]
#[case("Mozilla/5.0 (compatible; urlchecker/1.0)")]
#[case("virustotalcloud")]
#[tokio::test]
async fn a_mail_gateway_that_names_itself_is_asked(#[case] agent: &str) {
    let service = service("crawlers").await;
    let request = service.request(PATH).header("User-Agent", agent);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

/// What one click in Excel sends, in this order.
#[tokio::test]
async fn a_one_time_link_in_a_spreadsheet_opens_in_the_browser() {
    let variables = [("ACCESS", "pass"), ("PASS_SECRET", SECRET)];
    let service = Service::start_with(rules(), &variables).await;
    let claims = json!({"sub": "101", "jti": "excel", "exp": Utc::now().timestamp() + 3600});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let pass = encode(&Header::default(), &claims, &key).unwrap();
    let path = format!("/open-chat?phone=0501234567&pass={pass}");
    let excel = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; ms-office)";
    for (agent, status) in [(excel, 200), (excel, 200), (PERSON, 302)] {
        let request = service.request(&path).header("User-Agent", agent);
        assert_eq!(request.send().await.unwrap().status(), status, "{agent}");
    }
}

#[rstest]
#[case("crawlers")]
#[case("always")]
#[tokio::test]
async fn the_button_opens_the_chat(#[case] confirm: &str) {
    let service = service(confirm).await;
    let response = press(&service, PATH).await;
    assert_eq!(response.status(), 302);
    assert!(
        header(&response, "location")
            .starts_with("https://chat.smsbat.com/?phone=%2B380501234567&token=")
    );
    assert_eq!(header(&response, "referrer-policy"), "no-referrer");
}

/// The page's policy lets the form post here, and lead on to the panel; no other page may frame it.
#[tokio::test]
async fn the_page_leads_nowhere_else() {
    let response = service("always").await.request(PATH).send().await.unwrap();
    let policy = header(&response, "content-security-policy");
    assert!(
        policy.contains("; form-action 'self' https://chat.smsbat.com; script-src 'sha256-")
            && policy.ends_with("='; frame-ancestors 'none'"),
        "{policy}"
    );
}

/// What the POST says of where it comes from, and what it gets: 302, or the refusal's status and
/// kind.
#[rstest]
#[case::own_page(&[("Sec-Fetch-Site", "same-origin")], 302, "")]
#[case::own_page_in_the_clear(&[("Origin", "http://{host}")], 302, "")]
#[case::own_page_behind_a_proxy(&[("Origin", "https://chat.example")], 302, "")]
#[case::another_site(&[("Sec-Fetch-Site", "cross-site")], 403, "not-a-navigation")]
#[case::a_sister_s_page(&[("Sec-Fetch-Site", "same-site")], 403, "not-a-navigation")]
#[case::no_page(&[("Sec-Fetch-Site", "none")], 403, "not-a-navigation")]
#[case::another_site_with_our_origin(&[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://{host}")], 403, "not-a-navigation")]
#[case::another_origin(&[("Origin", "https://evil.example")], 403, "not-a-navigation")]
#[case::a_hidden_origin(&[("Origin", "null")], 403, "not-a-navigation")]
#[case::a_longer_host(&[("Origin", "http://{host}.evil.example")], 403, "not-a-navigation")]
#[case::no_browser(&[], 405, "method-not-allowed")]
#[case::a_part_of_a_page(&[("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Dest", "image")], 403, "not-a-navigation")]
#[tokio::test]
async fn nobody_else_can_press_the_button(
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[case] kind: &str,
) {
    let variables = [
        ("CONFIRM", "always"),
        ("PUBLIC_URL", "https://chat.example/"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let calls = service.chathub.total_calls();
    let host = service.url().trim_start_matches("http://").to_owned();
    let mut request = post(&service, PATH);
    for (name, value) in headers {
        request = request.header(*name, value.replace("{host}", &host));
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), status);
    if status != 302 {
        assert_eq!(Problem::read(response).await.kind, kind);
        assert_eq!(service.chathub.total_calls(), calls);
    }
}

#[tokio::test]
async fn without_the_page_there_is_no_button() {
    let service = service("never").await;
    let response = press(&service, PATH).await;
    assert_eq!(header(&response, "allow"), "GET");
    assert_eq!(Problem::read(response).await.kind, "method-not-allowed");
}

/// A POST is a click in every other way.
#[tokio::test]
async fn the_button_is_held_to_what_a_click_is_held_to() {
    let variables = [("CONFIRM", "always"), ("RATE_LIMIT_OPERATOR", "2/h")];
    let service = Service::start_with(rules(), &variables).await;
    let kind = async |path: &str| Problem::read(press(&service, path).await).await.kind;
    assert_eq!(
        kind("/open-chat?operator=101&phone=12345").await,
        "phone-invalid"
    );
    assert_eq!(
        kind("/open-chat?operator=nobody&phone=0501234567").await,
        "operator-unknown"
    );
    let as_crawler = post(&service, PATH)
        .header("Sec-Fetch-Site", "same-origin")
        .header("User-Agent", CRAWLER);
    assert_eq!(as_crawler.send().await.unwrap().status(), 200);
    let prefetch = post(&service, PATH)
        .header("Sec-Fetch-Site", "same-origin")
        .header("Sec-Purpose", "prefetch");
    assert_eq!(
        Problem::read(prefetch.send().await.unwrap()).await.kind,
        "not-a-navigation"
    );
    let with_body = post(&service, PATH)
        .header("Sec-Fetch-Site", "same-origin")
        .header("Content-Length", "3")
        .body("a=b");
    assert_eq!(
        Problem::read(with_body.send().await.unwrap()).await.kind,
        "parameter-invalid"
    );
    // The page itself is no click, and takes nothing from the operator's quota.
    for _ in 0..5 {
        assert_eq!(
            service
                .click("operator=101&phone=0501234567")
                .await
                .status(),
            200
        );
    }
    // The bad phone was let in as this operator, and counts.
    assert_eq!(press(&service, PATH).await.status(), 302);
    assert_eq!(kind(PATH).await, "rate-limited");
}

/// What would be refused anyway is refused before anybody presses anything.
#[tokio::test]
async fn a_wrong_link_gets_no_button() {
    let service = service("always").await;
    assert_eq!(
        service.refusal("operator=101&phone=12345").await.kind,
        "phone-invalid"
    );
    assert_eq!(
        service
            .refusal("operator=nobody&phone=0501234567")
            .await
            .kind,
        "operator-unknown"
    );
}

#[tokio::test]
async fn a_one_time_pass_is_used_up_by_the_button_alone() {
    let variables = [
        ("CONFIRM", "always"),
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let claims = json!({"sub": "101", "jti": "one", "exp": Utc::now().timestamp() + 3600});
    let pass = encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .unwrap();
    let path = format!("/open-chat?phone=0501234567&pass={pass}");
    for _ in 0..3 {
        assert_eq!(service.request(&path).send().await.unwrap().status(), 200);
    }
    assert_eq!(press(&service, &path).await.status(), 302);
    assert_eq!(
        Problem::read(press(&service, &path).await).await.kind,
        "pass-used"
    );

    // Where nobody can say whether it has been used, the page still comes before anything is told
    // of the client.
    let away = [("REDIS_URL", "redis://127.0.0.1:1/"), ("FALLBACK", "login")];
    let service = Service::start_with(rules(), &[&variables[..], &away].concat()).await;
    assert_eq!(service.request(&path).send().await.unwrap().status(), 200);
    assert_eq!(press(&service, &path).await.status(), 302, "the login page");
    let location = header(&press(&service, &path).await, "location");
    assert_eq!(location, format!("{PANEL}?phone=%2B380501234567"));
}
