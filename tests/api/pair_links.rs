//! `POST /links` with `pair`: a back end invites a browser to be paired with an agent.

use reqwest::Response;
use rstest::rstest;
use serde_json::{Value, json};

use crate::device::{SECRET as DEVICE_SECRET, click_with};
use crate::device_pages::{button, shown};
use crate::harness::{Problem, Service, eventually, file, header, log_line, rules};
use crate::links::post;

const PUBLIC_URL: &str = "https://chat.example";

/// `printf %s canary-inviting-key | sha256sum`, and the same of another key.
const INVITES: &str = "e1d9ad0dba35d991b38706cdf27f7f239bbed6e06050f674fa024cea4d44260d";
const MAKES_LINKS: &str = "844cbf734cb531f5015ea2153ac86a545a1b79695fd4b1dce3ccf51a3c0ba5ad";

async fn service(access: &str) -> Service {
    let keys = format!(
        "[[key]]\nname = \"odoo\"\nsha256 = \"{INVITES}\"\noperators = [101, \"auto:24\"]\npair = true\n\
         [[key]]\nname = \"zoho\"\nsha256 = \"{MAKES_LINKS}\"\n"
    );
    let keys = file("api-keys.toml", &keys);
    let variables = [
        ("ACCESS", access),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
        ("DEVICE_SECRET", DEVICE_SECRET),
        ("PUBLIC_URL", PUBLIC_URL),
        ("OPERATOR_AUTO", "on"),
    ];
    Service::start_with(rules(), &variables).await
}

/// The invitation, and for how many minutes it is good, rounded up.
async fn invited(response: Response) -> (String, i64) {
    assert_eq!(response.status(), 201);
    assert_eq!(header(&response, "cache-control"), "no-store");
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let fields: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["expires_at", "url"]);
    let url = body["url"].as_str().unwrap();
    let invitation = url.strip_prefix("https://chat.example/pair?invitation=");
    let ends = chrono::DateTime::parse_from_rfc3339(body["expires_at"].as_str().unwrap());
    let left = ends.unwrap().to_utc() - chrono::Utc::now();
    let minutes = left.num_seconds().div_euclid(60) + 1;
    (invitation.expect("an invitation").to_owned(), minutes)
}

#[rstest]
#[case::for_a_day(json!({"operator": 101, "pair": true}), 24 * 60)]
#[case::for_as_long_as_it_says(json!({"operator": "101", "pair": true, "ttl": "7d"}), 7 * 24 * 60)]
#[case::with_the_empty_fields_of_a_template(json!({"operator": 101, "pair": true, "phone": "", "source": null, "from": "undefined", "chat_raw_id": false}), 24 * 60)]
#[tokio::test]
async fn a_key_that_may_invite_gets_an_invitation(#[case] body: Value, #[case] minutes: i64) {
    let service = service("key,device").await;
    let response = post(&service, "canary-inviting-key", &body).await;
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(
        (&line["caller"], &line["operator"]),
        (&json!("key:odoo"), &json!(101))
    );
    let device = line["device"].as_str().unwrap();
    assert_eq!(
        (line["outcome"].as_str(), device.len()),
        (Some("invited"), 32)
    );
    let (_, left) = invited(response).await;
    assert!((minutes - 20..=minutes).contains(&left), "{left}");
}

#[rstest]
#[case::a_key_for_links("canary-plain-key", json!({"operator": 101}), 403, "operator-not-allowed", "its entry in API_KEYS_FILE needs `pair = true`")]
#[case::another_s_operator("canary-inviting-key", json!({"operator": 102}), 403, "operator-not-allowed", "")]
#[case::no_key("", json!({"operator": 101}), 401, "api-key-invalid", "")]
#[case::no_operator("canary-inviting-key", json!({"operator": ""}), 400, "operator-missing", "")]
#[case::any_operator("canary-inviting-key", json!({"operator": "auto:24"}), 400, "parameter-invalid", "A browser is paired with one operator")]
#[case::a_phone("canary-inviting-key", json!({"operator": 101, "phone": "+380501234567"}), 400, "parameter-invalid", "`phone` has no place beside `pair`")]
#[case::a_source("canary-inviting-key", json!({"operator": 101, "source": 0}), 400, "parameter-invalid", "`source` has no place beside `pair`")]
#[case::a_sender("canary-inviting-key", json!({"operator": 101, "from": "Acme"}), 400, "parameter-invalid", "`from` has no place beside `pair`")]
#[case::a_chat("canary-inviting-key", json!({"operator": 101, "chat_raw_id": "65a1f0c2"}), 400, "parameter-invalid", "`chat_raw_id` has no place beside `pair`")]
#[case::too_long("canary-inviting-key", json!({"operator": 101, "ttl": "169h"}), 400, "parameter-invalid", "7 days (168h) at most")]
#[case::no_duration("canary-inviting-key", json!({"operator": 101, "ttl": "soon"}), 400, "parameter-invalid", "`ttl` is not a duration")]
#[case::an_unknown_field("canary-inviting-key", json!({"operator": 101, "device": "x"}), 400, "parameter-invalid", "unknown field `device`")]
#[tokio::test]
async fn a_wrong_request_gets_no_invitation(
    #[case] key: &str,
    #[case] mut body: Value,
    #[case] status: u16,
    #[case] kind: &str,
    #[case] words: &str,
) {
    let service = service("key,device").await;
    body["pair"] = json!(true);
    let problem = Problem::read(post(&service, key, &body).await).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (status, kind),
        "{}",
        problem.detail
    );
    assert!(problem.detail.contains(words), "{}", problem.detail);
}

/// The browser is the agent's, and the key's: it ends when the key may invite no more.
#[tokio::test]
async fn a_back_ends_invitation_pairs_a_browser_for_as_long_as_the_key_may_invite() {
    let key = |pair: bool| {
        format!(
            "[[key]]\nname = \"odoo\"\nsha256 = \"{INVITES}\"\noperators = [101]\npair = {pair}\n"
        )
    };
    let keys = file("api-keys.toml", &key(true));
    let variables = [
        ("ACCESS", "key,device"),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("DEVICE_SECRET", DEVICE_SECRET),
        ("PUBLIC_URL", PUBLIC_URL),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let body = json!({"operator": "john smith", "pair": true});
    let (invitation, _) = invited(post(&service, "canary-inviting-key", &body).await).await;

    let path = format!("/pair?invitation={invitation}");
    let page = shown(&service, &path, None).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("<strong>John Smith</strong>"), "{page}");
    let paired = button(&service, &path).send().await.unwrap();
    assert_eq!(paired.status(), 303);
    let cookie = header(&paired, "set-cookie");
    let cookie = cookie.split(['=', ';']).nth(1).unwrap();
    let click = async || click_with(&service, "/open-chat?phone=0501234567", cookie).await;
    assert_eq!(click().await.status(), 302);

    std::fs::write(&keys, key(false)).unwrap();
    eventually("the key may not invite", async || {
        click().await.status() == 401
    })
    .await;
    let refused = Problem::read(click().await).await;
    assert_eq!(refused.kind, "device-ended");
}

/// One who has left, and one who never was: no chat would open.
#[rstest]
#[case::unknown(999, 404, "operator-unknown")]
#[case::inactive(21, 403, "operator-inactive")]
#[tokio::test]
async fn an_operator_who_can_open_no_chat_is_not_invited(
    #[case] operator: u64,
    #[case] status: u16,
    #[case] kind: &str,
) {
    let key = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{INVITES}\"\npair = true\n");
    let keys = file("api-keys.toml", &key);
    let variables = [
        ("ACCESS", "key,device"),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("DEVICE_SECRET", DEVICE_SECRET),
        ("PUBLIC_URL", PUBLIC_URL),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let body = json!({"operator": operator, "pair": true});
    let problem = Problem::read(post(&service, "canary-inviting-key", &body).await).await;
    assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
}

/// A service that pairs no browsers says so, and what that takes.
#[tokio::test]
async fn invitations_take_paired_browsers() {
    let service = service("pass,key").await;
    let body = json!({"operator": 101, "pair": true});
    let problem = Problem::read(post(&service, "canary-inviting-key", &body).await).await;
    assert_eq!((problem.status, problem.kind.as_str()), (404, "not-found"));
    assert!(
        problem.detail.contains("`device` in ACCESS"),
        "{}",
        problem.detail
    );
}

/// A link is made as before, by a key that may invite too.
#[tokio::test]
async fn a_link_is_made_where_no_invitation_is_asked_for() {
    let service = service("pass,key,device").await;
    for body in [
        json!({"operator": 101, "phone": "0501234567"}),
        json!({"operator": 101, "phone": "0501234567", "pair": false}),
    ] {
        let response = post(&service, "canary-inviting-key", &body).await;
        assert_eq!(response.status(), 201);
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let url = body["url"].as_str().unwrap();
        assert!(url.starts_with("https://chat.example/open-chat?pass="));
    }
}
