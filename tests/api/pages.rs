//! The pages that people read: their language, what they show of the company, what they weigh, and what they may load.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Response;
use rstest::rstest;

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
            assert!(
                policy.contains(&format!("{directive} 'sha256-{hash}'")),
                "{policy}"
            );
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
