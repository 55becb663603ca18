//! Lists that cannot be right: empty, forbidden, short, odd. What is known stays, and each fault
//! costs itself alone.

use chathub_simulator::{Endpoint, Fault, Rules, Store};
use rstest::rstest;

use crate::harness::{Service, eventually, log, rules};

const QUICK: (&str, &str) = ("DIRECTORY_REFRESH", "20ms");

/// What a click on an operator's name or id gets.
async fn outcome(service: &Service, operator: &str) -> String {
    let operator = operator.replace(' ', "%20");
    let query = format!("operator={operator}&phone=0501234567");
    let response = service.click(&query).await;
    match response.status().as_u16() {
        302 => "opened".into(),
        _ => crate::harness::Problem::read(response).await.kind,
    }
}

/// Waits until three whole readings of the directory have begun and ended after this moment.
async fn readings(service: &Service) {
    let before = service.chathub.calls(Endpoint::Organizations);
    eventually("the directory is read again", async || {
        service.chathub.calls(Endpoint::Organizations) >= before + 4
    })
    .await;
}

async fn age(service: &Service) -> f64 {
    let age = service.text_metric("chathub_directory_age_seconds").await;
    age.parse().unwrap()
}

#[rstest]
#[case::no_organizations(Endpoint::Organizations, Fault::Body("[]".into()))]
#[case::forbidden(Endpoint::Organizations, Fault::Status(403))]
#[case::not_found(Endpoint::Organizations, Fault::Status(404))]
#[case::a_firewall(Endpoint::Organizations, Fault::Page(403))]
#[case::something_else(Endpoint::Organizations, Fault::Body("{}".into()))]
#[case::nothing_that_can_be_read(Endpoint::Organizations, Fault::Body("[null]".into()))]
#[case::no_operators(Endpoint::Operators, Fault::Body("[]".into()))]
#[case::operators_forbidden(Endpoint::Operators, Fault::Status(403))]
#[case::operators_not_found(Endpoint::Operators, Fault::Status(404))]
#[case::a_firewall_before_operators(Endpoint::Operators, Fault::Page(404))]
#[case::no_operator_that_can_be_read(Endpoint::Operators, Fault::Body("[1,\"two\"]".into()))]
#[tokio::test]
async fn nothing_empty_or_forbidden_replaces_a_reading(
    #[case] endpoint: Endpoint,
    #[case] fault: Fault,
) {
    let service = Service::start_with(rules(), &[QUICK]).await;
    assert_eq!(outcome(&service, "John Smith").await, "opened");
    service.chathub.always(endpoint, Some(fault));
    readings(&service).await;
    assert_eq!(outcome(&service, "John Smith").await, "opened");
    assert_eq!(outcome(&service, "Sarah Johnson").await, "opened");
    assert_eq!(
        outcome(&service, "Inactive Ivan").await,
        "operator-inactive"
    );
    assert_eq!(outcome(&service, "21").await, "operator-inactive");
    eventually("the reading in force grows old", async || {
        age(&service).await > 1.0
    })
    .await;
    service.chathub.always(endpoint, None);
    eventually("it is read again", async || age(&service).await < 1.0).await;
    assert!(log().contains("the last reading stays in force"));
}

fn many() -> Rules {
    Rules {
        operators: 30,
        ..rules()
    }
}

/// ChatHub gives 1 of 30 operators: the list is cut off, as likely as not.
#[tokio::test]
async fn a_reading_that_has_lost_most_operators_takes_nobody_away() {
    let variables = [QUICK, ("OPERATOR_AUTO", "on")];
    let service = Service::start_with(many(), &variables).await;
    assert_eq!(outcome(&service, "Operator 105").await, "opened");
    let world = service.chathub.store();
    for id in 102..131 {
        world.remove_operator(id);
    }
    // What the short list does say, counts.
    world.set_status(101, 1);
    readings(&service).await;
    assert_eq!(outcome(&service, "John Smith").await, "operator-inactive");
    // 105 is still known by name; ChatHub refuses a new one as unknown to it.
    assert_eq!(outcome(&service, "Operator 105").await, "opened");
    // And one of the others is chosen where the choice is left open, so ChatHub is asked.
    let mints = service.chathub.calls(Endpoint::OperatorToken);
    outcome(&service, "auto:24").await;
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), mints + 1);
}

/// The same by organizations: one of two is gone, and with it most operators.
#[tokio::test]
async fn a_reading_that_has_lost_an_organization_with_most_operators_takes_nobody_away() {
    let service = Service::start_with(many(), &[QUICK]).await;
    service.chathub.store().remove_organization(24);
    readings(&service).await;
    assert_eq!(outcome(&service, "Operator 105").await, "opened");
    assert_eq!(
        outcome(&service, "Inactive Ivan").await,
        "operator-inactive"
    );
}

/// Few have gone, or they were few from the beginning: that happens every day.
#[rstest]
#[case::two_of_thirty(30, 2)]
#[case::half_of_thirty(30, 15)]
#[case::one_of_two(2, 1)]
#[case::five_of_six(6, 5)]
#[tokio::test]
async fn who_is_gone_is_gone(#[case] operators: u64, #[case] gone: u64) {
    let rules = Rules {
        operators,
        ..rules()
    };
    let service = Service::start_with(rules, &[QUICK]).await;
    let last = if operators == 2 {
        "Sarah Johnson".to_owned()
    } else {
        format!("Operator {}", 100 + operators)
    };
    assert_eq!(outcome(&service, &last).await, "opened");
    for id in 101 + operators - gone..101 + operators {
        service.chathub.store().remove_operator(id);
    }
    readings(&service).await;
    assert_eq!(outcome(&service, &last).await, "operator-unknown");
    assert_eq!(outcome(&service, "John Smith").await, "opened");
}

/// An organization that has gone takes its few operators with it.
#[tokio::test]
async fn a_small_organization_may_go() {
    let service = Service::start_with(rules(), &[QUICK]).await;
    service.chathub.store().remove_organization(6);
    readings(&service).await;
    assert_eq!(outcome(&service, "Inactive Ivan").await, "operator-unknown");
    assert_eq!(outcome(&service, "John Smith").await, "opened");
}

const ACME: &str = r#""organization":{"id":24,"name":"Acme Support"}"#;

fn odd(record: &str) -> String {
    record.replace("ACME", ACME)
}

#[rstest]
#[case::no_name(r#"{"id":150,"name":null,"status":0,ACME}"#)]
#[case::a_number_as_name(r#"{"id":150,"name":7,"status":0,ACME}"#)]
#[case::half_a_character(r#"{"id":150,"name":"\ud800","status":0,ACME}"#)]
#[case::a_text_as_status(r#"{"id":150,"name":"Odd","status":"Active",ACME}"#)]
#[case::no_status(r#"{"id":150,"name":"Odd","status":null,ACME}"#)]
#[case::a_negative_status(r#"{"id":150,"name":"Odd","status":-1,ACME}"#)]
#[case::a_great_status(r#"{"id":150,"name":"Odd","status":300,ACME}"#)]
#[case::a_text_as_id(r#"{"id":"150","name":"Odd","status":0,ACME}"#)]
#[case::a_negative_id(r#"{"id":-150,"name":"Odd","status":0,ACME}"#)]
#[case::no_id(r#"{"name":"Odd","status":0,ACME}"#)]
#[case::no_organization(r#"{"id":150,"name":"Odd","status":0,"organization":null}"#)]
#[case::a_key_twice(r#"{"id":150,"id":151,"name":"Odd","status":0,ACME}"#)]
#[case::a_list("[150]")]
#[case::null("null")]
#[tokio::test]
async fn an_odd_record_costs_itself_alone(#[case] record: &str) {
    // At the start,
    let service = started_with(|world| world.set_odd_record(24, &odd(record))).await;
    assert_eq!(outcome(&service, "John Smith").await, "opened");
    assert_eq!(
        outcome(&service, "Inactive Ivan").await,
        "operator-inactive"
    );
    // and while it runs.
    let world = service.chathub.store();
    world.set_status(101, 1);
    world.add_operator(24, "Newly Added").unwrap();
    readings(&service).await;
    assert_eq!(outcome(&service, "John Smith").await, "operator-inactive");
    assert_eq!(outcome(&service, "101").await, "operator-inactive");
    assert_eq!(outcome(&service, "Newly Added").await, "opened");
    assert_eq!(outcome(&service, "Sarah Johnson").await, "opened");
}

/// A service whose first reading is of what this has made of ChatHub.
async fn started_with(prepare: impl FnOnce(&Store)) -> Service {
    let faults = [(Endpoint::Organizations, Fault::Status(500))];
    let service = Service::start_broken(rules(), &[QUICK], &faults);
    prepare(service.chathub.store());
    service.chathub.always(Endpoint::Organizations, None);
    service.wait_until_ready_to_click().await;
    service
}

/// What was known of an operator stays where its own record has become odd.
#[rstest]
#[case::status(r#"{"id":101,"name":"John Smith","status":"Inactive",ACME}"#, "opened")]
#[case::id(r#"{"id":"101","name":"John Smith","status":0,ACME}"#, "opened")]
#[tokio::test]
async fn who_has_become_odd_stays_who_they_were(#[case] record: &str, #[case] expected: &str) {
    let service = Service::start_with(rules(), &[QUICK]).await;
    service.chathub.store().set_odd_record(24, &odd(record));
    // The mint goes on; it is the list alone that lacks the operator.
    service.destination("operator=101&phone=0501234567").await;
    service.chathub.store().remove_operator(101);
    readings(&service).await;
    assert_eq!(outcome(&service, "John Smith").await, expected);
    assert_eq!(outcome(&service, "Sarah Johnson").await, "opened");
}

#[rstest]
#[case::no_name(r#"{"id":24,"name":null}"#, "opened")]
#[case::a_number_as_name(r#"{"id":24,"name":5}"#, "opened")]
#[case::a_text_as_id(r#"{"id":"24","name":"Acme Support"}"#, "operator-unknown")]
#[case::null("null", "operator-unknown")]
#[tokio::test]
async fn an_odd_organization_costs_itself_alone(#[case] record: &str, #[case] expected: &str) {
    let list = Fault::Body(format!(r#"[{record},{{"id":6,"name":"Acme Sales"}}]"#));
    let faults = [(Endpoint::Organizations, list.clone())];
    let service = Service::start_broken(rules(), &[QUICK], &faults);
    assert_eq!(
        outcome(&service, "Inactive Ivan").await,
        "operator-inactive"
    );
    assert_eq!(outcome(&service, "John Smith").await, expected);
    // It was known before: then it stays.
    let service = Service::start_with(rules(), &[QUICK]).await;
    service.chathub.always(Endpoint::Organizations, Some(list));
    readings(&service).await;
    assert_eq!(outcome(&service, "John Smith").await, "opened");
}

#[tokio::test]
async fn a_byte_order_mark_is_no_fault() {
    let list = "\u{feff}[{\"id\":24,\"name\":\"Acme Support\"}]";
    let faults = [(Endpoint::Organizations, Fault::Body(list.into()))];
    let service = Service::start_broken(rules(), &[QUICK], &faults);
    assert_eq!(outcome(&service, "John Smith").await, "opened");
}

#[rstest]
#[case::internal_error(500)]
#[case::not_wanted(400)]
#[tokio::test]
async fn a_broken_organization_costs_itself_alone(#[case] status: u16) {
    let service = started_with(|world| world.break_organization(6, Some(status))).await;
    assert_eq!(outcome(&service, "John Smith").await, "opened");
    // It is not known yet whether there is one of this name.
    let problem = service
        .refusal("operator=Inactive%20Ivan&phone=0501234567")
        .await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (503, "chathub-unavailable")
    );
    assert!(problem.retry_after.is_some());
    assert_eq!(outcome(&service, "Nobody").await, "chathub-unavailable");
    // Its return is noticed soon.
    service.chathub.store().break_organization(6, None);
    eventually("the organization is known", async || {
        outcome(&service, "Inactive Ivan").await == "operator-inactive"
    })
    .await;
    assert_eq!(outcome(&service, "Nobody").await, "operator-unknown");
    // From now on its last list holds, and the others' lists count.
    let world = service.chathub.store();
    world.break_organization(6, Some(status));
    world.set_status(101, 1);
    world.set_status(21, 0);
    readings(&service).await;
    assert_eq!(outcome(&service, "John Smith").await, "operator-inactive");
    assert_eq!(
        outcome(&service, "Inactive Ivan").await,
        "operator-inactive"
    );
}
