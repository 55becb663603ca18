//! Starts the application as `serve` would, and asks it things.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use open_chat::app::Application;
use open_chat::config::Config;
use open_chat::http::Front;
use open_chat::telemetry::{LogFormat, Telemetry};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::process::PATIENT;

/// The company's password in every test. No output may ever show it.
pub const PASSWORD: &str = "canary-password-7f3a";

/// The profile key in every test. No output may ever show it.
pub const PROFILE_KEY: &str = "canary-profile-key-91bc";

/// The panel of every test; nothing is ever sent there.
pub const PANEL: &str = "https://chat.smsbat.com/";

/// Everything here ends within this time, or is broken: no test fails because the machine is busy.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// The simulator of a test, with credentials that must not leak.
pub fn rules() -> Rules {
    Rules {
        login: "acme".into(),
        password: PASSWORD.into(),
        profile_key: PROFILE_KEY.into(),
        ..Rules::default()
    }
}

/// The application under test and the ChatHub that it talks to.
pub struct Service {
    pub chathub: Simulator,
    url: String,
    ops_url: String,
    client: reqwest::Client,
    servers: Vec<ServerHandle>,
}

impl Service {
    /// The plain set-up, ready to answer.
    pub async fn start() -> Self {
        Self::start_with(rules(), &[]).await
    }

    /// With these rules for ChatHub and these variables over the plain ones.
    pub async fn start_with(rules: Rules, variables: &[(&str, &str)]) -> Self {
        let service = Self::start_unproven(rules, variables);
        service.wait_until_ready().await;
        service
    }

    /// The same, without waiting for the first login.
    pub fn start_unproven(rules: Rules, variables: &[(&str, &str)]) -> Self {
        Self::start_broken(rules, variables, &[])
    }

    /// The same, with these faults for good from the first call on.
    pub fn start_broken(
        rules: Rules,
        variables: &[(&str, &str)],
        faults: &[(Endpoint, Fault)],
    ) -> Self {
        Self::start_at(rules, variables, faults, Duration::from_mins(1))
    }

    /// The same, with this patience with Redis.
    pub fn start_at(
        rules: Rules,
        variables: &[(&str, &str)],
        faults: &[(Endpoint, Fault)],
        redis_timeout: Duration,
    ) -> Self {
        let chathub = Simulator::start(rules).expect("the simulator starts");
        for (endpoint, fault) in faults {
            chathub.always(*endpoint, Some(fault.clone()));
        }
        let url = chathub.url();
        let plain = [
            // Calls are counted here, and no test goes on for so long.
            ("DIRECTORY_REFRESH", "1h"),
            ("ACCESS", "open"),
            ("LISTEN", "127.0.0.1:0"),
            ("CHATHUB_URL", url.as_str()),
            ("CHATHUB_LOGIN", "acme"),
            ("CHATHUB_PASSWORD", PASSWORD),
            ("CHAT_PANEL_URL", PANEL),
            ("RATE_LIMIT_OPERATOR", "1000000/s"),
            ("RATE_LIMIT_CLIENT", "1000000/s"),
            ("RATE_LIMIT_REFUSED", "1000000/s"),
        ];
        // A later variable of the same name wins; an empty one unsets.
        let all = PATIENT.iter().chain(&plain).chain(variables).copied();
        let all: BTreeMap<&str, &str> = all.collect();
        let environment = all.into_iter().map(|(n, v)| (n.into(), v.into()));
        let mut config = Config::from_vars(environment).expect("the configuration is good");
        config.redis.timeout = redis_timeout;
        let application = Application::start(config, Front::Builder, telemetry())
            .expect("the application starts");
        let url = format!("http://{}", application.listen());
        let ops_url = application
            .ops_listen()
            .map_or_else(|| url.clone(), |address| format!("http://{address}"));
        let servers = application.handles();
        tokio::spawn(application.run());
        Self {
            chathub,
            url,
            ops_url,
            client: client(),
            servers,
        }
    }

    /// Until ChatHub has been asked everything that a start asks: whoever counts calls afterwards
    /// counts those of clicks.
    pub async fn wait_until_ready(&self) {
        eventually("the service is ready", async || {
            self.ops("/readyz").await.status() == 200
        })
        .await;
        let lists = r#"chathub_requests_total{endpoint="operator",outcome="ok"}"#;
        eventually("both organizations are listed", async || {
            self.metric(lists).await >= 2
        })
        .await;
    }

    /// Until a click on a name finds a directory, whole or not.
    pub async fn wait_until_ready_to_click(&self) {
        eventually("the directory is there", async || {
            let response = self.click("operator=John%20Smith&phone=0501234567").await;
            response.status() == 302
        })
        .await;
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port of health and metrics, which is that of the clicks without `OPS_LISTEN`.
    pub fn ops_url(&self) -> &str {
        &self.ops_url
    }

    /// A request for a path with a query, as a plain HTTP client sends it.
    pub fn request(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    /// A click: the query of `/open-chat`, exactly as it stands in the link.
    pub async fn click(&self, query: &str) -> Response {
        self.request(&format!("/open-chat?{query}"))
            .send()
            .await
            .expect("an answer")
    }

    /// A click that succeeds: where it leads, the token cut off after its name.
    pub async fn destination(&self, query: &str) -> String {
        let response = self.click(query).await;
        assert_eq!(response.status(), 302, "{query}");
        let location = header(&response, "location");
        let (link, token) = location.split_once("token=").expect("a token");
        assert!(!token.is_empty() && !token.contains('&'), "{query}");
        format!("{link}token=")
    }

    /// A click that is refused: status and problem.
    pub async fn refusal(&self, query: &str) -> Problem {
        Problem::read(self.click(query).await).await
    }

    pub async fn ops(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.ops_url);
        self.client.get(url).send().await.expect("an answer")
    }

    /// The value of one series of whole numbers, by its exact name and labels.
    pub async fn metric(&self, series: &str) -> i64 {
        let value = self.text_metric(series).await;
        value.parse().expect("a whole number")
    }

    /// The same, as it is written.
    pub async fn text_metric(&self, series: &str) -> String {
        let text = self.ops("/metrics").await.text().await.expect("a text");
        text.lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
            .unwrap_or_else(|| panic!("no series {series} in\n{text}"))
            .to_owned()
    }
}

/// Waits until something has come about.
pub async fn eventually(what: &str, mut has_come: impl AsyncFnMut() -> bool) {
    let comes = async {
        while !has_come().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, comes)
        .await
        .unwrap_or_else(|_| panic!("{what}: it never came"));
}

impl Drop for Service {
    fn drop(&mut self) {
        for server in &self.servers {
            drop(server.stop(false));
        }
    }
}

/// A refusal as a machine reads it.
#[derive(Debug)]
pub struct Problem {
    pub status: u16,
    pub kind: String,
    pub detail: String,
    pub retry_after: Option<u64>,
}

impl Problem {
    pub async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        assert_eq!(
            header(&response, "content-type"),
            "application/problem+json"
        );
        let request_id = header(&response, "x-request-id");
        let retry_after = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap().parse().unwrap());
        let text = response.text().await.expect("a text");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["status"], status);
        assert_eq!(json["request_id"], request_id);
        let kind = json["type"]
            .as_str()
            .and_then(|kind| kind.strip_prefix("urn:open-chat:problem:"))
            .expect("a problem type")
            .to_owned();
        Self {
            status,
            kind,
            detail: json["detail"].as_str().expect("a detail").to_owned(),
            retry_after,
        }
    }
}

/// A file of its own for one test, with this text in it: tests run side by side, and services look
/// at their files every second.
pub fn file(name: &str, text: &str) -> PathBuf {
    static FILES: AtomicU32 = AtomicU32::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{number}-{name}"));
    // An earlier run may have left a pipe or a link there.
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, text).expect("a file");
    path
}

/// An address at which nothing else listens, now and later. A free port of 127.0.0.1 may be taken
/// by the time that a server wants it; this address is this process's own, and the port this
/// call's.
pub fn own_address() -> SocketAddr {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let port = 8443 + CALLS.fetch_add(1, Ordering::Relaxed);
    // 127.0.0.x is for all.
    SocketAddr::from(([127, 64 + high, middle, low], u16::try_from(port).unwrap()))
}

/// A server of the system. Its place is not in each user's `PATH`.
pub fn system_command(name: &str) -> Command {
    let place = Path::new("/usr/sbin").join(name);
    Command::new(if place.exists() {
        place
    } else {
        PathBuf::from(name)
    })
}

/// A header as text; empty where it is absent.
pub fn header(response: &Response, name: &str) -> String {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().expect("a text").to_owned())
        .unwrap_or_default()
}

/// Sends one request byte by byte as given, and reads the whole answer.
pub async fn raw(service: &Service, request: &str) -> String {
    raw_at(service.url().trim_start_matches("http://"), request).await
}

/// The same at another address.
pub async fn raw_at(address: &str, request: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let exchange = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    tokio::time::timeout(PATIENCE, exchange)
        .await
        .expect("an answer in time")
        .expect("an answer")
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .build()
        .expect("a client")
}

/// What this process has logged so far, at every level of every crate.
pub fn log() -> String {
    String::from_utf8(log_store().lock().unwrap().clone()).expect("UTF-8")
}

/// The request line with this id, once the log's own thread has written it.
pub async fn log_line(request_id: &str) -> Value {
    let written = async {
        let mut seen = 0;
        loop {
            if let Some(line) = new_log_line(request_id, &mut seen) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, written)
        .await
        .expect("a log line")
}

/// The line with this id among those after the first `seen` bytes, which are read once only: the
/// log of a whole run is long.
fn new_log_line(request_id: &str, seen: &mut usize) -> Option<Value> {
    let log = log_store().lock().unwrap();
    let new = &log[*seen..];
    let lines = new.iter().rposition(|byte| *byte == b'\n')?;
    *seen += lines + 1;
    let line = std::str::from_utf8(&new[..lines])
        .expect("UTF-8")
        .lines()
        .find(|line| line.contains(request_id))?;
    Some(serde_json::from_str(line).expect("JSON"))
}

/// One log for the whole test binary: in memory for assertions, and in a file that the whole run's
/// canary check reads.
fn telemetry() -> &'static Telemetry {
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    TELEMETRY.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api-test.log");
        let file = File::create(path).expect("a log file");
        Telemetry::start(LogFormat::Json, EnvFilter::new("trace"), Tee { file }, None)
    })
}

fn log_store() -> &'static Arc<Mutex<Vec<u8>>> {
    static STORE: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    STORE.get_or_init(Arc::default)
}

struct Tee {
    file: File,
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        log_store().lock().unwrap().extend_from_slice(bytes);
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
