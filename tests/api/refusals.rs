//! The click that does not succeed: a clear answer, and nothing asked of ChatHub that need not be.

use chathub_simulator::{Endpoint, Fault, Rules};
use open_chat::http::Kind;
use rstest::rstest;

use crate::harness::{Problem, Service, header, own_address, raw, rules};

/// A query that costs ChatHub nothing, its status and kind, and words of its sentence.
const REFUSED: &[(&str, u16, &str, &str)] = &[
    ("", 400, "operator-missing", "add `operator=`"),
    (
        "operator=&phone=0501234567",
        400,
        "operator-missing",
        "add `operator=`",
    ),
    ("operator=101", 400, "target-missing", "add `phone=`"),
    (
        "operator=101&phone=",
        400,
        "target-missing",
        "no phone in the CRM",
    ),
    (
        "operator=101&phone=%20&chat_raw_id=+",
        400,
        "target-missing",
        "add `phone=`",
    ),
    (
        "operator=101&phone=%2B3367a829916",
        400,
        "phone-invalid",
        "contains letters",
    ),
    (
        "operator=101&phone=+3367a829916",
        400,
        "phone-invalid",
        "contains letters",
    ),
    (
        "operator=101&phone=12345",
        400,
        "phone-invalid",
        "country code",
    ),
    (
        "operator=101&phone=%252B380501234567",
        400,
        "phone-invalid",
        "percent-encoded twice",
    ),
    (
        "operator=101&phone=0501234567;0671234567",
        400,
        "phone-invalid",
        "send one number",
    ),
    (
        "operator=101&phone=0501234567&source=8",
        400,
        "source-invalid",
        "0 to 7",
    ),
    (
        "operator=101&phone=0501234567&source=vibr",
        400,
        "source-invalid",
        "telegrambot",
    ),
    (
        "operator=101&phone=0501234567&source=0",
        400,
        "sender-missing",
        "add `from=`",
    ),
    (
        "operator=101&phone=05012%0034567",
        400,
        "parameter-invalid",
        "`phone` contains a control character",
    ),
    (
        "operator=101&phone=0501234567&from=a%0d%0aSet-Cookie:x",
        400,
        "parameter-invalid",
        "`from` contains a control",
    ),
    (
        "operator=101&phone=%zz",
        400,
        "parameter-invalid",
        "`phone` is not properly percent-encoded",
    ),
    (
        "operator=%FF&phone=0501234567",
        400,
        "parameter-invalid",
        "`operator` is not UTF-8",
    ),
    (
        "operator=101&operator=102&phone=0501234567",
        400,
        "parameter-repeated",
        "`operator` is given twice",
    ),
    (
        "operator=101&phone={{contact.phone}}",
        400,
        "placeholder-unfilled",
        "`phone` is still a template",
    ),
    (
        "operator=101&phone=%23PHONE%23",
        400,
        "placeholder-unfilled",
        "`phone` is still a template",
    ),
    (
        "operator=%USER_ID%&phone=0501234567",
        400,
        "placeholder-unfilled",
        "`operator` is still a template",
    ),
    (
        "operator=nobody&phone=0501234567",
        404,
        "operator-unknown",
        "a number such as 101",
    ),
    (
        "operator=0&phone=0501234567",
        404,
        "operator-unknown",
        "a number such as 101",
    ),
];

#[tokio::test]
async fn what_can_be_refused_without_chathub_costs_chathub_nothing() {
    let service = Service::start_with(rules(), &[("SOURCE_WITHOUT_SENDER", "reject")]).await;
    let calls = service.chathub.total_calls();
    let too_long = format!("operator=101&from={}", "a".repeat(4096));
    for (query, status, kind, words) in
        REFUSED
            .iter()
            .chain(&[(&*too_long, 414, "query-too-long", "4 KiB")])
    {
        let problem = service.refusal(query).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (*status, *kind),
            "{query}"
        );
        assert!(
            problem.detail.contains(words),
            "{query}: {}",
            problem.detail
        );
    }
    for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"] {
        let request = format!(
            "{method} /open-chat?operator=101&phone=0501234567 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        );
        let answer = raw(&service, &request).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert!(
            answer.to_lowercase().contains("\r\nallow: get\r\n"),
            "{answer}"
        );
    }
    let nowhere = Problem::read(service.request("/open-chat/").send().await.unwrap()).await;
    assert_eq!((nowhere.status, nowhere.kind.as_str()), (404, "not-found"));
    assert_eq!(service.chathub.total_calls(), calls);
}

#[rstest]
#[case(Rules { unknown_operator: 404, ..rules() })]
#[case(Rules { unknown_operator: 400, ..rules() })]
#[tokio::test]
async fn an_operator_unknown_to_chathub(#[case] rules: Rules) {
    let service = Service::start_with(rules, &[]).await;
    let problem = service.refusal("operator=999&phone=0501234567").await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (404, "operator-unknown")
    );
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
}

/// What ChatHub answers, and what the agent and ChatHub get from it: status, kind, mints, at least
/// this `Retry-After`.
#[rstest]
#[case(Fault::Status(403), 403, "operator-not-allowed", None)]
#[case(Fault::Status(404), 404, "operator-unknown", None)]
#[case(Fault::Status(500), 503, "chathub-unavailable", Some(1))]
#[case(Fault::Status(502), 503, "chathub-unavailable", Some(1))]
#[case(Fault::Throttled(700), 503, "chathub-throttled", Some(600))]
#[case(Fault::Body(String::new()), 502, "chathub-bad-answer", None)]
#[case(Fault::Body("<html>Welcome</html>".into()), 502, "chathub-bad-answer", None)]
#[case(Fault::Body(r#"{"error":"none"}"#.into()), 502, "chathub-bad-answer", None)]
#[case(Fault::Nested(100_000), 502, "chathub-bad-answer", None)]
#[case(Fault::Endless, 502, "chathub-bad-answer", None)]
#[case(Fault::Redirect("http://127.0.0.1:9/".into()), 502, "chathub-bad-answer", None)]
#[case(Fault::Silence, 504, "chathub-timeout", None)]
#[tokio::test]
async fn what_chathub_does_wrong_has_a_name(
    #[case] fault: Fault,
    #[case] status: u16,
    #[case] kind: &str,
    #[case] retry_after: Option<u64>,
) {
    let quick = [("CHATHUB_ATTEMPT_TIMEOUT", "1s")];
    let is_silent = matches!(fault, Fault::Silence);
    let variables = if is_silent { &quick[..] } else { &[] };
    let service = Service::start_with(rules(), variables).await;
    service.chathub.always(Endpoint::OperatorToken, Some(fault));
    let problem = service.refusal("operator=101&phone=0501234567").await;
    assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
    assert!(problem.retry_after >= retry_after, "{problem:?}");
    assert_eq!(problem.retry_after.is_some(), retry_after.is_some());
}

#[tokio::test]
async fn chathub_that_is_not_there_is_unavailable() {
    let url = format!("http://{}/", own_address());
    let service = Service::start_unproven(rules(), &[("CHATHUB_URL", &url)]);
    let problem = service.refusal("operator=101&phone=0501234567").await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (503, "chathub-unavailable")
    );
    assert!(problem.detail.contains("cannot be reached"));
}

#[rstest]
#[case(401)]
#[case(400)]
#[tokio::test]
async fn a_wrong_password_is_the_service_s_own_fault(#[case] wrong_login: u16) {
    let rules = Rules {
        wrong_login,
        ..rules()
    };
    let service = Service::start_unproven(rules, &[("CHATHUB_PASSWORD", "canary-password-wrong")]);
    let problem = service.refusal("operator=101&phone=0501234567").await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (503, "credentials-rejected")
    );
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 0);
}

#[tokio::test]
async fn an_expired_company_token_is_renewed_on_the_way() {
    let service = Service::start().await;
    service.chathub.store().revoke_company_tokens();
    service.destination("operator=101&phone=0501234567").await;
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), 2);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

#[tokio::test]
async fn a_browser_gets_a_page_with_a_way_out() {
    let service = Service::start().await;
    let as_browser = |query: &str| {
        service
            .request(&format!("/open-chat?{query}"))
            .header(
                "Accept",
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            )
            .send()
    };
    let response = as_browser("operator=101&phone=12345").await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        header(&response, "content-type"),
        "text/html; charset=utf-8"
    );
    assert!(header(&response, "content-security-policy").starts_with("default-src 'none';"));
    let id = header(&response, "x-request-id");
    let page = response.text().await.unwrap();
    assert!(
        page.contains("<h1>This is not a phone number</h1>"),
        "{page}"
    );
    assert!(page.contains(&id), "{page}");
    assert!(!page.contains("log in by hand"), "{page}");

    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(408)));
    let page = as_browser("operator=101&phone=0501234567")
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("Try again"), "{page}");
    assert!(
        page.contains(r#"href="https://chat.smsbat.com/?phone=%2B380501234567""#),
        "{page}"
    );
}

#[tokio::test]
async fn what_a_visitor_writes_cannot_become_markup() {
    let service = Service::start().await;
    let page = service
        .request("/open-chat?operator=101&phone=<script>alert(1)</script>&from=\"><img>")
        .header("Accept", "text/html")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        !page.contains("<script>") && !page.contains("<img>"),
        "{page}"
    );
}

#[test]
fn each_kind_has_a_name_of_its_own() {
    let mut names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Kind::ALL.len());
}
