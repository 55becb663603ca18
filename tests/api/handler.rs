//! `/handler`, which lets browsers open chats from phone links, and what makes the service an app.

use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Service, header, rules};

const PUBLIC_URL: (&str, &str) = ("PUBLIC_URL", "https://chat.example");

async fn ask(service: &Service, path: &str, language: &str) -> Response {
    let request = service.request(path).header("Accept", "text/html");
    let request = request.header("Accept-Language", language);
    request.send().await.unwrap()
}

async fn page(service: &Service, path: &str) -> String {
    let response = ask(service, path, "en").await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        header(&response, "content-type"),
        "text/html; charset=utf-8"
    );
    response.text().await.unwrap()
}

/// The text of an element without elements in it, less its escapes.
fn text_of(page: &str, id: &str) -> String {
    let (_, rest) = page
        .split_once(&format!("id=\"{id}\""))
        .expect("the element");
    let (_, text) = rest.split_once('>').unwrap();
    let text = text.split('<').next().unwrap();
    text.replace("&#34;", "\"")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

fn json_of(page: &str, id: &str) -> Value {
    serde_json::from_str(&text_of(page, id)).expect("JSON")
}

#[rstest]
#[case::open(&[("ACCESS", "open")], &["by-link"])]
#[case::pass(&[("ACCESS", "pass"), ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes")], &["unknown"])]
#[case::sso(
    &[("ACCESS", "sso"), ("SSO_HEADER", "X-Agent"), ("TRUSTED_PROXIES", "127.0.0.1")],
    &["by-login"]
)]
#[case::device(
    &[("ACCESS", "device"), ("DEVICE_SECRET", "canary-device-secret-of-32-bytes-or-more"), PUBLIC_URL],
    &["by-device"]
)]
#[case::demo(
    &[("ACCESS", "open,device"), ("DEVICE_SECRET", "canary-device-secret-of-32-bytes-or-more"), PUBLIC_URL],
    &["by-device", "by-link"]
)]
#[tokio::test]
async fn the_page_says_who_a_phone_link_counts_for(
    #[case] variables: &[(&str, &str)],
    #[case] expected: &[&str],
) {
    let service = Service::start_with(rules(), variables).await;
    let page = page(&service, "/handler").await;
    let said: Vec<_> = ["by-device", "by-login", "by-link", "unknown"]
        .into_iter()
        .filter(|id| page.contains(&format!("id=\"{id}\"")))
        .collect();
    assert_eq!(said, expected);
    let has_refusal = page.contains("Clicks on phone links will be refused here.");
    assert_eq!(has_refusal, expected == ["unknown"]);
    assert_eq!(
        page.contains("href=\"pair\""),
        expected.contains(&"by-device")
    );
    for scheme in ["tel", "sms"] {
        assert!(page.contains(&format!("data-takes=\"{scheme}\"")));
    }
}

#[rstest]
#[case::public(&[PUBLIC_URL], "/handler", "https://chat.example/open-chat?phone=%s")]
#[case::below_a_path(
    &[("PUBLIC_URL", "https://crm.example/chat/")],
    "/handler",
    "https://crm.example/chat/open-chat?phone=%s"
)]
#[case::an_operator_is_named(
    &[PUBLIC_URL],
    "/handler?operator=John+Smith%20%26%25s",
    "https://chat.example/open-chat?operator=John+Smith+%26%25s&phone=%s"
)]
#[case::a_blank_operator_is_none(
    &[PUBLIC_URL],
    "/handler?operator=%20",
    "https://chat.example/open-chat?phone=%s"
)]
#[case::only_where_any_may_be_named(
    &[PUBLIC_URL, ("ACCESS", "pass"), ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes")],
    "/handler?operator=101",
    "https://chat.example/open-chat?phone=%s"
)]
#[tokio::test]
async fn the_address_is_the_service_s_own(
    #[case] variables: &[(&str, &str)],
    #[case] path: &str,
    #[case] url: &str,
) {
    let service = Service::start_with(rules(), variables).await;
    let page = page(&service, path).await;
    let escaped = url.replace('&', "&#38;");
    assert!(page.contains(&format!("data-url=\"{escaped}\"")), "{page}");
    assert!(!page.contains("id=\"public-url-unset\""));
    let handlers = json!([
        {"protocol": "tel", "url": url, "default": true},
        {"protocol": "sms", "url": url, "default": true},
    ]);
    assert_eq!(json_of(&page, "chromium-value"), handlers);
    let file = json!({"RegisteredProtocolHandlers": handlers});
    assert_eq!(json_of(&page, "chromium-file"), file);
    let scheme = json!({
        "action": "useHelperApp",
        "ask": false,
        "handlers": [{"name": "ChatHub", "uriTemplate": url}],
    });
    let file = json!({"policies": {"Handlers": {"schemes": {"tel": scheme, "sms": scheme}}}});
    assert_eq!(json_of(&page, "firefox-file"), file);
}

#[tokio::test]
async fn without_a_public_url_it_is_the_one_that_was_asked_for() {
    let service = Service::start().await;
    let page = page(&service, "/handler").await;
    let url = format!("data-url=\"{}/open-chat?phone=%s\"", service.url());
    assert!(page.contains(&url), "{page}");
    assert!(page.contains("id=\"public-url-unset\""));
    let request = service.request("/handler").header("Host", "\"onclick=x");
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("data-url=\"/open-chat?phone=%s\""), "{page}");
}

/// What an admin and a visitor write stays what it is, in the page and in the policies' JSON.
#[tokio::test]
async fn names_are_escaped() {
    let brand = "A\"</script><b>&";
    let service = Service::start_with(rules(), &[PUBLIC_URL, ("BRAND_NAME", brand)]).await;
    let page = page(
        &service,
        "/handler?operator=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    )
    .await;
    assert!(
        !page.contains("<script>alert") && !page.contains("<b>"),
        "{page}"
    );
    let handlers = &json_of(&page, "firefox-file")["policies"]["Handlers"];
    assert_eq!(handlers["schemes"]["tel"]["handlers"][0]["name"], brand);
    let url = "https://chat.example/open-chat?operator=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E&phone=%s";
    assert_eq!(json_of(&page, "chromium-value")[0]["url"], url);
    let manifest = ask(&service, "/manifest.webmanifest", "en")
        .await
        .text()
        .await
        .unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["name"], brand);
}

#[tokio::test]
async fn the_page_speaks_the_visitor_s_language() {
    let service = Service::start_with(rules(), &[PUBLIC_URL]).await;
    for (language, title) in [
        ("en", "<h1>Chats from phone links</h1>"),
        ("uk", "<h1>Чати з телефонних посилань</h1>"),
    ] {
        let response = ask(&service, "/handler", language).await;
        assert_eq!(header(&response, "content-language"), language);
        let page = response.text().await.unwrap();
        assert!(page.contains(title), "{page}");
    }
}

/// No other page frames it, and the browser may read the manifest, run the page's own script, and
/// nothing else.
#[tokio::test]
async fn the_page_s_policy_is_narrow() {
    let service = Service::start().await;
    let response = ask(&service, "/handler", "en").await;
    assert_eq!(
        header(&response, "cross-origin-opener-policy"),
        "same-origin"
    );
    assert_eq!(header(&response, "cache-control"), "no-store");
    let policy = header(&response, "content-security-policy");
    for part in [
        "default-src 'none';",
        "script-src 'sha256-",
        "form-action 'self';",
        "frame-ancestors 'none'",
        "img-src 'self' data:;",
        "manifest-src 'self'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let builder = ask(&service, "/builder", "en").await;
    let policy = header(&builder, "content-security-policy");
    assert!(!policy.contains("manifest"), "{policy}");
}

#[rstest]
#[case::at_the_root(&[PUBLIC_URL], "")]
#[case::below_a_path(&[("PUBLIC_URL", "https://crm.example/chat/")], "/chat")]
#[case::unknown(&[], "")]
#[tokio::test]
async fn the_manifest_takes_phone_links(#[case] variables: &[(&str, &str)], #[case] prefix: &str) {
    let service = Service::start_with(rules(), variables).await;
    let page = page(&service, "/handler").await;
    assert!(page.contains("<link rel=\"manifest\" href=\"manifest.webmanifest\">"));
    let response = ask(&service, "/manifest.webmanifest", "en").await;
    assert_eq!(response.status(), 200);
    assert_eq!(
        header(&response, "content-type"),
        "application/manifest+json"
    );
    let manifest: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let icon = |size: u32| {
        json!({
            "src": format!("{prefix}/icon-{size}.png"),
            "sizes": format!("{size}x{size}"),
            "type": "image/png",
            "purpose": "any maskable",
        })
    };
    let url = format!("{prefix}/open-chat?phone=%s");
    let expected = json!({
        "id": format!("{prefix}/handler"),
        "name": "ChatHub",
        "short_name": "ChatHub",
        "start_url": format!("{prefix}/handler"),
        "scope": format!("{prefix}/"),
        "display": "minimal-ui",
        "background_color": "#5236c9",
        "theme_color": "#5236c9",
        "icons": [icon(192), icon(512)],
        "protocol_handlers": [{"protocol": "tel", "url": url}, {"protocol": "sms", "url": url}],
    });
    assert_eq!(manifest, expected);
}

#[rstest]
#[case("/icon-192.png", 192)]
#[case("/icon-512.png", 512)]
#[tokio::test]
async fn the_icons_are_small_pictures(#[case] path: &str, #[case] size: u32) {
    let service = Service::start().await;
    let response = ask(&service, path, "en").await;
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "content-type"), "image/png");
    let picture = response.bytes().await.unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.len() < 4096);
    let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (size, size));
    let url = format!("{}{path}", service.url());
    let head = reqwest::Client::new().head(url).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(header(&head, "content-type"), "image/png");
    assert_eq!(head.bytes().await.unwrap().len(), 0);
}
