//! The client of ChatHub, as a library, against the simulator: all seven calls.

use std::time::Duration;

use chathub::{
    BadAnswer, ChatHub, ClientConfig, Credentials, ErrorKind, HttpsUrl, NewOperator, NoConnection,
    OperatorId, OperatorStatus, OrganizationId, Unreachable,
};
use chathub_simulator::{Endpoint, Fault, Rules, Simulator, TokenForm, ValidateBody};
use chrono::{TimeDelta, Utc};
use rstest::rstest;

use crate::harness::{PASSWORD, PROFILE_KEY, eventually, own_address, rules};

fn login(password: &str) -> Credentials {
    Credentials::Login {
        login: "acme".into(),
        password: password.into(),
    }
}

fn connect(simulator: &Simulator, credentials: Credentials) -> ChatHub {
    connect_for(simulator, credentials, Duration::from_mins(2))
}

/// With this time for each request.
fn connect_for(
    simulator: &Simulator,
    credentials: Credentials,
    attempt_timeout: Duration,
) -> ChatHub {
    let url = HttpsUrl::parse(&simulator.url()).unwrap();
    let mut config = ClientConfig::new(url, credentials);
    config.connect_timeout = Duration::from_mins(1);
    config.attempt_timeout = attempt_timeout;
    config.call_budget = Duration::from_mins(5);
    ChatHub::new(config).unwrap()
}

#[rstest]
#[case::by_login(login(PASSWORD), 1)]
#[case::by_profile_key(Credentials::ProfileKey(PROFILE_KEY.into()), 0)]
#[tokio::test]
async fn all_seven_calls(#[case] credentials: Credentials, #[case] logins: u64) {
    let simulator = Simulator::start(rules()).unwrap();
    let chathub = connect(&simulator, credentials);

    let organizations = chathub.list_organizations().await.unwrap();
    let acme = organizations
        .iter()
        .find(|one| one.id == OrganizationId(24));
    let acme = acme.unwrap();
    assert_eq!(acme.name, "Acme Support");

    let added = chathub
        .synchronize_operators(&[NewOperator::new(OrganizationId(24), "Nina New")])
        .await
        .unwrap();
    assert_eq!(added.len(), 1);
    assert_eq!(added[0].id, OperatorId(103));
    assert_eq!(added[0].status, OperatorStatus::Active);
    assert_eq!(added[0].name, "Nina New");

    chathub
        .set_operator_status(OperatorId(103), OperatorStatus::Inactive)
        .await
        .unwrap();
    let operators = chathub.list_operators(OrganizationId(24)).await.unwrap();
    let listed: Vec<_> = operators
        .iter()
        .map(|operator| (operator.id.0, operator.name.as_str(), operator.status))
        .collect();
    assert_eq!(
        listed,
        [
            (101, "John Smith", OperatorStatus::Active),
            (102, "Sarah Johnson", OperatorStatus::Active),
            (103, "Nina New", OperatorStatus::Inactive),
        ]
    );
    assert_eq!(operators[0].organization, *acme);

    let token = chathub
        .mint_operator_token(OperatorId(101), Utc::now() + TimeDelta::hours(1))
        .await
        .unwrap();
    let check = chathub
        .validate_operator_token(&token.secret)
        .await
        .unwrap();
    assert!(check.is_valid);
    assert_eq!(check.operator_id, Some(OperatorId(101)));
    let bad = chathub
        .validate_operator_token(&"eyJ.no.token".into())
        .await
        .unwrap();
    assert!(!bad.is_valid);
    assert_eq!(bad.error.as_deref(), Some("Invalid token"));

    assert_eq!(simulator.calls(Endpoint::CompanyToken), logins);
}

#[rstest]
#[case(TokenForm::String)]
#[case(TokenForm::Bare)]
#[case(TokenForm::Object)]
#[case(TokenForm::ObjectWithExpiration)]
#[tokio::test]
async fn tokens_are_read_in_every_form(#[case] token_form: TokenForm) {
    let simulator = Simulator::start(Rules {
        token_form,
        ..rules()
    })
    .unwrap();
    let chathub = connect(&simulator, login(PASSWORD));
    let token = chathub
        .mint_operator_token(OperatorId(102), Utc::now() + TimeDelta::hours(1))
        .await
        .unwrap();
    let check = chathub
        .validate_operator_token(&token.secret)
        .await
        .unwrap();
    assert_eq!(check.operator_id, Some(OperatorId(102)));
}

#[rstest]
#[case(ValidateBody::String, 2)]
#[case(ValidateBody::Object, 3)]
#[tokio::test]
async fn validate_token_finds_the_body_that_is_wanted_and_remembers_it(
    #[case] validate_body: ValidateBody,
    #[case] calls: u64,
) {
    let simulator = Simulator::start(Rules {
        validate_body,
        ..rules()
    })
    .unwrap();
    let chathub = connect(&simulator, login(PASSWORD));
    for _ in 0..2 {
        let check = chathub
            .validate_operator_token(&"eyJ.no.token".into())
            .await
            .unwrap();
        assert!(!check.is_valid);
    }
    assert_eq!(simulator.calls(Endpoint::ValidateToken), calls);
}

#[tokio::test]
async fn lists_may_call_themselves_plain_text() {
    let simulator = Simulator::start(Rules {
        plain_text: true,
        ..rules()
    })
    .unwrap();
    let chathub = connect(&simulator, login(PASSWORD));
    assert_eq!(chathub.list_organizations().await.unwrap().len(), 2);
}

/// The error, and how many requests it takes: what may pass by itself is tried twice.
#[rstest]
#[case(Fault::Status(400), ErrorKind::InvalidRequest { status: 400 }, 1)]
#[case(Fault::Status(422), ErrorKind::InvalidRequest { status: 422 }, 1)]
#[case(Fault::Status(403), ErrorKind::NotPermitted, 1)]
#[case(Fault::Status(404), ErrorKind::NotFound, 1)]
#[case(Fault::Status(408), ErrorKind::TimedOut, 2)]
#[case(
    Fault::Status(500),
    ErrorKind::Unavailable(Unreachable::Status(500)),
    2
)]
#[case(Fault::Throttled(3), ErrorKind::Throttled { retry_after: Some(Duration::from_secs(3)) }, 1)]
#[case(Fault::Redirect("https://elsewhere.example/".into()), ErrorKind::BadAnswer(BadAnswer::Redirect), 1)]
#[case(Fault::Body("{}".into()), ErrorKind::BadAnswer(BadAnswer::NoToken), 1)]
#[case(Fault::Endless, ErrorKind::BadAnswer(BadAnswer::TooLong), 1)]
#[case(Fault::Reset, ErrorKind::Unavailable(Unreachable::Broken), 2)]
#[case(Fault::Silence, ErrorKind::TimedOut, 2)]
#[tokio::test]
async fn errors_say_what_the_caller_can_do(
    #[case] fault: Fault,
    #[case] expected: ErrorKind,
    #[case] requests: u64,
) {
    let simulator = Simulator::start(rules()).unwrap();
    // Only who waits for no answer should not wait for long, and even so the login has to come
    // through first.
    let attempt_timeout = match fault {
        Fault::Silence => Duration::from_secs(1),
        _ => Duration::from_mins(2),
    };
    let chathub = connect_for(&simulator, login(PASSWORD), attempt_timeout);
    eventually("it is logged in", async || chathub.log_in().await.is_ok()).await;
    simulator.always(Endpoint::OperatorToken, Some(fault));
    let error = chathub
        .mint_operator_token(OperatorId(101), Utc::now() + TimeDelta::hours(1))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), expected);
    assert_eq!(simulator.calls(Endpoint::OperatorToken), requests);
}

#[tokio::test]
async fn nobody_there_is_no_connection() {
    let url = HttpsUrl::parse(&format!("http://{}", own_address())).unwrap();
    let chathub = ChatHub::new(ClientConfig::new(url, login(PASSWORD))).unwrap();
    let error = chathub.list_organizations().await.unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::Unavailable(Unreachable::NoConnection(NoConnection::Refused))
    );
    assert!(!error.to_string().contains("127."), "{error}");
}

#[tokio::test]
async fn a_host_that_is_no_chathub_is_told_apart_from_a_wrong_password() {
    let simulator = Simulator::start(rules()).unwrap();
    let url = HttpsUrl::parse(&format!("{}elsewhere", simulator.url())).unwrap();
    let chathub = ChatHub::new(ClientConfig::new(url, login(PASSWORD))).unwrap();
    assert_eq!(
        *chathub.list_organizations().await.unwrap_err().kind(),
        ErrorKind::BadAnswer(BadAnswer::NoChatHub)
    );
}

#[rstest]
#[case(login("canary-password-wrong"), 0)]
#[case(Credentials::ProfileKey("canary-profile-key-wrong".into()), 1)]
#[tokio::test]
async fn wrong_credentials_are_tried_once(#[case] credentials: Credentials, #[case] lists: u64) {
    let simulator = Simulator::start(rules()).unwrap();
    let chathub = connect(&simulator, credentials);
    assert_eq!(
        *chathub.list_organizations().await.unwrap_err().kind(),
        ErrorKind::CredentialsRejected
    );
    assert_eq!(simulator.calls(Endpoint::Organizations), lists);
}

/// ChatHub does not look for names, so a broken answer must not be followed by the same request.
#[tokio::test]
async fn synchronize_is_never_sent_twice() {
    let simulator = Simulator::start(rules()).unwrap();
    let chathub = connect(&simulator, login(PASSWORD));
    simulator.next(Endpoint::Synchronize, Fault::ResetAfterwards);
    let error = chathub
        .synchronize_operators(&[NewOperator::new(OrganizationId(24), "Once Only")])
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unavailable(Unreachable::Broken));
    assert_eq!(simulator.calls(Endpoint::Synchronize), 1);
    let operators = simulator.store().operators_of(24).unwrap();
    let added = operators
        .iter()
        .filter(|(_, operator)| operator.name == "Once Only")
        .count();
    assert_eq!(added, 1, "it was carried out, once");
}
