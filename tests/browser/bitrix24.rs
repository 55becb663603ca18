//! Bitrix24's local application: it is installed in a portal that plays Bitrix24, and its button is
//! pressed there.

use crm_simulator::bitrix24::{Form, Portal, SCOPES};
use fantoccini::Locator;

use crate::browser::{Browser, eventually};
use crate::languages;
use crate::services::{LINKED_URL, Services};
use crate::site::Site;

const CLIENT: &str = "local.64d1a5c0ffee.12345678";
const TOKEN: &str = "canary-7c3a7166007e9c94001e30ba00000001f0f10716";

/// A portal with contacts, and a service whose application is installed there.
async fn installed() -> (Portal, Services) {
    let portal = Portal::start().unwrap();
    portal.token(TOKEN, CLIENT, 17, SCOPES);
    portal.token("canary-of-18", CLIENT, 18, SCOPES);
    portal.contact(43, &["+38 (050) 123-45-67"]);
    portal.contact(44, &["0501234567", "0671234567"]);
    portal.contact(45, &[]);
    let connectors = format!(
        "[bitrix24]\nportals = [\"{}\"]\nclient_id = \"{CLIENT}\"\n",
        portal.origin()
    );
    let service = Services::with_connector(&connectors, "\"bitrix24-17\" = 101\n");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let installation = client
        .post(format!("{}/connect/bitrix24/install", service.origin()))
        .body(portal.installation(TOKEN).to_string());
    assert_eq!(installation.send().await.unwrap().status(), 200);
    (portal, service)
}

/// An agent who presses the button there.
async fn press(service: &Services, page: &str) -> Browser {
    let found = format!("--host-resolver-rules=MAP localhost:80 {}", service.address);
    let browser = Browser::open_with(page, &[&found]).await;
    browser.click("#menu-item").await;
    browser
}

fn contact(portal: &Portal, token: &str, id: &str) -> Form {
    portal.form(token, "CRM_CONTACT_DETAIL_TOOLBAR", id)
}

async fn in_the_frame(browser: &Browser, css: &str) {
    browser.client.enter_frame(0).await.unwrap();
    browser.wait_for(css).await;
}

#[tokio::test]
async fn a_button_in_the_portal_opens_the_chat_in_a_new_tab() {
    let (portal, service) = installed().await;
    let page = portal.show(&contact(&portal, TOKEN, "43"));
    let browser = press(&service, &page).await;
    in_the_frame(&browser, "#panel button").await;
    let crm = browser.client.window().await.unwrap();
    // The page holds no link that a press would use up.
    for _ in 0..2 {
        browser
            .click_for_a_window(Locator::Css("#panel button"))
            .await;
        eventually("the chat", async || {
            let url = browser.client.current_url().await.unwrap();
            url.as_str().contains("?phone=%2B380501234567&token=")
        })
        .await;
        browser.client.switch_to_window(crm.clone()).await.unwrap();
        browser.client.enter_frame(0).await.unwrap();
    }
    browser.close().await;
}

#[tokio::test]
async fn several_phones_are_a_choice_and_none_is_said_in_words() {
    let (portal, service) = installed().await;
    let page = portal.show(&contact(&portal, TOKEN, "44"));
    let browser = press(&service, &page).await;
    in_the_frame(&browser, "#panel button").await;
    let second = Locator::Css("button[value='+380671234567']");
    browser.click_for_a_window(second).await;
    eventually("the second phone's chat", async || {
        let url = browser.client.current_url().await.unwrap();
        url.as_str().contains("?phone=%2B380671234567&token=")
    })
    .await;
    browser.close().await;
    let page = portal.show(&contact(&portal, TOKEN, "45"));
    let browser = press(&service, &page).await;
    in_the_frame(&browser, "#no-phone").await;
    let words = browser.text("body").await;
    assert!(
        words.contains("This client has no phone that can be read."),
        "{words}"
    );
    browser.close().await;
}

#[tokio::test]
async fn the_frame_speaks_the_agent_s_language() {
    let (portal, service) = installed().await;
    let found = format!("--host-resolver-rules=MAP localhost:80 {}", service.address);
    for (token, record, css) in [
        (TOKEN, "43", "#panel button"),
        (TOKEN, "44", "#choose"),
        (TOKEN, "45", "#no-phone"),
        ("canary-of-18", "43", "#detail"),
    ] {
        let page = portal.show(&contact(&portal, token, record));
        let browser = Browser::open_with(&page, &[&found, "--accept-lang=uk"]).await;
        browser.click("#menu-item").await;
        in_the_frame(&browser, css).await;
        languages::check(&browser, css).await;
        browser.close().await;
    }
}

/// The frame says what to set up, also to an agent's eyes.
#[tokio::test]
async fn a_refusal_is_shown_in_the_frame() {
    let (portal, service) = installed().await;
    let page = portal.show(&contact(&portal, "canary-of-18", "43"));
    let browser = press(&service, &page).await;
    in_the_frame(&browser, "h1").await;
    eventually("the line for the map", async || {
        browser
            .value("document.body.textContent")
            .await
            .as_str()
            .unwrap()
            .contains("\"bitrix24-18\" = 101")
    })
    .await;
    browser.close().await;
}

/// Only the portal's pages may frame it.
#[tokio::test]
async fn another_site_frames_nothing() {
    let (portal, service) = installed().await;
    let handler = format!("{LINKED_URL}/connect/bitrix24");
    let page = portal.page(&handler, &contact(&portal, TOKEN, "43"));
    let site = Site::start(move |path| (path == "/").then(|| page.clone()));
    let browser = press(&service, &format!("{}/", site.origin("127.0.0.1"))).await;
    eventually("the browser's refusal", async || {
        browser.console().await.contains("frame-ancestors")
    })
    .await;
    browser.client.enter_frame(0).await.unwrap();
    let buttons = browser.client.find_all(Locator::Css("#panel")).await;
    assert!(buttons.unwrap().is_empty());
    browser.close().await;
}
