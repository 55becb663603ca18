//! Replicas that share what they count, with a real Redis; and what becomes of them when it is
//! away.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use chathub_simulator::{Endpoint, Fault};
use jsonwebtoken::{EncodingKey, Header};
use open_chat::config::Config;
use serde_json::json;

use crate::harness::{Problem, Service, eventually, file, log, own_address, rules};
use crate::once::once;
use crate::process::Running;
use crate::redis_proxy::RedisProxy;

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";
pub const DEGRADED: &str = "open_chat_redis_degraded";

/// A Redis of one test's own.
pub struct Redis {
    process: Option<Running>,
    address: SocketAddr,
    options: Vec<String>,
}

impl Redis {
    pub fn start() -> Self {
        Self::with(Vec::new())
    }

    /// A node of a Redis Cluster that has no slots yet.
    pub fn in_cluster() -> Self {
        let nodes = file("nodes.conf", "");
        let options = ["--cluster-enabled", "yes", "--cluster-config-file"];
        let mut options = options.map(ToOwned::to_owned).to_vec();
        options.push(nodes.to_str().unwrap().to_owned());
        Self::with(options)
    }

    fn with(options: Vec<String>) -> Self {
        let mut redis = Self {
            options,
            process: None,
            // It comes back here after its end, so nobody else must take the place meanwhile.
            address: own_address(),
        };
        redis.restart();
        redis
    }

    fn restart(&mut self) {
        let (address, port) = (
            self.address.ip().to_string(),
            self.address.port().to_string(),
        );
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            &address,
            "--port",
            &port,
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.args(&self.options);
        if !self.options.is_empty() {
            command.args(["--cluster-announce-ip", &address]);
        }
        self.process = Some(Running::start(&mut command, "Ready to accept connections"));
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// What it answers to a command, in full.
    pub fn command(&self, command: &str) -> String {
        let mut connection = TcpStream::connect(self.address).unwrap();
        write!(connection, "{command}\r\nQUIT\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(!answer.starts_with('-'), "{answer}");
        answer
    }

    /// How often it was asked to count something.
    fn counts(&self) -> u64 {
        self.told("INFO commandstats", "cmdstat_evalsha:calls=")
    }

    /// The number behind a word in what it answers; 0 where it says nothing of it.
    pub fn told(&self, command: &str, word: &str) -> u64 {
        let answer = self.command(command);
        let Some((_, rest)) = answer.split_once(word) else {
            return 0;
        };
        let end = rest.find(|c: char| !c.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().expect(word)
    }

    fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// Sends it a signal by name: STOP freezes it, CONT thaws it.
    fn signal(&self, name: &str) {
        let id = self
            .process
            .as_ref()
            .expect("it runs")
            .child
            .id()
            .to_string();
        let status = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status();
        assert!(status.unwrap().success());
    }
}

/// Waits until all replicas share their counts.
pub async fn is_found(service: &Service) {
    eventually("Redis is found", async || {
        service.metric(DEGRADED).await == 0
    })
    .await;
}

pub async fn replica(redis: &Redis, variables: &[(&str, &str)]) -> Service {
    let url = redis.url();
    let mut all = vec![("REDIS_URL", url.as_str())];
    all.extend(variables);
    let service = Service::start_with(rules(), &all).await;
    is_found(&service).await;
    service
}

fn one_time_pass(id: &str) -> String {
    let ends = chrono::Utc::now().timestamp() + 3600;
    let claims = json!({"sub": "101", "jti": id, "exp": ends});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap()
}

#[tokio::test]
async fn two_replicas_share_one_count() {
    let redis = Redis::start();
    let limits = [("RATE_LIMIT_OPERATOR", "5/h")];
    let click = "operator=101&phone=0501234567";
    let (one, other) = (
        replica(&redis, &limits).await,
        replica(&redis, &limits).await,
    );
    for service in [&one, &other, &one, &other, &one] {
        service.destination(click).await;
    }
    for service in [&one, &other] {
        let problem = service.refusal(click).await;
        assert_eq!(problem.kind, "rate-limited");
        assert!(
            (600..=720).contains(&problem.retry_after.unwrap()),
            "{problem:?}"
        );
    }
    other.destination("operator=102&phone=0501234567").await;
}

/// As after Redis' clock went back by an hour, or after a failover to one whose clock is behind.
#[tokio::test]
async fn an_arrival_that_cannot_be_limits_nobody() {
    let redis = Redis::start();
    let limits = [
        ("RATE_LIMIT_OPERATOR", "30/h"),
        ("RATE_LIMIT_CLIENT", "600/m"),
    ];
    let click = "operator=101&phone=0501234567";
    // 101, and 127.0.0.1, in hexadecimal digits.
    let keys = [
        "open-chat:{shared}:limit:operator:65",
        "open-chat:{shared}:limit:client:7f000001",
    ];
    let service = replica(&redis, &limits).await;
    let now = chrono::Utc::now().timestamp_micros();
    let ahead = now + 7_200_000_000;
    for key in keys {
        redis.command(&format!("SET {key} {ahead} PX 7200000"));
    }
    service.destination(click).await;
    for key in keys {
        // By now it may be over.
        let left = redis.told(&format!("PTTL {key}"), ":");
        assert!(left <= 3_600_001, "{key}: {left}");
    }
    // What is no time at all counts for nothing either, and is no fault of Redis'.
    for text in ["nan", "never", "-1"] {
        redis.command(&format!("SET {} {text}", keys[0]));
        service.destination(click).await;
    }
    // An arrival that can be still limits.
    let full = chrono::Utc::now().timestamp_micros() + 3_599_000_000;
    redis.command(&format!("SET {} {full} PX 3600000", keys[0]));
    let problem = service.refusal(click).await;
    assert_eq!(problem.kind, "rate-limited");
    assert!(problem.retry_after.unwrap() <= 120, "{problem:?}");
}

/// Redis at the other end of a country: limits are counted here, one-time links wait for it, and
/// the gauge does not flap.
#[tokio::test]
async fn a_slow_redis_loses_no_one_time_link_and_does_not_flap() {
    let redis = Redis::start();
    let proxy = RedisProxy::before(&redis).await;
    let access = [("ACCESS", "pass,open"), ("PASS_SECRET", SECRET)];
    let service = proxy.replica(&access).await;
    proxy.delay(&[45, 30, 60, 55, 38]);
    let (mut changes, mut before) = (0, 0);
    for number in 0..60 {
        let click = once(&format!("slow-{number}"));
        service.destination(&click).await;
        assert_eq!(service.refusal(&click).await.kind, "pass-used");
        let now = service.metric(DEGRADED).await;
        changes += u32::from(now != before);
        before = now;
    }
    assert!(changes <= 1, "{changes}");
    proxy.delay(&[]);
    is_found(&service).await;
}

#[tokio::test]
async fn a_redis_that_evicts_is_told_of() {
    let redis = Redis::start();
    redis.command("CONFIG SET maxmemory-policy allkeys-lfu");
    let _service = replica(&redis, &[]).await;
    eventually("the log says so", async || {
        log().contains(r#""maxmemory_policy":"allkeys-lfu""#)
    })
    .await;
}

#[tokio::test]
async fn a_one_time_pass_is_one_time_among_replicas() {
    let redis = Redis::start();
    let access = [("ACCESS", "pass"), ("PASS_SECRET", SECRET)];
    let (one, other) = (
        replica(&redis, &access).await,
        replica(&redis, &access).await,
    );
    let click = format!("phone=0501234567&pass={}", one_time_pass("one"));
    one.destination(&click).await;
    assert_eq!(other.refusal(&click).await.kind, "pass-used");
    assert_eq!(one.refusal(&click).await.kind, "pass-used");
    // One that has led to no chat is good again, everywhere.
    let click = format!("phone=0501234567&pass={}", one_time_pass("three"));
    other
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(500)));
    assert_eq!(other.refusal(&click).await.kind, "chathub-unavailable");
    other.chathub.always(Endpoint::OperatorToken, None);
    eventually("the pass is good again", async || {
        one.click(&click).await.status() == 302
    })
    .await;
    assert_eq!(other.refusal(&click).await.kind, "pass-used");
    other
        .destination(&format!("phone=0501234567&pass={}", one_time_pass("two")))
        .await;
}

/// Clicks for a while as fast as they are answered: all succeed, and the slowest took so long.
async fn slowest_of_many(service: &Service, clicks: usize) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..clicks {
        let started = Instant::now();
        service.destination("operator=101&phone=0501234567").await;
        slowest = slowest.max(started.elapsed());
    }
    slowest
}

/// What a click may lose by it, which the services of these tests have more of.
#[test]
fn redis_has_40_ms_to_answer() {
    let variables = [
        ("ACCESS", "open"),
        ("CHATHUB_API_KEY", "canary-profile-key"),
    ];
    let config = Config::from_vars(variables.map(|(n, v)| (n.into(), v.into())));
    let patience = config.ok().map(|config| config.redis.timeout);
    assert_eq!(patience, Some(Duration::from_millis(40)));
}

#[tokio::test]
async fn redis_may_die_freeze_and_come_back_under_load() {
    // Far below any time-out of TCP.
    const SOON: Duration = Duration::from_mins(1);
    let mut redis = Redis::start();
    let url = redis.url();
    let variables = [
        ("ACCESS", "pass,open"),
        ("PASS_SECRET", SECRET),
        ("REDIS_URL", &url),
    ];
    // A busy machine's Redis needs more than the service's own 40 ms.
    let service = Service::start_at(rules(), &variables, &[], Duration::from_secs(2));
    service.wait_until_ready().await;
    is_found(&service).await;
    slowest_of_many(&service, 20).await;

    let asked = redis.counts();
    redis.signal("STOP");
    let stopped = Instant::now();
    let slowest = slowest_of_many(&service, 200).await;
    assert!(slowest < SOON, "{slowest:?}");
    assert_eq!(service.metric(DEGRADED).await, 1);
    let once = format!("phone=0501234567&pass={}", one_time_pass("frozen"));
    let problem = Problem::read(service.click(&once).await).await;
    assert_eq!((problem.status, problem.kind.as_str()), (503, "overloaded"));
    assert_eq!(problem.retry_after, Some(5));
    redis.signal("CONT");
    is_found(&service).await;
    // One click has found out, and the others have not asked any more: what is answered now comes
    // of that one, and of two probes a second.
    let asked = redis.counts() - asked;
    let probes = stopped.elapsed().as_secs() * 2;
    assert!(asked <= probes + 5, "{asked} in {:?}", stopped.elapsed());
    service.destination(&once).await;

    redis.kill();
    let slowest = slowest_of_many(&service, 50).await;
    assert!(slowest < SOON, "{slowest:?}");
    eventually("it is missed", async || service.metric(DEGRADED).await == 1).await;
    redis.restart();
    is_found(&service).await;
    slowest_of_many(&service, 20).await;
}

/// As after a failover that has made this Redis the copy of another: it answers, and counts
/// nothing.
#[tokio::test]
async fn a_redis_that_only_reads_is_as_good_as_none() {
    let redis = Redis::start();
    let service = replica(&redis, &[("RATE_LIMIT_OPERATOR", "3/h")]).await;
    service.destination("operator=102&phone=0501234567").await;
    redis.command("REPLICAOF 127.0.0.1 1");
    for _ in 0..3 {
        service.destination("operator=101&phone=0501234567").await;
    }
    assert_eq!(
        service.refusal("operator=101&phone=0501234567").await.kind,
        "rate-limited"
    );
    // It stays so, however often Redis is asked whether it is well.
    let asked = redis.counts();
    eventually("it is asked again and again", async || {
        redis.counts() > asked + 2
    })
    .await;
    assert_eq!(service.metric(DEGRADED).await, 1);
    redis.command("REPLICAOF NO ONE");
    is_found(&service).await;
}

/// The log says what Redis itself calls it.
#[tokio::test]
async fn what_redis_complains_of_is_logged_by_its_name() {
    let redis = Redis::start();
    redis.command("CONFIG SET requirepass canary-redis-password");
    let url = redis.url();
    let service = Service::start_with(rules(), &[("REDIS_URL", &url)]).await;
    eventually("NOAUTH is told", async || {
        log().contains(r#""trouble":"NOAUTH""#)
    })
    .await;
    assert_eq!(service.metric(DEGRADED).await, 1);

    let redis = Redis::start();
    let service = replica(&redis, &[]).await;
    redis.command("CONFIG SET maxmemory 1");
    eventually("OOM is told", async || log().contains(r#""trouble":"OOM""#)).await;
    service.destination("operator=101&phone=0501234567").await;
}

#[tokio::test]
async fn its_password_rotates_without_a_restart() {
    let redis = Redis::start();
    redis.command("CONFIG SET requirepass canary-redis-password");
    let url = |password| format!("redis://:{password}@{}/0\n", redis.address);
    let path = file("redis-url", &url("canary-redis-wrong"));
    let settings = [("REDIS_URL_FILE", path.to_str().unwrap())];
    let service = Service::start_with(rules(), &settings).await;
    let failed = r#"open_chat_file_reload_failed{file="REDIS_URL"}"#;
    service.destination("operator=101&phone=0501234567").await;
    assert_eq!(service.metric(DEGRADED).await, 1);
    eventually("files are looked at", async || {
        let metrics = service.ops("/metrics").await.text().await;
        metrics.unwrap().contains(failed)
    })
    .await;

    std::fs::write(&path, "canary-no-url").unwrap();
    eventually("it is found out", async || {
        service.metric(failed).await == 1
    })
    .await;
    std::fs::write(&path, url("canary-redis-password")).unwrap();
    is_found(&service).await;
    assert_eq!(service.metric(failed).await, 0);
}

#[tokio::test]
async fn a_refused_login_is_tried_again() {
    let redis = Redis::start();
    redis.command("ACL SETUSER chat on >canary-redis-other allkeys allcommands");
    let url = format!("redis://chat:canary-redis-password@{}/0", redis.address);
    let service = Service::start_with(rules(), &[("REDIS_URL", &url)]).await;
    eventually("it is refused", async || {
        redis.told("INFO commandstats", "cmdstat_auth:calls=") > 4
    })
    .await;
    assert_eq!(service.metric(DEGRADED).await, 1);
    redis.command("ACL SETUSER chat >canary-redis-password");
    is_found(&service).await;
}

#[tokio::test]
async fn the_rights_that_the_documents_name_are_enough() {
    const RIGHTS: &str = "~open-chat:* +time +get +set +del +evalsha +script|load";
    assert!(include_str!("../../docs/runbook.md").contains(RIGHTS));
    let redis = Redis::start();
    redis.command(&format!(
        "ACL SETUSER chat on >canary-redis-password {RIGHTS}"
    ));
    let url = format!("redis://chat:canary-redis-password@{}/0", redis.address);
    let access = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
        ("REDIS_URL", &url),
    ];
    let service = Service::start_with(rules(), &access).await;
    is_found(&service).await;
    let click = format!("phone=0501234567&pass={}", one_time_pass("rights"));
    let mint = Endpoint::OperatorToken;
    service.chathub.always(mint, Some(Fault::Status(500)));
    assert_eq!(service.refusal(&click).await.kind, "chathub-unavailable");
    service.chathub.always(mint, None);
    eventually("the pass is good again", async || {
        service.click(&click).await.status() == 302
    })
    .await;
    assert_eq!(service.refusal(&click).await.kind, "pass-used");
}

#[tokio::test]
async fn without_redis_this_replica_counts_for_itself() {
    let variables = [
        ("REDIS_URL", "redis://127.0.0.1:1/"),
        ("RATE_LIMIT_OPERATOR", "3/h"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    assert_eq!(service.metric(DEGRADED).await, 1);
    for _ in 0..3 {
        service.destination("operator=101&phone=0501234567").await;
    }
    assert_eq!(
        service.refusal("operator=101&phone=0501234567").await.kind,
        "rate-limited"
    );
}

#[tokio::test]
async fn who_may_be_showing_a_used_pass_counts_for_the_address_alone() {
    let variables = [
        ("REDIS_URL", "redis://127.0.0.1:1/"),
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
        ("RATE_LIMIT_OPERATOR", "2/h"),
        ("RATE_LIMIT_CLIENT", "4/h"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let click = format!("phone=0501234567&pass={}", one_time_pass("unknown"));
    for expected in [
        "overloaded",
        "overloaded",
        "overloaded",
        "overloaded",
        "rate-limited",
    ] {
        assert_eq!(service.refusal(&click).await.kind, expected);
    }
    let by_operator = r#"open_chat_rate_limited_total{limit="operator"}"#;
    assert_eq!(service.metric(by_operator).await, 0);
}
