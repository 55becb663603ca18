//! Who a caller is, and which operator that leads to: identities, display names, scopes, audiences.

use chathub_simulator::Endpoint;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Problem, Service, eventually, file, header, log_line, rules};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";
const IDENTITY: &str = "X-Auth-Request-Email";

/// `printf %s canary-api-key | sha256sum`
const API_KEY_SHA256: &str = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";

/// Changes in ChatHub count at once, as far as a test can tell.
const QUICK: (&str, &str) = ("DIRECTORY_REFRESH", "20ms");

async fn with_sso(map: &str, variables: &[(&str, &str)]) -> Service {
    let map = file("identities-map.toml", map);
    let mut all = vec![
        ("ACCESS", "sso"),
        ("SSO_HEADER", IDENTITY),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    all.extend(variables);
    Service::start_with(rules(), &all).await
}

async fn click_as(service: &Service, identity: &str, more: &str) -> Response {
    service
        .request(&format!("/open-chat?phone=0501234567{more}"))
        .header(IDENTITY, identity.as_bytes())
        .send()
        .await
        .unwrap()
}

/// The operator whose panel opened, or the kind of the refusal.
async fn outcome(response: Response) -> Value {
    if response.status() == 302 {
        return log_line(&header(&response, "x-request-id")).await["operator"].clone();
    }
    Problem::read(response).await.kind.into()
}

async fn opened_as(service: &Service, identity: &str, more: &str) -> Value {
    outcome(click_as(service, identity, more).await).await
}

#[rstest]
#[case::by_default(&[], "identity-unknown")]
#[case::switched_off(&[("SSO_BY_NAME", "off")], "identity-unknown")]
#[case::switched_on(&[("SSO_BY_NAME", "on")], "")]
#[tokio::test]
async fn an_identity_counts_as_a_display_name_only_where_that_is_switched_on(
    #[case] variables: &[(&str, &str)],
    #[case] refused: &str,
) {
    let service = with_sso("\"Sarah Johnson\" = 101\n", variables).await;
    for (identity, more, operator) in [
        ("John Smith", "", 101),
        ("jOHN  sMITH", "", 101),
        ("John Smith", "&operator=101", 101),
    ] {
        let expected = if refused.is_empty() {
            json!(operator)
        } else {
            json!(refused)
        };
        let opened = opened_as(&service, identity, more).await;
        assert_eq!(opened, expected, "{identity} {more}");
    }
    // The map comes first, and a number is an identity like any other.
    assert_eq!(opened_as(&service, "sarah johnson", "").await, 101);
    assert_eq!(opened_as(&service, "101", "").await, "identity-unknown");
    let nobody = opened_as(&service, "Nobody", "&operator=101").await;
    assert_eq!(nobody, "identity-unknown");
}

#[tokio::test]
async fn an_alias_of_an_identity_that_leads_nowhere_is_an_unknown_identity() {
    let map = "\"ann@example.com\" = \"Nobody\"\n\"bob@example.com\" = \"Sarah Johnson\"\n";
    let service = with_sso(map, &[]).await;
    let response = click_as(&service, "ann@example.com", "").await;
    let problem = Problem::read(response).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "identity-unknown")
    );
    assert_eq!(opened_as(&service, "bob@example.com", "").await, 102);
    let calls = service.chathub.calls(Endpoint::OperatorToken);
    opened_as(&service, "eve@example.com", "").await;
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), calls);
}

#[rstest]
#[case::plain("eve@example.com", "\"eve@example.com\" = 101", "eve@example.com")]
#[case::markup(
    "<b>\"Eve\"</b>",
    "\"<b>\\\"Eve\\\"</b>\" = 101",
    "&#60;b&#62;\\&#34;Eve\\&#34;&#60;/b&#62;"
)]
#[case::code_marks("`eve`", "\"\\u0060eve\\u0060\" = 101", "\\u0060eve\\u0060")]
#[case::turned_round("eve\u{202e}moc", "\"eve\\u202emoc\" = 101", "eve\\u202emoc")]
#[case::looks_alike("mi\u{212a}e", "\"mi\\u212ae\" = 101", "mi\\u212ae")]
#[case::cyrillic("Олена", "\"Олена\" = 101", "Олена")]
#[tokio::test]
async fn an_unknown_identity_is_shown_with_the_line_to_add(
    #[case] identity: &str,
    #[case] line: &str,
    #[case] on_the_page: &str,
) {
    let service = with_sso("\"ann@example.com\" = 101\n", &[]).await;
    let problem = Problem::read(click_as(&service, identity, "").await).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (403, "identity-unknown")
    );
    assert!(problem.detail.contains(line), "{}", problem.detail);
    assert!(problem.detail.contains("OPERATOR_MAP_FILE"));
    for (language, words) in [
        ("en", ["log out", "This login belongs to no operator"]),
        ("uk", ["вийдіть", "Для цього входу немає оператора"]),
    ] {
        let request = service
            .request("/open-chat?phone=0501234567")
            .header(IDENTITY, identity.as_bytes())
            .header("Accept", "text/html")
            .header("Accept-Language", language);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403);
        let page = response.text().await.unwrap();
        // Once for the agent, and once for the administrator.
        assert!(page.matches(on_the_page).count() >= 2, "{page}");
        assert!(!page.contains("<b>"), "{page}");
        for words in words {
            assert!(page.contains(words), "{words} is not in {page}");
        }
    }
}

#[tokio::test]
async fn a_long_identity_is_shortened() {
    let service = with_sso("", &[]).await;
    let long = "x".repeat(4000);
    let problem = Problem::read(click_as(&service, &long, "").await).await;
    assert_eq!(problem.kind, "identity-unknown");
    assert!(problem.detail.len() < 1000, "{}", problem.detail);
    let shown = format!("{}…", "x".repeat(100));
    assert!(problem.detail.contains(&shown), "{}", problem.detail);
    assert!(!problem.detail.contains(&"x".repeat(101)));
    // A line with a part of it would not work.
    assert!(!problem.detail.contains("= 101"), "{}", problem.detail);
}

/// U+212A folds into `k` by Unicode, U+0130 into `i` with a dot; U+00A0 is white space to Unicode
/// and to no header.
#[rstest]
#[case::kelvin("mi\u{212a}e@example.com")]
#[case::dotted("m\u{130}ke@example.com")]
#[case::dotless("m\u{131}ke@example.com")]
#[case::long_s("mike@example\u{17f}.com")]
#[case::full_width("\u{ff4d}ike@example.com")]
#[case::a_space_before("\u{a0}mike@example.com")]
#[case::a_space_behind("mike@example.com\u{a0}")]
#[case::an_em_space("mike@example.com\u{2003}")]
#[case::invisible("mike@example.com\u{200b}")]
#[tokio::test]
async fn nothing_but_ascii_folds_into_a_colleague_s_identity(#[case] identity: &str) {
    let map = "\"mike@example.com\" = 101\n\"mike@examples.com\" = 101\n";
    let service = with_sso(map, &[("SSO_BY_NAME", "on")]).await;
    assert_eq!(opened_as(&service, "MIKE@Example.com", "").await, 101);
    assert_eq!(opened_as(&service, identity, "").await, "identity-unknown");
}

#[rstest]
#[case::kelvin("Mi\u{212a}e Smith")]
#[case::a_no_break_space("Mike\u{a0}Smith")]
#[case::an_em_space("Mike\u{2003}Smith")]
#[case::a_line_separator("Mike\u{2028}Smith")]
#[case::a_space_before("\u{a0}Mike Smith")]
#[tokio::test]
async fn nothing_but_ascii_folds_into_a_colleague_s_name(#[case] identity: &str) {
    let service = with_sso("", &[("SSO_BY_NAME", "on"), QUICK]).await;
    let world = service.chathub.store();
    let mike = world.add_operator(24, "Mike Smith").unwrap();
    let olena = world.add_operator(24, "Олена ПРИКЛАД").unwrap();
    eventually("the new names are known", async || {
        opened_as(&service, "mike smith", "").await == json!(mike)
            && opened_as(&service, "оЛЕНА приклад", "").await == json!(olena)
    })
    .await;
    assert_eq!(opened_as(&service, identity, "").await, "identity-unknown");
    let by_pass = Service::start_with(
        rules(),
        &[("ACCESS", "pass"), ("PASS_SECRET", SECRET), QUICK],
    )
    .await;
    by_pass.chathub.store().add_operator(24, "Mike Smith");
    eventually("a pass names Mike", async || {
        let mike = pass(&json!({"sub": "mike smith"}));
        by_pass.click(&mike).await.status() == 302
    })
    .await;
    let other = by_pass.click(&pass(&json!({"sub": identity}))).await;
    assert_eq!(outcome(other).await, "operator-unknown");
}

#[tokio::test]
async fn beside_open_an_identity_fills_in_what_a_link_leaves_out() {
    let map = "\"ann@example.com\" = 101\n";
    let service = with_sso(map, &[("ACCESS", "sso,open")]).await;
    assert_eq!(opened_as(&service, "ann@example.com", "").await, 101);
    let other = click_as(&service, "ann@example.com", "&operator=102").await;
    let line = log_line(&header(&other, "x-request-id")).await;
    assert_eq!(
        (&line["operator"], &line["caller"]),
        (&json!(102), &json!("sso:ann@example.com"))
    );
    let unknown = opened_as(&service, "eve@example.com", "&operator=102").await;
    assert_eq!(unknown, 102);
    assert_eq!(
        opened_as(&service, "eve@example.com", "").await,
        "identity-unknown"
    );
    let nobody = service.refusal("phone=0501234567").await;
    assert_eq!(nobody.kind, "operator-missing");
}

fn sign(kid: Option<&str>, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = kid.map(Into::into);
    let mut all = json!({"exp": Utc::now().timestamp() + 60});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    encode(&header, &all, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

/// A click's query with a pass of these claims.
fn pass(claims: &Value) -> String {
    format!("phone=0501234567&pass={}", sign(None, claims))
}

async fn with_keys(keys: &str, variables: &[(&str, &str)]) -> Service {
    let keys = file("identities-keys.toml", keys);
    let mut all = vec![
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    all.extend(variables);
    Service::start_with(rules(), &all).await
}

fn entry(id: &str, lines: &str) -> String {
    format!("[[key]]\nid = \"{id}\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\n{lines}\n")
}

#[tokio::test]
async fn a_vendor_s_claim_is_no_display_name() {
    let map = file("nicknames.toml", "\"boss\" = \"Sarah Johnson\"\n");
    let service = with_keys(
        &entry("crm", "operator_claim = \"nickname\""),
        &[("OPERATOR_MAP_FILE", map.to_str().unwrap())],
    )
    .await;
    for (nickname, expected) in [
        (json!("John Smith"), json!("operator-unknown")),
        (json!("john smith"), json!("operator-unknown")),
        (json!("Boss"), json!(102)),
        (json!("101"), json!(101)),
    ] {
        let query = pass(&json!({"nickname": nickname, "sub": "x"}));
        let opened = outcome(service.click(&query).await).await;
        assert_eq!(opened, expected, "{nickname}");
    }
    let plain = with_keys(&entry("crm", "operator_claim = \"sub\""), &[]).await;
    let query = pass(&json!({"sub": "John Smith"}));
    assert_eq!(outcome(plain.click(&query).await).await, 101);
}

/// RFC 7519, 4.1.3: who does not find itself in `aud` must reject the token.
#[rstest]
#[case::a_text(json!("some-other-app"), false)]
#[case::a_list(json!(["some-other-app"]), false)]
#[case::an_empty_list(json!([]), false)]
#[case::nothing(json!(null), false)]
#[case::ours(json!("open-chat"), true)]
#[case::ours_among_others(json!(["some-other-app", "open-chat"]), true)]
#[tokio::test]
async fn a_pass_for_another_application_is_refused(#[case] audience: Value, #[case] ours: bool) {
    let keys = entry("plain", "")
        + &entry("issued", "issuer = \"crm.example\"")
        + &entry("ours", "audience = \"open-chat\"");
    let service = with_keys(&keys, &[]).await;
    let simple = Service::start_with(rules(), &[("ACCESS", "pass"), ("PASS_SECRET", SECRET)]).await;
    let claims = json!({"sub": "101", "iss": "crm.example", "aud": audience});
    for (service, kid) in [
        (&service, Some("plain")),
        (&service, Some("issued")),
        (&service, Some("ours")),
        (&simple, None),
    ] {
        let query = format!("phone=0501234567&pass={}", sign(kid, &claims));
        let opened = outcome(service.click(&query).await).await;
        let is_let_in = ours && kid == Some("ours");
        let expected = if is_let_in {
            json!(101)
        } else {
            json!("pass-invalid")
        };
        assert_eq!(opened, expected, "{kid:?}");
    }
    let without = sign(Some("plain"), &json!({"sub": "101"}));
    let query = format!("phone=0501234567&pass={without}");
    assert_eq!(outcome(service.click(&query).await).await, 101);
}

async fn with_api_key(operators: &str, variables: &[(&str, &str)]) -> Service {
    with_api_key_of(&format!("operators = {operators}\n"), variables).await
}

async fn with_api_key_of(lines: &str, variables: &[(&str, &str)]) -> Service {
    let text = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{API_KEY_SHA256}\"\n{lines}");
    let keys = file("identities-api-keys.toml", &text);
    let mut all = vec![
        ("ACCESS", "pass,key"),
        ("PASS_SECRET", SECRET),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("PUBLIC_URL", "https://chat.example"),
        QUICK,
    ];
    all.extend(variables);
    Service::start_with(rules(), &all).await
}

async fn link(service: &Service, operator: &Value) -> Response {
    let body = json!({"operator": operator, "phone": "+380501234567"});
    reqwest::Client::new()
        .post(format!("{}/links", service.url()))
        .header("Authorization", "Bearer canary-api-key")
        .body(body.to_string())
        .send()
        .await
        .unwrap()
}

/// The query of a ready link.
async fn linked(service: &Service, operator: &Value) -> String {
    let response = link(service, operator).await;
    assert_eq!(response.status(), 201, "{operator}");
    let link: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let (_, query) = link["url"].as_str().unwrap().split_once('?').unwrap();
    query.to_owned()
}

#[tokio::test]
async fn a_scoped_key_does_not_learn_which_operators_there_are() {
    let service = with_api_key("[101, \"Nobody\"]", &[]).await;
    service.chathub.store().add_operator(24, "Twin");
    service.chathub.store().add_operator(6, "Twin");
    let readings = service.chathub.calls(Endpoint::Organizations);
    eventually("the directory is read again", async || {
        service.chathub.calls(Endpoint::Organizations) >= readings + 3
    })
    .await;
    let mut answers = Vec::new();
    for operator in [
        json!(102),
        json!(999),
        json!("Sarah Johnson"),
        json!("Inactive Ivan"),
        json!("Twin"),
        json!("Nobody"),
        json!("Somebody Else"),
        json!("auto:24"),
        json!("auto:999"),
    ] {
        let problem = Problem::read(link(&service, &operator).await).await;
        answers.push((problem.status, problem.kind, problem.detail));
        let request = service
            .request(&format!(
                "/open-chat?phone=0501234567&operator={}",
                operator.to_string().trim_matches('"').replace(' ', "%20")
            ))
            .header("Authorization", "Bearer canary-api-key");
        let problem = Problem::read(request.send().await.unwrap()).await;
        answers.push((problem.status, problem.kind, problem.detail));
    }
    assert_eq!(
        (answers[0].0, &*answers[0].1),
        (403, "operator-not-allowed")
    );
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(link(&service, &json!("John Smith")).await.status(), 201);
}

#[tokio::test]
async fn a_scoped_pass_key_does_not_learn_which_operators_there_are() {
    let service = with_keys(&entry("crm", "operators = [101]"), &[]).await;
    let mut answers = Vec::new();
    for operator in ["102", "999", "Sarah Johnson", "Inactive Ivan", "Nobody"] {
        let problem = service.refusal(&pass(&json!({"sub": operator}))).await;
        answers.push((problem.status, problem.kind, problem.detail));
    }
    assert_eq!(
        (answers[0].0, &*answers[0].1),
        (403, "operator-not-allowed")
    );
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
}

/// An unlimited key is told what is wrong with its template.
#[tokio::test]
async fn an_unlimited_key_is_told_that_an_operator_is_unknown() {
    let service = with_api_key("[101]", &[]).await;
    drop(service);
    let text = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{API_KEY_SHA256}\"\n");
    let keys = file("unlimited-api-keys.toml", &text);
    let variables = [("API_KEYS_FILE", keys.to_str().unwrap())];
    let service = with_api_key("[101]", &variables).await;
    let problem = Problem::read(link(&service, &json!("Nobody")).await).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (404, "operator-unknown")
    );
}

#[tokio::test]
async fn a_link_stays_with_its_operator_when_the_name_goes_to_another() {
    let service = with_api_key("[101, 102]", &[]).await;
    let by_name = linked(&service, &json!("John Smith")).await;
    let by_id = linked(&service, &json!(101)).await;
    service.chathub.store().set_status(101, 2);
    let other = service.chathub.store().add_operator(24, "John Smith");
    eventually("the name is another's", async || {
        let unscoped = pass(&json!({"sub": "John Smith"}));
        outcome(service.click(&unscoped).await).await == json!(other)
    })
    .await;
    for query in [by_name, by_id] {
        let opened = outcome(service.click(&query).await).await;
        assert_eq!(opened, "operator-inactive");
    }
}

/// A key for all of today's operators of an organization is none for tomorrow's.
#[tokio::test]
async fn a_scoped_key_s_link_chooses_among_the_operators_of_its_list() {
    let service = with_api_key("[101, 102]", &[("OPERATOR_AUTO", "on")]).await;
    let query = linked(&service, &json!("auto:24")).await;
    let before = outcome(service.click(&query).await).await;
    assert!([json!(101), json!(102)].contains(&before), "{before}");
    for index in 0..50 {
        let name = format!("New {index}");
        service.chathub.store().add_operator(24, &name);
    }
    let readings = service.chathub.calls(Endpoint::Organizations);
    eventually("the directory is read again", async || {
        service.chathub.calls(Endpoint::Organizations) >= readings + 3
    })
    .await;
    assert_eq!(outcome(service.click(&query).await).await, before);
}

/// Such a key may ask for whoever works in the organization by then.
#[tokio::test]
async fn the_link_of_a_key_without_a_list_leaves_the_choice_to_the_click() {
    let service = with_api_key_of("", &[("OPERATOR_AUTO", "on")]).await;
    let query = linked(&service, &json!("auto:24")).await;
    let (_, pass) = query.split_once("pass=").unwrap();
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(pass).unwrap();
    assert_eq!(claims.claims["sub"], "auto:24");
}

/// An alias that looks like an id hides that id, so a link for the operator of this id cannot be
/// signed by it.
#[tokio::test]
async fn a_link_never_leads_to_the_alias_that_hides_its_operator() {
    let map = file("hiding-map.toml", "101 = 102\n\"ann\" = \"John Smith\"\n");
    let map = ("OPERATOR_MAP_FILE", map.to_str().unwrap());
    let service = with_api_key("[101, 102]", &[map]).await;
    for (operator, opens) in [("ann", 101), ("John Smith", 101), ("101", 102)] {
        let query = linked(&service, &json!(operator)).await;
        assert_eq!(outcome(service.click(&query).await).await, opens);
    }
}
