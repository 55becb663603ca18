//! The widget in a CRM's iframe, three origins at once: the CRM, this service, and whoever serves
//! the panel's script.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use fantoccini::Locator;

use crate::browser::{Browser, eventually};
use crate::process::{self, Running, open_chat};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

/// A machine that sleeps for more than half of a token's life and wakes up. What is planned from
/// then on comes a hundred times as fast.
const SLEEP_AND_HURRY: &str = "
    const [now, later] = [Date.now.bind(Date), setTimeout.bind(window)];
    Date.now = () => now() + 301000;
    window.setTimeout = (what, milliseconds) => later(what, milliseconds / 100);
    document.dispatchEvent(new Event('visibilitychange'));";

/// A CRM: one page, whatever is asked for.
struct Crm {
    listener: TcpListener,
    origin: String,
}

impl Crm {
    fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        Self { listener, origin }
    }

    fn with_iframe(self, url: &str) {
        let page = format!(
            "<!doctype html><title>CRM</title><h1>CRM</h1><iframe src=\"{url}\" width=600 height=300></iframe>"
        );
        std::thread::spawn(move || {
            for stream in self.listener.incoming() {
                let (mut stream, page) = (stream.unwrap(), page.clone());
                // A browser may open a connection that it asks nothing on.
                std::thread::spawn(move || {
                    let _ = stream.read(&mut [0; 4096]);
                    let _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
                        page.len()
                    );
                });
            }
        });
    }
}

/// ChatHub and the service, whose tokens live for ten minutes and are never reused.
struct Service {
    url: String,
    _running: [Running; 2],
}

impl Service {
    fn start(ancestors: &str, session: &str) -> Self {
        let chathub = Running::start(
            &mut open_chat(&["simulate", "--port", "0"], &[]),
            "simulated at",
        );
        let simulator = chathub.url("/");
        let variables = [
            ("ACCESS", "pass"),
            ("PASS_SECRET", SECRET),
            ("LISTEN", "127.0.0.1:0"),
            ("CHATHUB_URL", &*simulator),
            ("CHATHUB_LOGIN", "demo"),
            ("CHATHUB_PASSWORD", "demo-password"),
            ("RATE_LIMIT_OPERATOR", "100000/s"),
            ("TOKEN_TTL", "10m"),
            ("TOKEN_REUSE", "0"),
            ("WIDGET_URL", &format!("{simulator}widget-script.js")),
            ("WIDGET_SOURCES", "none"),
            ("WIDGET_FRAME_ANCESTORS", ancestors),
            ("WIDGET_SESSION", session),
        ];
        let service = Running::start(&mut open_chat(&["serve"], &variables), "listening");
        let address = service
            .printed
            .rsplit_once("\"listen\":\"127.0.0.1:")
            .unwrap()
            .1;
        let port = address.split_once('"').unwrap().0;
        Self {
            // Another site than the CRM, though the same machine.
            url: format!("http://localhost:{port}/widget"),
            _running: [chathub, service],
        }
    }

    /// Where the widget is, for once.
    fn widget(&self) -> String {
        let arguments = ["pass", "mint", "--operator", "101", "--once"];
        let (code, pass) = process::run(&mut open_chat(&arguments, &[("PASS_SECRET", SECRET)]));
        assert_eq!(code, Some(0), "{pass}");
        format!("{}?pass={}", self.url, pass.trim())
    }
}

async fn run(browser: &Browser, script: &str) {
    browser.client.execute(script, Vec::new()).await.unwrap();
}

/// How many tokens the panel has had so far.
async fn tokens(browser: &Browser) -> u32 {
    browser.text("#tokens").await.parse().unwrap_or_default()
}

#[tokio::test]
async fn the_widget_works_in_a_crm_s_iframe_and_renews_its_token() {
    let crm = Crm::bind();
    let origin = crm.origin.clone();
    let service = Service::start(&origin, "12h");
    crm.with_iframe(&service.widget());
    let browser = Browser::open(&origin).await;
    browser.client.enter_frame(0).await.unwrap();
    eventually("the panel works", async || {
        browser.text("#operator").await == "101 · John Smith"
    })
    .await;
    let first = browser.text("#expires_at").await;
    assert_eq!(tokens(&browser).await, 1);
    browser.picture("widget").await;

    // The simulator's tokens differ by their end, in seconds; one of the same second is no new one.
    run(&browser, SLEEP_AND_HURRY).await;
    eventually("the panel has had three tokens", async || {
        tokens(&browser).await >= 3
    })
    .await;
    assert!(browser.text("#expires_at").await > first);
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    assert_eq!(browser.text("#session-ended").await, "");
    let console = browser.console().await;
    assert!(!console.contains("Content Security Policy"), "{console}");
    browser.close().await;
}

#[tokio::test]
async fn the_widget_says_when_its_time_is_over() {
    let crm = Crm::bind();
    let origin = crm.origin.clone();
    let service = Service::start(&origin, "1s");
    crm.with_iframe(&service.widget());
    let browser = Browser::open(&origin).await;
    browser.client.enter_frame(0).await.unwrap();
    eventually("the panel works", async || tokens(&browser).await >= 1).await;
    // It still gets tokens for as long as its ticket lives, then it is refused and the last token
    // ends.
    run(&browser, SLEEP_AND_HURRY).await;
    eventually("the page says so", async || {
        browser
            .text("#session-ended")
            .await
            .starts_with("The chat panel's time is over.")
    })
    .await;
    assert_eq!(browser.objections().await, serde_json::json!([]));
    browser.close().await;
}

#[tokio::test]
async fn a_stranger_s_page_does_not_get_the_widget() {
    let (crm, stranger) = (Crm::bind(), Crm::bind());
    let origin = stranger.origin.clone();
    let service = Service::start(&crm.origin, "12h");
    stranger.with_iframe(&service.widget());
    let browser = Browser::open(&origin).await;
    let mut console = String::new();
    eventually("the browser says that it was blocked", async || {
        console += &browser.console().await;
        console.contains("frame-ancestors")
    })
    .await;
    browser.client.enter_frame(0).await.unwrap();
    let script = Locator::Css("#operator-chat-panel-script");
    assert!(browser.client.find(script).await.is_err());
    browser.close().await;
}

/// The panel's script has this service's own origin, and what it opens is this service's page: it
/// must not read it, nor ask for anything from there.
#[tokio::test]
async fn a_script_in_the_widget_cannot_reach_into_a_page_that_it_opens() {
    const READ: &str = "(() => {
        try { return opened.document.querySelector('#template').textContent; }
        catch { return opened.closed ? 'gone' : 'out of reach'; }
    })()";
    let crm = Crm::bind();
    let origin = crm.origin.clone();
    let service = Service::start(&origin, "12h");
    crm.with_iframe(&service.widget());
    let browser = Browser::open(&origin).await;
    let own = browser.client.window().await.unwrap();
    browser.client.enter_frame(0).await.unwrap();
    run(&browser, "window.opened = window.open('/builder');").await;
    let mut opened = Vec::new();
    eventually("the window opens", async || {
        opened = browser.client.windows().await.unwrap();
        opened.retain(|window| *window != own);
        !opened.is_empty()
    })
    .await;
    browser
        .client
        .switch_to_window(opened.remove(0))
        .await
        .unwrap();
    browser.wait_for("#template").await;
    browser.client.switch_to_window(own).await.unwrap();
    browser.client.enter_frame(0).await.unwrap();
    assert_eq!(browser.value(READ).await, "gone");
    browser.close().await;
}
