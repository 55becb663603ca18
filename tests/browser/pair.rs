//! Paired browsers, in a browser that itself decides which cookies go where: invited, paired by the
//! page's button, in a tab and in a frame, and ended.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use fantoccini::Locator;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::browser::{Browser, eventually};
use crate::process::{Running, open_chat};

const SECRET: &str = "canary-device-secret-of-more-than-32-bytes";

/// Derived from `SECRET` by Python's `hmac`, after RFC 5869.
const INVITATIONS: &str = "c54252ec1feaf000a60e3acb0749fd9ccce637f3bd9c92a9aaafa3880ea0201b";

const DEVICE: &str = "7f3a0c5e41d24b4f8f3a1c2d3e4f5a6b";
const OTHER_DEVICE: &str = "00112233445566778899aabbccddeeff";

/// The middle of the page's button.
const MIDDLE: &str = "(({left, top, width, height}) => [left + width / 2, top + height / 2])\
                      (document.querySelector('form button').getBoundingClientRect())";

/// Headless Chromium has no mouse that could hover, unless it is told so.
const WITH_A_MOUSE: &str = "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4";

/// ChatHub's stand-in, and a service with paired browsers.
struct Service {
    origin: String,
    revoked: PathBuf,
    _running: [Running; 2],
}

impl Service {
    /// `public_url` decides on the cookie's name: with the prefix that browsers take over TLS, or
    /// on loopback.
    fn start(public_url: &str) -> Self {
        Self::start_with(public_url, "30/m")
    }

    /// The same, with this quota of clicks.
    fn start_with(public_url: &str, quota: &str) -> Self {
        let chathub = Running::start(&mut open_chat(&["simulate", "--port", "0"], &[]), "http://");
        let url = chathub.url("");
        let name = format!("revoked-{}.toml", fastrand::u64(..));
        let revoked = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&revoked, "").unwrap();
        let variables = [
            ("ACCESS", "device"),
            ("PUBLIC_URL", public_url),
            ("RATE_LIMIT_OPERATOR", quota),
            ("DEVICE_SECRET", SECRET),
            ("DEVICES_REVOKED_FILE", revoked.to_str().unwrap()),
            ("LISTEN", "127.0.0.1:0"),
            ("CHATHUB_URL", url.as_str()),
            ("CHATHUB_LOGIN", "demo"),
            ("CHATHUB_PASSWORD", "demo-password"),
            ("CHAT_PANEL_URL", url.as_str()),
        ];
        let service = Running::start(&mut open_chat(&["serve"], &variables), "\"listening\"");
        let (_, address) = service.printed.split_once("\"listen\":\"").unwrap();
        let origin = format!("http://{}", address.split('"').next().unwrap());
        Self {
            origin,
            revoked,
            _running: [chathub, service],
        }
    }

    fn click(&self) -> String {
        format!("{}/open-chat?phone=0501234567", self.origin)
    }

    fn invitation(&self, operator: u64, device: &str) -> String {
        let now = chrono::Utc::now().timestamp();
        let claims = json!({
            "device": device, "operator": operator, "invited_at": now, "iat": now, "exp": now + 3600,
        });
        let key = EncodingKey::from_secret(&hex::decode(INVITATIONS).unwrap());
        let text = encode(&Header::default(), &claims, &key).unwrap();
        format!("{}/pair?invitation={text}", self.origin)
    }

    /// How many requests it has refused with this kind.
    async fn refusals(&self, kind: &str) -> u32 {
        self.metric(&format!("open_chat_refusals_total{{kind=\"{kind}\"}}"))
            .await
    }

    async fn metric(&self, series: &str) -> u32 {
        let metrics = reqwest::get(format!("{}/metrics", self.origin))
            .await
            .unwrap();
        let metrics = metrics.text().await.unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap().trim().parse().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.revoked);
    }
}

/// A site on this machine with this page, by a host that decides whether it is the same site.
fn site(host: &str, page: &str) -> String {
    let page = page.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, page) = (stream.unwrap(), page.clone());
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
    format!("http://{host}:{port}/")
}

/// What becomes of the button's pointer events, and for how long they are kept off.
async fn guard(browser: &Browser) -> (Value, Value) {
    let events = "getComputedStyle(document.querySelector('form button')).pointerEvents";
    let duration = "document.getAnimations().map((one) => [one.animationName, one.effect.getTiming().duration])";
    (browser.value(events).await, browser.value(duration).await)
}

async fn mouse(browser: &Browser, kind: &str) {
    let middle = browser.value(MIDDLE).await;
    let event =
        json!({"type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1});
    browser.devtools("Input.dispatchMouseEvent", event).await;
}

/// Presses the page's button with a mouse: it takes a click a while after the pointer has come.
async fn press(browser: &Browser) {
    assert_eq!(guard(browser).await, (json!("none"), json!([])));
    mouse(browser, "mouseMoved").await;
    eventually("the pointer is there", async || {
        guard(browser).await.1 == json!([["arm", 700]])
    })
    .await;
    press_when_it_can_be(browser).await;
}

/// Presses it where nothing hovers: it takes a touch a while after the page has come.
pub async fn press_when_it_can_be(browser: &Browser) {
    eventually("the button takes a click", async || {
        guard(browser).await.0 == "auto"
    })
    .await;
    for kind in ["mousePressed", "mouseReleased"] {
        mouse(browser, kind).await;
    }
}

async fn check_looks(browser: &Browser, url: &str, name: &str) {
    for (width, scheme, language) in [(1000, "light", "en"), (360, "dark", "uk")] {
        browser.pretend(width, scheme, language).await;
        browser.goto(url).await;
        browser.check(&format!("{name} {scheme}")).await;
        browser
            .picture(&format!("pair-{name}-{language}-{scheme}"))
            .await;
    }
    browser.pretend(1000, "light", "en").await;
    browser.goto(url).await;
}

async fn heading(browser: &Browser) -> String {
    browser.text("h1").await
}

#[tokio::test]
async fn a_browser_is_refused_then_paired_then_opens_until_it_is_revoked() {
    let service = Service::start("https://chat.example");
    let browser = Browser::open_with("about:blank", &[WITH_A_MOUSE]).await;
    browser.pretend(1000, "light", "en").await;
    browser.goto(&service.click()).await;
    assert_eq!(heading(&browser).await, "This browser is not paired");
    assert_eq!(browser.text("#kind").await, "device-missing");
    let pair = format!("{}/pair", service.origin);
    check_looks(&browser, &pair, "unpaired").await;
    assert_eq!(heading(&browser).await, "This browser is not paired");

    check_looks(&browser, &service.invitation(101, DEVICE), "invited").await;
    assert_eq!(heading(&browser).await, "Pair this browser?");
    press(&browser).await;
    browser.wait_for("#device").await;
    assert_eq!(browser.client.current_url().await.unwrap().as_str(), pair);
    assert_eq!(browser.text("#device").await, DEVICE);
    check_looks(&browser, &pair, "paired").await;
    assert_eq!(browser.value("document.cookie").await, "");

    // From the address bar, and from another site's link.
    browser.goto(&service.click()).await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    assert_eq!(browser.text("#phone").await, "+380501234567");
    let crm = site(
        "localhost",
        &format!("<title>CRM</title><a href=\"{}\">chat</a>", service.click()),
    );
    browser.goto(&crm).await;
    browser.click("a").await;
    browser.wait_for("#chat").await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");

    // With another operator's invitation it says so first.
    check_looks(&browser, &service.invitation(102, OTHER_DEVICE), "other").await;
    assert_eq!(
        heading(&browser).await,
        "Pair this browser with another operator?"
    );
    press(&browser).await;
    browser.wait_for("#device").await;
    browser.goto(&service.click()).await;
    assert_eq!(browser.text("#operator").await, "102 · Sarah Johnson");

    let entry = format!("[[revoked]]\ndevice = \"{OTHER_DEVICE}\"\n");
    std::fs::write(&service.revoked, entry).unwrap();
    eventually("it is revoked", async || {
        browser.goto(&service.click()).await;
        browser.text("#kind").await == "device-ended"
    })
    .await;
    check_looks(&browser, &pair, "ended").await;
    press(&browser).await;
    eventually("it is forgotten", async || {
        heading(&browser).await == "This browser is not paired"
    })
    .await;
    browser.close().await;
}

#[tokio::test]
async fn in_a_frame_and_from_a_script_a_paired_browser_opens_nothing() {
    let service = Service::start("http://127.0.0.1:8080");
    let browser = Browser::open_with(&service.invitation(101, DEVICE), &[WITH_A_MOUSE]).await;
    press(&browser).await;
    browser.wait_for("#device").await;

    // The same site, so the cookie comes along.
    let framed = format!(
        "<title>CRM</title><iframe src=\"{}\"></iframe>",
        service.click()
    );
    browser.goto(&site("127.0.0.1", &framed)).await;
    eventually("the frame is refused", async || {
        service.refusals("device-missing").await == 1
    })
    .await;
    // A script of this very origin, where no page's policy keeps it from asking.
    browser.goto(&format!("{}/healthz", service.origin)).await;
    let ask =
        "const [url, done] = arguments; fetch(url).then((answer) => done(answer.status), done);";
    let asked = browser
        .client
        .execute_async(ask, vec![json!(service.click())]);
    assert_eq!(asked.await.unwrap(), json!(401));
    assert_eq!(service.refusals("device-missing").await, 2);

    // The page with the button is shown in no frame, not even one of the same site.
    let page = format!("{}/pair", service.origin);
    browser
        .goto(&site(
            "127.0.0.1",
            &format!("<title>CRM</title><iframe src=\"{page}\"></iframe>"),
        ))
        .await;
    eventually("the frame is kept empty", async || {
        browser.console().await.contains("frame-ancestors")
    })
    .await;
    // Another site's form presses no button.
    let form =
        format!("<title>CRM</title><form method=post action=\"{page}\"><button>x</button></form>");
    browser.goto(&site("127.0.0.1", &form)).await;
    browser.click("button").await;
    browser.wait_for("#kind").await;
    assert_eq!(browser.text("#kind").await, "not-a-navigation");

    browser.goto(&service.click()).await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    browser.close().await;
}

/// Hosts share cookies across ports, and a page on another port can set names that a decoding or
/// trimming parser takes for ours.
#[tokio::test]
async fn another_page_of_the_host_sets_no_cookie_that_counts() {
    let service = Service::start("http://127.0.0.1:8080");
    let browser = Browser::open_with(&service.invitation(101, DEVICE), &[WITH_A_MOUSE]).await;
    press(&browser).await;
    browser.wait_for("#device").await;
    browser
        .goto(&site("127.0.0.1", "<title>Neighbour</title>"))
        .await;
    let kept = browser
        .value(
            "['open-chat%2Ddevice', '\\u2000open-chat-device', '\\u0085open-chat-device', 'xopen-chat-device'] \
             .map((name) => { document.cookie = `${name}=eyJ.eyJ.x; path=/`; }) && document.cookie.split('; ').length",
        )
        .await;
    assert!(kept.as_u64() >= Some(3), "{kept}");
    browser.goto(&service.click()).await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    browser.close().await;
}

#[tokio::test]
async fn the_page_ends_the_pairing() {
    let service = Service::start("https://chat.example");
    let browser = Browser::open(&service.invitation(101, DEVICE)).await;
    press_when_it_can_be(&browser).await;
    browser.wait_for("#device").await;
    let end = browser.client.find(Locator::Id("end")).await.unwrap();
    assert_eq!(end.text().await.unwrap(), "End the pairing");
    press_when_it_can_be(&browser).await;
    eventually("it has ended", async || {
        heading(&browser).await == "This browser is not paired"
    })
    .await;
    browser.goto(&service.click()).await;
    assert_eq!(browser.text("#kind").await, "device-missing");
    // Not even the invitation's own link brings it back.
    browser.goto(&service.invitation(101, DEVICE)).await;
    assert_eq!(browser.text("#kind").await, "device-ended");
    browser.close().await;
}

/// The second press would cancel the answer to the first, which has the cookie: the invitation
/// would be used up, and the browser not paired.
#[tokio::test]
async fn who_clicks_twice_sends_the_invitation_once() {
    let service = Service::start("https://chat.example");
    let browser = Browser::open(&service.invitation(101, DEVICE)).await;
    assert_eq!(browser.sent_of_two_presses().await, json!([true, false]));
    browser.close().await;
}

/// The browser sends its cookie with each window that another site opens. The chats that the site
/// opens are not the agent's own, and after a few of them the agent is asked.
#[tokio::test]
async fn a_site_that_opens_chats_by_itself_locks_no_agent_out() {
    const STORM: &str = "for (let i = 0; i < 8; i += 1) window.open(arguments[0]);";
    const FOREIGN: &str = r#"open_chat_rate_limited_total{limit="foreign"}"#;
    let service = Service::start_with("http://127.0.0.1:8080", "3/h");
    let browser = Browser::open(&service.invitation(101, DEVICE)).await;
    press_when_it_can_be(&browser).await;
    browser.wait_for("#device").await;
    browser
        .goto(&site("localhost", "<title>Stranger</title>"))
        .await;
    let storm = browser.client.execute(STORM, vec![json!(service.click())]);
    storm.await.unwrap();
    eventually("five of the eight windows are asked", async || {
        service.metric(FOREIGN).await == 5
    })
    .await;

    browser.goto(&service.click()).await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    // Where the agent is asked, the agent's own click opens the chat.
    eventually("a window has the button", async || {
        for window in browser.client.windows().await.unwrap() {
            browser.client.switch_to_window(window).await.unwrap();
            if browser.client.find(Locator::Id("open")).await.is_ok() {
                return true;
            }
        }
        false
    })
    .await;
    browser.click("#open").await;
    browser.wait_for("#operator").await;
    assert_eq!(browser.text("#operator").await, "101 · John Smith");
    browser.close().await;
}
