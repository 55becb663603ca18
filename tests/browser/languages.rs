//! Every page in Ukrainian: no sentence of it is English.

use fantoccini::Locator;
use open_chat::http::Kind;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::process::{Running, open_chat};
use crate::services::{DEVICE_SECRET, Services};

/// Three words of Latin letters in a row, and headings, labels and buttons without a Cyrillic
/// letter. What stands in `code`, `samp` or `pre`, or is marked as English, is a name.
const ENGLISH: &str = r"(() => {
    const names = 'code, samp, pre, kbd, script, style, textarea, option, [lang]:not(html):not([lang=uk])';
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    const texts = [document.title];
    for (let node; (node = walker.nextNode());) if (!node.parentElement.closest(names)) texts.push(node.data);
    for (const element of document.querySelectorAll('*')) {
        if (element.closest(names)) continue;
        for (const { name, value } of element.attributes) {
            if (/^(title|alt|placeholder|aria-label|data-(asked|undone|failed|copied|selected|open|said))$/.test(name)) texts.push(value);
        }
    }
    const sentences = texts.flatMap((text) => text.match(/[A-Za-z][A-Za-z'’-]*(?:\s+[A-Za-z][A-Za-z'’-]*){2,}/g) ?? []);
    const labels = [...document.querySelectorAll('h1, h2, th, label, dt, summary, button, a.button')].map((label) => {
        const copy = label.cloneNode(true);
        copy.querySelectorAll('code, samp, select, input, textarea').forEach((name) => name.remove());
        return copy.textContent.trim();
    });
    return [...sentences, ...labels.filter((label) => /[A-Za-z]{3}/.test(label) && !/[а-яіїєґ]/i.test(label))];
})()";

/// Of the page, in bytes.
const SIZE: &str = "new TextEncoder().encode(document.documentElement.outerHTML).length";

/// Names that are the same in every language, where a label is nothing else.
const NAMES: [&str; 3] = ["ChatHub", "CRM", "Viber"];

/// Fails where a sentence of the page is English.
pub async fn check(browser: &Browser, what: &str) {
    let lang = browser.value("document.documentElement.lang").await;
    assert_eq!(lang, "uk", "{what}");
    let found = browser.value(ENGLISH).await;
    let product = format!("open-chat {}", env!("CARGO_PKG_VERSION"));
    let is_name = |text: &&Value| **text == product || NAMES.iter().any(|name| *text == name);
    let english: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .filter(|text| !is_name(text))
        .collect();
    assert_eq!(json!(english), json!([]), "{what}");
}

#[tokio::test]
async fn no_sentence_of_the_demo_is_english() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let page = |path: &str| demo.url("/demo").replace("/demo", path);
    let browser = Browser::open("about:blank").await;
    browser.pretend(1000, "light", "uk").await;
    for path in [
        "/demo",
        "/builder",
        "/builder?crm=kommo&source=viber",
        "/builder?crm=salesforce&operator=Nobody",
        "/builder?crm=keycrm&chat_raw_id=65a1f0c2",
        "/handler",
        "/openapi",
        "/pair",
    ] {
        browser.goto(&page(path)).await;
        check(&browser, path).await;
        let most = if path == "/openapi" { 60_000 } else { 30_000 };
        let size = browser.value(SIZE).await.as_u64().unwrap();
        assert!(size < most, "{path}: {size} bytes");
        browser
            .picture(&format!("uk{}", path.replace(['/', '?', '&', '='], "-")))
            .await;
    }
    // As wide as a desk at 400 %, a phone, and a desk at 200 %.
    for (width, scheme) in [(320, "dark"), (390, "light"), (640, "dark")] {
        for language in ["en", "uk"] {
            browser.pretend(width, scheme, language).await;
            for path in [
                "/demo",
                "/builder?crm=zoho",
                "/handler",
                "/openapi",
                "/pair",
            ] {
                browser.goto(&page(path)).await;
                browser.check(&format!("{path} {language} {width}")).await;
            }
        }
    }
    browser.pretend(1000, "light", "uk").await;
    for kind in Kind::ALL {
        let path = format!("/demo/refusals/{}", kind.name());
        browser.goto(&page(&path)).await;
        check(&browser, &path).await;
    }
    // The stand-in panel, and its login.
    browser.goto(&page("/demo")).await;
    let button = Locator::Css(".contacts .button");
    browser.click_for_a_window(button).await;
    browser.pretend(1000, "light", "uk").await;
    browser.client.refresh().await.unwrap();
    browser.wait_for("#operator").await;
    check(&browser, "the panel").await;
    browser.close().await;
}

/// The pages that not every service has.
#[tokio::test]
async fn no_sentence_of_the_other_pages_is_english() {
    let service = Services::start(&[
        ("ACCESS", "open,device"),
        DEVICE_SECRET,
        ("PUBLIC_URL", "http://127.0.0.1:1"),
        ("CONFIRM", "always"),
    ]);
    let browser = Browser::open("about:blank").await;
    browser.pretend(390, "dark", "uk").await;
    let invitation = service.invitation("101");
    let (_, query) = invitation.split_once('?').unwrap();
    for path in [
        format!("/pair?{query}"),
        "/pair".into(),
        "/open-chat?operator=101&phone=0501234567".into(),
        "/nowhere".into(),
    ] {
        browser.goto(&format!("{}{path}", service.origin())).await;
        check(&browser, &path).await;
    }
    browser.close().await;
}

/// A check that finds nothing anywhere would find nothing here either.
#[tokio::test]
async fn an_english_sentence_is_found() {
    let page = "data:text/html,<html lang=uk><title>Чат</title><h2>Copy</h2><p>Це <code>a b c</code> The chat opens now.";
    let browser = Browser::open(page).await;
    assert_eq!(
        browser.value(ENGLISH).await,
        json!(["The chat opens now", "Copy"])
    );
    browser.close().await;
}
