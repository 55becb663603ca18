//! A process that may have few descriptors: connections leave some for everything else.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chathub_simulator::{Endpoint, Simulator};
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::floods::{connect_from, status_from};
use crate::harness::{PASSWORD, eventually, own_address, rules};
use crate::process::{Running, open_chat, run};
use crate::storm::ONE_AT_A_TIME;

const CLICK: &str = "/open-chat?operator=101&phone=0501234567";

/// The program with these limits on descriptors, `soft:hard`.
fn limited(limits: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new("prlimit");
    command
        .arg(format!("--nofile={limits}"))
        .arg(env!("CARGO_BIN_EXE_open-chat"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied());
    command
}

async fn metrics(ops: SocketAddr) -> String {
    let mut stream = connect_from("127.0.0.1", ops).await;
    let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// Opens so many connections from 127.0.0.1 and holds all that the service does not close: an
/// answer each now and then keeps them.
async fn hold(connections: usize, service: SocketAddr) -> JoinSet<()> {
    let settled = Arc::<AtomicUsize>::default();
    let mut held = JoinSet::new();
    for _ in 0..connections {
        let settled = Arc::clone(&settled);
        held.spawn(async move {
            let mut stream = connect_from("127.0.0.1", service).await;
            let request = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
            let mut is_settled = false;
            loop {
                let sent = stream.write_all(request).await;
                let read = stream.read(&mut [0; 4096]).await;
                if !std::mem::replace(&mut is_settled, true) {
                    settled.fetch_add(1, Ordering::Relaxed);
                }
                if sent.is_err() || !read.is_ok_and(|read| read > 0) {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(20)).await;
            }
        });
    }
    let all = async {
        while settled.load(Ordering::Relaxed) < connections {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_mins(4), all).await;
    in_time.expect("each is kept or closed");
    while held.try_join_next().is_some() {}
    held
}

#[rstest]
#[case::soft("1024:20000", None)]
#[case::hard("1024:1024", Some("10000"))]
#[case::few("64:64", Some("10000"))]
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_leave_descriptors_for_everything_else(
    #[case] limits: &str,
    #[case] warned_of: Option<&str>,
) {
    let _turn = ONE_AT_A_TIME.lock().await;
    let redis = crate::redis::Redis::start();
    let chathub = Simulator::start(rules()).unwrap();
    let (address, ops) = (own_address(), own_address());
    let (listen, ops_listen, url, redis_url) = (
        address.to_string(),
        ops.to_string(),
        chathub.url(),
        redis.url(),
    );
    let variables = [
        ("ACCESS", "open"),
        ("LISTEN", listen.as_str()),
        ("OPS_LISTEN", &ops_listen),
        ("CHATHUB_URL", &url),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", PASSWORD),
        ("REDIS_URL", &redis_url),
    ];
    let service = Running::start(
        &mut limited(limits, &["serve"], &variables),
        "\"listening\"",
    );
    let warning = service
        .printed
        .lines()
        .find(|line| line.contains("MAX_CONNECTIONS"));
    match warned_of {
        Some(wanted) => {
            let warning = warning.expect("a warning");
            let (_, hard) = limits.split_once(':').unwrap();
            assert!(warning.contains("WARN"), "{warning}");
            assert!(
                warning.contains(wanted) && warning.contains(hard),
                "{warning}"
            );
        }
        None => assert_eq!(warning, None),
    }
    eventually("the service is ready", async || {
        status_from("127.0.0.1", ops, "/readyz").await == 200
    })
    .await;

    let held = hold(1300, address).await;
    for operator in [101, 102, 21, 23] {
        let cold = format!("/open-chat?operator={operator}&phone=0501234567");
        let status = status_from("127.0.0.2", address, &cold).await;
        assert!(matches!(status, 302 | 403 | 404), "{operator}: {status}");
        assert_eq!(status_from("127.0.0.1", ops, "/healthz").await, 200);
        assert_eq!(status_from("127.0.0.1", ops, "/readyz").await, 200);
    }
    assert_eq!(status_from("127.0.0.2", address, CLICK).await, 302);
    assert!(
        chathub.calls(Endpoint::OperatorToken) >= 2,
        "cold clicks got through"
    );
    // On a busy machine Redis may have been slow for a moment; it is not away.
    let reached = async {
        while !metrics(ops)
            .await
            .contains("\nopen_chat_redis_degraded 0\n")
        {
            status_from("127.0.0.2", address, CLICK).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_mins(2), reached).await;
    in_time.expect("Redis is reached");
    assert!(!held.is_empty(), "some are held all the time");
}

/// Where one address may not use up the descriptors, several can, or a trusted proxy: what is kept
/// back is still there.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_holds_every_connection_leaves_the_rest_as_it_was() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let chathub = Simulator::start(rules()).unwrap();
    let (address, ops) = (own_address(), own_address());
    let (listen, ops_listen, url) = (address.to_string(), ops.to_string(), chathub.url());
    let variables = [
        ("ACCESS", "open"),
        ("LISTEN", listen.as_str()),
        ("OPS_LISTEN", &ops_listen),
        ("CHATHUB_URL", &url),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", PASSWORD),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let _service = Running::start(
        &mut limited("1024:1024", &["serve"], &variables),
        "\"listening\"",
    );
    eventually("the service is ready", async || {
        status_from("127.0.0.1", ops, "/readyz").await == 200
    })
    .await;
    let mut first = connect_from("127.0.0.1", address).await;
    let ask = |operator: u32| {
        format!("GET /open-chat?operator={operator}&phone=0501234567 HTTP/1.1\r\nHost: x\r\n\r\n")
    };
    let mut answer = [0; 4096];
    first.write_all(ask(101).as_bytes()).await.unwrap();
    assert!(first.read(&mut answer).await.unwrap() > 12);
    let mut held = Vec::new();
    for _ in 0..1300 {
        held.push(connect_from("127.0.0.1", address).await);
    }
    // A cold click on a connection that is there already.
    first.write_all(ask(102).as_bytes()).await.unwrap();
    assert!(first.read(&mut answer).await.unwrap() > 12);
    assert_eq!(&answer[..12], b"HTTP/1.1 302");
    assert_eq!(status_from("127.0.0.2", ops, "/healthz").await, 200);
    // Those that never sent anything are sent away by and by.
    assert_eq!(status_from("127.0.0.2", address, CLICK).await, 302);
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_a_limit_that_does_not_fit() {
    let chathub = Simulator::start(rules()).unwrap();
    let url = chathub.url();
    let variables = [
        ("ACCESS", "open"),
        ("CHATHUB_URL", url.as_str()),
        ("CHATHUB_LOGIN", "acme"),
        ("CHATHUB_PASSWORD", PASSWORD),
        ("MAX_CONNECTIONS", "5000"),
    ];
    let (code, printed) = run(&mut limited("256:1024", &["check"], &variables));
    assert_eq!(code, Some(0), "{printed}");
    let line = printed.lines().find(|line| line.contains("connections"));
    let line = line.expect("a line");
    assert!(line.starts_with("warning"), "{printed}");
    assert!(line.contains("5000") && line.contains("1024"), "{printed}");
    assert!(printed.contains("LimitNOFILE"), "{printed}");
    let (code, printed) = run(&mut open_chat(&["check"], &variables));
    assert_eq!(code, Some(0), "{printed}");
    assert!(!printed.contains("connections"), "{printed}");
}
