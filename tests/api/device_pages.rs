//! `/pair`: the page that pairs a browser by an invitation, and ends that.

use chathub_simulator::{Endpoint, Fault};
use reqwest::{RequestBuilder, Response};
use rstest::rstest;
use serde_json::json;
use tokio::task::JoinSet;

use crate::device::{
    DEVICE, NAME, click_with, cookie, invitation, invitation_that_is_over, navigation, outcome,
    rewrite, start,
};
use crate::harness::{Problem, Service, eventually, file, header, log, log_line, raw, rules};
use crate::once::one_of_many;
use crate::redis::{Redis, is_found};
use crate::redis_proxy::RedisProxy;

const OTHER_DEVICE: &str = "00112233445566778899aabbccddeeff";
const CLICK: &str = "/open-chat?phone=0501234567";
const HTML: (&str, &str) = ("Accept", "text/html");

fn address(invitation: &str) -> String {
    format!("/pair?invitation={invitation}")
}

/// The page, as a browser asks for it.
pub fn shown(service: &Service, path: &str, cookie: Option<&str>) -> RequestBuilder {
    let request = navigation(service.request(path)).header(HTML.0, HTML.1);
    match cookie {
        Some(cookie) => request.header("Cookie", format!("{NAME}={cookie}")),
        None => request,
    }
}

/// The page's button, as a browser presses it.
pub fn button(service: &Service, path: &str) -> RequestBuilder {
    post(service, path)
        .header("Sec-Fetch-Dest", "document")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Site", "same-origin")
}

fn post(service: &Service, path: &str) -> RequestBuilder {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = client.no_proxy().build().unwrap();
    client.post(format!("{}{path}", service.url()))
}

async fn page(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

/// The cookie that an answer sets, and its attributes.
fn set_cookie(response: &Response) -> (String, String) {
    let set = header(response, "set-cookie");
    let set = set.strip_prefix(NAME).and_then(|set| set.strip_prefix('='));
    let (value, attributes) = set.unwrap().split_once("; ").unwrap();
    (value.to_owned(), attributes.to_owned())
}

async fn pairings(service: &Service, outcome: &str) -> i64 {
    let series = format!(r#"open_chat_pairings_total{{outcome="{outcome}"}}"#);
    service.metric(&series).await
}

#[tokio::test]
async fn an_invitation_pairs_a_browser() {
    let service = start(&[]).await;
    for outcome in ["paired", "renewed", "unpaired", "refused"] {
        assert_eq!(pairings(&service, outcome).await, 0, "{outcome}");
    }
    let path = address(&invitation(101, DEVICE));
    let request = shown(&service, &path, None);
    let response = request.send().await.unwrap();
    assert_eq!(
        header(&response, "cross-origin-opener-policy"),
        "same-origin"
    );
    let policy = header(&response, "content-security-policy");
    assert!(
        policy.contains("; form-action 'self'; script-src 'sha256-")
            && policy.ends_with("='; frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(header(&response, "set-cookie"), "");
    let text = response.text().await.unwrap();
    assert!(text.contains("<h1>Pair this browser?</h1>"), "{text}");
    assert!(
        text.contains("<strong>John Smith</strong> · ID in ChatHub 101"),
        "{text}"
    );
    // To be shown is not to be used.
    page(shown(&service, &path, None)).await;

    let response = button(&service, &path).send().await.unwrap();
    assert_eq!(response.status(), 303);
    assert_eq!(header(&response, "location"), "/pair");
    let (value, attributes) = set_cookie(&response);
    assert_eq!(
        attributes,
        "Path=/; Max-Age=7776000; Secure; HttpOnly; SameSite=Lax"
    );
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["message"], "pairing");
    assert_eq!(line["outcome"], "paired");
    assert_eq!(line["caller"], format!("device:{DEVICE}"));
    assert_eq!(line["operator"], 101);
    assert_eq!(pairings(&service, "paired").await, 1);
    assert_eq!(
        outcome(click_with(&service, CLICK, &value).await).await,
        101
    );

    let response = shown(&service, "/pair", Some(&value)).send().await.unwrap();
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["caller"], format!("device:{DEVICE}"));
    assert_eq!(line["operator"], 101);
    let text = response.text().await.unwrap();
    assert!(text.contains("<h1>This browser is paired</h1>"), "{text}");
    assert!(
        text.contains("<strong>John Smith</strong> · ID in ChatHub 101"),
        "{text}"
    );
    assert!(
        text.contains(&format!("<code id=\"device\">{DEVICE}</code>")),
        "{text}"
    );
}

#[tokio::test]
async fn an_invitation_is_good_once() {
    let service = start(&[]).await;
    let path = address(&invitation(101, DEVICE));
    let first = button(&service, &path).send().await.unwrap();
    assert_eq!(first.status(), 303);
    let requests = [button(&service, &path), navigation(service.request(&path))];
    for request in requests {
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "set-cookie"), "");
        let id = header(&response, "x-request-id");
        let problem = Problem::read(response).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (403, "invitation-used")
        );
        let today = chrono::Utc::now().format("on 20%y-").to_string();
        assert!(problem.detail.contains(&today), "{problem:?}");
        assert!(problem.detail.contains(DEVICE), "{problem:?}");
        let line = log_line(&id).await;
        assert_eq!(line["kind"], "invitation-used");
        assert_eq!(line["caller"], format!("device:{DEVICE}"));
        assert!(line["used_at"].as_str().unwrap().ends_with('Z'), "{line}");
    }
    assert_eq!(pairings(&service, "refused").await, 2);
}

#[rstest]
#[case::in_memory(false)]
#[case::on_redis(true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_press_at_once_one_is_paired(#[case] on_redis: bool) {
    let redis = on_redis.then(Redis::start);
    let mut services = Vec::new();
    for _ in 0..2 {
        let Some(redis) = &redis else { break };
        let service = start(&[("REDIS_URL", &redis.url())]).await;
        is_found(&service).await;
        services.push(service);
    }
    if services.is_empty() {
        services.push(start(&[]).await);
    }
    one_of_many(50, 303, 403, async |round| {
        let path = address(&invitation(101, &format!("{round:032x}")));
        let mut running = JoinSet::new();
        for service in services.iter().cycle().take(6) {
            let request = button(service, &path);
            running.spawn(async move { request.send().await.unwrap().status().as_u16() });
        }
        let mut statuses = running.join_all().await;
        for service in &services {
            statuses.push(
                button(service, &path)
                    .send()
                    .await
                    .unwrap()
                    .status()
                    .as_u16(),
            );
        }
        statuses
    })
    .await;
}

#[tokio::test]
async fn replicas_know_when_an_invitation_was_used_and_a_pairing_ended() {
    let redis = Redis::start();
    let url = redis.url();
    let (one, other) = (
        start(&[("REDIS_URL", &url)]).await,
        start(&[("REDIS_URL", &url)]).await,
    );
    for service in [&one, &other] {
        is_found(service).await;
    }
    let path = address(&invitation(101, DEVICE));
    let (cookie, _) = set_cookie(&button(&one, &path).send().await.unwrap());
    let problem = Problem::read(button(&other, &path).send().await.unwrap()).await;
    assert_eq!(problem.kind, "invitation-used");
    let today = chrono::Utc::now().format("on 20%y-").to_string();
    assert!(problem.detail.contains(&today), "{problem:?}");
    assert_eq!(outcome(click_with(&other, CLICK, &cookie).await).await, 101);

    let end = button(&one, "/pair").header("Cookie", format!("{NAME}={cookie}"));
    assert_eq!(end.send().await.unwrap().status(), 303);
    assert_eq!(
        outcome(click_with(&other, CLICK, &cookie).await).await,
        "device-ended"
    );
    let left = redis.told(
        &format!("TTL open-chat:{{shared}}:device-ended:{DEVICE}"),
        ":",
    );
    assert!((1..=600).contains(&left), "{left}");
}

/// What the start says of it: without a store each replica counts for itself.
#[tokio::test]
async fn without_a_shared_store_an_invitation_is_good_once_in_each_replica() {
    let (one, other) = (start(&[]).await, start(&[]).await);
    let path = address(&invitation(101, DEVICE));
    for service in [&one, &other] {
        let response = button(service, &path).send().await.unwrap();
        assert_eq!(response.status(), 303);
    }
    assert!(log().contains("an invitation to pair a browser is good once in each replica"));
}

/// What a sibling's frame, a script and another site's form can send.
#[rstest]
#[case::another_site("cross-site", "navigate", "document")]
#[case::a_sibling_host("same-site", "navigate", "document")]
#[case::typed("none", "navigate", "document")]
#[case::in_a_frame("same-origin", "navigate", "iframe")]
#[case::by_a_script("same-origin", "cors", "empty")]
#[case::no_site("", "navigate", "document")]
#[case::no_mode("same-origin", "", "document")]
#[case::no_destination("same-origin", "navigate", "")]
#[case::nothing("", "", "")]
#[tokio::test]
async fn only_the_page_s_own_button_pairs_or_unpairs(
    #[case] site: &str,
    #[case] mode: &str,
    #[case] destination: &str,
) {
    let service = start(&[]).await;
    let invitation = invitation(101, DEVICE);
    let cookie = cookie(&json!({}));
    for path in [&address(&invitation), "/pair"] {
        let mut request = post(&service, path)
            .header("Origin", "https://chat.example")
            .header("Cookie", format!("{NAME}={cookie}"));
        for (name, value) in [
            ("Sec-Fetch-Site", site),
            ("Sec-Fetch-Mode", mode),
            ("Sec-Fetch-Dest", destination),
        ] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "set-cookie"), "");
        let problem = Problem::read(response).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (403, "not-a-navigation")
        );
    }
    // Nothing was used up, and nothing ended.
    assert_eq!(
        outcome(click_with(&service, CLICK, &cookie).await).await,
        101
    );
    let response = button(&service, &address(&invitation))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 303);
}

/// What is loaded ahead of a click, or brings a body along, uses no invitation up.
#[tokio::test]
async fn a_load_ahead_and_a_body_press_no_button() {
    let service = start(&[]).await;
    let path = address(&invitation(101, DEVICE));
    let ahead = button(&service, &path).header("Sec-Purpose", "prefetch");
    let with_a_body = button(&service, &path).body("a=b");
    for (request, status, kind) in [
        (ahead, 403, "not-a-navigation"),
        (with_a_body, 400, "parameter-invalid"),
    ] {
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
    }
    let response = button(&service, &path).send().await.unwrap();
    assert_eq!(response.status(), 303);
}

#[rstest]
#[case::in_a_frame("iframe", "navigate")]
#[case::by_a_script("empty", "cors")]
#[case::by_a_client_that_tells_nothing("", "")]
#[tokio::test]
async fn the_page_reads_the_cookie_in_a_tab_of_its_own_alone(
    #[case] destination: &str,
    #[case] mode: &str,
) {
    let service = start(&[]).await;
    let cookie = cookie(&json!({}));
    let mut request = service
        .request("/pair")
        .header("Cookie", format!("{NAME}={cookie}"));
    for (name, value) in [("Sec-Fetch-Dest", destination), ("Sec-Fetch-Mode", mode)] {
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    let text = page(request).await;
    assert!(
        text.contains("<h1>This browser is not paired</h1>"),
        "{text}"
    );
    assert!(
        !text.contains("John Smith") && !text.contains(DEVICE),
        "{text}"
    );
}

#[tokio::test]
async fn a_browser_that_is_paired_with_another_operator_says_so_first() {
    let service = start(&[]).await;
    let paired_with_john = cookie(&json!({}));
    let path = address(&invitation(102, OTHER_DEVICE));
    let text = page(shown(&service, &path, Some(&paired_with_john))).await;
    assert!(
        text.contains("<h1>Pair this browser with another operator?</h1>"),
        "{text}"
    );
    let now = "<dt>Paired now with</dt><dd><strong>John Smith</strong> · ID in ChatHub 101</dd>";
    let then =
        "<dt>After that with</dt><dd><strong>Sarah Johnson</strong> · ID in ChatHub 102</dd>";
    assert!(text.contains(now) && text.contains(then), "{text}");
    // The same operator again is nothing to be warned of.
    let path = address(&invitation(101, OTHER_DEVICE));
    let text = page(shown(&service, &path, Some(&paired_with_john))).await;
    assert!(text.contains("<h1>Pair this browser?</h1>"), "{text}");
}

#[tokio::test]
async fn the_page_ends_the_pairing_of_its_browser() {
    let service = start(&[]).await;
    let cookie = cookie(&json!({}));
    let end = || button(&service, "/pair").header("Cookie", format!("{NAME}={cookie}"));
    let response = end().send().await.unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            header(&response, "location").as_str()
        ),
        (303, "/pair")
    );
    let (value, attributes) = set_cookie(&response);
    assert_eq!(value, "");
    assert_eq!(
        attributes,
        "Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
    );
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(
        (&line["outcome"], &line["operator"]),
        (&json!("unpaired"), &json!(101))
    );
    assert_eq!(line["caller"], format!("device:{DEVICE}"));
    assert_eq!(pairings(&service, "unpaired").await, 1);
    // The cookie is refused where it is still shown, and so is the invitation that it came of.
    assert_eq!(
        outcome(click_with(&service, CLICK, &cookie).await).await,
        "device-ended"
    );
    let request = navigation(service.request(&address(&invitation(101, DEVICE))));
    assert_eq!(
        Problem::read(request.send().await.unwrap()).await.kind,
        "device-ended"
    );
    let text = page(shown(&service, "/pair", Some(&cookie))).await;
    assert!(
        text.contains("<h1>This browser&#39;s pairing has ended</h1>"),
        "{text}"
    );
    // What has ended, or is no cookie of ours, is still taken away.
    for cookie in [cookie.as_str(), "x"] {
        let request = button(&service, "/pair").header("Cookie", format!("{NAME}={cookie}"));
        let response = request.send().await.unwrap();
        assert_eq!(set_cookie(&response).0, "");
    }
    assert_eq!(pairings(&service, "unpaired").await, 1);
}

#[tokio::test]
async fn an_agent_reads_the_page_in_ukrainian() {
    let service = start(&[]).await;
    let cookie = cookie(&json!({}));
    let invited = address(&invitation(102, OTHER_DEVICE));
    for (path, cookie, title) in [
        ("/pair", None, "Цей браузер не під’єднано"),
        ("/pair", Some("x"), "Цей браузер більше не під’єднано"),
        ("/pair", Some(cookie.as_str()), "Цей браузер під’єднано"),
        (invited.as_str(), None, "Під’єднати цей браузер?"),
        (
            invited.as_str(),
            Some(cookie.as_str()),
            "Під’єднати цей браузер до іншого оператора?",
        ),
    ] {
        let request = shown(&service, path, cookie).header("Accept-Language", "uk");
        let text = page(request).await;
        assert!(text.contains(&format!("<h1>{title}</h1>")), "{text}");
        assert!(text.contains("<html lang=\"uk\">"), "{text}");
    }
}

#[tokio::test]
async fn where_browsers_are_not_paired_the_page_says_so() {
    let service = start(&[("ACCESS", "open")]).await;
    for path in ["/pair", &address(&invitation(101, DEVICE))] {
        let text = page(shown(&service, path, Some(&cookie(&json!({}))))).await;
        assert!(
            text.contains("<h1>Browsers are not paired here</h1>"),
            "{text}"
        );
        let response = button(&service, path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "set-cookie"), "");
    }
}

#[rstest]
#[case::an_unknown_operator(999, "operator-unknown")]
#[case::one_who_does_not_work(21, "operator-inactive")]
#[tokio::test]
async fn an_invitation_for_an_operator_who_opens_no_chat_pairs_nothing(
    #[case] operator: u64,
    #[case] kind: &str,
) {
    let service = start(&[]).await;
    let path = address(&invitation(operator, DEVICE));
    for request in [button(&service, &path), navigation(service.request(&path))] {
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "set-cookie"), "");
        assert_eq!(Problem::read(response).await.kind, kind);
    }
}

/// The page does without the operator's name; a click needs no list either.
#[tokio::test]
async fn a_directory_that_cannot_be_read_pairs_by_the_id() {
    let faults = [(Endpoint::Operators, Fault::Status(403))];
    let variables = [
        ("ACCESS", "device"),
        ("PUBLIC_URL", "https://chat.example"),
        ("DEVICE_SECRET", crate::device::SECRET),
    ];
    let service = Service::start_broken(rules(), &variables, &faults);
    let path = address(&invitation(101, DEVICE));
    let text = page(shown(&service, &path, None)).await;
    assert!(text.contains("<dd>ID in ChatHub 101</dd>"), "{text}");
    let response = button(&service, &path).send().await.unwrap();
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn a_revoked_invitation_pairs_nothing() {
    let revoked = file(
        "revoked.toml",
        &format!("[[revoked]]\ndevice = \"{DEVICE}\"\n"),
    );
    let service = start(&[("DEVICES_REVOKED_FILE", revoked.to_str().unwrap())]).await;
    let path = address(&invitation(101, DEVICE));
    let response = button(&service, &path).send().await.unwrap();
    assert_eq!(Problem::read(response).await.kind, "device-ended");
    rewrite(&revoked, "");
    eventually("it is good again", async || {
        button(&service, &path).send().await.unwrap().status() == 303
    })
    .await;
}

#[rstest]
#[case::twice("invitation=a&invitation=b", 400, "parameter-repeated")]
#[case::empty("invitation=", 401, "invitation-invalid")]
#[case::cut_off(
    "invitation=eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
    401,
    "invitation-invalid"
)]
#[case::long("invitation=LONG", 401, "invitation-invalid")]
#[tokio::test]
async fn what_is_no_invitation_pairs_nothing(
    #[case] query: &str,
    #[case] status: u16,
    #[case] kind: &str,
) {
    let service = start(&[]).await;
    let query = query.replace("LONG", &"a.".repeat(2000));
    let path = format!("/pair?{query}");
    for request in [button(&service, &path), navigation(service.request(&path))] {
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
    }
}

#[tokio::test]
async fn an_invitation_that_is_over_pairs_nothing() {
    let service = start(&[]).await;
    let path = address(&invitation_that_is_over());
    for request in [button(&service, &path), navigation(service.request(&path))] {
        let response = request.send().await.unwrap();
        assert_eq!(header(&response, "set-cookie"), "");
        let problem = Problem::read(response).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (401, "invitation-expired")
        );
    }
}

/// Mailers and trackers add parameters, and a line end.
#[tokio::test]
async fn what_stands_around_an_invitation_does_not_matter() {
    let service = start(&[]).await;
    let path = format!("{}%0A&utm_source=mail", address(&invitation(101, DEVICE)));
    let response = button(&service, &path).send().await.unwrap();
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn the_page_takes_get_and_post_alone() {
    let service = start(&[]).await;
    for method in ["HEAD", "OPTIONS", "PUT", "DELETE", "BREW"] {
        let request = format!("{method} /pair HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(&service, &request).await.to_lowercase();
        assert!(answer.starts_with("http/1.1 405 "), "{method}: {answer}");
        assert!(
            answer.contains("\r\nallow: get, post\r\n"),
            "{method}: {answer}"
        );
    }
}

/// Another site can have an agent's browser ask for the page all day: that holds up no click.
#[tokio::test]
async fn the_page_is_limited_apart_from_clicks() {
    let limits = [("RATE_LIMIT_CLIENT", "3/h"), ("RATE_LIMIT_REFUSED", "2/h")];
    let service = start(&limits).await;
    for _ in 0..3 {
        page(shown(&service, "/pair", None)).await;
    }
    for request in [
        navigation(service.request("/pair")),
        button(&service, &address(&invitation(101, DEVICE))),
    ] {
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (429, "rate-limited")
        );
        assert!(problem.retry_after.unwrap() > 0, "{problem:?}");
    }
    let opened = outcome(click_with(&service, CLICK, &cookie(&json!({}))).await).await;
    assert_eq!(opened, 101);
}

#[tokio::test]
async fn who_guesses_invitations_is_told_to_wait() {
    let service = start(&[("RATE_LIMIT_REFUSED", "2/h")]).await;
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let request = navigation(service.request("/pair?invitation=x"));
        kinds.push(Problem::read(request.send().await.unwrap()).await.kind);
    }
    assert_eq!(
        kinds,
        ["invitation-invalid", "invitation-invalid", "rate-limited"]
    );
    // It holds up no invitation that is good.
    let response = button(&service, &address(&invitation(101, DEVICE)))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn networks_hold_for_the_page() {
    let service = start(&[("ALLOWED_NETWORKS", "192.0.2.0/24")]).await;
    for request in [
        navigation(service.request("/pair")),
        button(&service, &address(&invitation(101, DEVICE))),
    ] {
        let problem = Problem::read(request.send().await.unwrap()).await;
        assert_eq!(problem.kind, "network-not-allowed");
    }
}

/// An invitation that Redis cannot be asked about is not taken, and stays good.
#[tokio::test]
async fn without_an_answer_of_redis_no_invitation_is_taken() {
    let redis = Redis::start();
    let variables = [
        ("ACCESS", "device"),
        ("PUBLIC_URL", "https://chat.example"),
        ("DEVICE_SECRET", crate::device::SECRET),
    ];
    let proxy = RedisProxy::before(&redis).await;
    let service = proxy.replica(&variables).await;
    let path = address(&invitation(101, DEVICE));
    proxy.hold_from("open-chat:{shared}:once:", "EVALSHA");
    let problem = Problem::read(button(&service, &path).send().await.unwrap()).await;
    assert_eq!((problem.status, problem.kind.as_str()), (503, "overloaded"));
    proxy.release();
    eventually("it is good", async || {
        button(&service, &path).send().await.unwrap().status() == 303
    })
    .await;
}

#[tokio::test]
async fn no_invitation_is_in_the_log() {
    let service = start(&[]).await;
    let invitation = invitation(101, DEVICE);
    let path = address(&invitation);
    page(shown(&service, &path, None)).await;
    let response = button(&service, &path).send().await.unwrap();
    log_line(&header(&response, "x-request-id")).await;
    let (cookie, _) = set_cookie(&response);
    let log = log();
    for secret in [&invitation, &cookie] {
        assert!(!log.contains(secret.rsplit('.').next().unwrap()));
    }
}
