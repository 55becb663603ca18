//! Phone links in a browser that has been told to open chats from them: by the page's own button,
//! and by a company's policy.

use std::path::Path;

use fantoccini::wd::WebDriverCompatibleCommand;
use reqwest::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::browser::{Browser, eventually, with_etc};
use crate::pair::press_when_it_can_be;
use crate::services::{DEVICE_SECRET, Services};
use crate::site::Site;

/// A CRM's page, with a client's phone as most CRMs write it.
const CRM: &str = "<!doctype html><title>CRM</title>
    <a id=\"call\" href=\"tel:+38-050-123-45-67;ext=2\">+38 050 123-45-67</a>
    <a id=\"write\" href=\"sms:+380671112233?body=Hello\">Write</a>";

/// The CRM's address: another site than 127.0.0.1, though the same machine.
fn crm() -> String {
    Site::start(|_| Some(CRM.to_owned())).origin("localhost")
}

impl Services {
    /// The page where an agent has named the operator.
    fn page(&self) -> String {
        format!("http://{}/handler?operator=101", self.address)
    }

    /// How many clicks have led to a chat.
    async fn opened(&self) -> u32 {
        let metrics = reqwest::get(format!("http://{}/metrics", self.address)).await;
        let metrics = metrics.unwrap().text().await.unwrap();
        let lines = metrics.lines();
        let opened = lines.filter_map(|line| {
            let series = line.strip_prefix("open_chat_redirects_total{")?;
            series.rsplit_once(' ')?.1.parse::<u32>().ok()
        });
        opened.sum()
    }
}

/// Has the browser answer in the agent's place when a page asks for links: a command that the HTML
/// standard has for tests.
#[derive(Debug)]
pub struct AllowHandlers;

impl WebDriverCompatibleCommand for AllowHandlers {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/custom-handlers/set-mode"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (
            Method::POST,
            Some(json!({"mode": "autoAccept"}).to_string()),
        )
    }
}

/// Clicks on a link of the CRM's page, and waits for the chat.
async fn open_from(browser: &Browser, crm: &str, link: &str) {
    browser.goto(crm).await;
    browser.click(link).await;
    browser.wait_for("#chat").await;
}

/// A browser that finds this policy where an administrator puts it.
async fn under_policy(name: &str, policy: &str, page: &str) -> Browser {
    let etc = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let recommended = etc.join("policies/recommended");
    std::fs::create_dir_all(&recommended).unwrap();
    std::fs::write(recommended.join("open-chat.json"), policy).unwrap();
    Browser::open_by(Some(&with_etc(&etc)), page, &[]).await
}

/// Waits for the page's word about a button's click.
async fn said(browser: &Browser, words: &str) {
    eventually(words, async || {
        browser.text("#said").await.starts_with(words)
    })
    .await;
}

async fn is_shown(browser: &Browser, css: &str) -> bool {
    let script = format!("document.querySelector('{css}').checkVisibility()");
    browser.value(&script).await == json!(true)
}

#[tokio::test]
async fn a_click_on_a_phone_opens_the_chat_by_the_page_s_own_button() {
    let services = Services::start(&[]);
    let crm = crm();
    let browser = Browser::open(&services.page()).await;
    browser
        .client
        .issue_cmd(AllowHandlers)
        .await
        .expect("allowed");
    browser.click("[data-takes=tel]").await;
    said(&browser, "If the browser asks").await;
    browser.check("allowed").await;
    browser.picture("handler").await;

    open_from(&browser, &crm, "#call").await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    assert_eq!(browser.text("#phone").await, "+380501234567");
    assert_eq!(services.opened().await, 1);

    // From now on messages, and calls no longer.
    browser.goto(&services.page()).await;
    browser.click("[data-takes=sms]").await;
    said(&browser, "If the browser asks").await;
    browser.click("[data-leaves=tel]").await;
    said(&browser, "This browser no longer").await;
    browser.goto(&crm).await;
    browser.click("#call").await;
    open_from(&browser, &crm, "#write").await;
    assert_eq!(browser.text("#phone").await, "+380671112233");
    assert_eq!(services.opened().await, 2);
    browser.close().await;
}

/// The policy is the one that the page shows, in a file where Chromium looks for it.
#[tokio::test]
async fn a_click_on_a_phone_opens_the_chat_by_a_policy() {
    let services = Services::start(&[]);
    let crm = crm();
    let admin = Browser::open(&services.page()).await;
    admin.click("[data-copies=chromium-file]").await;
    eventually("a copy", async || {
        admin.text("[data-said=chromium-file]").await == "Copied."
    })
    .await;
    let policy = admin.text("#chromium-file").await;
    admin.close().await;
    let browser = under_policy("handler-policy", &policy, &crm).await;
    open_from(&browser, &crm, "#call").await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    assert_eq!(browser.text("#phone").await, "+380501234567");
    open_from(&browser, &crm, "#write").await;
    assert_eq!(browser.text("#phone").await, "+380671112233");
    browser.close().await;
}

/// A phone link names no agent: the browser's pairing does.
#[tokio::test]
async fn a_browser_opens_chats_from_phones_once_it_is_paired() {
    let access = [
        ("ACCESS", "device"),
        DEVICE_SECRET,
        // On which port it is, it says only when it runs.
        ("PUBLIC_URL", "http://127.0.0.1"),
    ];
    let services = Services::start(&access);
    let page = reqwest::get(format!("http://{}/handler", services.address)).await;
    let page = page.unwrap().text().await.unwrap();
    let (_, policy) = page
        .split_once("id=\"chromium-file\">")
        .expect("the policy");
    let policy = policy.split('<').next().unwrap().replace("&#34;", "\"");
    let policy = policy.replace("127.0.0.1", &services.address);
    let crm = crm();
    let browser = under_policy("handler-policy-paired", &policy, &crm).await;

    browser.click("#call").await;
    browser.wait_for("#kind").await;
    assert_eq!(browser.text("#kind").await, "device-missing");
    assert!(browser.text("main").await.contains("invitation"));

    browser.goto(&services.invitation("102")).await;
    press_when_it_can_be(&browser).await;
    browser.wait_for("#device").await;
    assert_eq!(browser.text("#phone-links").await, "Chats from phone links");
    open_from(&browser, &crm, "#call").await;
    assert_eq!(browser.text("#operator").await, "102 · Sarah Johnson");
    assert_eq!(browser.text("#phone").await, "+380501234567");
    browser.close().await;
}

/// The browser reads the manifest as one of an app that takes phone links.
#[tokio::test]
async fn the_browser_can_install_the_app() {
    let services = Services::start(&[]);
    let browser = Browser::open(&services.page()).await;
    let read = browser.devtools("Page.getAppManifest", json!({})).await;
    assert_eq!(read["errors"], json!([]), "{read}");
    let handlers = &read["manifest"]["protocolHandlers"];
    let url = format!("http://{}/open-chat?phone=%s", services.address);
    assert_eq!(
        handlers,
        &json!([{"protocol": "tel", "url": url}, {"protocol": "sms", "url": url}])
    );
    let icons = read["manifest"]["icons"].as_array().expect("icons").len();
    assert_eq!(icons, 2);
    let parameters = json!({});
    let lacking = browser
        .devtools("Page.getInstallabilityErrors", parameters)
        .await;
    let lacking = lacking["installabilityErrors"].as_array().expect("a list");
    let about_the_manifest = |error: &&Value| {
        let id = error["errorId"].as_str().unwrap_or_default();
        id.contains("manifest") || id.contains("icon")
    };
    let found: Vec<_> = lacking.iter().filter(about_the_manifest).collect();
    assert!(found.is_empty(), "{found:?}");
    browser.close().await;
}

/// Where the browser or the address does not fit, the page says so and has no button.
#[tokio::test]
async fn a_browser_that_cannot_is_told_so() {
    let services = Services::start(&[]);
    let browser = Browser::open("about:blank").await;
    let script = json!({"source": "delete Navigator.prototype.registerProtocolHandler;"});
    browser
        .devtools("Page.addScriptToEvaluateOnNewDocument", script)
        .await;
    browser.goto(&services.page()).await;
    assert!(is_shown(&browser, "#unsupported").await);
    assert!(!is_shown(&browser, "[data-takes=tel]").await);
    browser.check("a browser that cannot").await;
    browser.close().await;

    let services = Services::start(&[("PUBLIC_URL", "https://chat.example")]);
    let browser = Browser::open(&services.page()).await;
    assert!(is_shown(&browser, "#elsewhere").await);
    assert!(!is_shown(&browser, "[data-takes=tel]").await);
    assert_eq!(
        browser.text("#elsewhere a").await,
        "https://chat.example/handler"
    );
    browser.close().await;
}

#[tokio::test]
async fn everybody_can_read_it() {
    let services = Services::start(&[]);
    let page = services.page();
    let browser = Browser::open("about:blank").await;
    for (width, scheme, language) in [
        (1000, "dark", "en"),
        (360, "light", "uk"),
        (360, "dark", "uk"),
    ] {
        browser.pretend(width, scheme, language).await;
        browser.goto(&page).await;
        let what = format!("handler-{language}-{width}-{scheme}");
        browser.check(&what).await;
        browser.picture(&what).await;
    }
    browser.close().await;
}
