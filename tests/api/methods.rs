//! Which methods each route takes: HEAD wherever a GET only reads, and 404 for every method where
//! there is nothing.

use rstest::rstest;

use crate::harness::{Service, raw, rules};

/// The head and the body of the answer to this method.
async fn ask(service: &Service, method: &str, path: &str) -> (String, String) {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let answer = raw(service, &request).await;
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
