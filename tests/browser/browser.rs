//! Headless Chromium behind ChromeDriver, each test with its own.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use reqwest::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::process::Running;

/// Everything here ends within this time, or is broken: no test fails because the machine is busy.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// Chromium gets ready within a minute or not at all, says ChromeDriver. Where the machine is busy,
/// it is tried again.
const STARTS: usize = 5;

/// A program that starts Chromium with this folder in the place of `/etc/chromium`, in a mount
/// namespace of its own: the machine keeps its own policies.
pub fn with_etc(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let starter = folder.with_extension("sh");
    let script = format!(
        "#!/bin/sh\nexec unshare --map-root-user --mount sh -c 'mount --bind \"$0\" /etc/chromium && exec chromium \"$@\"' '{}' \"$@\"\n",
        folder.display()
    );
    std::fs::write(&starter, script).unwrap();
    std::fs::set_permissions(&starter, std::fs::Permissions::from_mode(0o755)).unwrap();
    starter
}

/// Waits until something has come about.
pub async fn eventually(what: &str, mut has_come: impl AsyncFnMut() -> bool) {
    let comes = async {
        while !has_come().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, comes).await;
    assert!(in_time.is_ok(), "{what}: it never came");
}

/// A browser that ends with its test.
pub struct Browser {
    pub client: Client,
    _driver: Driver,
}

/// ChromeDriver, which ends Chromium when it is asked to go, not when it is killed; what Chromium
/// then leaves on the disk is taken away.
struct Driver {
    address: String,
    /// Of a short name, because Chromium makes sockets in it.
    temporary: PathBuf,
    _process: Running,
}

impl Driver {
    fn start() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let temporary =
            std::env::temp_dir().join(format!("chromium-{}-{number}", std::process::id()));
        std::fs::create_dir(&temporary).expect("a directory");
        let process = Running::start(
            Command::new("chromedriver")
                .arg("--port=0")
                .env("TMPDIR", &temporary),
            "was started successfully on port",
        );
        let port = process.printed.rsplit_once("port ").expect("a port").1;
        let port = port.trim().trim_end_matches('.');
        Self {
            address: format!("127.0.0.1:{port}"),
            temporary,
            _process: process,
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let shutdown = || -> io::Result<u64> {
            let mut driver = TcpStream::connect(&self.address)?;
            driver.set_read_timeout(Some(PATIENCE))?;
            write!(
                driver,
                "GET /shutdown HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.address
            )?;
            io::copy(&mut driver, &mut io::sink())
        };
        let gone = shutdown().and_then(|_| std::fs::remove_dir_all(&self.temporary));
        if let Err(error) = gone {
            eprintln!("Chromium leaves something behind: {error}");
        }
    }
}

impl Browser {
    pub async fn open(url: &str) -> Self {
        Self::open_with(url, &[]).await
    }

    /// With more arguments for Chromium.
    pub async fn open_with(url: &str, arguments: &[&str]) -> Self {
        Self::open_by(None, url, arguments).await
    }

    /// The same by a program that starts Chromium with the arguments that it gets.
    pub async fn open_by(starter: Option<&Path>, url: &str, arguments: &[&str]) -> Self {
        let mut all = vec![
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--no-first-run",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1000,900",
        ];
        all.extend(arguments);
        let milliseconds = u64::try_from(PATIENCE.as_millis()).expect("a number");
        let mut chromium = json!({"args": all});
        if let Some(starter) = starter {
            chromium["binary"] = json!(starter);
        }
        let options = json!({
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": chromium,
            "timeouts": {"script": milliseconds, "pageLoad": milliseconds},
        });
        let browser = Self::start(&options).await;
        browser.watch().await;
        browser.goto(url).await;
        browser
    }

    async fn start(options: &Value) -> Self {
        let mut start = 1;
        loop {
            let driver = Driver::start();
            let connector = hyper_util::client::legacy::connect::HttpConnector::new();
            let client = ClientBuilder::new(connector)
                .capabilities(options.as_object().expect("an object").clone())
                .connect(&format!("http://{}", driver.address))
                .await;
            match client {
                Ok(client) => {
                    return Self {
                        client,
                        _driver: driver,
                    };
                }
                Err(error) => assert!(start < STARTS, "Chromium does not start: {error}"),
            }
            start += 1;
        }
    }

    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.expect("the page opens");
    }

    /// Has each page collect what its policy has kept out.
    async fn watch(&self) {
        let script = "window.kept_out = []; addEventListener('securitypolicyviolation', \
                      (event) => kept_out.push(`${event.violatedDirective} ${event.blockedURI}`));";
        let parameters = json!({"source": script});
        self.devtools("Page.addScriptToEvaluateOnNewDocument", parameters)
            .await;
    }

    /// Shows pages on a screen of this width, in this colour scheme, to somebody who prefers this
    /// language.
    pub async fn pretend(&self, width: u32, scheme: &str, language: &str) {
        let screen =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        let headers = json!({"headers": {"Accept-Language": language}});
        self.devtools("Emulation.setDeviceMetricsOverride", screen)
            .await;
        self.devtools("Emulation.setEmulatedMedia", media).await;
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.setExtraHTTPHeaders", headers).await;
    }

    /// A command of the browser's own protocol.
    pub async fn devtools(&self, command: &'static str, parameters: Value) -> Value {
        let command = Devtools {
            command,
            parameters,
        };
        self.client.issue_cmd(command).await.expect("an answer")
    }

    /// The value of an expression in the page.
    pub async fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        self.client.execute(&script, vec![]).await.expect("a value")
    }

    /// Fails where the page is not as every page has to be: nothing kept out by its policy, nothing
    /// wider than the screen, nothing that axe-core objects to, one request, and those for an app.
    pub async fn check(&self, what: &str) {
        assert_eq!(self.value("kept_out").await, json!([]), "{what}");
        let overflow = "document.documentElement.scrollWidth - innerWidth";
        assert!(self.value(overflow).await.as_i64() <= Some(0), "{what}");
        let requests = "performance.getEntriesByType('resource').map((entry) => entry.name)\
                        .filter((name) => !/\\/(manifest\\.webmanifest|icon-(192|512)\\.png)$/.test(name))";
        assert_eq!(self.value(requests).await, json!([]), "{what}");
        assert_eq!(self.objections().await, json!([]), "{what}");
    }

    /// What axe-core objects to.
    pub async fn objections(&self) -> Value {
        let axe = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/target/npm/node_modules/axe-core/axe.min.js"
        );
        let axe = std::fs::read_to_string(axe).expect("axe-core, which `make setup` installs");
        let run = "const done = arguments[0]; \
                   axe.run({resultTypes: ['violations']}).then((found) => done(found.violations.map((one) => \
                   [one.id, one.help, one.nodes.map((node) => node.html)])), (error) => done([`${error}`]));";
        self.client
            .execute_async(&format!("{axe}\n{run}"), vec![])
            .await
            .expect("axe-core runs")
    }

    /// The visible text of the one element that matches; empty where there is none. Where a script
    /// takes the element away meanwhile, the one that has come in its place.
    pub async fn text(&self, css: &str) -> String {
        loop {
            let text = match self.client.find(Locator::Css(css)).await {
                Ok(element) => element.text().await,
                Err(error) => Err(error),
            };
            match text {
                Ok(text) => return text,
                Err(error) if error.is_no_such_element() => return String::new(),
                Err(error) if error.is_stale_element_reference() => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Clicks on the one element that matches.
    pub async fn click(&self, css: &str) {
        let element = self.client.find(Locator::Css(css)).await.expect(css);
        element.click().await.expect(css);
    }

    /// Clicks on a link that opens a window, and turns to that.
    /// Presses the button of the page's form twice at once, and tells for each press whether the
    /// form would be sent. None is.
    pub async fn sent_of_two_presses(&self) -> Value {
        self.value(
            r#"(() => {
                const sent = [];
                addEventListener("submit", (event) => {
                    sent.push(!event.defaultPrevented);
                    event.preventDefault();
                });
                const button = document.querySelector("form button");
                button.click();
                button.click();
                return sent;
            })()"#,
        )
        .await
    }

    pub async fn click_for_a_window(&self, link: Locator<'_>) {
        let before = self.client.windows().await.expect("windows");
        let link = self.client.find(link).await.expect("a link");
        link.click().await.expect("a click");
        let is_new = |window: &WindowHandle| !before.contains(window);
        let mut new = None;
        eventually("a new window", async || {
            let opened = self.client.windows().await.expect("windows");
            new = opened.into_iter().find(is_new);
            new.is_some()
        })
        .await;
        let new = new.expect("a new window");
        self.client.switch_to_window(new).await.expect("a window");
    }

    /// Waits until something matches.
    pub async fn wait_for(&self, css: &str) {
        let wait = self.client.wait().at_most(PATIENCE);
        wait.for_element(Locator::Css(css)).await.expect(css);
    }

    /// Keeps a picture of the page for whoever wants to look at it.
    pub async fn picture(&self, name: &str) {
        let png = self.client.screenshot().await.expect("a picture");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        std::fs::write(path, png).expect("a file");
    }

    /// What the browser has written to its console since it was asked last, such as what a page's
    /// policy has blocked.
    pub async fn console(&self) -> String {
        let log = self.client.issue_cmd(ConsoleLog).await.expect("a log");
        let lines = log.as_array().expect("a list").iter();
        lines
            .filter_map(|line| line["message"].as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub async fn close(self) {
        self.client.close().await.expect("Chromium ends");
    }
}

/// ChromeDriver's own way to the browser's protocol.
#[derive(Debug)]
struct Devtools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Devtools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.parameters});
        (Method::POST, Some(body.to_string()))
    }
}

/// ChromeDriver's own command for the console.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}
