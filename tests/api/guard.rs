//! What is no click never mints.

use rstest::rstest;

use crate::harness::{Problem, Service, header, log_line, raw};

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
#[case("document")]
#[case("iframe")]
#[case("frame")]
#[case("empty")]
#[tokio::test]
async fn navigations_are_clicks(#[case] destination: &str) {
    let service = Service::start().await;
    let request = service.request(PATH).header("Sec-Fetch-Dest", destination);
    assert_eq!(request.send().await.unwrap().status(), 302);
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
