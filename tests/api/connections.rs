//! Connections that somebody holds without a use for them, and those that only look like it.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::time::Duration;

use chathub_simulator::{Endpoint, Fault, Rules};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Service, log, rules};

/// Far longer than the 5 s of a head, however busy the machine is, and shorter than the 75 s of an
/// idle connection: what ends within this time was cut off.
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

    /// Begins a head, goes on with it byte by byte if asked to, and fails where the connection does
    /// not end in time.
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
    // A proxy may have them all.
    let variables = [("MAX_CONNECTIONS", "2"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let service = Service::start_unproven(rules(), &variables);
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

/// How many connections were cut for this reason.
async fn cut(service: &Service, reason: &str) -> i64 {
    let series = format!("open_chat_connections_cut_total{{reason=\"{reason}\"}}");
    service.metric(&series).await
}

/// A whole head of exactly so many bytes.
fn head_of(bytes: usize, path: &str) -> String {
    let mut head = request(path);
    head.truncate(head.len() - 2);
    let lines = (bytes - head.len() - 2) / 1000;
    for line in 0..lines {
        let name = format!("X-{line}: ");
        let _ = write!(head, "{name}{}\r\n", "x".repeat(998 - name.len()));
    }
    let rest = bytes - head.len() - 2;
    // The shortest header that can be is longer than nothing.
    if rest >= 5 {
        let _ = write!(head, "Y: {}\r\n", "y".repeat(rest - 5));
    }
    head + "\r\n"
}

#[tokio::test]
async fn a_head_may_have_16_kib_and_not_a_byte_more() {
    let service = Service::start().await;
    for size in [9000, 12_345, 16_383, 16_384] {
        let mut line = Line::kept(&service).await;
        let head = head_of(size, CLICK);
        assert_eq!(head.len(), size);
        line.send(&head).await;
        assert_eq!(line.answer().await, 302, "{size}");
        assert_eq!(line.ask(CLICK).await, 302, "{size}");
    }
    assert_eq!(cut(&service, "head-too-large").await, 0);
    let mut refused = 0;
    for size in [16_385, 20_000, 100_000] {
        for mut line in [Line::open(&service).await, Line::kept(&service).await] {
            let head = head_of(size, CLICK);
            assert_eq!(head.len(), size);
            line.send(&head).await;
            assert_eq!(line.answer().await, 431, "{size}");
            let mut rest = Vec::new();
            line.0.read_to_end(&mut rest).await.expect("it is closed");
            assert!(rest.is_empty());
            refused += 1;
            assert_eq!(cut(&service, "head-too-large").await, refused);
        }
    }
}

#[tokio::test]
async fn a_head_may_have_96_headers_and_not_one_more() {
    let service = Service::start().await;
    let head = |headers: usize| {
        let mut head = request(CLICK);
        head.truncate(head.len() - 2);
        for header in 1..headers {
            let _ = write!(head, "X-{header}: x\r\n");
        }
        head + "\r\n"
    };
    let mut line = Line::kept(&service).await;
    for headers in [95, 96] {
        line.send(&head(headers)).await;
        assert_eq!(line.answer().await, 302, "{headers}");
    }
    let mut refused = 0;
    for headers in [97, 98, 200, 1000] {
        for mut line in [Line::open(&service).await, Line::kept(&service).await] {
            line.send(&head(headers)).await;
            assert_eq!(line.answer().await, 431, "{headers}");
            refused += 1;
            assert_eq!(cut(&service, "head-too-large").await, refused);
        }
    }
    assert_eq!(cut(&service, "malformed").await, 0);
}

#[tokio::test]
async fn requests_sent_in_one_go_are_answered_one_after_another() {
    let service = Service::start().await;
    let line = Line::open(&service).await;
    let links = |head: &str, body: &str| {
        format!("POST /links HTTP/1.1\r\nHost: open-chat\r\n{head}\r\n\r\n{body}")
    };
    let body = "x".repeat(9000);
    let length = format!("Content-Length: {}", body.len());
    let chunked = format!("2328;of=9000\r\n{body}\r\n0\r\nTrailer: x\r\n\r\n");
    let (mut all, mut expected) = (String::new(), Vec::new());
    for round in 0..100 {
        all.push_str(&request(CLICK));
        all.push_str("\r\n");
        all.push_str(&request("/nowhere"));
        all.push_str(&links(&length, &body));
        all.push_str(&request("/healthz"));
        all.push_str(&links("Transfer-Encoding: chunked", &chunked));
        all.push_str(&head_of(3000 + 100 * round, CLICK));
        // Whatever becomes of the POSTs, their bodies are no requests.
        expected.extend([302, 404, 404, 200, 404, 302]);
    }
    let (mut reader, mut writer) = line.0.into_split();
    let sending = tokio::spawn(async move {
        writer.write_all(all.as_bytes()).await.expect("it is sent");
        writer
    });
    let mut text = String::new();
    let mut statuses = Vec::new();
    while statuses.len() < expected.len() {
        let mut some = [0; 4096];
        let read = reader.read(&mut some).await.expect("an answer");
        assert!(read > 0, "closed after {} answers", statuses.len());
        text.push_str(&String::from_utf8_lossy(&some[..read]));
        statuses = text
            .match_indices("HTTP/1.1 ")
            .filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse::<u16>().ok())
            .collect();
    }
    assert_eq!(statuses, expected);
    drop(sending.await);
}

#[tokio::test]
async fn a_body_that_waits_to_be_asked_for_is_asked_for() {
    let service = Service::start().await;
    let mut line = Line::kept(&service).await;
    let head = "POST /links HTTP/1.1\r\nHost: open-chat\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    line.send(head).await;
    assert_eq!(line.answer().await, 100);
    line.send("12345").await;
    assert_eq!(line.answer().await, 404);
    assert_eq!(line.ask(CLICK).await, 302);
}

/// The room that it took is given back with the connection.
#[tokio::test]
async fn a_connection_is_kept_unless_its_answer_was_long() {
    let service = Service::start().await;
    let mut line = Line::kept(&service).await;
    assert_eq!(line.ask("/openapi.json").await, 200);
    let mut rest = Vec::new();
    line.0.read_to_end(&mut rest).await.expect("it is closed");
    assert!(rest.is_empty());
    let long = service.request("/openapi.json").send().await.unwrap();
    assert_eq!(long.headers()["connection"], "close");
}

#[tokio::test]
async fn what_is_no_http_is_counted_and_leaves_no_error_in_the_log() {
    let service = Service::start().await;
    let hello = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03".as_slice();
    let proxied = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let (mut counted, before) = (0, log().len());
    for bytes in [
        hello,
        proxied,
        b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
        b"\0\0\0\0",
    ] {
        for _ in 0..5 {
            let mut line = Line::open(&service).await;
            line.0.write_all(bytes).await.unwrap();
            assert_eq!(line.answer().await, 400, "{bytes:?}");
            let mut rest = Vec::new();
            let _ = line.0.read_to_end(&mut rest).await;
            counted += 1;
            assert_eq!(cut(&service, "malformed").await, counted, "{bytes:?}");
        }
    }
    // Whatever else runs at the same time has no such line either.
    let log = &log()[before..];
    assert!(!log.contains("stream error"), "{log}");
}

#[tokio::test]
async fn half_a_head_is_answered_and_counted_and_silence_is_closed_without_a_word() {
    let service = Service::start().await;
    let mut half = Line::open(&service).await;
    half.send(HALF_A_HEAD).await;
    let mut silent = Line::open(&service).await;
    let answer = tokio::time::timeout(PATIENCE, half.answer()).await;
    assert_eq!(answer.expect("in time"), 408);
    assert_eq!(cut(&service, "head-timeout").await, 1);
    let mut rest = Vec::new();
    let end = tokio::time::timeout(PATIENCE, silent.0.read_to_end(&mut rest)).await;
    end.expect("in time").expect("it is closed");
    assert!(rest.is_empty());
    assert_eq!(cut(&service, "head-timeout").await, 1);
}
