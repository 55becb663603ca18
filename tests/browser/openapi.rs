//! The description of what the service answers, as people read it.

use fantoccini::Locator;

use crate::browser::Browser;
use crate::process::{Running, open_chat};

#[tokio::test]
async fn the_description_can_be_read() {
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let page = demo.url("/demo").replace("/demo", "/openapi");
    let browser = Browser::open(&page).await;
    browser.picture("openapi").await;
    let count = async |css| {
        let found = browser.client.find_all(Locator::Css(css)).await;
        found.unwrap().len()
    };
    assert_eq!(count("h3").await, 26);
    assert_eq!(count("#openChat td:first-child code").await, 5);
    assert_eq!(
        browser.text("#makeLink h3").await,
        "POST /links · Makes a link, or an invitation"
    );
    assert!(count("tr").await > 100);
    // Nothing is loaded from anywhere, and nothing is blocked.
    assert_eq!(count("script, img, link[rel=stylesheet]").await, 0);
    let console = browser.console().await;
    assert!(!console.contains("Content Security Policy"), "{console}");
    for width in [1000, 360] {
        for scheme in ["light", "dark"] {
            browser.pretend(width, scheme, "en").await;
            browser.goto(&page).await;
            browser
                .check(&format!("/openapi, {width} px, {scheme}"))
                .await;
        }
    }
    browser.close().await;
}
