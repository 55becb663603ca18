//! HubSpot's card as `open-chat connector hubspot` writes it, in a page that plays HubSpot, whose
//! servers ask the service and sign.

use std::io::{Cursor, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use crm_simulator::hubspot::{Host, User, signed_now};
use fantoccini::Locator;
use serde_json::{Value, json};
use url::form_urlencoded;
use zip::ZipArchive;

use crate::browser::{Browser, eventually};
use crate::process::{open_chat, run};
use crate::services::{LINKED_URL, Services, written};
use crate::site::Site;

const SECRET: &str = "canary-hubspot-client-secret-0123456789";

const MAP: &str = "\"hubspot-5\" = 101\n";

/// The card's modules, out of the package.
fn modules() -> Value {
    let out = written("hubspot.zip", "");
    let arguments = ["connector", "hubspot", "--out", out.to_str().unwrap()];
    let (code, text) = run(&mut open_chat(&arguments, &[("PUBLIC_URL", LINKED_URL)]));
    assert_eq!(code, Some(0), "{text}");
    let folder = out.with_extension("unpacked");
    let mut archive = ZipArchive::new(Cursor::new(std::fs::read(out).unwrap())).unwrap();
    archive.extract(&folder).unwrap();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/support/hubspot-cards.cjs"
    );
    let cards = folder.join("src/app/cards");
    let (code, text) = run(Command::new("node").arg(script).arg(cards));
    assert_eq!(code, Some(0), "{text}");
    serde_json::from_str(&text).unwrap()
}

fn npm(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/npm/node_modules")
        .join(path);
    std::fs::read_to_string(path).expect("a package, which `make setup` installs")
}

/// What HubSpot's servers make of a card's question: they add the user, sign, and hand on what the
/// service says.
fn fetched(service: &str, encoded: &str, user: u64) -> Option<String> {
    let encoded = format!("url={encoded}");
    let (_, cards) = form_urlencoded::parse(encoded.as_bytes()).next()?;
    let user = User {
        id: user,
        portal: 12345,
        email: "ann@example.com",
        app: 9,
    };
    let address = user.address(&cards);
    let headers = signed_now(&address, SECRET).map(|(name, value)| format!("{name}: {value}\r\n"));
    let target = address.strip_prefix(LINKED_URL)?;
    let mut stream = TcpStream::connect(service).ok()?;
    let headers = headers.concat();
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
    Some(json!({"status": status, "body": body}).to_string())
}

/// HubSpot, for this user: a contact at `/contact`, a deal at `/deal`, and one without phones.
fn hubspot(user: u64, service: &Arc<OnceLock<String>>) -> Site {
    let host = Host {
        react: npm("react/umd/react.production.min.js"),
        react_dom: npm("react-dom/umd/react-dom.production.min.js"),
        modules: modules(),
    };
    let phones = json!({"phone": "+38 (050) 123-45-67", "mobilephone": "067 123 45 67", "hs_whatsapp_phone_number": "+380501234567"});
    let contact =
        json!({"objectTypeId": "0-1", "language": "en", "properties": phones, "associated": []});
    let deal = json!({"objectTypeId": "0-3", "language": "uk", "properties": {}, "associated": [
        {"objectTypeId": "0-1", "properties": {"phone": "+380501234567"}},
        {"objectTypeId": "0-2", "properties": {"phone": "+380441234567"}},
    ]});
    let nameless = json!({"objectTypeId": "0-1", "language": "en", "properties": {"phone": ""}, "associated": []});
    let service = Arc::clone(service);
    Site::start(move |path| match path {
        "/contact" => Some(host.page(&contact)),
        "/deal" => Some(host.page(&deal)),
        "/nameless" => Some(host.page(&nameless)),
        _ => fetched(service.get()?, path.strip_prefix("/fetch/")?, user),
    })
}

/// The service, and this user's HubSpot in a browser.
async fn agent(user: u64, page: &str) -> (Services, Site, Browser) {
    let connectors =
        format!("[hubspot]\nportals = [12345]\napp_id = 9\nclient_secret = \"{SECRET}\"\n");
    let service = Services::with_connector(&connectors, MAP);
    let address = Arc::new(OnceLock::from(service.address.clone()));
    let site = hubspot(user, &address);
    let found = format!("--host-resolver-rules=MAP localhost:80 {}", service.address);
    let page = format!("{}{page}", site.origin("127.0.0.1"));
    let browser = Browser::open_with(&page, &[&found]).await;
    (service, site, browser)
}

async fn texts(browser: &Browser, css: &str) -> Value {
    browser
        .value(&format!(
            "[...document.querySelectorAll('{css}')].map((one) => one.textContent)"
        ))
        .await
}

#[tokio::test]
async fn two_presses_open_the_chat_in_a_new_tab() {
    let (_service, _site, browser) = agent(5, "/contact").await;
    browser.wait_for("#card button").await;
    assert_eq!(browser.console().await, "");
    let phones = ["Chat with +380501234567", "Chat with 0671234567"];
    assert_eq!(texts(&browser, "#card button").await, json!(phones));
    for (number, phone) in [
        (1, "%2B380501234567"),
        (1, "%2B380501234567"),
        (2, "%2B380671234567"),
    ] {
        browser
            .click(&format!("#card button:nth-of-type({number})"))
            .await;
        browser.wait_for("#card a").await;
        browser.click_for_a_window(Locator::Css("#card a")).await;
        eventually("the chat", async || {
            let url = browser.client.current_url().await.unwrap();
            url.as_str().contains(&format!("?phone={phone}&token="))
        })
        .await;
        let crm = browser.client.windows().await.unwrap().remove(0);
        browser.client.switch_to_window(crm).await.unwrap();
        // The link is used, and the card asks for the next.
        eventually("the buttons", async || {
            texts(&browser, "#card button").await == json!(phones)
        })
        .await;
    }
    browser.close().await;
}

#[tokio::test]
async fn a_deal_has_the_phones_of_its_contacts() {
    let (_service, _site, browser) = agent(5, "/deal").await;
    browser.wait_for("#card button").await;
    assert_eq!(
        texts(&browser, "#card button").await,
        json!(["Чат із +380501234567"])
    );
    browser.click("#card button").await;
    browser.wait_for("#card a").await;
    assert_eq!(
        texts(&browser, "#card a").await,
        json!(["Відкрити чат із +380501234567"])
    );
    browser.close().await;
}

#[tokio::test]
async fn the_card_says_why_there_is_no_chat() {
    let (_service, site, browser) = agent(6, "/contact").await;
    browser.wait_for("#card button").await;
    browser.click("#card button").await;
    browser.wait_for("#card [role=alert]").await;
    let why = browser.text("#card [role=alert]").await;
    let words = "The chat could not be opened: The CRM says that this is `hubspot-6`";
    assert!(why.starts_with(words), "{why}");
    browser
        .goto(&format!("{}/nameless", site.origin("127.0.0.1")))
        .await;
    browser.wait_for("#card p").await;
    assert_eq!(
        browser.text("#card").await,
        "There is no phone here to open a chat with."
    );
    browser.close().await;
}
