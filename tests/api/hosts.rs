//! DNS rebinding: with `ACCESS=open` a page whose name an attacker has led here must not get an
//! operator's token.

use rstest::rstest;

use crate::harness::{Problem, Service, header, raw, rules};

const PATHS: [&str; 2] = ["/widget?operator=101", "/widget/token?operator=101"];

/// The status of a request with this request target's beginning and these `Host` headers.
async fn status(service: &Service, authority: &str, path: &str, hosts: &[&str]) -> String {
    let line = |all: String, host: &&str| all + "Host: " + host + "\r\n";
    let hosts = hosts.iter().fold(String::new(), line);
    let request = format!("GET {authority}{path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
    let answer = raw(service, &request).await;
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    if status != "200" {
        assert!(!answer.contains("eyJ"), "a token: {answer}");
    }
    status
}

#[rstest]
#[case::an_address("127.0.0.1:8080", true)]
#[case::an_address_without_a_port("192.0.2.7", true)]
#[case::an_address_of_version_6("[2001:db8::7]:8080", true)]
#[case::loopback_of_version_6("[::1]", true)]
#[case::localhost("localhost", true)]
#[case::localhost_in_any_case("LocalHost:8080", true)]
#[case::localhost_with_a_dot("localhost.:8080", true)]
#[case::ours("chat.example", true)]
#[case::ours_with_a_port("chat.example:8443", true)]
#[case::ours_in_any_case("Chat.EXAMPLE", true)]
#[case::ours_with_a_dot("chat.example.", true)]
#[case::evil("evil.example", false)]
#[case::evil_with_a_port("evil.example:8080", false)]
#[case::evil_below_ours("evil.chat.example", false)]
#[case::ours_below_evil("chat.example.evil.example", false)]
#[case::ours_as_an_ending("notchat.example", false)]
#[case::below_localhost("evil.localhost", false)]
#[case::localhost_below_evil("localhost.evil.example", false)]
#[case::an_address_as_a_name("127.0.0.1.evil.example", false)]
#[case::two_dots("chat.example..", false)]
#[case::a_user("chat.example@evil.example", false)]
#[case::a_user_that_is_an_address("127.0.0.1:80@evil.example", false)]
#[case::a_path("chat.example/.evil.example", false)]
#[case::half_a_bracket("[::1", false)]
#[case::something_behind_a_bracket("[::1].evil.example", false)]
#[case::no_port("chat.example:evil", false)]
#[case::bare_version_6("::1", false)]
#[case::two_in_one("chat.example, evil.example", false)]
#[case::kelvin("localhost\u{212a}", false)]
#[case::empty("", false)]
#[tokio::test]
async fn the_open_widget_answers_only_at_addresses_and_at_its_own_name(
    #[case] host: &str,
    #[case] is_ours: bool,
) {
    let service =
        Service::start_with(rules(), &[("PUBLIC_URL", "https://Chat.Example/desk")]).await;
    let expected = if is_ours { "200" } else { "421" };
    for path in PATHS {
        assert_eq!(
            status(&service, "", path, &[host]).await,
            expected,
            "{path}"
        );
    }
}

#[rstest]
#[case::none("", &[], false)]
#[case::two("", &["chat.example", "evil.example"], false)]
#[case::two_the_other_way_round("", &["evil.example", "chat.example"], false)]
#[case::two_alike("", &["chat.example", "chat.example"], false)]
#[case::absolute("http://chat.example", &["chat.example"], true)]
#[case::absolute_and_evil("http://evil.example", &["chat.example"], false)]
#[case::absolute_beside_evil("http://chat.example", &["evil.example"], false)]
#[case::absolute_with_an_address("http://127.0.0.1:8080", &["127.0.0.1:8080"], true)]
#[case::absolute_with_a_user("http://chat.example@evil.example", &["chat.example"], false)]
#[tokio::test]
async fn every_name_of_a_request_must_be_ours(
    #[case] authority: &str,
    #[case] hosts: &[&str],
    #[case] is_ours: bool,
) {
    let service = Service::start_with(rules(), &[("PUBLIC_URL", "https://chat.example")]).await;
    for path in PATHS {
        let status = status(&service, authority, path, hosts).await;
        if is_ours {
            assert_eq!(status, "200", "{path}");
        } else {
            // Some of these are no HTTP at all, which actix says itself.
            assert!(["421", "400"].contains(&&*status), "{path}: {status}");
        }
    }
}

#[tokio::test]
async fn without_a_public_url_no_name_is_ours_and_the_answer_says_what_to_set() {
    let service = Service::start().await;
    let calls = service.chathub.total_calls();
    for path in PATHS {
        let request = service.request(path).header("Host", "chat.example");
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (421, "host-not-allowed")
        );
        assert!(problem.detail.contains("PUBLIC_URL"), "{}", problem.detail);
        for (language, words) in [("en", "PUBLIC_URL"), ("uk", "Задайте PUBLIC_URL")] {
            let page = service
                .request(path)
                .header("Host", "chat.example")
                .header("Accept", "text/html")
                .header("Accept-Language", language)
                .send()
                .await
                .unwrap();
            assert_eq!(page.status(), 421);
            assert_eq!(header(&page, "content-language"), language);
            let page = page.text().await.unwrap();
            assert!(page.contains(words), "{page}");
        }
    }
    assert_eq!(service.chathub.total_calls(), calls);
    let series = r#"open_chat_refusals_total{kind="host-not-allowed"}"#;
    assert_eq!(service.metric(series).await, 6);
}

/// Where each caller shows who they are, a rebound name has nothing to show: no cookie and no pass
/// of ours is sent there.
#[tokio::test]
async fn a_locked_widget_does_not_ask_for_the_name() {
    let variables = [
        ("ACCESS", "sso"),
        ("SSO_HEADER", "X-Agent"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("SSO_BY_NAME", "on"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let request = service
        .request("/widget")
        .header("Host", "upstream")
        .header("X-Agent", "John Smith");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

/// What a rebound page can read of the other routes opens nothing: no token, no pass.
#[tokio::test]
async fn no_other_open_route_shows_a_rebound_page_what_opens_something() {
    let variables = [
        ("CONFIRM", "always"),
        ("PUBLIC_URL", "https://chat.example"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    for path in [
        "/open-chat?operator=101&phone=0501234567",
        "/builder",
        "/handler",
        "/metrics",
    ] {
        let request = service.request(path).header("Host", "evil.example");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let page = response.text().await.unwrap();
        assert!(
            !page.contains("token=ey") && !page.contains("pass=ey"),
            "{page}"
        );
    }
    let body = r#"{"operator": 101, "phone": "0501234567"}"#;
    let link = reqwest::Client::new()
        .post(format!("{}/links", service.url()))
        .header("Host", "evil.example")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(Problem::read(link).await.kind, "api-key-invalid");
}
