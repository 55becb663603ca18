//! The steps of a click, each alone: `cargo bench --bench micro`.

#![allow(clippy::expect_used, clippy::panic)]

use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use chathub::HttpsUrl;
use chathub::{ChatHub, OperatorId};
use chathub_simulator::{Rules, Simulator};
use divan::{Bencher, black_box};
use jsonwebtoken::{EncodingKey, Header, encode};
use open_chat::access::{Authenticator, Credentials};
use open_chat::config::Config;
use open_chat::deep_link::{DeepLink, PanelUrl};
use open_chat::http::Query;
use open_chat::metrics::Metrics;
use open_chat::phone::{self, PhoneNumber, Region};
use open_chat::rate_limit::{Limits, Quota, RateLimitConfig};
use open_chat::source::ChatSource;
use open_chat::tokens::{OperatorTokens, TokenConfig};
use serde_json::json;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn main() {
    phone::warm();
    divan::main();
}

#[divan::bench(args = ["+380501234567", "0501234567", "+38 (050) 123-45-67", "+48512345678"])]
fn phone(text: &str) -> bool {
    PhoneNumber::parse(black_box(text), Region::UA).is_ok()
}

#[divan::bench(args = [
    "operator=101&phone=%2B380501234567&source=0&from=Acme",
    "operator=John+Smith&phone=%2B38+(050)+123-45-67&utm_source=crm",
])]
fn query(text: &str) -> bool {
    Query::of(black_box(text)).is_ok()
}

#[divan::bench]
fn link(bencher: Bencher) {
    let panel = HttpsUrl::parse("https://chat.smsbat.com/").expect("an address");
    let panel = PanelUrl::new(&panel);
    let link = DeepLink::Source {
        source: ChatSource::Viber,
        sender: "Acme",
        phone: PhoneNumber::parse("+380501234567", Region::UA).expect("a phone"),
    };
    let token = pass();
    bencher.bench_local(|| link.url(black_box(&panel), Some(black_box(&token))));
}

#[divan::bench]
fn a_pass(bencher: Bencher) {
    let authenticator = authenticator();
    let pass = pass();
    let credentials = Credentials {
        pass: Some(&pass),
        ..Credentials::default()
    };
    bencher.bench_local(|| authenticator.authenticate(black_box(&credentials)).is_ok());
}

#[divan::bench(args = [10, 10_000, 100_000])]
fn limits(bencher: Bencher, operators: u64) {
    let quota = Quota::parse("1000000/s").expect("a quota");
    let config = RateLimitConfig {
        operator: quota,
        client: quota,
        refused: quota,
    };
    let limits = Limits::new(&config, None, &Metrics::new().expect("metrics"));
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut operator = 0;
    bencher.bench_local(|| {
        operator = (operator + 7919) % operators;
        now(limits.click(client, Some(OperatorId(operator)))).is_ok()
    });
}

#[divan::bench(args = [10, 1000])]
fn token(bencher: Bencher, operators: u64) {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> =
        LazyLock::new(|| tokio::runtime::Runtime::new().expect("a runtime"));
    let _guard = RUNTIME.enter();
    let rules = Rules {
        operators,
        ..Rules::default()
    };
    let chathub = Simulator::start(rules).expect("the simulator starts");
    let tokens = tokens(&chathub.url());
    let deadline = Instant::now() + Duration::from_mins(1);
    for operator in 101..101 + operators {
        let token = RUNTIME.block_on(tokens.get(OperatorId(operator), deadline));
        assert!(token.is_ok());
    }
    let mut operator = 0;
    bencher.bench_local(|| {
        operator = (operator + 7919) % operators;
        now(tokens.get(OperatorId(101 + operator), deadline)).is_ok()
    });
}

/// What a future gives without waiting, as everything does that is warm.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn config(chathub: &str) -> Config {
    let rules = Rules::default();
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
        ("CHATHUB_URL", chathub),
        ("CHATHUB_LOGIN", &rules.login),
        ("CHATHUB_PASSWORD", &rules.password),
        ("CHATHUB_MAX_RATE", "10000"),
    ];
    let environment = variables.into_iter().map(|(n, v)| (n.into(), v.into()));
    Config::from_vars(environment).expect("the configuration is good")
}

fn authenticator() -> Authenticator {
    config("http://127.0.0.1:1").access.authenticator
}

fn tokens(chathub: &str) -> OperatorTokens {
    let chathub = ChatHub::new(config(chathub).chathub).expect("a client");
    let config = TokenConfig {
        ttl: Duration::from_hours(1),
        reuse: Duration::from_mins(30),
        cache_size: 100_000,
        validate: false,
        click_budget: Duration::from_secs(5),
    };
    let metrics = Metrics::new().expect("metrics");
    OperatorTokens::new(Arc::new(chathub), &config, &metrics)
}

fn pass() -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("a clock").as_secs();
    let claims = json!({"sub": "101", "phone": "+380501234567", "iat": now, "exp": now + 3600});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).expect("a pass")
}
