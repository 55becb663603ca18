//! Kommo's widget as `open-chat connector kommo` writes it, in a page that plays Kommo and signs
//! its tokens.

use std::io::{Cursor, Read as _};

use crm_simulator::kommo::{self, Host};
use fantoccini::Locator;
use zip::ZipArchive;

use crate::browser::{Browser, eventually};
use crate::process::{open_chat, run};
use crate::services::{LINKED_URL, Services, written};
use crate::site::Site;

const SECRET: &str = "canary-kommo-integration-secret-0123456789";

/// Files of the widget's archive.
fn widget(names: [&str; 2]) -> [String; 2] {
    let out = written("kommo.zip", "");
    let arguments = ["connector", "kommo", "--out", out.to_str().unwrap()];
    let (code, text) = run(&mut open_chat(&arguments, &[("PUBLIC_URL", LINKED_URL)]));
    assert_eq!(code, Some(0), "{text}");
    let mut archive = ZipArchive::new(Cursor::new(std::fs::read(out).unwrap())).unwrap();
    names.map(|name| {
        let mut text = String::new();
        archive
            .by_name(name)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    })
}

/// The account's page, for this user: the phones of a contact, with the widget installed.
fn account(user: u64) -> Site {
    let jquery = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/npm/node_modules/jquery/dist/jquery.min.js"
    );
    let jquery = std::fs::read_to_string(jquery).expect("jQuery, which `make setup` installs");
    let [script, messages] = widget(["script.js", "i18n/en.json"]);
    let page = Host {
        jquery,
        script,
        messages,
    }
    .page(&["+38 (050) 123-45-67", ""]);
    let jti = std::sync::atomic::AtomicU64::new(1);
    let origin = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let issuer = std::sync::Arc::clone(&origin);
    let site = Site::start(move |path| match path {
        "/" => Some(page.clone()),
        "/token" => {
            let jti = jti
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
                .to_string();
            let claims = kommo::claims(issuer.get()?, LINKED_URL, user, &jti);
            Some(kommo::token(&claims, SECRET))
        }
        _ => None,
    });
    origin.set(site.origin("127.0.0.1")).unwrap();
    site
}

/// A service that this account's agent 5 may ask for the chats of operator 101.
fn service(account: &Site) -> Services {
    let origin = account.origin("127.0.0.1");
    let connectors = format!("[kommo]\naccounts = [\"{origin}\"]\nsecret = \"{SECRET}\"\n");
    Services::with_connector(&connectors, "\"kommo-5\" = 101\n")
}

async fn agent(account: &Site, service: &Services) -> Browser {
    let found = format!("--host-resolver-rules=MAP localhost:80 {}", service.address);
    Browser::open_with(&format!("{}/", account.origin("127.0.0.1")), &[&found]).await
}

#[tokio::test]
async fn a_click_on_a_phone_opens_the_chat_in_a_new_tab() {
    let account = account(5);
    let service = service(&account);
    let browser = agent(&account, &service).await;
    for _ in 0..2 {
        browser.click_for_a_window(Locator::Css("#phone-0")).await;
        eventually("the chat", async || {
            let url = browser.client.current_url().await.unwrap();
            url.as_str().contains("?phone=%2B380501234567&token=")
        })
        .await;
        let crm = browser.client.windows().await.unwrap().remove(0);
        browser.client.switch_to_window(crm).await.unwrap();
    }
    browser.close().await;
}

/// The tab that a refused click has opened says why, and stays where it is.
#[tokio::test]
async fn a_refusal_is_said_in_the_tab() {
    let account = account(6);
    let service = service(&account);
    let browser = agent(&account, &service).await;
    for (phone, words) in [
        ("#phone-0", "kommo-6"),
        ("#phone-1", "There is no phone here to open a chat with."),
    ] {
        browser.click_for_a_window(Locator::Css(phone)).await;
        eventually(words, async || browser.text("body").await.contains(words)).await;
        assert_eq!(
            browser.client.current_url().await.unwrap().as_str(),
            "about:blank"
        );
        let crm = browser.client.windows().await.unwrap().remove(0);
        browser.client.switch_to_window(crm).await.unwrap();
    }
    browser.close().await;
}
