//! Health, readiness, metrics.

use std::time::Duration;

use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use open_chat::app::Application;
use open_chat::config::Config;
use open_chat::http::{Front, Kind};
use open_chat::telemetry::{LogFormat, Telemetry};
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::ending::Replica;
use crate::harness::{PROFILE_KEY, Service, eventually, header, log, log_line, own_address, rules};

#[tokio::test]
async fn it_is_ready_once_chathub_has_taken_the_login() {
    let service =
        Service::start_unproven(rules(), &[("CHATHUB_PASSWORD", "canary-password-wrong")]);
    assert_eq!(service.ops("/healthz").await.status(), 200);
    assert_eq!(service.ops("/readyz").await.status(), 503);

    let service = Service::start().await;
    assert_eq!(service.ops("/readyz").await.status(), 200);
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), 1);
    // An outage later on does not take it out of service: warm operators still get their links.
    service
        .chathub
        .always(Endpoint::CompanyToken, Some(Fault::Status(500)));
    service.chathub.store().revoke_company_tokens();
    assert_eq!(
        service
            .click("operator=101&phone=0501234567")
            .await
            .status(),
        503
    );
    assert_eq!(service.ops("/readyz").await.status(), 200);
}

#[tokio::test]
async fn a_profile_key_is_proven_by_a_call() {
    let variables = |key| {
        [
            ("CHATHUB_LOGIN", ""),
            ("CHATHUB_PASSWORD", ""),
            ("CHATHUB_API_KEY", key),
        ]
    };
    let service = Service::start_with(rules(), &variables(PROFILE_KEY)).await;
    // The proof, and the directory.
    assert_eq!(service.chathub.calls(Endpoint::Organizations), 2);

    let service = Service::start_unproven(rules(), &variables("canary-profile-key-wrong"));
    let problem = service.refusal("operator=101&phone=0501234567").await;
    assert_eq!(problem.kind, "credentials-rejected");
    assert_eq!(service.ops("/readyz").await.status(), 503);
}

#[tokio::test]
async fn health_and_metrics_can_have_a_port_of_their_own() {
    let service = Service::start_with(rules(), &[("OPS_LISTEN", "127.0.0.1:0")]).await;
    assert_eq!(service.ops("/healthz").await.status(), 200);
    assert_eq!(
        service
            .ops("/open-chat?operator=101&phone=0501234567")
            .await
            .status(),
        404
    );
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(
            service.request(path).send().await.unwrap().status(),
            404,
            "{path}"
        );
    }
    assert_eq!(
        service
            .click("operator=101&phone=0501234567")
            .await
            .status(),
        302
    );
    assert_eq!(
        service
            .metric(r#"open_chat_redirects_total{format="2",source="none"}"#)
            .await,
        1
    );
}

#[tokio::test]
async fn every_request_but_those_for_health_and_metrics_leaves_one_line() {
    let service = Service::start().await;
    let ask = async |path: &str, id: &str| {
        let request = service.request(path).header("X-Request-Id", id);
        request.send().await.unwrap();
    };
    for path in ["/healthz", "/readyz", "/metrics", "/metrics?a=b"] {
        ask(path, "leaves-no-line").await;
    }
    let told = [
        ("/open-chat?operator=101&phone=0501234567", "click"),
        ("/open-chat", "click"),
        ("/links", "link"),
        ("/widget?operator=101", "widget"),
        ("/widget/token", "widget"),
        ("/pair", "pairing"),
        ("/builder", "request"),
        ("/healthz/", "request"),
    ];
    for (path, message) in told {
        let id = format!("leaves-one-line-{}", path.len());
        ask(path, &id).await;
        assert_eq!(log_line(&id).await["message"], message, "{path}");
    }
    let log = log();
    let lines = |id: &str| log.matches(&format!("\"request_id\":\"{id}\"")).count();
    assert_eq!(lines("leaves-no-line"), 0);
    for (path, _) in told {
        assert_eq!(
            lines(&format!("leaves-one-line-{}", path.len())),
            1,
            "{path}"
        );
    }
}

/// A probe must get through where Prometheus and a person hold connections, however few clicks may
/// have.
#[tokio::test]
async fn the_port_of_health_and_metrics_has_connections_of_its_own() {
    let variables = [("OPS_LISTEN", "127.0.0.1:0"), ("MAX_CONNECTIONS", "1")];
    let service = Service::start_with(rules(), &variables).await;
    let address = service.ops_url().trim_start_matches("http://");
    let mut held = Vec::new();
    for number in 1..=100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = [0; 4096];
        let read = tokio::time::timeout(Duration::from_mins(1), stream.read(&mut answer)).await;
        let read = read.unwrap_or_else(|_| panic!("connection {number} waits"));
        assert!(answer[..read.unwrap()].starts_with(b"HTTP/1.1 200 "));
        held.push(stream);
    }
}

#[tokio::test]
async fn every_closed_series_is_there_from_the_start() {
    let service = Service::start().await;
    for kind in Kind::ALL {
        let series = format!(r#"open_chat_refusals_total{{kind="{}"}}"#, kind.name());
        assert_eq!(service.metric(&series).await, 0, "{series}");
    }
    for format in ["1", "2", "3", "4"] {
        for source in [
            "viber",
            "viberbot",
            "telegrambot",
            "whatsapp",
            "widget",
            "rozetka",
            "facebook",
            "instagram",
            "none",
        ] {
            let series =
                format!(r#"open_chat_redirects_total{{format="{format}",source="{source}"}}"#);
            assert_eq!(service.metric(&series).await, 0, "{series}");
        }
    }
    for reason in [
        "too-many",
        "head-too-large",
        "head-timeout",
        "malformed",
        "write-timeout",
        "memory",
    ] {
        let series = format!(r#"open_chat_connections_cut_total{{reason="{reason}"}}"#);
        assert_eq!(service.metric(&series).await, 0, "{series}");
    }
    for status in [302, 400, 403, 404, 414, 502, 503, 504] {
        let series =
            format!(r#"http_requests_total{{method="GET",route="/open-chat",status="{status}"}}"#);
        assert_eq!(service.metric(&series).await, 0, "{series}");
    }
}

#[tokio::test]
async fn clicks_are_counted_by_what_became_of_them() {
    let service = Service::start().await;
    service
        .click("operator=101&phone=0501234567&source=0")
        .await;
    service
        .click("operator=101&phone=0501234567&source=0&from=Acme")
        .await;
    service
        .click("operator=101&phone=0501234567&source=0&from=Acme")
        .await;
    service.click("operator=101&phone=12345").await;
    assert_eq!(
        service
            .metric(r#"open_chat_redirects_total{format="2",source="viber"}"#)
            .await,
        1
    );
    assert_eq!(
        service
            .metric(r#"open_chat_redirects_total{format="4",source="viber"}"#)
            .await,
        2
    );
    assert_eq!(
        service
            .metric(r#"open_chat_refusals_total{kind="phone-invalid"}"#)
            .await,
        1
    );
    assert_eq!(
        service
            .metric(r#"http_requests_total{method="GET",route="/open-chat",status="302"}"#)
            .await,
        3
    );
    assert_eq!(
        service
            .metric(r#"http_request_duration_seconds_count{route="/open-chat"}"#)
            .await,
        4
    );
    assert_eq!(
        service
            .metric(&format!(
                r#"open_chat_build_info{{revision="{}",version="0.2.0"}}"#,
                env!("OPEN_CHAT_REVISION")
            ))
            .await,
        1
    );
}

/// Each format, each source, and what the format needs for it.
#[rstest]
#[case("chat_raw_id=65a1", "1", "none")]
#[case("phone=0501234567", "2", "none")]
#[case("phone=0501234567&from=Acme", "3", "none")]
#[case("phone=0501234567&from=Acme&source=0", "4", "viber")]
#[case("phone=0501234567&from=Acme&source=1", "4", "viberbot")]
#[case("phone=0501234567&from=Acme&source=2", "4", "telegrambot")]
#[case("phone=0501234567&from=Acme&source=3", "4", "whatsapp")]
#[case("phone=0501234567&from=Acme&source=4", "4", "widget")]
#[case("phone=0501234567&from=Acme&source=5", "4", "rozetka")]
#[case("phone=0501234567&from=Acme&source=6", "4", "facebook")]
#[case("phone=0501234567&from=Acme&source=7", "4", "instagram")]
#[tokio::test]
async fn each_format_and_source_is_counted(
    #[case] query: &str,
    #[case] format: &str,
    #[case] source: &str,
) {
    let service = Service::start().await;
    service.destination(&format!("operator=101&{query}")).await;
    let series = format!(r#"open_chat_redirects_total{{format="{format}",source="{source}"}}"#);
    assert_eq!(service.metric(&series).await, 1);
}

#[rstest]
#[case("GET", "GET", "/openapi", 200)]
#[case("HEAD", "HEAD", "/openapi", 200)]
#[case("POST", "POST", "/links", 404)]
#[case("PUT", "PUT", "/pair", 405)]
#[case("PATCH", "PATCH", "/widget", 405)]
#[case("DELETE", "DELETE", "/metrics", 405)]
#[case("OPTIONS", "OPTIONS", "/open-chat", 405)]
#[case("BREW", "other", "/healthz", 405)]
#[tokio::test]
async fn each_method_is_counted_by_route_and_status(
    #[case] method: &str,
    #[case] label: &str,
    #[case] route: &str,
    #[case] status: u16,
) {
    let service = Service::start().await;
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = reqwest::Client::new().request(method, format!("{}{route}", service.url()));
    assert_eq!(request.send().await.unwrap().status(), status);
    let series =
        format!(r#"http_requests_total{{method="{label}",route="{route}",status="{status}"}}"#);
    assert_eq!(service.metric(&series).await, 1);
}

#[tokio::test]
async fn what_a_caller_invents_makes_no_new_series() {
    let service = Service::start().await;
    let series = || async {
        let text = service.ops("/metrics").await.text().await.unwrap();
        text.lines().filter(|line| !line.starts_with('#')).count()
    };
    let client = reqwest::Client::new();
    let visit = |method: &str, path: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        client
            .request(method, format!("{}{path}", service.url()))
            .send()
    };
    visit("BREW", "/one").await.unwrap();
    let before = series().await;
    for index in 0..50 {
        visit(&format!("BREW{index}"), &format!("/{index}"))
            .await
            .unwrap();
        service
            .click(&format!("operator={index}x&phone=12345&x={index}"))
            .await;
    }
    assert_eq!(series().await, before);
    assert_eq!(
        header(&service.ops("/metrics").await, "content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
}

/// It follows the load, and falls with it. It is counted once a second.
#[tokio::test]
async fn background_tasks_come_and_go_with_the_mints_that_wait() {
    let rules = Rules {
        operators: 40,
        ..rules()
    };
    let chathub = Simulator::start(rules).unwrap();
    let variables = [("CHATHUB_MAX_RATE", "1000")];
    let replica = Replica::start(&chathub, own_address(), &variables).await;
    let tasks = async || -> usize {
        let metrics = replica.ask("/metrics", &[]).await.text().await.unwrap();
        let (_, rest) = metrics.split_once("\nopen_chat_background_tasks ").unwrap();
        rest.lines().next().unwrap().parse().unwrap()
    };
    eventually("they are counted", async || tasks().await > 0).await;
    let idle = tasks().await;
    chathub.always(Endpoint::OperatorToken, Some(Fault::Held));
    let mut clicks = JoinSet::new();
    for operator in 101..141 {
        let click = format!("/open-chat?operator={operator}&phone=0501234567");
        clicks.spawn(replica.get(&click).send());
    }
    eventually("forty mints wait", async || tasks().await >= idle + 40).await;
    chathub.release();
    clicks.join_all().await;
    eventually("they are gone", async || tasks().await < idle + 40).await;
}

/// A disk that is full, or gone.
struct Stuck(std::sync::mpsc::Receiver<()>);

impl std::io::Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Until the other end is gone.
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn lines_that_nobody_can_write_are_counted_and_hold_nobody_up() {
    // A service of its own: the log that all others here share takes every crate's every line, and
    // may lose some on a busy machine.
    let chathub = Simulator::start(rules()).unwrap();
    let replica = Replica::start(&chathub, own_address(), &[]).await;
    let metrics = replica.ask("/metrics", &[]).await.text().await.unwrap();
    assert!(metrics.contains("\nopen_chat_log_lines_dropped_total 0\n"));

    let (mend, stuck) = std::sync::mpsc::channel();
    let filter = tracing_subscriber::EnvFilter::new("info");
    let log = Telemetry::start(LogFormat::Json, filter, Stuck(stuck), None);
    let mut lines = log.request_log();
    for _ in 0..129_000 {
        lines.write(tracing::Level::INFO, "click", &serde_json::json!({}));
    }
    // 128,000 wait, and some may be in the writer's buffer of 8 KiB.
    assert!((900..=1000).contains(&log.dropped_lines()));

    // A service with this log goes on, and tells of it.
    let (url, address) = (chathub.url(), own_address().to_string());
    let variables = [
        ("ACCESS", "open"),
        ("LISTEN", address.as_str()),
        ("CHATHUB_URL", &url),
        ("CHATHUB_API_KEY", PROFILE_KEY),
    ];
    let config = Config::from_vars(variables.map(|(n, v)| (n.into(), v.into()))).unwrap();
    let application = Application::start(config, Front::Builder, &log).unwrap();
    let servers = application.handles();
    tokio::spawn(application.run());
    let client = reqwest::Client::new();
    let ask = async |path: &str| {
        let request = client.get(format!("http://{address}{path}"));
        request.send().await.unwrap()
    };
    for expected in [900..=1000, 901..=1001] {
        let metrics = ask("/metrics").await.text().await.unwrap();
        let (_, rest) = metrics
            .split_once("\nopen_chat_log_lines_dropped_total ")
            .unwrap();
        let dropped = rest.lines().next().unwrap().parse().unwrap();
        assert!(expected.contains(&dropped), "{dropped}");
        assert_eq!(ask("/openapi").await.status(), 200);
    }
    for server in servers {
        drop(server.stop(false));
    }
    drop(mend);
}
