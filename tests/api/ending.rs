//! How the service ends, as a process that gets signals; and that a rollout loses no click.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::{
    PANEL, PASSWORD, PATIENCE, PROFILE_KEY, eventually, own_address, rules, system_command,
};
use crate::process::{Running, end, open_chat, piped, run};

const CLICK: &str = "/open-chat?operator=101&phone=0501234567";

/// A service as a process of its own.
pub struct Replica {
    address: SocketAddr,
    process: Running,
    client: Client,
}

impl Replica {
    pub async fn start(
        chathub: &Simulator,
        address: SocketAddr,
        variables: &[(&str, &str)],
    ) -> Self {
        let (listen, url) = (address.to_string(), chathub.url());
        let mut all = vec![
            ("ACCESS", "open"),
            ("LISTEN", &listen),
            ("CHATHUB_URL", &url),
            ("CHATHUB_LOGIN", "acme"),
            ("CHATHUB_PASSWORD", PASSWORD),
            ("CHAT_PANEL_URL", PANEL),
            ("RATE_LIMIT_OPERATOR", "1000000/s"),
            ("RATE_LIMIT_CLIENT", "1000000/s"),
        ];
        all.extend(variables);
        let replica = Self::of(address, &all);
        eventually("the replica is ready", async || {
            replica.status("/readyz").await == Some(200)
        })
        .await;
        replica
    }

    /// One whose health is asked for at another address.
    fn start_apart(chathub: &Simulator, ops: &str) -> Self {
        let (address, url) = (own_address(), chathub.url());
        let listen = address.to_string();
        let variables = [
            ("ACCESS", "open"),
            ("LISTEN", listen.as_str()),
            ("OPS_LISTEN", ops),
            ("CHATHUB_URL", &url),
            ("CHATHUB_API_KEY", PROFILE_KEY),
        ];
        Self::of(address, &variables)
    }

    fn of(address: SocketAddr, variables: &[(&str, &str)]) -> Self {
        Self {
            address,
            process: Running::start(&mut open_chat(&["serve"], variables), "listening"),
            client: client(true),
        }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address))
    }

    /// The status of an answer; `None` where nobody answers.
    async fn status(&self, path: &str) -> Option<u16> {
        let url = format!("http://{}{path}", self.address);
        let answer = self.client.get(url).send().await.ok()?;
        Some(answer.status().as_u16())
    }

    /// A request with these headers.
    pub async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let url = format!("http://{}{path}", self.address);
        let request = headers
            .iter()
            .fold(self.client.get(url), |request, (name, value)| {
                request.header(*name, *value)
            });
        request.send().await.unwrap()
    }

    pub fn signal(&self, name: &str) {
        let id = self.process.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit code, once it has ended.
    pub async fn exit(&mut self) -> Option<i32> {
        let child = &mut self.process.child;
        let mut code = None;
        eventually("the process ends", async || {
            let status = child.try_wait().unwrap();
            code = status.and_then(|status| status.code());
            status.is_some()
        })
        .await;
        code
    }
}

/// A client that keeps its connections, or takes a new one for each request.
fn client(keeps: bool) -> Client {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(if keeps { usize::MAX } else { 0 })
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

#[tokio::test]
async fn sigterm_is_told_to_everybody_before_clicks_are_refused() {
    let chathub = Simulator::start(rules()).unwrap();
    // Nothing of what is seen here waits for the end of the delay.
    let mut replica = Replica::start(&chathub, own_address(), &[("DRAIN_DELAY", "1h")]).await;
    assert_eq!(replica.status(CLICK).await, Some(302));
    replica.signal("-TERM");
    eventually("it is not ready any more", async || {
        replica.status("/readyz").await == Some(503)
    })
    .await;
    // On the connection that is kept since before the signal.
    let url = format!("http://{}{CLICK}", replica.address);
    let click = replica.client.get(url).send().await.unwrap();
    assert_eq!(click.status(), 302);
    assert_eq!(click.headers()["connection"], "close");
    assert_eq!(replica.status("/healthz").await, Some(200), "it lives");
    // The default of five seconds would be over.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(replica.status(CLICK).await, Some(302));
    replica.signal("-TERM");
    assert_eq!(replica.exit().await, Some(1), "a second signal");
}

#[tokio::test]
async fn after_its_drain_delay_it_ends() {
    let chathub = Simulator::start(rules()).unwrap();
    let mut replica = Replica::start(&chathub, own_address(), &[("DRAIN_DELAY", "1s")]).await;
    assert_eq!(replica.status(CLICK).await, Some(302));
    let told = Instant::now();
    replica.signal("-TERM");
    assert_eq!(replica.exit().await, Some(0));
    assert!(told.elapsed() >= Duration::from_secs(1), "its drain delay");
}

/// Of two that are told to end at once, one waits for its click, when the other has given up.
#[tokio::test]
async fn a_click_that_runs_has_the_time_that_is_set() {
    let chathub = Simulator::start(rules()).unwrap();
    let start = async |timeout: &str| {
        let variables = [("DRAIN_DELAY", "0"), ("SHUTDOWN_TIMEOUT", timeout)];
        Replica::start(&chathub, own_address(), &variables).await
    };
    let (mut hasty, mut patient) = (start("1s").await, start("1h").await);
    chathub.always(Endpoint::OperatorToken, Some(Fault::Held));
    let click = |replica: &Replica| {
        let (client, url) = (client(false), format!("http://{}{CLICK}", replica.address));
        tokio::spawn(async move { client.get(url).send().await.map(|answer| answer.status()) })
    };
    let (given_up, finished) = (click(&hasty), click(&patient));
    eventually("both mints are on their way", async || {
        chathub.calls(Endpoint::OperatorToken) == 2
    })
    .await;
    hasty.signal("-TERM");
    patient.signal("-TERM");
    assert_eq!(hasty.exit().await, Some(0));
    assert!(given_up.await.unwrap().ok() != Some(StatusCode::FOUND));
    // With one time for both, the other would have ended, too.
    tokio::time::sleep(Duration::from_secs(2)).await;
    chathub.release();
    assert_eq!(finished.await.unwrap().unwrap(), 302);
    assert_eq!(patient.exit().await, Some(0));
}

#[tokio::test]
async fn a_click_that_runs_is_finished() {
    let chathub = Simulator::start(rules()).unwrap();
    chathub.next(Endpoint::OperatorToken, Fault::Held);
    let variables = [("DRAIN_DELAY", "0"), ("SHUTDOWN_TIMEOUT", "5m")];
    let mut replica = Replica::start(&chathub, own_address(), &variables).await;
    let (client, url) = (client(false), format!("http://{}{CLICK}", replica.address));
    let click = tokio::spawn(async move { client.get(url).send().await.unwrap().status() });
    eventually("the mint is on its way", async || {
        chathub.calls(Endpoint::OperatorToken) == 1
    })
    .await;
    replica.signal("-TERM");
    eventually("no more are taken", async || {
        TcpStream::connect(replica.address).await.is_err()
    })
    .await;
    chathub.release();
    assert_eq!(click.await.unwrap(), 302);
    assert_eq!(replica.exit().await, Some(0));
    assert_eq!(replica.status(CLICK).await, None);
}

/// A process that is stopped for a while finds its clocks run out, and requests that have come
/// meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_the_process_stood_still_is_answered() {
    let chathub = Simulator::start(rules()).unwrap();
    let replica = Replica::start(&chathub, own_address(), &[]).await;
    let request = format!("GET {CLICK} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut begun = Vec::new();
    for kept in 0..60 {
        let mut stream = TcpStream::connect(replica.address).await.unwrap();
        if kept % 3 == 0 {
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = [0; 4096];
            assert!(stream.read(&mut answer).await.unwrap() > 0);
        }
        if kept % 3 == 1 {
            stream.write_all(&request.as_bytes()[..10]).await.unwrap();
        }
        begun.push(stream);
    }
    // All of them have reached the service.
    assert_eq!(replica.status(CLICK).await, Some(302));
    replica.signal("-STOP");
    for (kept, stream) in begun.iter_mut().enumerate() {
        let from = if kept % 3 == 1 { 10 } else { 0 };
        stream.write_all(&request.as_bytes()[from..]).await.unwrap();
    }
    for _ in 0..200 {
        let mut stream = TcpStream::connect(replica.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        begun.push(stream);
    }
    // Longer than a head may take.
    tokio::time::sleep(Duration::from_secs(7)).await;
    replica.signal("-CONT");
    for (number, stream) in begun.iter_mut().enumerate() {
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer).await;
        assert!(read.is_ok(), "{number}: {read:?}");
        assert_eq!(&answer, b"HTTP/1.1 302", "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_that_do_not_finish_in_time_are_told_of() {
    let rules = Rules {
        latency: Duration::from_mins(5),
        ..rules()
    };
    let chathub = Simulator::start(rules).unwrap();
    let address = own_address();
    let (listen, url) = (address.to_string(), chathub.url());
    let variables = [
        ("ACCESS", "open"),
        ("LISTEN", listen.as_str()),
        ("CHATHUB_URL", &url),
        ("CHATHUB_API_KEY", PROFILE_KEY),
        ("CHATHUB_ATTEMPT_TIMEOUT", "4m"),
        ("CLICK_BUDGET", "4m"),
        ("DRAIN_DELAY", "0"),
        ("SHUTDOWN_TIMEOUT", "1s"),
    ];
    let child = piped(&mut open_chat(&["serve"], &variables));
    let client = client(false);
    eventually("it answers", async || {
        let url = format!("http://{address}/healthz");
        client.get(url).send().await.is_ok()
    })
    .await;
    let mut clicks = Vec::new();
    for operator in [101, 102, 21] {
        let request = format!("GET /open-chat?operator={operator}&phone=0501234567 HTTP/1.1\r\n");
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all((request + "Host: x\r\n\r\n").as_bytes())
            .await
            .unwrap();
        clicks.push(stream);
    }
    eventually("all three are waited for", async || {
        let url = format!("http://{address}/metrics");
        let text = client.get(url).send().await.unwrap().text().await.unwrap();
        // The one that asks is the fourth.
        text.contains("\nhttp_requests_in_flight 4\n")
    })
    .await;
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(sent.success());
    let ended = tokio::task::spawn_blocking(move || end(child))
        .await
        .unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let line = ended.stdout.lines().find(|line| line.contains("cut off"));
    let line = line.unwrap_or_else(|| panic!("no line: {ended:?}"));
    assert!(
        line.contains("\"WARN\"") && line.contains("\"requests\":3"),
        "{line}"
    );
}

#[rstest]
#[case::ctrl_c("-INT", &[], Some(0))]
#[case::a_second_sigterm("-TERM", &["-TERM"], Some(1))]
#[case::ctrl_c_after_sigterm("-TERM", &["-INT"], Some(1))]
#[tokio::test]
async fn a_person_does_not_have_to_wait(
    #[case] first: &str,
    #[case] then: &[&str],
    #[case] code: Option<i32>,
) {
    let chathub = Simulator::start(rules()).unwrap();
    let mut replica = Replica::start(&chathub, own_address(), &[("DRAIN_DELAY", "1h")]).await;
    replica.signal(first);
    if !then.is_empty() {
        eventually("the first signal has arrived", async || {
            replica.status("/readyz").await == Some(503)
        })
        .await;
    }
    for signal in then {
        replica.signal(signal);
    }
    assert_eq!(replica.exit().await, code);
}

/// A file that whoever reads it waits for: nobody writes to it.
fn silence(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("silence-{name}"));
    let _ = std::fs::remove_file(&path);
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

#[rstest]
#[case::one_signal("0", "-TERM", &[], Some(0))]
#[case::a_second_one("1h", "-TERM", &["-TERM"], Some(1))]
#[tokio::test]
async fn a_name_server_that_does_not_answer_holds_up_no_end(
    #[case] delay: &str,
    #[case] first: &str,
    #[case] then: &[&str],
    #[case] code: Option<i32>,
) {
    // glibc reads this file before it asks a name server.
    let aliases = silence(delay);
    let address = own_address();
    let listen = address.to_string();
    let variables = [
        ("ACCESS", "open"),
        ("LISTEN", listen.as_str()),
        ("CHATHUB_URL", "https://chathub"),
        ("CHATHUB_API_KEY", PROFILE_KEY),
        ("CHATHUB_CONNECT_TIMEOUT", "100ms"),
        ("DRAIN_DELAY", delay),
        ("HOSTALIASES", aliases.to_str().unwrap()),
    ];
    let mut replica = Replica::of(address, &variables);
    eventually("the look-up has been given up", async || {
        let metrics = replica.ask("/metrics", &[]).await.text().await.unwrap();
        metrics
            .lines()
            .any(|line| line.contains("outcome=\"timeout\"") && !line.ends_with(" 0"))
    })
    .await;
    replica.signal(first);
    if !then.is_empty() {
        eventually("the first signal has arrived", async || {
            let health = replica.ask("/healthz", &[]).await;
            health.headers().contains_key("connection")
        })
        .await;
    }
    for signal in then {
        replica.signal(signal);
    }
    assert_eq!(replica.exit().await, code);
}

/// As one behind a firewall: it takes the connection, and nothing comes back.
#[tokio::test]
async fn a_collector_that_does_not_answer_holds_up_no_end() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let collector = format!("http://{}", silent.local_addr().unwrap());
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str()),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000"),
        ("DRAIN_DELAY", "0"),
    ];
    let chathub = Simulator::start(rules()).unwrap();
    let mut replica = Replica::start(&chathub, own_address(), &variables).await;
    assert_eq!(replica.status(CLICK).await, Some(302));
    replica.signal("-TERM");
    assert_eq!(replica.exit().await, Some(0));
}

#[tokio::test]
async fn sighup_ends_nothing() {
    let chathub = Simulator::start(rules()).unwrap();
    let mut replica = Replica::start(&chathub, own_address(), &[("DRAIN_DELAY", "0")]).await;
    replica.signal("-HUP");
    replica.signal("-HUP");
    assert_eq!(replica.status(CLICK).await, Some(302));
    assert_eq!(replica.status("/readyz").await, Some(200));
    replica.signal("-TERM");
    assert_eq!(replica.exit().await, Some(0));
}

#[tokio::test]
async fn health_asks_where_the_service_listens() {
    let chathub = Simulator::start(rules()).unwrap();
    let ops = own_address().to_string();
    let replica = Replica::start_apart(&chathub, &ops);
    let listen = replica.address.to_string();
    let health = |variables: &[(&str, &str)]| run(&mut open_chat(&["health"], variables)).0;
    let both = [("LISTEN", listen.as_str()), ("OPS_LISTEN", ops.as_str())];
    // It has 2 s for its question, which may be too short for a busy machine; what is refused is
    // refused at once.
    let is_found = async |variables: &[(&str, &str)]| {
        eventually("it is healthy", async || health(variables) == Some(0)).await;
    };
    is_found(&both).await;
    assert_eq!(health(&both[..1]), Some(1), "/healthz is on the other port");
    is_found(&[("OPS_LISTEN", &ops)]).await;
    assert_eq!(health(&[("LISTEN", "everywhere")]), Some(78));
}

#[test]
fn the_simulator_ends_on_sigterm() {
    let mut simulator = Running::start(
        &mut open_chat(&["simulate", "--port", "0"], &[]),
        "simulated at",
    );
    let id = simulator.child.id().to_string();
    Command::new("kill").args(["-TERM", &id]).status().unwrap();
    // Had it not listened, there would be no code but a signal.
    assert_eq!(simulator.child.wait().unwrap().code(), Some(0));
}

/// A load balancer before two replicas, as it is usually set up.
struct Balancer {
    address: SocketAddr,
    child: Child,
}

/// It asks each replica for its health, and does not send clicks to one that is not ready.
fn haproxy(address: SocketAddr, [one, two]: [SocketAddr; 2]) -> (String, Vec<&'static str>) {
    let config = format!(
        "defaults\n    mode http\n    timeout connect 5m\n    timeout check 5m\n    timeout client 5m\n    timeout server 5m\n\
         frontend clicks\n    bind {address}\n    default_backend open-chat\n\
         backend open-chat\n    option httpchk GET /readyz\n    option redispatch 1\n    \
         default-server check inter 100ms fall 1 rise 1\n    \
         server one {one}\n    server two {two}\n"
    );
    (config, vec!["-q", "-db", "-f"])
}

/// It does not ask, but tries the other replica where one cannot be reached.
fn nginx(address: SocketAddr, [one, two]: [SocketAddr; 2]) -> (String, Vec<&'static str>) {
    let config = format!(
        "daemon off; master_process off; pid /dev/null; error_log stderr crit;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n    access_log off;\n    client_body_temp_path /tmp; proxy_temp_path /tmp;\n    \
         fastcgi_temp_path /tmp; uwsgi_temp_path /tmp; scgi_temp_path /tmp;\n    \
         upstream open-chat {{ server {one} max_fails=0; server {two} max_fails=0; keepalive 16; }}\n    \
         server {{\n        listen {address};\n        location / {{\n            \
         proxy_pass http://open-chat; proxy_connect_timeout 5m; proxy_read_timeout 5m; proxy_http_version 1.1; proxy_set_header Connection \"\";\n        }}\n    }}\n}}\n"
    );
    (config, vec!["-e", "stderr", "-c"])
}

type Setup = fn(SocketAddr, [SocketAddr; 2]) -> (String, Vec<&'static str>);

impl Balancer {
    async fn start(name: &str, setup: Setup, replicas: [SocketAddr; 2]) -> Self {
        let address = own_address();
        let (config, arguments) = setup(address, replicas);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("balancer-{name}"));
        std::fs::write(&path, config).unwrap();
        let child = system_command(name)
            .args(arguments)
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|_| panic!("no {name}: run tests/setup.sh"));
        let balancer = Self { address, child };
        let (client, url) = (client(false), format!("http://{address}{CLICK}"));
        eventually("a click comes through", async || {
            let answer = client.get(&url).send().await;
            answer.is_ok_and(|answer| answer.status() == 302)
        })
        .await;
        balancer
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Agents who click without a pause, until they are told to stop: how many clicks, and what went
/// wrong.
async fn click_on(url: String, keeps: bool, stop: Arc<AtomicBool>, clicks: Arc<AtomicU32>) {
    let client = client(keeps);
    while !stop.load(Ordering::Relaxed) {
        let answer = client.get(&url).send().await;
        let status = answer.map(|answer| answer.status().as_u16());
        assert!(matches!(status, Ok(302)), "a lost click: {status:?}");
        clicks.fetch_add(1, Ordering::Relaxed);
        // An agent is not a benchmark, and the restarts need the processor too.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[rstest]
#[case::haproxy("haproxy", haproxy)]
#[case::nginx("nginx", nginx)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_rolling_restarts_lose_no_click(#[case] name: &str, #[case] setup: Setup) {
    let chathub = Simulator::start(rules()).unwrap();
    // Twenty times as long as the balancer takes to notice.
    let drain = [("DRAIN_DELAY", "2s"), ("SHUTDOWN_TIMEOUT", "5m")];
    let addresses = [own_address(), own_address()];
    let mut replicas = [
        Replica::start(&chathub, addresses[0], &drain).await,
        Replica::start(&chathub, addresses[1], &drain).await,
    ];
    let balancer = Balancer::start(name, setup, addresses).await;
    let url = format!("http://{}{CLICK}", balancer.address);
    let (stop, clicks) = (Arc::<AtomicBool>::default(), Arc::<AtomicU32>::default());
    let mut agents = JoinSet::new();
    for agent in 0..8 {
        let (stop, clicks) = (Arc::clone(&stop), Arc::clone(&clicks));
        agents.spawn(click_on(url.clone(), agent % 2 == 0, stop, clicks));
    }
    for restart in 0..10 {
        let before = clicks.load(Ordering::Relaxed);
        let replica = &mut replicas[restart % 2];
        replica.signal("-TERM");
        assert_eq!(replica.exit().await, Some(0));
        *replica = Replica::start(&chathub, replica.address, &drain).await;
        // The balancer has to find it before the other one goes.
        eventually("clicks go on", async || {
            clicks.load(Ordering::Relaxed) > before + 100
        })
        .await;
        eventually("the new replica gets clicks", async || {
            let url = format!("http://{}/metrics", replica.address);
            let text = replica.client.get(url).send().await.unwrap().text().await;
            text.unwrap().lines().any(|line| {
                line.starts_with("http_requests_total{")
                    && line.contains("\"302\"")
                    && !line.ends_with(" 0")
            })
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(agent) = agents.join_next().await {
        agent.expect("no click lost");
    }
}
