//! Strangers who want the service's memory: they send what never ends, never read what they get, or
//! keep what they hold. The service is a process, so that the memory that is measured is its own.

use std::net::SocketAddr;
use std::time::Duration;

use chathub_simulator::Simulator;
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::harness::rules;
use crate::process::Running;
use crate::storm::{ONE_AT_A_TIME, metric, serve};

/// Only what never ends takes longer than this, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(4);

const CLICK: &str = "/open-chat?operator=101&phone=0501234567";

/// Connects from an address of this machine's loopback network.
pub async fn connect_from(from: &str, service: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(SocketAddr::new(from.parse().unwrap(), 0))
        .unwrap();
    socket.connect(service).await.unwrap()
}

/// One request from this address, over a connection of its own: the answer's status.
pub async fn status_from(from: &str, service: SocketAddr, path: &str) -> u16 {
    let exchange = async {
        let mut stream = connect_from(from, service).await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer[9..12].parse().unwrap()
    };
    tokio::time::timeout(PATIENCE, exchange)
        .await
        .expect("an answer")
}

/// A line of the process's `/proc/…/status`, in bytes.
pub fn memory(process: &Running, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.child.id())).unwrap();
    let kilobytes = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))
        .unwrap();
    let kilobytes = kilobytes.trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() * 1024
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// A head of about so many bytes, whose end is missing.
fn half_head(bytes: usize) -> String {
    let line = format!("Cookie: {}\r\n", "x".repeat(1000));
    let head = format!("GET {CLICK} HTTP/1.1\r\nHost: x\r\n");
    head + &line.repeat(bytes / line.len())
}

/// What a stranger does with a connection, until the service ends it.
#[derive(Clone, Copy, Debug)]
enum Stranger {
    /// Asks for many things in one go, again and again, and reads nothing.
    NeverReads,
    /// Sends a head of 100 KB without its end.
    HalfOfAGreatHead,
    /// Sends a whole head of 100 KB, then keeps the connection.
    GreatHead,
    /// Asks for large documents and takes a few bytes of them at a time.
    ReadsSlowly,
    /// Sends a body in chunks that never ends.
    EndlessBody,
    /// Says that a long body is to come, and sends a part of it.
    HalfOfABody,
    /// Sends a head byte by byte.
    Drips,
    /// Sends nothing at all.
    Silent,
}

impl Stranger {
    /// Ends once the service has ended the connection.
    async fn trouble(self, service: SocketAddr) {
        let stream = connect_from("127.0.0.1", service).await;
        let (mut reader, mut writer) = stream.into_split();
        let mut rest = Vec::new();
        match self {
            Self::NeverReads => {
                let many = request("/x").repeat(14_000);
                while writer.write_all(many.as_bytes()).await.is_ok() {}
            }
            Self::HalfOfAGreatHead => {
                let _ = writer.write_all(half_head(100_000).as_bytes()).await;
                let _ = reader.read_to_end(&mut rest).await;
            }
            Self::GreatHead => {
                let head = half_head(100_000) + "\r\n";
                let _ = writer.write_all(head.as_bytes()).await;
                let _ = reader.read_to_end(&mut rest).await;
            }
            Self::ReadsSlowly => {
                let many = request("/openapi.json").repeat(200);
                let writing = async { while writer.write_all(many.as_bytes()).await.is_ok() {} };
                let reading = async {
                    let mut few = [0; 16];
                    while reader.read(&mut few).await.is_ok_and(|read| read > 0) {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                };
                tokio::select! {
                    () = writing => {}
                    () = reading => {}
                }
            }
            Self::EndlessBody => {
                let head = "POST /links HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
                let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
                let writing = async {
                    let _ = writer.write_all(head.as_bytes()).await;
                    while writer.write_all(chunk.as_bytes()).await.is_ok() {}
                };
                tokio::join!(writing, async {
                    let _ = reader.read_to_end(&mut rest).await;
                });
            }
            Self::HalfOfABody => {
                let head = "POST /links HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n\r\n";
                let body = head.to_owned() + &"x".repeat(15_000);
                let _ = writer.write_all(body.as_bytes()).await;
                let _ = reader.read_to_end(&mut rest).await;
            }
            Self::Drips => {
                let dripping = async {
                    while writer.write_all(b"G").await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                };
                tokio::join!(dripping, async {
                    let _ = reader.read_to_end(&mut rest).await;
                });
            }
            Self::Silent => drop(reader.read_to_end(&mut rest).await),
        }
    }
}

/// What a start without these variables has.
const AS_SERVED: [(&str, &str); 2] = [("TRUSTED_PROXIES", ""), ("MAX_CONNECTIONS", "10000")];

#[rstest]
#[case::never_read(Stranger::NeverReads, 24, 64)]
#[case::many_never_read(Stranger::NeverReads, 250, 64)]
#[case::half_heads(Stranger::HalfOfAGreatHead, 400, 30)]
#[case::great_heads(Stranger::GreatHead, 400, 30)]
#[case::slow_readers(Stranger::ReadsSlowly, 200, 64)]
#[case::endless_bodies(Stranger::EndlessBody, 400, 64)]
#[case::half_bodies(Stranger::HalfOfABody, 400, 64)]
#[case::drips(Stranger::Drips, 600, 64)]
#[case::silent(Stranger::Silent, 600, 64)]
#[tokio::test(flavor = "multi_thread")]
async fn strangers_cost_little_memory_are_sent_away_and_hold_up_nobody(
    #[case] stranger: Stranger,
    #[case] connections: usize,
    #[case] megabytes: u64,
) {
    let _turn = ONE_AT_A_TIME.lock().await;
    let chathub = Simulator::start(rules()).unwrap();
    let (service, address) = serve(&chathub.url(), &AS_SERVED).await;
    assert_eq!(status_from("127.0.0.2", address, CLICK).await, 302);
    let before = memory(&service, "VmRSS");
    let mut strangers = JoinSet::new();
    for _ in 0..connections {
        strangers.spawn(async move { stranger.trouble(address).await });
    }
    let all_gone = async { while strangers.join_next().await.is_some() {} };
    let others = async {
        for _ in 0..50 {
            assert_eq!(status_from("127.0.0.2", address, CLICK).await, 302);
        }
    };
    let both = async { tokio::join!(all_gone, others) };
    tokio::time::timeout(PATIENCE, both)
        .await
        .unwrap_or_else(|_| panic!("{stranger:?}: the service does not end the connection"));
    let most = memory(&service, "VmHWM").saturating_sub(before);
    println!(
        "{stranger:?}: {connections} connections, {} KB at most",
        most / 1024
    );
    assert!(most < megabytes << 20, "{stranger:?}: {most} bytes");
    assert_eq!(status_from("127.0.0.2", address, CLICK).await, 302);
    // Why they were sent away, where there is one reason only.
    let reason = match (stranger, connections) {
        (Stranger::NeverReads, 24) => "write-timeout",
        (Stranger::HalfOfAGreatHead, _) => "head-too-large",
        (Stranger::Drips, _) => "head-timeout",
        _ => return,
    };
    let series = format!("open_chat_connections_cut_total{{reason=\"{reason}\"}}");
    assert!(metric(address, &series).await >= 1.0, "{reason}");
}

/// Heads as large as they may be leave nothing behind that grows with the connections that stay.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_have_sent_great_heads_are_kept_for_little() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let chathub = Simulator::start(rules()).unwrap();
    let (service, address) = serve(&chathub.url(), &AS_SERVED).await;
    let before = memory(&service, "VmRSS");
    let mut kept = Vec::new();
    for _ in 0..400 {
        let mut stream = connect_from("127.0.0.1", address).await;
        let head = half_head(15_000) + "\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 302");
        kept.push(stream);
    }
    let most = memory(&service, "VmHWM").saturating_sub(before);
    println!("400 kept: {} KB at most", most / 1024);
    assert!(most < 30 << 20, "{most} bytes");
    drop(kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_holds_half_of_the_connections_and_trusted_proxies_more() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let chathub = Simulator::start(rules()).unwrap();
    let variables = [("MAX_CONNECTIONS", "9"), ("TRUSTED_PROXIES", "127.0.0.3")];
    let (_service, address) = serve(&chathub.url(), &variables).await;
    // Half of nine, rounded up.
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut stream = connect_from("127.0.0.2", address).await;
        stream.write_all(request(CLICK).as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 302");
        held.push(stream);
    }
    for _ in 0..50 {
        let mut further = connect_from("127.0.0.2", address).await;
        let end = tokio::time::timeout(PATIENCE, further.read(&mut [0])).await;
        // Closed, with or without a reset.
        assert!(matches!(end.expect("it is closed"), Ok(0) | Err(_)));
    }
    assert_eq!(status_from("127.0.0.1", address, CLICK).await, 302);
    let series = "open_chat_connections_cut_total{reason=\"too-many\"}";
    assert!((metric(address, series).await - 50.0).abs() < f64::EPSILON);
    // One that goes makes room for another.
    drop(held.pop());
    crate::harness::eventually("there is room again", async || {
        let mut stream = connect_from("127.0.0.2", address).await;
        let _ = stream.write_all(request(CLICK).as_bytes()).await;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.is_ok()
    })
    .await;
    held.clear();
    let mut proxied = Vec::new();
    for _ in 0..8 {
        let mut stream = connect_from("127.0.0.3", address).await;
        stream.write_all(request(CLICK).as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        proxied.push(stream);
    }
}
