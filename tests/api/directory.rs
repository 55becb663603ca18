//! Operators by name, their status, and clients who meet whoever is there.

use std::time::{Duration, Instant};

use chathub_simulator::{Endpoint, Fault, Rules};
use chrono::Utc;
use jsonwebtoken::{EncodingKey, Header, encode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{PANEL, Problem, Service, eventually, file, header, log_line, rules};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";
const BY_NAME: &str = "operator=John%20Smith&phone=0501234567";

/// Changes in ChatHub count at once, as far as a test can tell.
const QUICK: (&str, &str) = ("DIRECTORY_REFRESH", "20ms");

/// Whose panel a click has opened.
async fn opened(service: &Service, query: &str) -> Value {
    let response = service.click(query).await;
    assert_eq!(response.status(), 302, "{query}");
    log_line(&header(&response, "x-request-id")).await["operator"].clone()
}

async fn kind(service: &Service, query: &str) -> (u16, String) {
    let problem = service.refusal(query).await;
    (problem.status, problem.kind)
}

/// Waits until a whole reading of the directory has begun and ended after this moment.
async fn reading_after_this(service: &Service) {
    // The lists of a reading are asked for after its organizations, so the second reading from now
    // on knows of everything.
    let readings = service.chathub.calls(Endpoint::Organizations);
    eventually("the directory is read again", async || {
        service.chathub.calls(Endpoint::Organizations) >= readings + 3
    })
    .await;
}

#[rstest]
#[case::encoded("operator=John%20Smith")]
#[case::in_any_case("operator=jOHN+sMITH")]
#[case::with_spaces("operator=%20John%20Smith%20")]
#[tokio::test]
async fn a_name_opens_the_panel_of_who_bears_it(#[case] operator: &str) {
    let service = Service::start().await;
    let calls = service.chathub.calls(Endpoint::Operators);
    for _ in 0..5 {
        let query = format!("{operator}&phone=0501234567");
        assert_eq!(opened(&service, &query).await, 101);
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    assert_eq!(service.chathub.calls(Endpoint::Operators), calls);
}

#[tokio::test]
async fn a_warm_name_costs_chathub_nothing() {
    let service = Service::start().await;
    service.destination(BY_NAME).await;
    let calls = service.chathub.total_calls();
    for _ in 0..50 {
        service.destination(BY_NAME).await;
    }
    assert_eq!(
        service
            .refusal("operator=Nobody&phone=0501234567")
            .await
            .kind,
        "operator-unknown"
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

#[tokio::test]
async fn two_of_one_name_are_nobody() {
    let service = Service::start_with(rules(), &[QUICK]).await;
    let second = service
        .chathub
        .store()
        .add_operator(6, "john SMITH")
        .unwrap();
    reading_after_this(&service).await;
    let problem = service.refusal(BY_NAME).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (409, "operator-ambiguous")
    );
    let detail = problem.detail.to_lowercase();
    assert!(
        !detail.contains("john") && !detail.contains("101"),
        "{detail}"
    );
    assert!(detail.contains("by the chathub id"), "{detail}");
    let by_id = "operator=101&phone=0501234567";
    assert_eq!(opened(&service, by_id).await, 101);

    // A colleague who has left keeps the name from nobody.
    service.chathub.store().set_status(second, 2);
    reading_after_this(&service).await;
    assert_eq!(opened(&service, BY_NAME).await, 101);
}

#[rstest]
#[case::inactive("operator=21")]
#[case::inactive_by_name("operator=Inactive%20Ivan")]
#[case::deleted("operator=22")]
#[case::deleted_by_name("operator=deleted%20dana")]
#[tokio::test]
async fn who_does_not_work_is_refused_at_no_cost(#[case] operator: &str) {
    let service = Service::start_with(rules(), &[QUICK]).await;
    // A name waits for the first reading, so it has been read now.
    service.refusal("operator=Nobody&phone=0501234567").await;
    let query = format!("{operator}&phone=0501234567");
    let problem = service.refusal(&query).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "operator-inactive")
    );
    assert!(problem.detail.contains("inactive or deleted in ChatHub"));
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 0);

    for id in [21, 22] {
        service.chathub.store().set_status(id, 0);
    }
    reading_after_this(&service).await;
    service.destination(&query).await;
}

#[tokio::test]
async fn who_stops_working_is_out_after_one_refresh_token_or_not() {
    let service = Service::start_with(rules(), &[QUICK]).await;
    service.destination(BY_NAME).await;
    service.chathub.store().set_status(101, 1);
    reading_after_this(&service).await;
    assert_eq!(
        kind(&service, BY_NAME).await,
        (403, "operator-inactive".into())
    );
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
}

#[tokio::test]
async fn where_chathub_refuses_a_token_the_directory_says_why() {
    let faults = [(Endpoint::Organizations, Fault::Held)];
    let service = Service::start_broken(rules(), &[], &faults);
    let inactive = service
        .request("/open-chat?operator=21&phone=0501234567")
        .send();
    let inactive = tokio::spawn(inactive);
    // It is still being read when ChatHub refuses.
    let refused =
        r#"chathub_requests_total{endpoint="operator/get-token",outcome="not-permitted"}"#;
    eventually("ChatHub refuses", async || {
        service.metric(refused).await == 1
    })
    .await;
    service.chathub.release();
    let problem = Problem::read(inactive.await.unwrap().unwrap()).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "operator-inactive")
    );
    let unknown = kind(&service, "operator=999&phone=0501234567").await;
    assert_eq!(unknown, (404, "operator-unknown".into()));
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

#[tokio::test]
async fn a_new_name_counts_after_one_refresh() {
    let service = Service::start_with(rules(), &[QUICK]).await;
    let query = "operator=Олена%20Приклад&phone=0501234567";
    assert_eq!(
        kind(&service, query).await,
        (404, "operator-unknown".into())
    );
    let id = service.chathub.store().add_operator(6, "Олена ПРИКЛАД");
    reading_after_this(&service).await;
    assert_eq!(opened(&service, query).await, json!(id));
}

#[tokio::test]
async fn an_id_never_waits_for_the_directory() {
    let faults = [(Endpoint::Organizations, Fault::Silence)];
    let service = Service::start_broken(rules(), &[], &faults);
    assert_eq!(
        service.destination("operator=101&phone=0501234567").await,
        format!("{PANEL}?phone=%2B380501234567&token=")
    );
    // A name does, as long as its budget lasts.
    let service = Service::start_broken(rules(), &[("CLICK_BUDGET", "1s")], &faults);
    let started = Instant::now();
    let problem = service.refusal(BY_NAME).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (504, "chathub-timeout")
    );
    let attempt_timeout = Duration::from_mins(2);
    assert!(started.elapsed() < attempt_timeout, "its budget");
}

#[rstest]
#[case::broken(Endpoint::Operators, Fault::Status(500), "chathub-unavailable")]
#[case::nonsense(Endpoint::Operators, Fault::Body("[".into()), "chathub-bad-answer")]
#[case::forbidden(Endpoint::Organizations, Fault::Status(403), "credentials-rejected")]
#[case::a_firewall(Endpoint::Organizations, Fault::Page(403), "chathub-bad-answer")]
#[case::a_firewall_s_404(Endpoint::Operators, Fault::Page(404), "chathub-bad-answer")]
#[case::nobody_s_business(Endpoint::Operators, Fault::Status(403), "operator-unknown")]
#[case::an_empty_company(Endpoint::Organizations, Fault::Body("[]".into()), "operator-unknown")]
#[tokio::test]
async fn without_a_directory_names_are_refused_and_ids_are_not(
    #[case] endpoint: Endpoint,
    #[case] fault: Fault,
    #[case] expected: &str,
) {
    let service = Service::start_broken(rules(), &[], &[(endpoint, fault)]);
    let problem = service.refusal(BY_NAME).await;
    assert_eq!(problem.kind, expected);
    assert_eq!(problem.retry_after.is_some(), problem.status == 503);
    service.destination("operator=101&phone=0501234567").await;
}

#[tokio::test]
async fn names_are_known_soon_after_chathub_is_back() {
    let faults = [(Endpoint::Organizations, Fault::Status(503))];
    let service = Service::start_broken(rules(), &[("FALLBACK", "login")], &faults);
    let by_hand = service.click(BY_NAME).await;
    assert_eq!(
        header(&by_hand, "location"),
        format!("{PANEL}?phone=%2B380501234567"),
        "the panel's own login page"
    );
    service.destination("operator=101&phone=0501234567").await;
    service.chathub.always(Endpoint::Organizations, None);
    eventually("the name is known", async || {
        header(&service.click(BY_NAME).await, "location").contains("token=")
    })
    .await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_again_stays_in_force() {
    let service = Service::start_with(rules(), &[QUICK]).await;
    for endpoint in [Endpoint::Organizations, Endpoint::Operators] {
        service.chathub.always(endpoint, Some(Fault::Status(500)));
    }
    // Ten failures in a row: lists say nothing of tokens, so the circuit stays closed.
    let calls = service.chathub.calls(Endpoint::Organizations);
    eventually("reading has failed ten times", async || {
        service.chathub.calls(Endpoint::Organizations) > calls + 10
    })
    .await;
    assert_eq!(opened(&service, BY_NAME).await, 101);
    assert_eq!(service.metric("chathub_circuit_open").await, 0);
}

#[tokio::test]
async fn an_alias_may_stand_for_a_name() {
    let map = file("map.toml", "\"kommo-5\" = \"sarah johnson\"\n");
    let service =
        Service::start_with(rules(), &[("OPERATOR_MAP_FILE", map.to_str().unwrap())]).await;
    assert_eq!(
        opened(&service, "operator=Kommo-5&phone=0501234567").await,
        102
    );
}

fn pass(operator: &Value) -> String {
    let claims = json!({"sub": operator, "exp": Utc::now().timestamp() + 3600});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).unwrap()
}

async fn with_key_for(
    operators: &str,
    variables: &[(&str, &str)],
    operators_there: u64,
) -> Service {
    let text = format!(
        "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\noperators = {operators}\n"
    );
    let keys = file("keys.toml", &text);
    let mut all = vec![
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    all.extend(variables);
    let rules = Rules {
        operators: operators_there,
        ..rules()
    };
    Service::start_with(rules, &all).await
}

#[rstest]
#[case::by_name(json!("John Smith"), "", 302)]
#[case::by_id(json!(101), "", 302)]
#[case::the_url_says_the_same(json!("John Smith"), "&operator=101", 302)]
#[case::the_url_says_the_same_by_name(json!(101), "&operator=john%20smith", 302)]
#[case::the_url_says_another(json!(101), "&operator=Sarah%20Johnson", 403)]
#[case::the_url_says_nobody(json!(101), "&operator=Nobody", 403)]
#[case::not_in_the_list(json!("Sarah Johnson"), "", 403)]
#[case::not_in_the_list_by_id(json!(102), "", 403)]
#[tokio::test]
async fn a_key_s_list_of_names_means_operators(
    #[case] operator: Value,
    #[case] url: &str,
    #[case] status: u16,
) {
    let service = with_key_for("[\"john smith\", \"Nobody\"]", &[], 2).await;
    let query = format!("phone=0501234567{url}&pass={}", pass(&operator));
    assert_eq!(service.click(&query).await.status(), status);
}

/// What a name means is not known before the directory is, and that must not let anybody in.
#[rstest]
#[case::the_key_s_list_has_a_name("[\"John Smith\"]", "", "chathub-unavailable")]
#[case::the_url_has_a_name("[101]", "&operator=John%20Smith", "chathub-unavailable")]
#[case::the_list_says_no_by_its_ids("[102]", "", "operator-not-allowed")]
#[tokio::test]
async fn a_pass_waits_for_the_directory_where_a_name_decides(
    #[case] operators: &str,
    #[case] url: &str,
    #[case] expected: &str,
) {
    let keys = format!(
        "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\noperators = {operators}\n"
    );
    let keys = file("keys.toml", &keys);
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let faults = [(Endpoint::Operators, Fault::Status(500))];
    let service = Service::start_broken(rules(), &variables, &faults);
    let query = format!("phone=0501234567{url}&pass={}", pass(&json!(101)));
    assert_eq!(service.refusal(&query).await.kind, expected);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 0);
}

#[tokio::test]
async fn a_name_that_two_bear_opens_no_door() {
    let service = with_key_for("[\"John Smith\"]", &[QUICK], 2).await;
    let query = format!("phone=0501234567&pass={}", pass(&json!(101)));
    service.destination(&query).await;
    let second = service
        .chathub
        .store()
        .add_operator(6, "John Smith")
        .unwrap();
    reading_after_this(&service).await;
    let not_allowed = (403, "operator-not-allowed".to_owned());
    assert_eq!(kind(&service, &query).await, not_allowed);
    let query = format!("phone=0501234567&pass={}", pass(&json!(second)));
    assert_eq!(kind(&service, &query).await, not_allowed);
}

#[tokio::test]
async fn a_login_maps_by_display_name_where_the_map_has_nothing() {
    let map = file("map.toml", "\"Sarah Johnson\" = 101\n");
    let service = Service::start_with(
        rules(),
        &[
            ("ACCESS", "sso"),
            ("SSO_HEADER", "X-Agent"),
            ("TRUSTED_PROXIES", "127.0.0.1"),
            ("SSO_BY_NAME", "on"),
            ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
        ],
    )
    .await;
    for (identity, url, expected) in [
        ("john smith", "", json!(101)),
        ("Sarah Johnson", "", json!(101)),
        ("John Smith", "&operator=101", json!(101)),
        ("John Smith", "&operator=auto:24", json!(null)),
        ("John Smith", "&operator=102", json!(null)),
        ("102", "", json!(null)),
    ] {
        let request = service
            .request(&format!("/open-chat?phone=0501234567{url}"))
            .header("X-Agent", identity);
        let response = request.send().await.unwrap();
        let line = log_line(&header(&response, "x-request-id")).await;
        let opened = if response.status() == 302 {
            line["operator"].clone()
        } else {
            json!(null)
        };
        assert_eq!(opened, expected, "{identity} {url}");
    }
}

const AUTO: (&str, &str) = ("OPERATOR_AUTO", "on");

async fn with_ten_operators(variables: &[(&str, &str)]) -> Service {
    let rules = Rules {
        operators: 10,
        ..rules()
    };
    Service::start_with(rules, variables).await
}

#[tokio::test]
async fn a_client_meets_the_same_operator_until_that_one_leaves() {
    let service = with_ten_operators(&[AUTO, QUICK]).await;
    // Computed from the documented hash by another program.
    for (client, operator) in [
        ("phone=0501234567", 107),
        ("phone=%2B380501234567", 107),
        ("phone=0671234567", 107),
        ("phone=0501234568", 108),
        ("chat_raw_id=chat-1", 104),
    ] {
        let query = format!("operator=auto:24&{client}");
        assert_eq!(opened(&service, &query).await, operator, "{client}");
    }
    service.chathub.store().set_status(107, 1);
    reading_after_this(&service).await;
    let client = "operator=auto:24&phone=0501234567";
    assert_eq!(opened(&service, client).await, 101);
    let other = "operator=auto:24&phone=0501234568";
    assert_eq!(opened(&service, other).await, 108);
}

#[tokio::test]
async fn the_choice_is_left_open_only_where_that_is_switched_on() {
    let query = "operator=auto:24&phone=0501234567";
    let service = Service::start().await;
    let problem = service.refusal(query).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "operator-not-allowed")
    );
    assert!(problem.detail.contains("OPERATOR_AUTO"), "{problem:?}");

    let service = Service::start_with(rules(), &[AUTO]).await;
    service.destination(query).await;
    for (organization, status, expected) in [
        ("6", 403, "operator-inactive"),
        ("7", 403, "operator-inactive"),
        ("x", 404, "operator-unknown"),
        ("", 404, "operator-unknown"),
    ] {
        let query = format!("operator=auto:{organization}&phone=0501234567");
        assert_eq!(
            kind(&service, &query).await,
            (status, expected.into()),
            "{query}"
        );
    }
}

#[rstest]
#[case::any("[101, 102]", 302)]
#[case::as_such("[\"auto:24\"]", 302)]
#[case::by_name("[\"John Smith\", \"Sarah Johnson\"]", 302)]
#[case::one_of_two("[101]", 403)]
#[tokio::test]
async fn who_may_not_act_for_all_is_given_nobody(#[case] operators: &str, #[case] status: u16) {
    let service = with_key_for(operators, &[AUTO], 2).await;
    let query = format!("phone=0501234567&pass={}", pass(&json!("auto:24")));
    assert_eq!(service.click(&query).await.status(), status);
}

#[tokio::test]
async fn the_operator_who_is_chosen_counts_for_the_limit() {
    let limit = ("RATE_LIMIT_OPERATOR", "2/h");
    let service = with_ten_operators(&[AUTO, limit]).await;
    let query = "operator=auto:24&phone=0501234567";
    service.destination(query).await;
    service.destination("operator=107&phone=0501234567").await;
    assert_eq!(kind(&service, query).await, (429, "rate-limited".into()));
    let other = "operator=auto:24&phone=0501234568";
    service.destination(other).await;
}

/// Of two services with one ChatHub, one has noticed a change, when the other is not to look yet.
#[tokio::test]
async fn the_directory_is_read_again_as_often_as_is_set() {
    let often = Service::start_with(rules(), &[("DIRECTORY_REFRESH", "20ms")]).await;
    let chathub = often.chathub.url();
    let variables = [
        ("CHATHUB_URL", chathub.as_str()),
        ("DIRECTORY_REFRESH", "1h"),
    ];
    let seldom = Service::start_with(rules(), &variables).await;
    let click = "operator=101&phone=0501234567";
    for service in [&often, &seldom] {
        assert_eq!(service.click(click).await.status(), 302);
    }
    often.chathub.store().set_status(101, 1);
    eventually("the change is noticed", async || {
        often.click(click).await.status() == 403
    })
    .await;
    // With one time for both, the other would have noticed, too.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(seldom.click(click).await.status(), 302);
}
