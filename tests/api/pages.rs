//! The pages that people read: their language, what they show of the company, what they weigh, and
//! what they may load.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chathub_simulator::{Endpoint, Fault};
use chrono::{DateTime, Utc};
use jsonwebtoken::{EncodingKey, Header, encode};
use regex::Regex;
use reqwest::Response;
use rstest::rstest;
use serde_json::json;

use crate::harness::{Service, file, header, rules};

const REFUSED: &str = "/open-chat?operator=101&phone=12345";

async fn as_browser(service: &Service, path: &str, language: &str) -> Response {
    let request = service
        .request(path)
        .header(
            "Accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        )
        .header("Accept-Language", language);
    request.send().await.unwrap()
}

#[rstest]
#[case("", "en", "This is not a phone number")]
#[case("en-US,en;q=0.9", "en", "This is not a phone number")]
#[case("uk-UA,uk;q=0.9,en;q=0.8", "uk", "Це не номер телефону")]
#[case("pl, uk;q=0.4, en;q=0.3", "uk", "Це не номер телефону")]
#[case("ru,de", "en", "This is not a phone number")]
#[tokio::test]
async fn a_page_speaks_the_visitor_s_language(
    #[case] language: &str,
    #[case] lang: &str,
    #[case] title: &str,
) {
    let service = Service::start().await;
    let response = as_browser(&service, REFUSED, language).await;
    assert_eq!(header(&response, "content-language"), lang);
    let page = response.text().await.unwrap();
    assert!(page.contains(&format!("<html lang=\"{lang}\">")), "{page}");
    assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
}

/// What a company sets counts where a browser's first choice is no language of ours.
#[rstest]
#[case("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "uk")]
#[case("", "uk")]
#[case("en-GB,en;q=0.9,ru;q=0.8", "en")]
#[tokio::test]
async fn a_page_speaks_the_company_s_language(#[case] language: &str, #[case] lang: &str) {
    let service = Service::start_with(rules(), &[("DEFAULT_LANGUAGE", "uk")]).await;
    let response = as_browser(&service, REFUSED, language).await;
    assert_eq!(header(&response, "content-language"), lang);
}

/// Without a cookie: the language stays in the address, with the rest of it.
#[rstest]
#[case("/builder", "?lang=uk", "?lang=en")]
#[case(
    "/builder?crm=odoo&phone=%2B380501234567&lang=en",
    "?crm=odoo&#38;phone=%2B380501234567&#38;lang=uk",
    "?crm=odoo&#38;phone=%2B380501234567&#38;lang=en"
)]
#[case("/handler?lang=ru", "?lang=uk", "?lang=en")]
#[case("/openapi?x=<b>", "?x=%3Cb%3E&#38;lang=uk", "?x=%3Cb%3E&#38;lang=en")]
#[tokio::test]
async fn a_page_that_people_stay_on_leads_to_the_other_language(
    #[case] path: &str,
    #[case] to_ukrainian: &str,
    #[case] to_english: &str,
) {
    let service = Service::start().await;
    let english = as_browser(&service, path, "en").await;
    assert_eq!(header(&english, "content-language"), "en");
    let page = english.text().await.unwrap();
    let link = format!("<a href=\"{to_ukrainian}\" lang=\"uk\" hreflang=\"uk\">Українська</a>");
    assert!(page.contains(&link), "{page}");
    let there = path.split('?').next().unwrap().to_owned() + &to_ukrainian.replace("&#38;", "&");
    let ukrainian = as_browser(&service, &there, "en").await;
    assert_eq!(header(&ukrainian, "content-language"), "uk");
    let page = ukrainian.text().await.unwrap();
    let link = format!("<a href=\"{to_english}\" lang=\"en\" hreflang=\"en\">English</a>");
    assert!(page.contains(&link), "{page}");
}

/// As it is written in each language, and for programs as everywhere.
#[rstest]
#[case("en", r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")]
#[case("uk", r"^\d\d\.\d\d\.\d{4}, \d\d:\d\d:\d\d UTC$")]
#[tokio::test]
async fn a_refusal_has_its_time(#[case] language: &str, #[case] written: &str) {
    let service = Service::start().await;
    let page = as_browser(&service, REFUSED, language).await;
    let page = page.text().await.unwrap();
    let (_, time) = page.split_once("<time id=\"time\" datetime=\"").unwrap();
    let (machines, time) = time.split_once("\">").unwrap();
    assert!(DateTime::parse_from_rfc3339(machines).is_ok(), "{machines}");
    let (time, _) = time.split_once("</time>").unwrap();
    assert!(Regex::new(written).unwrap().is_match(time), "{time}");
}

/// An agent reads out eight digits; the log has them at the beginning of the request's id.
#[tokio::test]
async fn a_refusal_has_a_number_to_read_out() {
    let service = Service::start().await;
    for (id, short) in [
        ("5f0c9a7e41d24b4f8f3a1c2d3e4f5a6b", "5f0c9a7e"),
        ("abc-1", "abc-1"),
    ] {
        let request = service.request(REFUSED).header("Accept", "text/html");
        let answer = request.header("X-Request-Id", id).send().await.unwrap();
        let page = answer.text().await.unwrap();
        let number = format!("<strong id=\"short-id\">{short}</strong>");
        assert!(page.contains(&number), "{page}");
    }
}

/// Programs get the same words whatever they speak: somebody may match them.
#[tokio::test]
async fn a_problem_speaks_english() {
    let service = Service::start().await;
    let request = service.request(REFUSED).header("Accept-Language", "uk");
    let problem = request.send().await.unwrap().text().await.unwrap();
    assert!(
        problem.contains("The phone is not a valid number"),
        "{problem}"
    );
}

#[rstest]
#[case("/nowhere", "Тут нічого немає")]
#[case("/open-chat?operator=101&phone=0501234567", "Відкрити чат?")]
#[tokio::test]
async fn so_do_the_others(#[case] path: &str, #[case] title: &str) {
    let service = Service::start_with(rules(), &[("CONFIRM", "always")]).await;
    let page = as_browser(&service, path, "uk").await.text().await.unwrap();
    assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
}

#[rstest]
#[case(REFUSED)]
#[case("/nowhere")]
#[case("/builder")]
#[case("/handler")]
#[case("/pair")]
#[case("/open-chat?operator=101&phone=0501234567")]
#[tokio::test]
async fn a_page_loads_nothing_and_is_small(#[case] path: &str) {
    let logo = file(
        "logo.svg",
        &format!(
            "<svg xmlns='http://www.w3.org/2000/svg'><!--{}--></svg>",
            "x".repeat(8100)
        ),
    );
    let variables = [
        ("CONFIRM", "always"),
        ("BRAND_NAME", "Acme"),
        ("LOGO_FILE", logo.to_str().unwrap()),
        ("SUPPORT_CONTACT", "mailto:it@example.com"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let response = as_browser(&service, path, "uk").await;
    let policy = header(&response, "content-security-policy");
    let page = response.text().await.unwrap();
    assert!(page.len() < 30_000, "{path}: {} bytes", page.len());
    assert!(
        policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
        "{policy}"
    );
    for outside in [
        "src=\"http",
        "url(",
        "@import",
        "<link rel=\"stylesheet",
        " style=\"",
        " onclick",
    ] {
        assert!(!page.contains(outside), "{path}: {outside}");
    }
    for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
        for part in page.split(&format!("<{tag}>")).skip(1) {
            let text = part.split_once(&format!("</{tag}>")).unwrap().0;
            let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
            let mut directives = policy.split("; ");
            let allowed = directives.find(|one| one.starts_with(directive)).unwrap();
            assert!(allowed.contains(&format!(" 'sha256-{hash}'")), "{policy}");
        }
    }
}

#[tokio::test]
async fn the_company_is_named_and_escaped() {
    let png = file("logo.png", "");
    std::fs::write(&png, b"\x89PNG\r\n\x1a\n").unwrap();
    let variables = [
        ("BRAND_NAME", "Acme <&\"> Support"),
        ("LOGO_FILE", png.to_str().unwrap()),
        (
            "SUPPORT_CONTACT",
            "mailto:it@example.com?subject=\"><script>",
        ),
        ("CRM_URL", "http://crm.lan/?a=1&b=\"><script>"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let page = as_browser(&service, REFUSED, "en")
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("Acme &#60;&#38;&#34;&#62; Support"), "{page}");
    assert!(
        page.contains("src=\"data:image/png;base64,iVBORw0KGgo=\""),
        "{page}"
    );
    assert!(page.contains(">it@example.com</a>"), "{page}");
    assert!(
        page.contains("id=\"crm\" href=\"http://crm.lan/?a=1&#38;b="),
        "{page}"
    );
    assert!(!page.contains("<script"), "{page}");
}

/// When to try again is said in words and in the header alike.
#[tokio::test]
async fn who_is_too_fast_is_told_when_to_try_again() {
    let service = Service::start_with(rules(), &[("RATE_LIMIT_OPERATOR", "1/h")]).await;
    service.destination("operator=101&phone=0501234567").await;
    let path = "/open-chat?operator=101&phone=0501234567";
    let response = as_browser(&service, path, "uk").await;
    assert_eq!(response.status(), 429);
    let seconds = header(&response, "retry-after");
    let page = response.text().await.unwrap();
    assert!(page.contains(&format!("через {seconds} с.")), "{page}");
    assert!(page.contains("id=\"try-again\""), "{page}");
}

/// In a CRM's frame the CRM itself opens in the frame's place, and the panel in a tab of its own.
#[tokio::test]
async fn the_ways_out_leave_the_frame() {
    let variables = [("CRM_URL", "https://crm.example/")];
    let service = Service::start_with(rules(), &variables).await;
    let fault = Some(Fault::Status(500));
    service.chathub.always(Endpoint::OperatorToken, fault);
    let path = "/open-chat?operator=101&phone=0501234567";
    let page = as_browser(&service, path, "en").await.text().await.unwrap();
    let link = |id: &str| {
        let (_, rest) = page.split_once(&format!("id=\"{id}\"")).expect(id);
        rest.split_once('>').unwrap().0.to_owned()
    };
    assert!(link("crm").contains("target=\"_top\""), "{page}");
    assert!(
        link("by-hand").contains("target=\"_blank\" rel=\"noopener noreferrer\""),
        "{page}"
    );
    assert!(!link("try-again").contains("target"), "{page}");
}

/// The agent is told to correct the phone where the phone is wrong, and not where the button is.
#[rstest]
#[case::encoded_twice(
    "phone=%252B380501234567",
    "en",
    "Tell your CRM's administrator",
    "Correct the client"
)]
#[case::encoded_twice(
    "phone=%252B380501234567",
    "uk",
    "Повідомте адміністратора вашої CRM",
    "Виправте"
)]
#[case::a_word(
    "phone=Falsch",
    "en",
    "Tell your CRM's administrator",
    "Correct the client"
)]
#[case::a_word(
    "phone=Falsch",
    "uk",
    "повідомте адміністратора вашої CRM",
    "Виправте телефон клієнта в CRM: один номер"
)]
#[case::a_number(
    "phone=12345",
    "en",
    "Correct the client's phone",
    "Tell your CRM's administrator"
)]
#[case::letters(
    "phone=050123456x",
    "en",
    "Correct the client's phone",
    "Tell your CRM's administrator"
)]
#[case::the_choice(
    "phone=0501234567&operator=auto:24",
    "en",
    "Tell your CRM's administrator",
    "ask the administrator to allow it"
)]
#[tokio::test]
async fn the_advice_fits_what_is_wrong(
    #[case] query: &str,
    #[case] language: &str,
    #[case] advice: &str,
    #[case] wrong: &str,
) {
    let service = Service::start().await;
    let operator = if query.contains("operator=") {
        ""
    } else {
        "operator=101&"
    };
    let path = format!("/open-chat?{operator}{query}");
    let page = as_browser(&service, &path, language)
        .await
        .text()
        .await
        .unwrap();
    let page = page.replace("&#39;", "'");
    assert!(page.contains(advice), "{page}");
    assert!(!page.contains(wrong), "{page}");
}

/// The administrator's part says what an administrator can do, the agent's part what an agent can.
#[rstest]
#[case("en")]
#[case("uk")]
#[tokio::test]
async fn the_administrator_is_told_what_an_agent_is_not(#[case] language: &str) {
    let secret = "canary-pass-secret-of-more-than-32-bytes";
    let variables = [("ACCESS", "pass"), ("PASS_SECRET", secret)];
    let service = Service::start_with(rules(), &variables).await;
    let detail = async |claims: serde_json::Value| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        let pass = encode(&Header::default(), &claims, &key).unwrap();
        let path = format!("/open-chat?phone=0501234567&pass={pass}");
        as_browser(&service, &path, language).await;
        let page = as_browser(&service, &path, language)
            .await
            .text()
            .await
            .unwrap();
        let (_, detail) = page.split_once("id=\"detail\"").unwrap();
        detail.split_once("</p>").unwrap().0.to_owned()
    };
    let now = Utc::now().timestamp();
    let expired = detail(json!({"sub": "101", "exp": now - 3600})).await;
    for name in ["<code>exp</code>", "<code>ttl</code>", "PASS_MAX_TTL"] {
        assert!(expired.contains(name), "{name}: {expired}");
    }
    let used = detail(json!({"sub": "101", "exp": now + 3600, "jti": "used"})).await;
    for name in ["<code>jti</code>", "<code>once</code>", "CONFIRM"] {
        assert!(used.contains(name), "{name}: {used}");
    }

    let variables = [("ALLOWED_NETWORKS", "192.0.2.0/24")];
    let service = Service::start_with(rules(), &variables).await;
    for path in [
        "/open-chat?operator=101&phone=0501234567",
        "/widget?operator=101",
        "/builder",
        "/handler",
    ] {
        let page = as_browser(&service, path, language)
            .await
            .text()
            .await
            .unwrap();
        let (_, detail) = page.split_once("id=\"detail\"").unwrap();
        for name in [
            "<code>127.0.0.1</code>",
            "ALLOWED_NETWORKS",
            "TRUSTED_PROXIES",
        ] {
            assert!(detail.contains(name), "{path} {name}: {detail}");
        }
    }
}

/// What somebody needs who looks for the request in the logs: kind, id and time, also in the mail
/// that the page offers.
#[rstest]
#[case(
    "mailto:it@example.com",
    "mailto:it@example.com?subject=open-chat:%20phone-invalid,%20ID"
)]
#[case(
    "mailto:it@example.com?cc=a@example.com",
    "mailto:it@example.com?cc=a@example.com&#38;subject=open-chat:%20phone-invalid,%20ID"
)]
#[case(
    "mailto:it@example.com?subject=Chat",
    "mailto:it@example.com?subject=Chat&#38;body=open-chat:%20phone-invalid,%20ID"
)]
#[case(
    "mailto:it@example.com?Subject=a&body=b",
    "mailto:it@example.com?Subject=a&#38;body=b"
)]
#[case("tel:+380441234567", "tel:+380441234567")]
#[tokio::test]
async fn a_request_for_help_says_what_it_is_about(#[case] contact: &str, #[case] href: &str) {
    let service = Service::start_with(rules(), &[("SUPPORT_CONTACT", contact)]).await;
    let before = Utc::now().timestamp();
    let response = as_browser(&service, REFUSED, "en").await;
    let id = header(&response, "x-request-id");
    let page = response.text().await.unwrap();
    let href = href.replace("ID", &id);
    assert!(page.contains(&format!("href=\"{href}\"")), "{href}: {page}");
    let (_, time) = page
        .split_once("<time id=\"time\" datetime=\"")
        .expect("a time");
    let time = time.split_once('"').unwrap().0;
    let time: DateTime<Utc> = time.parse().unwrap();
    assert!(
        (before..=Utc::now().timestamp()).contains(&time.timestamp()),
        "{time}"
    );
}

/// One time to wait, and not two.
#[rstest]
#[case("en", "Try again in ", "Wait a moment, then")]
#[case("uk", "Спробуйте ще раз через ", "Зачекайте хвилинку")]
#[tokio::test]
async fn who_has_to_wait_is_told_one_time(
    #[case] language: &str,
    #[case] advice: &str,
    #[case] other: &str,
) {
    let service = Service::start_with(rules(), &[("RATE_LIMIT_OPERATOR", "1/h")]).await;
    service.destination("operator=101&phone=0501234567").await;
    let path = "/open-chat?operator=101&phone=0501234567";
    let page = as_browser(&service, path, language)
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains(advice), "{page}");
    assert!(!page.contains(other), "{page}");
}
