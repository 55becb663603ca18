//! Clocks and dates that are off: how long the tokens live that agents get.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chathub_simulator::{Endpoint, Fault, Rules};
use chrono::{TimeDelta, Utc};
use rstest::rstest;

use crate::harness::{PROFILE_KEY, Service, header, rules};

fn by_key() -> [(&'static str, &'static str); 3] {
    [
        ("CHATHUB_LOGIN", ""),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_API_KEY", PROFILE_KEY),
    ]
}

fn some_operators() -> Rules {
    Rules {
        operators: 20,
        ..rules()
    }
}

/// How many seconds the token lives that a click on this operator gets, by a clock that is `ahead`
/// of this machine's.
async fn life(service: &Service, operator: u64, ahead: i64) -> i64 {
    let click = format!("operator={operator}&phone=0501234567");
    let response = service.click(&click).await;
    assert_eq!(response.status(), 302);
    let location = header(&response, "location");
    let claims = location.split('.').nth(3).expect("claims");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["exp"].as_i64().unwrap() - (Utc::now() + TimeDelta::seconds(ahead)).timestamp()
}

#[track_caller]
fn assert_an_hour(seconds: i64) {
    // A slow machine takes its time between the mint and this look.
    assert!((3400..=3610).contains(&seconds), "{seconds} s");
}

#[rstest]
#[case::a_cache(Fault::Cached(3500))]
#[case::a_cache_that_does_not_say_so(Fault::Dated(-3500))]
#[case::a_day_ahead(Fault::Dated(82_800))]
#[tokio::test]
async fn the_date_of_a_list_is_not_believed(
    #[case] fault: Fault,
    #[values(false, true)] is_by_key: bool,
) {
    let by_key = by_key();
    let variables: &[_] = if is_by_key { &by_key } else { &[] };
    let broken = [
        (Endpoint::Organizations, fault.clone()),
        (Endpoint::Operators, fault),
    ];
    let service = Service::start_broken(some_operators(), variables, &broken);
    service.wait_until_ready().await;
    for operator in 101..105 {
        assert_an_hour(life(&service, operator, 0).await);
    }
}

/// One answer in many with a date that is not true.
#[rstest]
#[case(3500)]
#[case(-3500)]
#[case(82_800)]
#[case(-180_000)]
#[tokio::test]
async fn one_odd_date_is_not_believed(#[case] ahead: i64) {
    let service = Service::start_with(some_operators(), &[]).await;
    assert_an_hour(life(&service, 101, 0).await);
    service
        .chathub
        .next(Endpoint::OperatorToken, Fault::Dated(ahead));
    for operator in 102..105 {
        assert_an_hour(life(&service, operator, 0).await);
    }
    assert_eq!(service.text_metric("chathub_clock_skew_seconds").await, "0");
}

/// ChatHub's clock jumps ahead: the answer that shows it comes with a token that ends too soon, and
/// with one that has ended already.
#[rstest]
#[case(600)]
#[case(3500)]
#[case(3600)]
#[case(36_000)]
#[tokio::test]
async fn a_clock_that_steps_is_followed_at_once(#[case] seconds: u32) {
    let service = Service::start_with(some_operators(), &[]).await;
    assert_an_hour(life(&service, 101, 0).await);
    service.chathub.store().pass_time(seconds.into());
    let mints = service.chathub.calls(Endpoint::OperatorToken);
    assert_an_hour(life(&service, 102, seconds.into()).await);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken) - mints, 2);
    assert_an_hour(life(&service, 103, seconds.into()).await);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken) - mints, 3);
}

/// Days off, and known from the first answer on: the alert sees it, and agents have their chats.
#[rstest]
#[case(180_000)]
#[case(-180_000)]
#[tokio::test]
async fn a_clock_that_is_days_off_is_shown_and_allowed_for(#[case] ahead: i64) {
    let rules = Rules {
        clock_ahead: ahead,
        ..some_operators()
    };
    let service = Service::start_with(rules, &[]).await;
    assert_an_hour(life(&service, 101, ahead).await);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    let skew = service.text_metric("chathub_clock_skew_seconds").await;
    let skew: f64 = skew.parse().unwrap();
    let expected = if ahead > 0 { 180_000.0 } else { -180_000.0 };
    assert!((skew - expected).abs() < 5.0, "{skew}");
}

/// Every date is days off, and ChatHub's clock is right: what it takes tells the one from the
/// other.
#[rstest]
#[case(180_000)]
#[case(-180_000)]
#[tokio::test]
async fn dates_that_are_false_by_days_are_shown_and_do_not_count(#[case] ahead: i64) {
    let broken = [Endpoint::CompanyToken, Endpoint::OperatorToken]
        .map(|endpoint| (endpoint, Fault::Dated(ahead)));
    let service = Service::start_broken(some_operators(), &[], &broken);
    service.wait_until_ready().await;
    assert_an_hour(life(&service, 101, 0).await);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
    assert_an_hour(life(&service, 102, 0).await);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 3);
    let skew = service.text_metric("chathub_clock_skew_seconds").await;
    let skew: f64 = skew.parse().unwrap();
    let expected = if ahead > 0 { 180_000.0 } else { -180_000.0 };
    assert!((skew - expected).abs() < 5.0, "{skew}");
}

/// Neither clock's time is taken: the click says so, and blames no operator.
#[tokio::test]
async fn clocks_that_differ_by_days_are_no_unknown_operator() {
    let rules = Rules {
        clock_ahead: 180_000,
        ..some_operators()
    };
    let service = Service::start_with(rules, &[]).await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(400)));
    let problem = service.refusal("operator=101&phone=0501234567").await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (502, "chathub-bad-answer")
    );
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}
