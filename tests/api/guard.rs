//! What is no click never mints.

use reqwest::Response;
use rstest::rstest;

use crate::harness::{Problem, Service, header, log_line, raw, rules};

const PATH: &str = "/open-chat?operator=101&phone=0501234567";

#[rstest]
#[case("Sec-Purpose", "prefetch")]
#[case("Sec-Purpose", "prefetch;prerender")]
#[case("Purpose", "Prefetch")]
#[case("X-Moz", "prefetch")]
#[case("Sec-Fetch-Dest", "image")]
#[case("Sec-Fetch-Dest", "script")]
#[case("Sec-Fetch-Dest", "style")]
#[case("Sec-Fetch-Dest", "worker")]
#[case("Sec-Purpose", "Prerender")]
#[case("Sec-Purpose", "prefetch;anonymous-client-ip")]
#[case("Purpose", "preview")]
#[case("X-Purpose", "preview")]
#[case("X-Purpose", "instant, PREVIEW")]
#[case("X-Moz", "Prefetch, other")]
#[case("Service-Worker", "script")]
#[case("Sec-Speculation-Tags", "null")]
#[case("Sec-Fetch-Dest", "serviceworker")]
#[case("Sec-Fetch-Dest", "fencedframe")]
#[case("Sec-Fetch-Dest", "Document")]
#[case("Sec-Fetch-Dest", "something-new")]
#[case("Sec-Fetch-Dest", "")]
#[case("Sec-Fetch-Mode", "websocket")]
#[tokio::test]
async fn looking_ahead_and_sub_resources_are_refused(#[case] name: &str, #[case] value: &str) {
    let service = Service::start().await;
    let calls = service.chathub.total_calls();
    let response = service
        .request(PATH)
        .header(name, value)
        .send()
        .await
        .unwrap();
    let problem = Problem::read(response).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "not-a-navigation")
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

#[rstest]
#[case(&[("Sec-Fetch-Dest", "document")])]
#[case(&[("Sec-Fetch-Dest", "iframe")])]
#[case(&[("Sec-Fetch-Dest", "frame")])]
#[case(&[("Sec-Fetch-Dest", "empty")])]
#[case(&[("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Site", "cross-site")])]
#[case(&[("Sec-Fetch-Dest", "iframe"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Site", "cross-site")])]
#[case(&[("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Site", "same-origin")])]
#[case(&[("Sec-Fetch-Mode", "nested-navigate"), ("Sec-Fetch-Site", "cross-site")])]
#[case(&[("Purpose", "something else"), ("Sec-Purpose", "")])]
#[tokio::test]
async fn navigations_are_clicks(#[case] headers: &[(&str, &str)]) {
    let service = Service::start().await;
    assert_eq!(ask(&service, PATH, headers).await.status(), 302);
}

async fn ask(service: &Service, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = service.request(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// What another site can make a browser load with the agent's cookies, and any script can start.
#[rstest]
#[case::fetch(&[("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Site", "cross-site")])]
#[case::event_source(&[("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Site", "same-site")])]
#[case::extension(&[("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Site", "none")])]
#[case::no_destination(&[("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Site", "cross-site")])]
#[case::two_sites(&[("Sec-Fetch-Dest", "empty"), ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")])]
#[case::two_destinations(&[("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Dest", "image")])]
#[case::a_page_that_is_no_navigation(&[("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "no-cors")])]
#[case::not_ascii(&[("Sec-Fetch-Dest", "empty\u{e9}")])]
#[case::two_purposes(&[("Purpose", "other"), ("Purpose", "prefetch")])]
#[tokio::test]
async fn another_site_s_script_mints_nothing_and_locks_nobody_out(
    #[case] headers: &[(&str, &str)],
) {
    let limits = [("RATE_LIMIT_OPERATOR", "1/h"), ("RATE_LIMIT_CLIENT", "1/h")];
    let service = Service::start_with(rules(), &limits).await;
    let calls = service.chathub.total_calls();
    for _ in 0..5 {
        let problem = Problem::read(ask(&service, PATH, headers).await).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (403, "not-a-navigation")
        );
    }
    assert_eq!(service.chathub.total_calls(), calls);
    // Nothing was counted: the one click that the limits allow is still there.
    service.destination("operator=101&phone=0501234567").await;
}

/// The widget's page is one of those that mint.
#[rstest]
#[case("/widget?operator=101", "Sec-Purpose", "prerender")]
#[case("/widget?operator=101", "X-Purpose", "preview")]
#[case("/widget?operator=101", "Sec-Fetch-Mode", "no-cors")]
#[case("/widget/token?operator=101", "Purpose", "preview")]
#[case("/widget/token?operator=101", "Sec-Fetch-Mode", "navigate")]
#[tokio::test]
async fn the_widget_mints_for_no_such_load_either(
    #[case] path: &str,
    #[case] name: &str,
    #[case] value: &str,
) {
    let service = Service::start().await;
    let calls = service.chathub.total_calls();
    let problem = Problem::read(ask(&service, path, &[(name, value)]).await).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "not-a-navigation")
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

/// A proxy that keeps `/metrics` inside, lets `/pair` in without a login, or counts `/open-chat`,
/// compares paths as they are written.
#[rstest]
#[case("/%6detrics")]
#[case("/metrics%2f")]
#[case("/%68ealthz")]
#[case("/open%2dchat?operator=101&phone=0501234567")]
#[case("/open%2Dchat?operator=101&phone=0501234567")]
#[case("/widget%2ftoken?operator=101")]
#[case("/lin%6bs")]
#[case("/%62uilder")]
#[case("/connect/../open-chat?operator=101&phone=0501234567")]
#[case("/connect/./../open-chat?operator=101&phone=0501234567")]
#[case("/open-chat/..?operator=101&phone=0501234567")]
#[case("/builder/connectors/..?crm=https://crm.example")]
#[case("/builder/connectors/../connectors/browser-extension?crm=https://crm.example")]
#[case("//open-chat?operator=101&phone=0501234567")]
#[case("/pair//../open-chat?operator=101&phone=0501234567")]
#[case("/pair/%2e%2e/open-chat?operator=101&phone=0501234567")]
#[case("/pair%2f..%2fopen-chat?operator=101&phone=0501234567")]
#[case("/.%2e/open-chat?operator=101&phone=0501234567")]
#[case("/open-chat/%2E?operator=101&phone=0501234567")]
#[case("/widget/../widget/token?operator=101")]
#[case("http://x/pair/../open-chat?operator=101&phone=0501234567")]
#[tokio::test]
async fn a_path_that_is_not_plain_leads_nowhere(#[case] path: &str) {
    let service = Service::start().await;
    let calls = service.chathub.total_calls();
    for method in ["GET", "HEAD", "POST"] {
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(&service, &request).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{method}: {answer}");
    }
    assert_eq!(service.chathub.total_calls(), calls);
    let counted = r#"http_requests_total{method="GET",route="other",status="404"}"#;
    assert_eq!(service.metric(counted).await, 1);
}

#[rstest]
#[case("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)")]
#[case("TelegramBot (like TwitterBot)")]
#[case("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)")]
#[case("WhatsApp/2.23.20.0")]
#[case("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)")]
#[case("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5")]
#[tokio::test]
async fn crawlers_get_a_page_and_nothing_else(#[case] agent: &str) {
    let service = Service::start().await;
    let calls = service.chathub.total_calls();
    let response = service
        .request(PATH)
        .header("User-Agent", agent)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(header(&response, "x-robots-tag"), "noindex");
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["outcome"], "crawler");
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("There is nothing to preview")
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

#[rstest]
#[case::length("Content-Length: 5\r\n", "hello")]
#[case::chunks("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")]
#[tokio::test]
async fn a_body_is_refused(#[case] head: &str, #[case] body: &str) {
    let service = Service::start().await;
    let request =
        format!("GET {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n{body}");
    let answer = raw(&service, &request).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("parameter-invalid"),
        "{answer}"
    );
}

/// Whatever the request line and the Host header say, the link leads to the configured panel.
#[rstest]
#[case::absolute_form(
    "GET http://evil.example/open-chat?operator=101&phone=0501234567 HTTP/1.1\r\nHost: evil.example\r\n"
)]
#[case::other_host(
    "GET /open-chat?operator=101&phone=0501234567 HTTP/1.1\r\nHost: evil.example\r\n"
)]
#[case::forwarded_host(
    "GET /open-chat?operator=101&phone=0501234567 HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: evil.example\r\n\
     Forwarded: host=evil.example\r\nX-Original-URL: //evil.example/\r\n"
)]
#[case::target_in_a_value(
    "GET /open-chat?operator=101&phone=0501234567&from=//evil.example/%3F HTTP/1.1\r\nHost: x\r\n"
)]
#[tokio::test]
async fn the_host_of_the_link_never_changes(#[case] head: &str) {
    let service = Service::start().await;
    let answer = raw(&service, &format!("{head}Connection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 302 "), "{answer}");
    let location = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap();
    assert!(
        location.starts_with("https://chat.smsbat.com/?"),
        "{location}"
    );
    let rest = location.trim_start_matches("https://chat.smsbat.com/?");
    assert!(!rest.contains("//") && !rest.contains('?'), "{location}");
}
