//! How often a warm click allocates: the real application over a socket, and a client that
//! allocates nothing itself.
//!
//! `cargo bench --bench allocations` prints a line for each set-up: allocations and bytes a click,
//! on all threads of the process.

#![allow(clippy::expect_used)]

use std::alloc::System;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

use chathub_simulator::{Rules, Simulator};
use jsonwebtoken::{EncodingKey, Header, encode};
use open_chat::app::Application;
use open_chat::config::Config;
use open_chat::http::Front;
use open_chat::telemetry::{LogFormat, Telemetry};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Enough that what happens once a second does not show.
const CLICKS: usize = 20_000;

fn main() {
    let filter = EnvFilter::new("info");
    let telemetry = Telemetry::start(LogFormat::Json, filter, io::sink(), None);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _guard = runtime.enter();
    let chathub = Simulator::start(Rules::default()).expect("the simulator starts");
    let plain = "operator=101&phone=%2B380501234567&source=0&from=Acme";
    let signed = format!("source=0&from=Acme&pass={}", pass());
    for (name, access, target) in [
        ("warm", "open", format!("/open-chat?{plain}")),
        ("warm, pass", "pass", format!("/open-chat?{signed}")),
        ("healthz", "open", "/healthz".to_owned()),
    ] {
        let address = start(&chathub.url(), access, &telemetry);
        let mut client = Client::new(address, &target);
        let stats = client.count();
        println!(
            "{name}: {:.1} allocations of {:.0} bytes",
            per_click(stats.allocations + stats.reallocations),
            per_click(stats.bytes_allocated)
        );
    }
    std::process::exit(0);
}

#[allow(clippy::cast_precision_loss)]
fn per_click(number: usize) -> f64 {
    number as f64 / CLICKS as f64
}

/// Starts the service, which then runs for as long as this process.
fn start(chathub: &str, access: &str, telemetry: &Telemetry) -> SocketAddr {
    let rules = Rules::default();
    let mut variables = vec![
        ("ACCESS", access),
        ("LISTEN", "127.0.0.1:0"),
        ("CHATHUB_URL", chathub),
        ("CHATHUB_LOGIN", &rules.login),
        ("CHATHUB_PASSWORD", &rules.password),
        ("RATE_LIMIT_OPERATOR", "1000000/s"),
        ("RATE_LIMIT_CLIENT", "1000000/s"),
        ("RATE_LIMIT_REFUSED", "1000000/s"),
    ];
    if access == "pass" {
        variables.push(("PASS_SECRET", SECRET));
    }
    let environment = variables.into_iter().map(|(n, v)| (n.into(), v.into()));
    let config = Config::from_vars(environment).expect("the configuration is good");
    let application = Application::start(config, Front::Builder, telemetry).expect("it starts");
    let address = application.listen();
    tokio::spawn(application.run());
    address
}

fn pass() -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("a clock").as_secs();
    let claims = json!({"sub": "101", "phone": "+380501234567", "iat": now, "exp": now + 3600});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).expect("a pass")
}

/// One connection, and room for one request and one answer.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    fn new(address: SocketAddr, target: &str) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("an option of the socket");
        let request = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        Self {
            stream,
            request: request.into_bytes(),
            answer: vec![0; 4096],
        }
    }

    /// What is allocated over many clicks, once all is warm.
    fn count(&mut self) -> Stats {
        while !self.ask() {
            std::thread::sleep(Duration::from_millis(10));
        }
        for _ in 0..1000 {
            assert!(self.ask());
        }
        let region = Region::new(ALLOCATOR);
        for _ in 0..CLICKS {
            assert!(self.ask());
        }
        region.change()
    }

    /// Whether it was answered as a click, or a probe, should be.
    fn ask(&mut self) -> bool {
        self.stream.write_all(&self.request).expect("it is sent");
        let mut length = 0;
        loop {
            length += self.stream.read(&mut self.answer[length..]).expect("bytes");
            let answer = &self.answer[..length];
            let has_ended = answer.ends_with(b"\r\n\r\n") || answer.ends_with(b"ok\n");
            let is_refusal = answer.ends_with(b"}");
            if has_ended || is_refusal {
                return answer.starts_with(b"HTTP/1.1 302") || answer.starts_with(b"HTTP/1.1 200");
            }
        }
    }
}
