//! Which methods each route takes: HEAD wherever a GET only reads, and 404 for every method where
//! there is nothing.

use rstest::rstest;

use crate::documents::{document, raw_table};
use crate::harness::{Service, file, raw_at, rules};
use crate::process::{Running, open_chat};

/// The head and the body of the answer to this method.
async fn ask(service: &Service, method: &str, path: &str) -> (String, String) {
    ask_at(&service.url()["http://".len()..], method, path).await
}

async fn ask_at(host: &str, method: &str, path: &str) -> (String, String) {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = raw_at(host, &request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

fn line<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().trim()
}

/// As monitors ask, `curl -I` and `wget --spider`.
#[rstest]
#[case("/healthz", "200")]
#[case("/readyz", "200")]
#[case("/metrics", "200")]
#[case("/openapi.json", "200")]
#[case("/openapi", "200")]
#[case("/builder", "200")]
#[case("/handler", "200")]
#[case("/manifest.webmanifest", "200")]
#[case("/", "302")]
#[tokio::test]
async fn head_is_get_without_its_body(#[case] path: &str, #[case] status: &str) {
    let service = Service::start().await;
    let (get, page) = ask(&service, "GET", path).await;
    let (head, body) = ask(&service, "HEAD", path).await;
    assert_eq!(line(&head, "http/1.1"), line(&get, "http/1.1"));
    assert!(line(&head, "http/1.1").starts_with(status), "{head}");
    assert_eq!(body, "");
    assert_eq!(page.is_empty(), path == "/");
    for name in ["content-type:", "location:", "cache-control:"] {
        assert_eq!(line(&head, name), line(&get, name), "{name}");
    }
    let counted =
        format!(r#"http_requests_total{{method="HEAD",route="{path}",status="{status}"}}"#);
    assert_eq!(service.metric(&counted).await, 1);
}

/// A service that is not ready says so to HEAD too.
#[tokio::test]
async fn head_tells_that_the_service_is_not_ready() {
    let service = Service::start_unproven(rules(), &[("CHATHUB_PASSWORD", "canary-wrong")]);
    let (head, body) = ask(&service, "HEAD", "/readyz").await;
    assert!(head.starts_with("http/1.1 503 "), "{head}");
    assert_eq!(body, "");
}

#[rstest]
#[case("/open-chat?operator=101&phone=0501234567", "get")]
#[case("/widget?operator=101", "get")]
#[case("/widget/token?operator=101", "get")]
#[case("/links", "post")]
#[tokio::test]
async fn what_hands_out_a_token_or_a_link_takes_one_method(
    #[case] path: &str,
    #[case] allowed: &str,
) {
    for confirm in ["never", "always"] {
        let service = Service::start_with(rules(), &[("CONFIRM", confirm)]).await;
        let calls = service.chathub.total_calls();
        for method in ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "BREW"] {
            let (head, body) = ask(&service, method, path).await;
            assert!(head.starts_with("http/1.1 405 "), "{method}: {head}");
            assert_eq!(line(&head, "allow:"), allowed, "{method}: {head}");
            assert_eq!(body.is_empty(), method == "HEAD", "{method}: {body}");
        }
        assert_eq!(service.chathub.total_calls(), calls);
    }
}

#[rstest]
#[case("/healthz")]
#[case("/builder")]
#[case("/builder/connectors/browser-extension")]
#[case("/handler")]
#[case("/manifest.webmanifest")]
#[case("/icon-192.png")]
#[case("/openapi.json")]
#[tokio::test]
async fn what_is_only_read_names_both_methods(#[case] path: &str) {
    let service = Service::start().await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let (head, _) = ask(&service, method, path).await;
        assert!(head.starts_with("http/1.1 405 "), "{method}: {head}");
        assert_eq!(line(&head, "allow:"), "get, head", "{method}");
    }
}

#[rstest]
#[case("/nowhere")]
#[case("/open-chat/")]
#[case("/links/")]
#[case("/handler/")]
#[case("/icon-64.png")]
#[case("/builder")]
#[case("/builder/connectors/browser-extension")]
#[case("/")]
#[case("/demo")]
#[case("/metrics")]
#[case("*")]
#[tokio::test]
async fn where_there_is_nothing_every_method_is_404(#[case] path: &str) {
    let variables = [("LINK_BUILDER", "off"), ("OPS_LISTEN", "127.0.0.1:0")];
    let service = Service::start_with(rules(), &variables).await;
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"] {
        let (head, _) = ask(&service, method, path).await;
        assert!(head.starts_with("http/1.1 404 "), "{method}: {head}");
        assert_eq!(line(&head, "allow:"), "", "{method}: {head}");
    }
}

/// An address of a route, whose path may have a place for a name.
fn example(path: &str) -> String {
    path.replace("connectors/{name}", "connectors/browser-extension")
        .replace("connect/{name}", "connect/zendesk")
        .replace("{kind}", "phone-invalid")
}

/// `docs/promises.md` has the methods of each route.
#[tokio::test]
async fn each_route_takes_the_methods_of_its_row() {
    const METHODS: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
    ];
    let section =
        "[kommo]\naccounts = [\"acme.kommo.com\"]\nsecret = \"canary-kommo-0123456789\"\n";
    let connectors = file("connectors.toml", section);
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
        ("PUBLIC_URL", "https://chat.example"),
        ("CONNECTORS_FILE", connectors.to_str().unwrap()),
        ("CONFIRM", "always"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let demo = Running::start(&mut open_chat(&["demo", "--port", "0"], &[]), "Ctrl-C");
    let demo_url = demo.url("/demo");
    let demo_address = demo_url["http://".len()..].trim_end_matches("/demo");
    for row in raw_table(&document("docs/promises.md"), "## Routes") {
        let path = example(row[0].trim_matches('`'));
        let host = if path.starts_with("/demo") {
            demo_address
        } else {
            &service.url()["http://".len()..]
        };
        let (methods, _) = row[1].split_once(':').unwrap();
        let methods: Vec<_> = methods.split('`').skip(1).step_by(2).collect();
        for method in METHODS {
            let (head, _) = ask_at(host, method, &path).await;
            let is_refused = head.starts_with("http/1.1 405 ");
            assert_eq!(
                is_refused,
                !methods.contains(&method),
                "{method} {path}: {head}"
            );
            if is_refused {
                let allowed = methods.join(", ").to_lowercase();
                assert_eq!(line(&head, "allow:"), allowed, "{method} {path}");
            }
            let (head, _) = ask_at(host, method, &format!("{path}/")).await;
            assert!(
                head.starts_with("http/1.1 404 "),
                "{method} {path}/: {head}"
            );
        }
    }
}
