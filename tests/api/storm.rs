//! Many clicks at once, and ChatHub killed under them. The service and, where it is killed, the
//! simulator are processes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use crate::harness::{PASSWORD, eventually, own_address, rules};
use crate::process::{Running, open_chat};

/// A service as a process before this ChatHub, and its address.
pub async fn serve(chathub: &str, variables: &[(&str, &str)]) -> (Running, SocketAddr) {
    serve_apart(chathub, None, variables).await
}

/// The same, with health and metrics at an address of their own.
async fn serve_apart(
    chathub: &str,
    ops: Option<SocketAddr>,
    variables: &[(&str, &str)],
) -> (Running, SocketAddr) {
    let ops_listen = ops.map(|ops| ops.to_string()).unwrap_or_default();
    let mut all = vec![
        ("ACCESS", "open"),
        ("LISTEN", "127.0.0.1:0"),
        ("CHATHUB_URL", chathub),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", PASSWORD),
        ("RATE_LIMIT_OPERATOR", "1000000/s"),
        ("RATE_LIMIT_CLIENT", "1000000/s"),
        // One address is everybody here, and a storm is not all that comes in.
        ("TRUSTED_PROXIES", "127.0.0.0/8"),
        ("MAX_CONNECTIONS", "12000"),
        ("OPS_LISTEN", &ops_listen),
    ];
    all.extend(variables);
    let service = Running::start(&mut open_chat(&["serve"], &all), r#""listen":"#);
    let listen = service
        .printed
        .split(r#""listen":""#)
        .nth(1)
        .expect("an address");
    let address = listen.split('"').next().unwrap().parse().unwrap();
    eventually("the service is ready", async || {
        let health = ask(ops.unwrap_or(address), "/readyz").await;
        health.starts_with("HTTP/1.1 200")
    })
    .await;
    (service, address)
}

/// One request over a connection of its own: the whole answer.
pub async fn ask(service: SocketAddr, path: &str) -> String {
    // A service cuts off whoever connects and then says nothing for 5 s. Of ten thousand tasks one
    // may not get its turn for so long, so only as many connect at once as do not have to wait.
    static CONNECTING: Semaphore = Semaphore::const_new(100);
    let turn = CONNECTING.acquire().await.unwrap();
    let mut stream = TcpStream::connect(service).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    drop(turn);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn status(answer: &str) -> u16 {
    answer[9..12].parse().unwrap()
}

/// Clicks on all of these operators at once, over a connection each: how many answers have which
/// status.
async fn click_at_once(
    service: SocketAddr,
    operators: impl Iterator<Item = u64>,
) -> BTreeMap<u16, usize> {
    let mut clicks = JoinSet::new();
    for operator in operators {
        clicks.spawn(async move {
            let path = format!("/open-chat?operator={operator}&phone=0501234567");
            status(&ask(service, &path).await)
        });
    }
    let mut statuses = BTreeMap::new();
    while let Some(status) = clicks.join_next().await {
        *statuses.entry(status.unwrap()).or_default() += 1;
    }
    statuses
}

/// One storm at a time: each takes half of the descriptors that a process may usually have.
pub static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_cold_clicks_on_one_operator_are_one_mint() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let chathub = Simulator::start(rules()).unwrap();
    // The mint ends when all of them are there.
    chathub.next(Endpoint::OperatorToken, Fault::Held);
    let ops = own_address();
    let (_service, address) = serve_apart(&chathub.url(), Some(ops), &[]).await;
    let clicks = tokio::spawn(click_at_once(address, std::iter::repeat_n(101, 10_000)));
    eventually("all of them wait", async || {
        metric(ops, "http_requests_in_flight").await >= 10_000.0
    })
    .await;
    chathub.release();
    assert_eq!(clicks.await.unwrap(), BTreeMap::from([(302, 10_000)]));
    assert_eq!(chathub.calls(Endpoint::OperatorToken), 1);
    assert_eq!(chathub.calls(Endpoint::CompanyToken), 1);
    let tokens = async |outcome: &str| {
        let series = format!("open_chat_operator_tokens_total{{outcome=\"{outcome}\"}}");
        metric(ops, &series).await
    };
    assert!((tokens("minted").await - 1.0).abs() < f64::EPSILON);
    // One that was counted as in flight may have come to the token only after the mint.
    let shared = tokens("shared").await;
    assert!(shared > 9_000.0, "{shared} waited for the one mint");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_cold_clicks_on_five_hundred_operators_are_a_mint_each() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let chathub = Simulator::start(Rules {
        operators: 500,
        ..rules()
    })
    .unwrap();
    // Whether a busy machine is quick enough for the usual times is not the question here.
    let variables = [
        ("CHATHUB_MAX_RATE", "1000"),
        ("CHATHUB_ATTEMPT_TIMEOUT", "2m"),
        ("CLICK_BUDGET", "5m"),
    ];
    let (_service, address) = serve(&chathub.url(), &variables).await;
    let operators = (0..10_000).map(|click| 101 + click % 500);
    let statuses = click_at_once(address, operators).await;
    assert_eq!(statuses, BTreeMap::from([(302, 10_000)]));
    assert_eq!(chathub.calls(Endpoint::OperatorToken), 500);
    assert_eq!(chathub.calls(Endpoint::CompanyToken), 1);
}

/// The counts of a simulator that runs as a process.
async fn calls(chathub: &str) -> BTreeMap<String, u64> {
    let text = reqwest::get(format!("{chathub}simulator/calls"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A simulator on a port where it can be started again: none of those that the system gives to
/// whoever asks for a free one, as other tests do all the time.
fn simulate_anywhere() -> (Running, String) {
    let first = 10_000 + std::process::id() % 20_000;
    (first..first + 100)
        .map(|port| (simulate(&port.to_string()), port.to_string()))
        .find(|(simulator, _)| simulator.printed.contains("simulated at"))
        .expect("a port that nobody has")
}

fn simulate(port: &str) -> Running {
    let arguments = [
        "simulate",
        "--port",
        port,
        "--operators",
        "50000",
        "--login",
        "acme",
        "--password",
        PASSWORD,
    ];
    Running::start(&mut open_chat(&arguments, &[]), "simulated at")
}

/// Clicks on warm and cold operators in turn, a hundred times a second at most.
async fn load(service: SocketAddr, rounds: u64, cold_from: u64) -> Load {
    let mut load = Load::default();
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for cold in cold_from..cold_from + rounds {
        ticks.tick().await;
        let started = Instant::now();
        let warm = ask(service, "/open-chat?operator=101&phone=0501234567").await;
        *load.warm.entry(status(&warm)).or_default() += 1;
        let path = format!("/open-chat?operator={cold}&phone=0501234567");
        *load
            .cold
            .entry(status(&ask(service, &path).await))
            .or_default() += 1;
        load.slowest = load.slowest.max(started.elapsed());
    }
    load
}

#[derive(Debug, Default)]
struct Load {
    warm: BTreeMap<u16, usize>,
    cold: BTreeMap<u16, usize>,
    slowest: Duration,
}

#[tokio::test(flavor = "multi_thread")]
async fn chathub_is_killed_under_load_and_comes_back() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let (mut chathub, port) = simulate_anywhere();
    let url = chathub.url("/");
    let (_service, address) = serve(&url, &[("CHATHUB_MAX_RATE", "1000")]).await;
    ask(address, "/open-chat?operator=101&phone=0501234567").await;

    let healthy = load(address, 50, 1000).await;
    assert_eq!(
        healthy.cold.keys().collect::<Vec<_>>(),
        [&302],
        "{healthy:?}"
    );

    chathub.kill();
    let down = load(address, 200, 2000).await;
    assert_eq!(
        down.warm.keys().collect::<Vec<_>>(),
        [&302],
        "warm operators never notice: {down:?}"
    );
    assert_eq!(
        down.cold.keys().collect::<Vec<_>>(),
        [&503],
        "cold ones are told: {down:?}"
    );
    assert!(
        down.slowest < Duration::from_mins(2),
        "long before the budget of five minutes ends: {down:?}"
    );

    let chathub = simulate(&port);
    let back = Instant::now();
    let mut cold = 3000;
    eventually("a cold click is served again", async || {
        cold += 1;
        status(
            &ask(
                address,
                &format!("/open-chat?operator={cold}&phone=0501234567"),
            )
            .await,
        ) == 302
    })
    .await;
    // The circuit is open for 11 s at most; the rest is the machine's.
    assert!(
        back.elapsed() < Duration::from_mins(2),
        "{:?}",
        back.elapsed()
    );
    // Far from those that have been asked for meanwhile, one every 5 ms.
    let again = load(address, 50, 20_000).await;
    assert_eq!(
        again.cold.keys().collect::<Vec<_>>(),
        [&302],
        "for all: {again:?}"
    );

    // No storm: each operator was minted for once, and the company token from before is still good.
    let calls = calls(&chathub.url("/")).await;
    let served = 1 + again.cold[&302] as u64;
    assert_eq!(calls["operator-token"], served, "{calls:?}");
    assert_eq!(calls["company-token"], 0, "{calls:?}");
}

/// Sends many requests down one connection and reads all answers: how many had which status.
async fn pipeline(
    service: SocketAddr,
    requests: impl Iterator<Item = String>,
) -> BTreeMap<u16, usize> {
    const AT_ONCE: usize = 50;
    let mut statuses = BTreeMap::new();
    let mut stream = BufReader::new(TcpStream::connect(service).await.unwrap());
    let mut requests = requests.peekable();
    let mut line = String::new();
    while requests.peek().is_some() {
        let batch: Vec<_> = requests.by_ref().take(AT_ONCE).collect();
        stream.write_all(batch.concat().as_bytes()).await.unwrap();
        for _ in &batch {
            let (mut status, mut length) = (0, 0);
            loop {
                line.clear();
                stream.read_line(&mut line).await.unwrap();
                if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                    status = rest[..3].parse().unwrap();
                } else if let Some(rest) =
                    line.to_ascii_lowercase().strip_prefix("content-length: ")
                {
                    length = rest.trim().parse().unwrap();
                } else if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            *statuses.entry(status).or_default() += 1;
        }
    }
    statuses
}

/// The value of an unlabelled metric.
pub async fn metric(service: SocketAddr, name: &str) -> f64 {
    let metrics = ask(service, "/metrics").await;
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.expect("the metric is there").parse().unwrap()
}

/// Two hundred thousand clicks, twice what is counted and kept one by one, each from another
/// address, for another operator and another client's phone. There is a place before ChatHub each
/// second, and who comes much before it is told at once that there is none: the test measures this
/// service alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_strangers_costs_little() {
    const CONNECTIONS: u32 = 20;
    const CLICKS: u32 = 10_000;
    let _turn = ONE_AT_A_TIME.lock().await;
    let chathub = Simulator::start(rules()).unwrap();
    let variables = [
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("RATE_LIMIT_CLIENT", "600/m"),
        ("CHATHUB_MAX_RATE", "1"),
        ("CLICK_BUDGET", "300ms"),
        ("RUST_LOG", "info,open_chat::request=off"),
    ];
    let (_service, address) = serve(&chathub.url(), &variables).await;
    let begun = Instant::now();
    ask(address, "/open-chat?operator=101&phone=0501234567").await;
    let before = chathub.total_calls();
    let series = async || ask(address, "/metrics").await.lines().count();
    let (memory, count) = (
        metric(address, "process_resident_memory_bytes").await,
        series().await,
    );

    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let requests = (0..CLICKS).map(move |click| {
            let number = connection * CLICKS + click;
            let client = std::net::Ipv4Addr::from_bits(0x1400_0000 + number);
            format!(
                "GET /open-chat?operator={}&phone=%2B38050{:07} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n",
                1000 + number,
                number,
            )
        });
        connections.spawn(pipeline(address, requests));
    }
    let mut answered = 0;
    while let Some(statuses) = connections.join_next().await {
        answered += statuses.unwrap().values().sum::<usize>();
    }
    assert_eq!(answered, 200_000);
    let grown = metric(address, "process_resident_memory_bytes").await - memory;
    assert!(grown < 80e6, "{grown} bytes");
    // What nobody could be asked about is not kept, and ChatHub hears of one a second, however long
    // it takes: a second's worth may go out at once, and a second attempt is one more.
    let kept = metric(address, "open_chat_token_cache_entries").await;
    let heard = u32::try_from(chathub.total_calls() - before).unwrap();
    let seconds = begun.elapsed().as_secs();
    assert!(u64::from(heard) <= seconds + 5, "{heard} in {seconds} s");
    assert!(kept <= f64::from(heard + 20), "{kept} kept of {heard}");
    assert!(series().await <= count + 5, "new series");
}
