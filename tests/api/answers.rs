//! What every answer has.

use rstest::rstest;

use crate::harness::{Service, header, log_line};

#[rstest]
#[case::redirect("/open-chat?operator=101&phone=0501234567", 302)]
#[case::refusal("/open-chat", 400)]
#[case::nowhere("/wp-login.php", 404)]
#[case::health("/healthz", 200)]
#[case::metrics("/metrics", 200)]
#[tokio::test]
async fn the_headers_that_keep_a_link_private(#[case] path: &str, #[case] status: u16) {
    let service = Service::start().await;
    let response = service.request(path).send().await.unwrap();
    assert_eq!(response.status(), status);
    assert_eq!(header(&response, "cache-control"), "no-store");
    assert_eq!(header(&response, "referrer-policy"), "no-referrer");
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(header(&response, "x-robots-tag"), "noindex");
    assert_eq!(header(&response, "x-request-id").len(), 32);
}

#[tokio::test]
async fn a_redirect_has_no_body() {
    let service = Service::start().await;
    let response = service.click("operator=101&phone=0501234567").await;
    assert_eq!(header(&response, "content-length"), "0");
    assert_eq!(response.text().await.unwrap(), "");
}

#[rstest]
#[case::usual("req-2026.11_22", true)]
#[case::longest(&"a".repeat(128), true)]
#[case::too_long(&"a".repeat(129), false)]
#[case::space("two words", false)]
#[case::markup("<b>", false)]
#[case::empty("", false)]
#[tokio::test]
async fn a_harmless_request_id_is_kept(#[case] id: &str, #[case] is_kept: bool) {
    let service = Service::start().await;
    let response = service
        .request("/open-chat")
        .header("X-Request-Id", id)
        .send()
        .await
        .unwrap();
    let answered = header(&response, "x-request-id");
    assert_eq!(answered == id, is_kept, "{answered}");
    assert!(!answered.is_empty());
}

#[tokio::test]
async fn two_requests_have_two_ids() {
    let service = Service::start().await;
    let (one, two) = (service.ops("/healthz").await, service.ops("/healthz").await);
    assert_ne!(header(&one, "x-request-id"), header(&two, "x-request-id"));
}

#[tokio::test]
async fn a_click_leaves_one_line() {
    let service = Service::start().await;
    let response = service
        .click("operator=101&phone=0501234567&from=Acme&source=0")
        .await;
    let token = header(&response, "location")
        .split_once("token=")
        .unwrap()
        .1
        .to_owned();
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["message"], "click");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["status"], 302);
    assert_eq!(line["outcome"], "redirect");
    assert_eq!(line["operator"], 101);
    assert_eq!(line["caller"], "anyone");
    assert_eq!(line["client"], "127.0.0.1");
    assert_eq!(line["phone"], "+38050***4567");
    assert_eq!(line["format"], 4);
    assert_eq!(line["source"], "viber");
    let fingerprint = open_chat::secret::Secret::new(token)
        .fingerprint()
        .to_string();
    assert_eq!(line["token"], fingerprint);
}

#[tokio::test]
async fn a_refused_click_leaves_one_line_too() {
    let service = Service::start().await;
    let response = service.click("operator=101&phone=12345").await;
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["status"], 400);
    assert_eq!(line["kind"], "phone-invalid");
    assert_eq!(line["operator"], 101);
    assert_eq!(line.get("token"), None);
}

#[tokio::test]
async fn the_log_can_do_without_phones() {
    let service = Service::start_with(crate::harness::rules(), &[("LOG_PHONES", "none")]).await;
    let response = service.click("operator=101&phone=0501234567").await;
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["outcome"], "redirect");
    assert_eq!(line.get("phone"), None);
}
