//! Connections that somebody holds without a use for them, and those that only look like it.

use std::io::ErrorKind;
use std::time::Duration;

use open_chat::simulator::{Endpoint, Fault, Rules};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Service, rules};

/// Far longer than the 5 s of a head, however busy the machine is, and shorter than the 75 s of an idle connection: what ends within this
/// time was cut off.
const PATIENCE: Duration = Duration::from_mins(1);

const CLICK: &str = "/open-chat?operator=101&phone=0501234567";
const HALF_A_HEAD: &str = "GET /open-chat?operator=102&phone=0501234567 HTTP/1.1\r\nHost: open";

/// Longer than a head may take: what is still there after it is there to stay.
const PAST_THE_DEADLINE: Duration = Duration::from_secs(7);

/// A connection as its client sees it.
struct Line(TcpStream);

impl Line {
    async fn open(service: &Service) -> Self {
        let address = service.url().trim_start_matches("http://");
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    /// One that has had an answer already.
    async fn kept(service: &Service) -> Self {
        let mut line = Self::open(service).await;
        assert_eq!(line.ask(CLICK).await, 302);
        line
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("it is sent");
    }

    /// Sends a whole request, and reads the whole answer: its status.
    async fn ask(&mut self, path: &str) -> u16 {
        self.send(&request(path)).await;
        self.answer().await
    }

    async fn answer(&mut self) -> u16 {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let byte = self.0.read_u8().await.expect("an answer");
            head.push(char::from(byte));
        }
        let head = head.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("a body");
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Begins a head, goes on with it byte by byte if asked to, and fails where the connection does not end in time.
    async fn ends(mut self, what: &str, beginning: &str, drips: bool) {
        self.send(beginning).await;
        let (mut reader, mut writer) = self.0.into_split();
        let mut rest = Vec::new();
        // That it is closed in the middle of something is an end as well.
        let end = tokio::time::timeout(PATIENCE, reader.read_to_end(&mut rest));
        let dripping = async {
            while drips && writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            end = end => assert!(end.is_ok(), "{what}: still open after {PATIENCE:?}"),
            () = dripping => {}
        }
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: open-chat\r\n\r\n")
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut_on_every_request_of_a_connection() {
    let service = Service::start().await;
    let (half, drips) = (Line::kept(&service).await, Line::kept(&service).await);
    let (chained, blank) = (Line::kept(&service).await, Line::kept(&service).await);
    let (body, no_body) = (Line::kept(&service).await, Line::kept(&service).await);
    let (first_half, first_drips) = (Line::open(&service).await, Line::open(&service).await);
    let calls = service.chathub.total_calls();
    let behind_a_click = format!("{}{HALF_A_HEAD}", request(CLICK));
    let chunked = "POST /open-chat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let drop_of_chunk = format!("{chunked}9999\r\n\n\n");
    tokio::join!(
        first_half.ends("half a first head", HALF_A_HEAD, false),
        first_drips.ends("a first head that drips", HALF_A_HEAD, true),
        half.ends("half a second head", HALF_A_HEAD, false),
        drips.ends("a second head that drips", HALF_A_HEAD, true),
        chained.ends("half a head behind a request", &behind_a_click, false),
        blank.ends("empty lines, then a drip", "\r\n\r\n", true),
        body.ends("a body that drips behind its refusal", &drop_of_chunk, true),
        no_body.ends("a body that never comes", chunked, false),
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

#[tokio::test]
async fn what_only_waits_is_not_cut() {
    let rules = Rules {
        operators: 3,
        ..rules()
    };
    let service = Service::start_with(rules, &[]).await;
    let mut idle = Line::kept(&service).await;
    // The second click is warm: answered at once, before anything else is read.
    assert_eq!(idle.ask(CLICK).await, 302);
    let (mut first, mut kept) = (Line::open(&service).await, Line::kept(&service).await);
    let late = u64::try_from(PAST_THE_DEADLINE.as_millis()).unwrap();
    for _ in 0..2 {
        service
            .chathub
            .next(Endpoint::OperatorToken, Fault::Late(late));
    }
    let slow = |operator: u32| request(&format!("/open-chat?operator={operator}&phone=0501234567"));
    // The head itself may come in pieces, and the next one may have begun already.
    first.send("GET").await;
    first.send(slow(102).trim_start_matches("GET")).await;
    kept.send(&slow(103)).await;
    kept.send("GET ").await;
    let idles = async {
        tokio::time::sleep(PAST_THE_DEADLINE).await;
        idle.ask(CLICK).await
    };
    // The time of what has begun runs from the answer on, whatever else there is to wait for.
    let two = async {
        let answer = kept.answer().await;
        let rest = "/healthz HTTP/1.1\r\nHost: open-chat\r\n\r\n";
        kept.send(rest).await;
        (answer, kept.answer().await)
    };
    let answers = tokio::join!(idles, first.answer(), two);
    assert_eq!(answers, (302, 302, (302, 200)));
}

#[tokio::test]
async fn a_connection_beyond_the_cap_waits_for_another_to_close() {
    let service = Service::start_unproven(rules(), &[("MAX_CONNECTIONS", "2")]);
    let mut lines = [Line::open(&service).await, Line::open(&service).await];
    let mut waiting = Line::open(&service).await;
    waiting.send(&request("/healthz")).await;
    for _ in 0..50 {
        for line in &mut lines {
            assert_eq!(line.ask("/healthz").await, 200);
        }
    }
    let nothing = waiting.0.try_read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(ErrorKind::WouldBlock));
    let [closed, mut open] = lines;
    drop(closed);
    assert_eq!(waiting.answer().await, 200);
    assert_eq!(open.ask("/healthz").await, 200);
}
