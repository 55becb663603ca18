//! Zendesk's sidebar with the app in it, three origins at once: a page that plays Zendesk, this
//! service, and the host of Zendesk's script.
//!
//! The token, the messages of the framework and the script's address are as Zendesk has them. The
//! script is version 2.0.9 of Zendesk's SDK, as another party has put it on npm: Zendesk serves a
//! later one, with the same messages. Its host's certificate is not real, and nothing here was
//! tried with an account.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use crm_simulator::zendesk::{self, Host};
use fantoccini::Locator;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use zip::ZipArchive;

use crate::browser::{Browser, eventually};
use crate::languages;
use crate::process::{open_chat, run};
use crate::services::{LINKED_URL, Services, written};
use crate::site::Site;

/// Half of a ticket's life is over at once, and what is planned from then on comes a hundred times
/// as fast.
const SLEEP_AND_HURRY: &str = "
    const [now, later] = [Date.now.bind(Date), setTimeout.bind(window)];
    Date.now = () => now() + 1801000;
    window.setTimeout = (what, milliseconds) => later(what, milliseconds / 100);
    document.dispatchEvent(new Event('visibilitychange'));";

fn path(name: &str) -> PathBuf {
    let name = format!("{}-{name}", fastrand::u64(..));
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn openssl(arguments: &[&str]) {
    let (code, text) = run(Command::new("openssl").args(arguments));
    assert_eq!(code, Some(0), "{text}");
}

/// Zendesk's SDK as one script, as its host serves it.
fn sdk() -> String {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/npm/node_modules/zendesk_app_framework_sdk/lib"
    );
    let modules = ["utils", "client", "index"].map(|name| {
        let text = std::fs::read_to_string(format!("{folder}/{name}.js"));
        let text = text.expect("Zendesk's SDK, which `make setup` installs");
        format!("modules['./{name}'] = (module, exports, require) => {{{text}\n}};")
    });
    format!(
        "(() => {{ const modules = {{}}; {}
        const require = (name) => {{ const module = {{ exports: {{}} }}; modules[name](module, module.exports, require); return module.exports; }};
        window.ZAFClient = require('./index'); }})();",
        modules.join("\n")
    )
}

/// The host of Zendesk's script, over TLS; its thread ends with the tests. Without a script it
/// answers 503.
fn script_host(script: Option<String>) -> SocketAddr {
    let (certificate, key) = (path("zdassets.crt"), path("zdassets.key"));
    let [at, key_at] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let subject = "/CN=static.zdassets.com";
    openssl(&[
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", key_at,
        "-out", at,
    ]);
    let certificate = CertificateDer::from_pem_file(certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let script = script.clone();
            std::thread::spawn(move || serve(StreamOwned::new(connection, stream), script));
        }
    });
    address
}

fn serve(mut stream: StreamOwned<ServerConnection, TcpStream>, script: Option<String>) {
    // A browser opens connections that it does not use.
    if !matches!(stream.read(&mut [0; 8192]), Ok(1..)) {
        return;
    }
    let status = if script.is_some() {
        "200 OK"
    } else {
        "503 Service Unavailable"
    };
    let script = script.unwrap_or_default();
    let length = script.len();
    // The browser may have gone.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/javascript\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{script}"
    );
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

/// Where the app that `open-chat connector zendesk` writes has its pages, by location.
fn app_address(location: &str) -> String {
    let out = written("zendesk.zip", "");
    let arguments = ["connector", "zendesk", "--out", out.to_str().unwrap()];
    let (code, text) = run(&mut open_chat(&arguments, &[("PUBLIC_URL", LINKED_URL)]));
    assert_eq!(code, Some(0), "{text}");
    let mut archive = ZipArchive::new(File::open(out).unwrap()).unwrap();
    let manifest = archive.by_name("manifest.json").unwrap();
    let manifest: Value = serde_json::from_reader(manifest).unwrap();
    let url = manifest["location"]["support"][location]["url"].as_str();
    url.unwrap().to_owned()
}

/// An account of Zendesk's with the app in it, and the service.
struct Account {
    site: Site,
    service: Services,
    /// What the browser is told of who is where.
    found: String,
    public_key: String,
}

/// How the account's page is.
#[derive(Clone)]
struct Scene {
    location: &'static str,
    answers: bool,
    user: Value,
    width: u32,
    script: Option<String>,
}

impl Scene {
    /// A ticket whose requester has these phones: the first one by the API alone.
    fn of(phone: &str, others: &[&str]) -> Self {
        Self {
            location: "ticket_sidebar",
            answers: true,
            user: user(phone, others),
            width: 320,
            script: Some(sdk()),
        }
    }
}

fn user(phone: &str, others: &[&str]) -> Value {
    let others = others.iter();
    let others = others.map(|value| json!({"type": "phone_number", "value": value}));
    let address = json!({"type": "email", "value": "client@example.com"});
    let identities: Vec<_> = others.chain([address]).collect();
    json!({"id": 7, "name": "Client", "phone": phone, "identities": identities})
}

impl Account {
    fn start(scene: Scene) -> Self {
        Self::framed_by(scene, None)
    }

    /// The app in a page of this origin, which may be another than the account's.
    fn framed_by(scene: Scene, account: Option<&str>) -> Self {
        let (private, public) = (path("zendesk.key"), path("zendesk.pem"));
        let [private_at, public_at] = [&private, &public].map(|path| path.to_str().unwrap());
        openssl(&["genrsa", "-out", private_at, "2048"]);
        openssl(&["rsa", "-in", private_at, "-pubout", "-out", public_at]);
        let private = std::fs::read_to_string(&private).unwrap();
        let script = script_host(scene.script.clone());
        let own = Arc::new(OnceLock::<String>::new());
        let (page_s, owner) = (Arc::clone(&own), account.map(ToOwned::to_owned));
        let number = AtomicU64::new(1);
        let app = app_address(scene.location);
        let site = Site::start(move |path| {
            let origin = page_s.get().filter(|_| path == "/")?;
            let jti = number.fetch_add(1, Ordering::Relaxed).to_string();
            let account = owner.as_ref().unwrap_or(origin);
            let claims = zendesk::claims(account, 82, 5, &jti);
            let host = Host {
                app: app.clone(),
                origin: account.clone(),
                token: zendesk::token(&claims, &private),
                location: scene.location.into(),
                answers: scene.answers,
                user: scene.user.clone(),
                width: scene.width,
            };
            Some(host.page())
        });
        let origin = site.origin("127.0.0.1");
        own.set(origin.clone()).unwrap();
        let service = service(account.unwrap_or(&origin), public_at);
        let found = format!(
            "--host-resolver-rules=MAP localhost:80 {}, MAP static.zdassets.com:443 {script}",
            service.address
        );
        Self {
            site,
            service,
            found,
            public_key: std::fs::read_to_string(public).unwrap(),
        }
    }

    fn origin(&self) -> String {
        self.site.origin("127.0.0.1")
    }

    async fn open(&self, language: &str) -> Browser {
        let language = format!("--accept-lang={language}");
        let arguments = [&*self.found, "--ignore-certificate-errors", &*language];
        Browser::open_with(&format!("{}/", self.origin()), &arguments).await
    }

    /// In the app's frame.
    async fn app(&self) -> Browser {
        let browser = self.open("en").await;
        browser.client.enter_frame(0).await.unwrap();
        browser
    }

    /// A ticket of agent 5's, proven this many seconds ago.
    fn ticket(&self, ago: i64) -> String {
        let salt = Salt::new(HKDF_SHA256, self.public_key.as_bytes());
        let extracted = salt.extract(b"demo-password");
        let mut key = [0; 32];
        let purpose = [b"open-chat connector ticket 1".as_slice()];
        let derived = extracted.expand(&purpose, HKDF_SHA256).unwrap();
        derived.fill(&mut key).unwrap();
        let origin = self.origin();
        let installation = origin.strip_prefix("http://").unwrap();
        let proven_at = chrono::Utc::now().timestamp() - ago;
        let claims = json!({
            "connector": "zendesk", "installation": installation, "user": 5, "proven_at": proven_at,
            "iat": proven_at, "exp": proven_at + 3600,
        });
        let header = Header {
            kid: Some(format!("zendesk {installation}")),
            ..Header::default()
        };
        encode(&header, &claims, &EncodingKey::from_secret(&key)).unwrap()
    }
}

/// A service whose operator 101 is this account's agent 5.
fn service(account: &str, public_key: &str) -> Services {
    let connectors =
        format!("[zendesk]\naccounts = [\"{account}\"]\npublic_key_file = \"{public_key}\"\n");
    Services::with_connector(&connectors, "\"zendesk-5\" = 101\n")
}

const BUTTONS: &str = "[...document.querySelectorAll('button')].map((one) => one.textContent)";

async fn buttons(browser: &Browser, expected: &[&str]) {
    let mut last = Value::Null;
    eventually("the buttons", async || {
        last = browser.value(BUTTONS).await;
        last == json!(expected)
    })
    .await;
}

async fn execute(browser: &Browser, script: &str) {
    browser.client.execute(script, vec![]).await.unwrap();
}

async fn back_to_the_app(browser: &Browser) {
    let crm = browser.client.windows().await.unwrap().remove(0);
    browser.client.switch_to_window(crm).await.unwrap();
    browser.client.enter_frame(0).await.unwrap();
}

async fn is_chat_with(browser: &Browser, encoded: &str) {
    let query = format!("?phone={encoded}&token=");
    eventually("the chat", async || {
        let url = browser.client.current_url().await.unwrap();
        url.as_str().contains(&query)
    })
    .await;
}

#[tokio::test]
async fn a_press_opens_the_chat_with_the_ticket_s_requester() {
    let account = Account::start(Scene::of("+38 (050) 123-45-67", &["+380501234567"]));
    let browser = account.app().await;
    buttons(&browser, &["Chat with +38 (050) 123-45-67"]).await;
    assert_eq!(browser.text("#choose").await, "");
    assert_eq!(browser.text("#reading").await, "");
    browser.picture("zendesk").await;
    // The page stays, and its ticket opens a chat each time.
    for _ in 0..2 {
        browser.click_for_a_window(Locator::Css("button")).await;
        is_chat_with(&browser, "%2B380501234567").await;
        back_to_the_app(&browser).await;
    }
    let console = browser.console().await;
    assert!(!console.contains("Content Security Policy"), "{console}");
    browser.close().await;
}

/// Another requester, several phones, none: the page follows, by Zendesk's own events.
#[tokio::test]
async fn the_page_follows_the_ticket() {
    let account = Account::start(Scene::of("", &["0671234567"]));
    let browser = account.app().await;
    buttons(&browser, &["Chat with 0671234567"]).await;
    let show = async |user: &Value| {
        browser.client.enter_parent_frame().await.unwrap();
        execute(&browser, &format!("show({user});")).await;
        browser.client.enter_frame(0).await.unwrap();
    };
    show(&user("0501234567", &["+380671234567", "050 123 45 67"])).await;
    let both = ["Chat with 0501234567", "Chat with +380671234567"];
    buttons(&browser, &both).await;
    assert_eq!(
        browser.text("#choose").await,
        "The client has several phones. Which one is the chat with?"
    );
    // With the keyboard: the second button.
    let second = browser.client.find(Locator::Css("button:last-of-type"));
    let before = browser.client.windows().await.unwrap().len();
    execute(&browser, "document.querySelector('button').focus();").await;
    let first = browser.client.active_element().await.unwrap();
    first.send_keys("\u{e004}").await.unwrap();
    assert_eq!(
        browser.value("document.activeElement.value").await,
        json!("+380671234567")
    );
    second.await.unwrap().send_keys("\u{e007}").await.unwrap();
    eventually("a new window", async || {
        browser.client.windows().await.unwrap().len() > before
    })
    .await;
    let chat = browser.client.windows().await.unwrap().pop().unwrap();
    browser.client.switch_to_window(chat).await.unwrap();
    is_chat_with(&browser, "%2B380671234567").await;
    back_to_the_app(&browser).await;
    for phoneless in [user("", &[]), Value::Null] {
        show(&user("0501234567", &[])).await;
        buttons(&browser, &["Chat with 0501234567"]).await;
        show(&phoneless).await;
        buttons(&browser, &[]).await;
        assert!(
            browser
                .text("#no-phone")
                .await
                .starts_with("This client has no phone")
        );
    }
    browser.close().await;
}

#[tokio::test]
async fn a_user_s_page_has_the_user_s_phones_in_a_narrow_sidebar() {
    let scene = Scene {
        location: "user_sidebar",
        width: 200,
        ..Scene::of("+380501234567", &["+380671234567"])
    };
    let account = Account::start(scene);
    let browser = account.open("uk").await;
    browser.client.enter_frame(0).await.unwrap();
    buttons(&browser, &["Чат із +380501234567", "Чат із +380671234567"]).await;
    languages::check(&browser, "the sidebar").await;
    assert_eq!(browser.value("innerWidth").await, json!(200));
    // The frame is as high as what is in it.
    let below =
        "Math.round(innerHeight - document.querySelector('main').getBoundingClientRect().bottom)";
    eventually("the frame's height", async || {
        browser.value(below).await == json!(12)
    })
    .await;
    let wider = "document.documentElement.scrollWidth - innerWidth";
    assert_eq!(browser.value(wider).await, json!(0));
    assert_eq!(browser.objections().await, json!([]));
    browser.picture("zendesk-narrow").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_renews_its_ticket_and_says_when_that_is_over() {
    let account = Account::start(Scene::of("0501234567", &[]));
    let browser = account.app().await;
    buttons(&browser, &["Chat with 0501234567"]).await;
    let ticket = "document.querySelector('[name=ticket]')?.value ?? ''";
    let first = browser.value(ticket).await;
    // One of the same second is the same.
    execute(&browser, SLEEP_AND_HURRY).await;
    eventually("another ticket", async || {
        browser.value(ticket).await != first
    })
    .await;
    browser.click_for_a_window(Locator::Css("button")).await;
    is_chat_with(&browser, "%2B380501234567").await;
    back_to_the_app(&browser).await;
    // What the page has twelve hours after Zendesk's proof.
    let old = account.ticket(12 * 3600);
    execute(
        &browser,
        &format!("document.querySelector('[name=ticket]').value = '{old}';"),
    )
    .await;
    eventually("the page says so", async || {
        let words = browser.text("[role=status]").await;
        words.contains("open for too long") && words.contains("Reload the CRM's page.")
    })
    .await;
    buttons(&browser, &[]).await;
    assert_eq!(browser.objections().await, json!([]));
    browser.close().await;
}

/// A ticket of eleven hours still opens chats: it is the test's own tickets that the one above
/// trusts in.
#[tokio::test]
async fn a_press_on_a_page_that_is_too_old_says_so_in_the_tab() {
    let account = Account::start(Scene::of("0501234567", &[]));
    let browser = account.app().await;
    buttons(&browser, &["Chat with 0501234567"]).await;
    for (ago, words) in [
        (3000, ""),
        (
            12 * 3600,
            "This page in the CRM has been open for too long.",
        ),
    ] {
        let ticket = account.ticket(ago);
        execute(
            &browser,
            &format!("document.querySelector('[name=ticket]').value = '{ticket}';"),
        )
        .await;
        browser.click_for_a_window(Locator::Css("button")).await;
        if words.is_empty() {
            is_chat_with(&browser, "%2B380501234567").await;
        } else {
            eventually(words, async || browser.text("body").await.contains(words)).await;
        }
        back_to_the_app(&browser).await;
    }
    browser.close().await;
}

/// Whether the framework is silent, or its script cannot be had.
#[tokio::test]
async fn where_zendesk_does_not_answer_the_page_says_so() {
    let good = Scene::of("0501234567", &[]);
    for scene in [
        Scene {
            answers: false,
            ..good.clone()
        },
        Scene {
            script: None,
            ..good
        },
    ] {
        let account = Account::start(scene);
        let browser = account.app().await;
        eventually("the page says so", async || {
            browser
                .text("#unread")
                .await
                .starts_with("Zendesk does not say who the client is.")
        })
        .await;
        assert_eq!(browser.text("#reading").await, "");
        buttons(&browser, &[]).await;
        assert_eq!(browser.objections().await, json!([]));
        browser.close().await;
    }
}

/// Even with a token of the account's.
#[tokio::test]
async fn another_site_s_frame_stays_empty() {
    let scene = Scene::of("0501234567", &[]);
    let account = Account::framed_by(scene, Some("http://127.0.0.1:9"));
    let browser = account.open("en").await;
    let mut console = String::new();
    eventually("the browser says that it was blocked", async || {
        console += &browser.console().await;
        console.contains("frame-ancestors")
    })
    .await;
    browser.client.enter_frame(0).await.unwrap();
    assert!(browser.client.find(Locator::Css("#panel")).await.is_err());
    browser.close().await;
    drop(account.service);
}
