//! Every refusal's page, in both languages, light and dark, on a phone and on a desk.

use fantoccini::Locator;
use open_chat::http::Kind;

use crate::browser::{Browser, eventually};
use crate::process::{Running, open_chat};

/// Cyrillic, which no English page has in its heading.
fn is_ukrainian(text: &str) -> bool {
    text.chars().any(|c| ('а'..='я').contains(&c))
}

#[tokio::test]
async fn every_refusal_is_a_page_that_everybody_can_read() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let page = |kind: Kind| {
        demo.url("/demo")
            .replace("/demo", &format!("/demo/refusals/{}", kind.name()))
    };
    let browser = Browser::open(&page(Kind::NotFound)).await;
    for (language, scheme, width) in [
        ("en", "light", 1000),
        ("en", "dark", 360),
        ("uk", "light", 360),
        ("uk", "dark", 1000),
    ] {
        browser.pretend(width, scheme, language).await;
        for kind in Kind::ALL {
            let what = format!("{} {language} {scheme} {width}", kind.name());
            browser.goto(&page(kind)).await;
            assert_eq!(
                browser.value("document.documentElement.lang").await,
                language,
                "{what}"
            );
            let title = browser.text("h1").await;
            assert_eq!(is_ukrainian(&title), language == "uk", "{what}");
            assert_eq!(browser.client.title().await.unwrap(), title, "{what}");
            assert_eq!(browser.text("#kind").await, kind.name());
            assert_eq!(browser.text("#request-id").await.len(), 32, "{what}");
            assert!(!browser.text("#detail").await.is_empty(), "{what}");
            let has = async |css| !browser.text(css).await.is_empty();
            let is_chathubs_fault = kind.status() >= 500;
            assert_eq!(has("#by-hand").await, is_chathubs_fault, "{what}");
            assert_eq!(
                has("#try-again").await,
                is_chathubs_fault || kind == Kind::RateLimited,
                "{what}"
            );
            browser.check(&what).await;
            if matches!(
                kind,
                Kind::PhoneInvalid | Kind::ChathubTimeout | Kind::PassExpired | Kind::RateLimited
            ) {
                browser.picture(&what.replace(' ', "-")).await;
            }
        }
    }
    browser.close().await;
}

/// A keyboard reaches each button, and the buttons lead where they say.
#[tokio::test]
async fn the_buttons_lead_on() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let page = demo
        .url("/demo")
        .replace("/demo", "/demo/refusals/chathub-timeout");
    let browser = Browser::open(&page).await;
    let first = browser.text("#request-id").await;
    browser.click("#try-again").await;
    eventually("another answer", async || {
        let id = browser.text("#request-id").await;
        !id.is_empty() && id != first
    })
    .await;
    assert_eq!(browser.client.current_url().await.unwrap().as_str(), page);

    let focused = async || {
        let body = browser.client.find(Locator::Css("body")).await.unwrap();
        body.send_keys("\u{e004}").await.unwrap();
        browser.value("document.activeElement.id").await
    };
    assert_eq!(focused().await, "try-again");
    assert_eq!(focused().await, "by-hand");
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.value(outline).await, "solid");
    browser.click_for_a_window(Locator::Id("by-hand")).await;
    browser.wait_for("#login").await;
    assert_eq!(
        browser.value("window.opener").await,
        serde_json::json!(null)
    );
    browser.close().await;
}

/// A check that finds nothing anywhere would find nothing here either.
#[tokio::test]
async fn the_checks_find_what_is_wrong() {
    let page = "data:text/html,<meta http-equiv=Content-Security-Policy content=\"img-src 'none'\"><img src=data:,>";
    let browser = Browser::open(page).await;
    let objections = browser.objections().await.to_string();
    for rule in ["image-alt", "html-has-lang", "document-title"] {
        assert!(objections.contains(rule), "{objections}");
    }
    assert_eq!(
        browser.value("kept_out").await,
        serde_json::json!(["img-src data"])
    );
    browser.close().await;
}
