//! The simulator, asked as its documents say, without the client.

use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use reqwest::{Client, Response, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, PROFILE_KEY, eventually, rules};

async fn post(
    simulator: &Simulator,
    path: &str,
    token: Option<(&str, &str)>,
    body: Value,
) -> Response {
    let mut request = Client::new()
        .post(format!("{}api/{path}", simulator.url()))
        .header("Content-Type", "application/json")
        .body(body.to_string());
    if let Some((name, value)) = token {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

async fn json_of(response: Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn company_token(simulator: &Simulator) -> String {
    let body = json!({"login": "acme", "password": PASSWORD});
    let token = json_of(post(simulator, "company/get-token", None, body).await).await;
    token.as_str().unwrap().to_owned()
}

async fn operator_token(simulator: &Simulator, operator: u64, ahead_seconds: i64) -> Response {
    let expires_at = chrono::Utc::now() + chrono::TimeDelta::seconds(ahead_seconds);
    let body = json!({"id": operator, "expiresAt": expires_at});
    post(
        simulator,
        "operator/get-token",
        Some(("X-Authorization-Key", PROFILE_KEY)),
        body,
    )
    .await
}

#[tokio::test]
async fn the_documented_shapes() {
    let simulator = Simulator::start(rules()).unwrap();
    let bearer = format!("Bearer {}", company_token(&simulator).await);
    let get = |path: &str| {
        Client::new()
            .get(format!("{}api/{path}", simulator.url()))
            .header("Authorization", bearer.clone())
            .header("Accept", "text/plain")
            .send()
    };
    let organizations = json_of(get("company/organization").await.unwrap()).await;
    assert_eq!(
        organizations,
        json!([{"id": 6, "name": "Acme Sales"}, {"id": 24, "name": "Acme Support"}])
    );

    let operators = json_of(get("operator?organizationId=6").await.unwrap()).await;
    let sales = json!({"id": 6, "name": "Acme Sales"});
    assert_eq!(
        operators,
        json!([
            {"id": 21, "name": "Inactive Ivan", "status": 1, "organization": sales},
            {"id": 22, "name": "Deleted Dana", "status": 2, "organization": sales},
        ])
    );

    let key = Some(("X-Authorization-Key", PROFILE_KEY));
    let twice =
        json!([{"organizationId": 24, "name": "Twin"}, {"organizationId": 24, "name": "Twin"}]);
    assert_eq!(
        json_of(post(&simulator, "operator/synchronize", key, twice).await).await,
        json!([{"id": 103, "status": 0, "name": "Twin"}, {"id": 104, "status": 0, "name": "Twin"}])
    );

    let disabled = post(
        &simulator,
        "operator/status",
        key,
        json!({"id": 103, "status": 1}),
    )
    .await;
    assert_eq!(disabled.status(), StatusCode::OK);
    assert_eq!(disabled.text().await.unwrap(), "");

    let token = json_of(operator_token(&simulator, 101, 3600).await).await;
    let check =
        json_of(post(&simulator, "operator/validate-token", key, token.clone()).await).await;
    assert_eq!(check["isValid"], true);
    assert_eq!(check["operatorId"], 101);
    assert_eq!(check["clientId"], 0);
    assert_eq!(check["error"], Value::Null);
    assert_eq!(
        json_of(post(&simulator, "operator/validate-token", key, json!("eyJ.x.y")).await).await,
        json!({"isValid": false, "error": "Invalid token"})
    );
    assert_eq!(simulator.total_calls(), 8);
}

#[tokio::test]
async fn tokens_open_what_is_theirs_and_end() {
    let simulator = Simulator::start(rules()).unwrap();
    let company = company_token(&simulator).await;
    let operator = json_of(operator_token(&simulator, 101, 3600).await).await;
    let operator = operator.as_str().unwrap();
    let status = async |header: &str, value: &str| {
        let url = format!("{}api/company/organization", simulator.url());
        Client::new()
            .get(url)
            .header(header, value)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(
        status("Authorization", &format!("Bearer {company}")).await,
        200
    );
    assert_eq!(status("X-Authorization-Key", &company).await, 200);
    assert_eq!(status("X-Authorization-Key", PROFILE_KEY).await, 200);
    assert_eq!(status("X-Nothing", "").await, 401);
    assert_eq!(status("Authorization", "Bearer nonsense").await, 401);
    assert_eq!(
        status("Authorization", &format!("Bearer {operator}")).await,
        403
    );

    simulator.store().pass_time(13 * 3600);
    assert_eq!(
        status("X-Authorization-Key", &company).await,
        401,
        "it lived for 12 hours"
    );
    let check = post(
        &simulator,
        "operator/validate-token",
        Some(("X-Authorization-Key", PROFILE_KEY)),
        json!({"token": operator}),
    );
    assert_eq!(
        json_of(check.await).await["isValid"],
        false,
        "it lived for one"
    );
}

#[rstest]
#[case::unknown(999, 60, 404)]
#[case::inactive(21, 60, 403)]
#[case::deleted(22, 60, 403)]
#[case::a_day_ahead(101, 24 * 3600 - 5, 200)]
#[case::more_than_a_day(101, 25 * 3600, 400)]
#[case::in_the_past(101, -5, 400)]
#[tokio::test]
async fn get_token_has_its_bounds(#[case] operator: u64, #[case] ahead: i64, #[case] status: u16) {
    let simulator = Simulator::start(rules()).unwrap();
    assert_eq!(
        operator_token(&simulator, operator, ahead).await.status(),
        status
    );
}

#[tokio::test]
async fn undocumented_choices_are_switches() {
    let simulator = Simulator::start(Rules {
        wrong_login: 400,
        unknown_operator: 400,
        inactive_operator: 404,
        too_far_ahead: 403,
        ..rules()
    })
    .unwrap();
    let body = json!({"login": "acme", "password": "canary-password-wrong"});
    assert_eq!(
        post(&simulator, "company/get-token", None, body)
            .await
            .status(),
        400
    );
    assert_eq!(operator_token(&simulator, 999, 60).await.status(), 400);
    assert_eq!(operator_token(&simulator, 21, 60).await.status(), 404);
    assert_eq!(
        operator_token(&simulator, 101, 25 * 3600).await.status(),
        403
    );
}

#[tokio::test]
async fn faults_can_be_scripted_and_calls_counted_from_outside() {
    let simulator = Simulator::start(rules()).unwrap();
    let script = async |text: &str| {
        let url = format!("{}simulator/faults", simulator.url());
        Client::new()
            .post(url)
            .body(text.to_owned())
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(
        script(r#"{"endpoint":"operator-token","fault":{"status":503}}"#).await,
        204
    );
    assert_eq!(operator_token(&simulator, 101, 60).await.status(), 503);
    assert_eq!(operator_token(&simulator, 101, 60).await.status(), 200);

    assert_eq!(
        script(r#"{"endpoint":"operator-token","fault":{"throttled":9},"always":true}"#).await,
        204
    );
    for _ in 0..2 {
        let throttled = operator_token(&simulator, 101, 60).await;
        assert_eq!(throttled.status(), 429);
        assert_eq!(throttled.headers()["retry-after"], "9");
    }
    assert_eq!(
        script(r#"{"endpoint":"operator-token","fault":null,"always":true}"#).await,
        204
    );
    assert_eq!(operator_token(&simulator, 101, 60).await.status(), 200);
    assert_eq!(script("nonsense").await, 400);

    let url = format!("{}simulator/calls", simulator.url());
    let counts = json_of(reqwest::get(url).await.unwrap()).await;
    assert_eq!(counts["operator-token"], 5);
    assert_eq!(counts["company-token"], 0);
    assert_eq!(simulator.calls(Endpoint::OperatorToken), 5);
}

#[tokio::test]
async fn what_is_held_comes_when_it_is_released() {
    let simulator = Simulator::start(rules()).unwrap();
    for _ in 0..2 {
        simulator.next(Endpoint::OperatorToken, Fault::Held);
    }
    let held = operator_token(&simulator, 101, 600);
    let overtakes = async {
        eventually("it is counted", async || {
            simulator.calls(Endpoint::OperatorToken) == 1
        })
        .await;
        // Others are answered meanwhile.
        company_token(&simulator).await;
        simulator.release();
    };
    let (held, ()) = tokio::join!(held, overtakes);
    assert_eq!(held.status(), 200);
    let late = operator_token(&simulator, 101, 600).await;
    assert_eq!(late.status(), 200, "it is not held any more");
}

#[tokio::test]
async fn there_can_be_any_number_of_organizations() {
    let simulator = Simulator::start(Rules {
        organizations: 1000,
        operators_each: 1000,
        ..rules()
    })
    .unwrap();
    let world = simulator.store();
    assert_eq!(world.organizations().len(), 1002);
    let mut names = std::collections::HashSet::new();
    for organization in 1001..=2000 {
        for (_, operator) in world.operators_of(organization).unwrap() {
            assert_eq!((operator.organization, operator.status), (organization, 0));
            names.insert(operator.name);
        }
    }
    assert_eq!(names.len(), 1_000_000);
    assert_eq!(world.operator(1_000_001).unwrap().name, "Operator 1000001");
}
