//! Pipedrive's panel, in a frame of a page that plays Pipedrive: it shows the frame when its page
//! has said that it is there.

use std::path::Path;

use crm_simulator::pipedrive::{Company, FRAME, claims, query, token};
use fantoccini::Locator;
use serde_json::Value;

use crate::browser::{Browser, eventually};
use crate::services::{LINKED_URL, Services};

const SECRET: &str = "canary-pipedrive-panel-secret-0123456789";
const API_TOKEN: &str = "canary-pipedrive-api-token-0123456789";

/// A company with a deal and persons, and a service that user 7 may ask.
fn start() -> (Company, Services) {
    let company = Company::start(API_TOKEN).unwrap();
    company.person(3, &["+38 (050) 123-45-67", "0671234567"], &[7, 8]);
    company.person(5, &[], &[7]);
    company.deal(30, Some(3), &[7]);
    let connectors = format!(
        "[pipedrive]\ncompanies = [{{ id = 123, host = \"{}\" }}]\njwt_secret = \"{SECRET}\"\napi_token = \"{API_TOKEN}\"\n",
        company.origin()
    );
    let service = Services::with_connector(&connectors, "\"pipedrive-7\" = 101\n");
    (company, service)
}

/// The panel's address, as Pipedrive puts it into the frame.
fn panel(user: u64, resource: &str, id: u64) -> String {
    let token = token(&claims(123, user, 0), SECRET);
    let query = query(&token, 123, user, resource, id);
    format!("{LINKED_URL}/connect/pipedrive?{query}")
}

/// An agent who looks at a page of the company's, once Pipedrive shows the panel.
async fn agent(service: &Services, page: &str) -> Browser {
    let found = format!("--host-resolver-rules=MAP localhost:80 {}", service.address);
    let browser = Browser::open_with(page, &[&found]).await;
    eventually("the panel says that it is there", async || {
        browser
            .value("document.querySelector('iframe').style.visibility")
            .await
            == "visible"
    })
    .await;
    browser
}

#[tokio::test]
async fn a_press_in_the_panel_opens_the_chat_in_a_new_tab() {
    let (company, service) = start();
    let page = company.show(&panel(7, "deal", 30));
    let browser = agent(&service, &page).await;
    browser.client.enter_frame(0).await.unwrap();
    let crm = browser.client.window().await.unwrap();
    for (phone, chat) in [
        ("+380671234567", "?phone=%2B380671234567&token="),
        ("+380501234567", "?phone=%2B380501234567&token="),
        ("+380501234567", "?phone=%2B380501234567&token="),
    ] {
        let button = format!("#panel button[value='{phone}']");
        browser.click_for_a_window(Locator::Css(&button)).await;
        eventually("the chat", async || {
            let url = browser.client.current_url().await.unwrap();
            url.as_str().contains(chat)
        })
        .await;
        browser.client.switch_to_window(crm.clone()).await.unwrap();
        browser.client.enter_frame(0).await.unwrap();
    }
    browser.close().await;
}

/// Pipedrive would show none of these if it did not know that they are there.
#[tokio::test]
async fn the_panel_says_why_there_is_no_button() {
    for (user, id, words) in [
        (7, 5, "This client has no phone that can be read."),
        (8, 3, "\"pipedrive-8\" = 101"),
        (7, 4, "The CRM shows no record of this number to this agent"),
    ] {
        let (company, service) = start();
        let page = company.show(&panel(user, "person", id));
        let browser = agent(&service, &page).await;
        browser.client.enter_frame(0).await.unwrap();
        let text = browser.value("document.body.textContent").await;
        assert!(text.as_str().unwrap().contains(words), "{text}");
        browser.close().await;
    }
}

/// What the panel tells Pipedrive is what Pipedrive's own SDK tells it.
#[tokio::test]
async fn the_panel_speaks_as_pipedrive_s_sdk() {
    let (company, service) = start();
    let page = company.show(&panel(7, "deal", 30));
    let browser = agent(&service, &page).await;
    let said = browser.value("said").await;
    let height = &said[0]["payload"]["args"]["size"]["height"];
    assert!((100..=750).contains(&height.as_i64().unwrap()), "{said}");
    browser.close().await;
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/npm/node_modules/@pipedrive/app-extensions-sdk/dist/index.umd.js");
    let sdk = std::fs::read_to_string(sdk).expect("the SDK, which `make setup` installs");
    let html = format!(
        "<!doctype html><script>{sdk}</script><script>new AppExtensionsSDK().initialize({{size: {{height: {height}}}}});</script>"
    );
    let by_sdk = company.show_page("/sdk", html);
    let page = company.show(&format!("{by_sdk}?id={FRAME}"));
    let browser = agent(&service, &page).await;
    let by_sdk: Value = browser.value("said").await;
    assert_eq!(said, by_sdk);
    browser.close().await;
}

/// Only the company's pages may frame it.
#[tokio::test]
async fn another_site_frames_nothing() {
    let (company, service) = start();
    let other = Company::start(API_TOKEN).unwrap();
    let page = other.show(&panel(7, "deal", 30));
    let found = format!("--host-resolver-rules=MAP localhost:80 {}", service.address);
    let browser = Browser::open_with(&page, &[&found]).await;
    eventually("the browser's refusal", async || {
        browser.console().await.contains("frame-ancestors")
    })
    .await;
    assert_eq!(browser.value("said.length").await, 0);
    browser.client.enter_frame(0).await.unwrap();
    let buttons = browser.client.find_all(Locator::Css("#panel")).await;
    assert!(buttons.unwrap().is_empty());
    drop(company);
    browser.close().await;
}
