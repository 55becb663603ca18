//! How often ChatHub hears of an operator.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use open_chat::simulator::{Endpoint, Fault, Rules};
use rstest::rstest;

use crate::harness::{PASSWORD, Service, eventually, header, log_line, rules};

const CLICK: &str = "operator=101&phone=0501234567";

fn outcomes(outcome: &str) -> String {
    format!(r#"open_chat_operator_tokens_total{{outcome="{outcome}"}}"#)
}

#[tokio::test]
async fn forty_clicks_are_one_mint_and_one_login() {
    let service = Service::start().await;
    for _ in 0..40 {
        service.destination(CLICK).await;
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), 1);
    assert_eq!(service.metric(&outcomes("minted")).await, 1);
    assert_eq!(service.metric(&outcomes("reused")).await, 39);
    assert_eq!(service.metric("open_chat_token_cache_entries").await, 1);
}

#[tokio::test]
async fn without_reuse_every_click_is_a_mint() {
    let service = Service::start_with(rules(), &[("TOKEN_REUSE", "0")]).await;
    for _ in 0..3 {
        service.destination(CLICK).await;
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 3);
}

#[tokio::test]
async fn the_line_of_a_click_says_where_the_token_came_from() {
    let service = Service::start().await;
    for expected in ["minted", "reused"] {
        let response = service.click(CLICK).await;
        let line = log_line(&header(&response, "x-request-id")).await;
        assert_eq!(line["token_outcome"], expected);
    }
}

/// Past its time of reuse a token is still handed out, and refreshed behind the click's back: here ChatHub holds the refresh up for
/// longer than a click may take, and the click does not notice.
#[tokio::test]
async fn an_active_operator_never_waits() {
    let service = Service::start_with(
        rules(),
        &[
            ("TOKEN_REUSE", "1ms"),
            ("CLICK_BUDGET", "1s"),
            ("CHATHUB_ATTEMPT_TIMEOUT", "1s"),
        ],
    )
    .await;
    service.destination(CLICK).await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Silence));
    for _ in 0..20 {
        service.destination(CLICK).await;
    }
    assert_eq!(service.metric(&outcomes("reused")).await, 20);
    eventually("a refresh is tried", async || {
        service.chathub.calls(Endpoint::OperatorToken) >= 2
    })
    .await;
    assert_eq!(service.metric(&outcomes("failed")).await, 0);
}

#[tokio::test]
async fn a_refresh_that_fails_is_not_tried_at_every_click() {
    let service = Service::start_with(rules(), &[("TOKEN_REUSE", "1ms")]).await;
    service.destination(CLICK).await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Body(String::new())));
    let failed = r#"chathub_requests_total{endpoint="operator/get-token",outcome="bad-answer"}"#;
    eventually("a refresh fails", async || {
        service.destination(CLICK).await;
        service.metric(failed).await > 0
    })
    .await;
    for _ in 0..50 {
        service.destination(CLICK).await;
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

#[tokio::test]
async fn a_refresh_brings_a_new_token() {
    let service = Service::start_with(rules(), &[("TOKEN_REUSE", "1ms")]).await;
    let token = async || header(&service.click(CLICK).await, "location");
    let first = token().await;
    // The sample tokens differ by their second only, so ChatHub's clock is moved on.
    service.chathub.world().pass_time(60);
    eventually("the new token is handed out", async || {
        token().await != first
    })
    .await;
    assert_eq!(service.metric(&outcomes("failed")).await, 0);
}

#[tokio::test]
async fn an_operator_who_is_disabled_is_refused_after_the_next_refresh() {
    let service = Service::start_with(rules(), &[("TOKEN_REUSE", "1ms")]).await;
    service.destination(CLICK).await;
    service.chathub.world().set_status(101, 1);
    eventually("the refusal arrives", async || {
        service.click(CLICK).await.status() == 403
    })
    .await;
    let mints = service.chathub.calls(Endpoint::OperatorToken);
    assert_eq!(service.refusal(CLICK).await.kind, "operator-not-allowed");
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), mints);
}

#[rstest]
#[case::unknown(404, 404, "operator-unknown")]
#[case::not_permitted(403, 403, "operator-not-allowed")]
#[case::not_wanted(400, 404, "operator-unknown")]
#[tokio::test]
async fn a_no_is_believed_for_a_while(
    #[case] answer: u16,
    #[case] status: u16,
    #[case] kind: &str,
) {
    let rules = Rules {
        unknown_operator: answer,
        ..rules()
    };
    let service = Service::start_with(rules, &[]).await;
    for _ in 0..5 {
        let problem = service.refusal("operator=999&phone=0501234567").await;
        assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    assert_eq!(service.metric(&outcomes("failed")).await, 5);
}

#[tokio::test]
async fn many_operators_take_bounded_room() {
    let rules = Rules {
        operators: 60,
        ..rules()
    };
    let service = Service::start_with(
        rules,
        &[("TOKEN_CACHE_SIZE", "10"), ("CHATHUB_MAX_RATE", "1000")],
    )
    .await;
    for operator in 101..161 {
        service
            .destination(&format!("operator={operator}&phone=0501234567"))
            .await;
    }
    let kept = service.metric("open_chat_token_cache_entries").await;
    assert!((1..=10).contains(&kept), "{kept}");
}

#[tokio::test]
async fn one_mint_serves_all_who_wait_for_it_even_if_the_first_leaves() {
    let service = Service::start().await;
    service
        .chathub
        .next(Endpoint::OperatorToken, Fault::Late(500));
    let path = format!("/open-chat?{CLICK}");
    let first = service
        .request(&path)
        .timeout(Duration::from_millis(100))
        .send();
    assert!(first.await.unwrap_err().is_timeout());
    let others: Vec<_> = (0..20)
        .map(|_| tokio::spawn(service.request(&path).send()))
        .collect();
    for other in others {
        assert_eq!(other.await.unwrap().unwrap().status(), 302);
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    assert_eq!(service.metric(&outcomes("minted")).await, 1);
    assert_eq!(service.metric(&outcomes("shared")).await, 20);
}

#[tokio::test]
async fn one_login_serves_all_whose_company_token_has_ended() {
    let rules = Rules {
        operators: 20,
        ..rules()
    };
    let service = Service::start_with(rules, &[]).await;
    service.chathub.world().revoke_company_tokens();
    service
        .chathub
        .always(Endpoint::CompanyToken, Some(Fault::Late(100)));
    let clicks: Vec<_> = (101..121)
        .map(|operator| {
            let path = format!("/open-chat?operator={operator}&phone=0501234567");
            tokio::spawn(service.request(&path).send())
        })
        .collect();
    for click in clicks {
        assert_eq!(click.await.unwrap().unwrap().status(), 302);
    }
    assert_eq!(
        service.chathub.calls(Endpoint::CompanyToken),
        2,
        "the one at the start, and one for all"
    );
    assert!(service.chathub.calls(Endpoint::OperatorToken) <= 40);
}

/// The simulated company tokens live for three seconds here and say so, so none is ever shown after its end.
#[tokio::test]
async fn a_company_token_is_renewed_before_it_ends() {
    let rules = Rules {
        operators: 10_000,
        company_token_ttl: Duration::from_secs(3),
        ..rules()
    };
    let service = Service::start_with(rules, &[("CHATHUB_MAX_RATE", "10000")]).await;
    let mut operator = 100;
    while service.chathub.calls(Endpoint::CompanyToken) < 3 {
        operator += 1;
        service
            .destination(&format!("operator={operator}&phone=0501234567"))
            .await;
    }
    let refused =
        r#"chathub_requests_total{endpoint="operator/get-token",outcome="credentials-rejected"}"#;
    assert_eq!(service.metric(refused).await, 0);
}

/// A token of one second: after a pause it is known to have ended, and is not shown once more to find out.
#[tokio::test]
async fn a_company_token_that_has_ended_is_not_shown() {
    let rules = Rules {
        company_token_ttl: Duration::from_secs(1),
        ..rules()
    };
    let service = Service::start_with(rules, &[]).await;
    let started = std::time::Instant::now();
    eventually("the token ends", async || {
        started.elapsed() > Duration::from_millis(1100)
    })
    .await;
    service.destination(CLICK).await;
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), 2);
}

#[rstest]
#[case::ahead(300)]
#[case::behind(-300)]
#[case::days_ahead(180_000)]
#[case::days_behind(-180_000)]
#[tokio::test]
async fn clocks_may_differ_by_minutes(#[case] clock_ahead: i64) {
    let service = Service::start_with(
        Rules {
            clock_ahead,
            ..rules()
        },
        &[("TOKEN_TTL", "1m")],
    )
    .await;
    let location = header(&service.click(CLICK).await, "location");
    let token = location.split_once("token=").expect("a token").1.to_owned();
    let page = reqwest::get(format!("{}?token={token}", service.chathub.url()))
        .await
        .unwrap();
    assert!(
        page.text().await.unwrap().contains(r#"<main id="chat">"#),
        "ChatHub takes it"
    );
    let skew = service.text_metric("chathub_clock_skew_seconds").await;
    let skew: f64 = skew.parse().unwrap();
    assert!(
        (skew - f64::from(i32::try_from(clock_ahead).unwrap())).abs() < 2.0,
        "{skew}"
    );
}

/// At a profile key there is no login that would tell the time first; here even the proof of the key comes without a date.
#[tokio::test]
async fn a_refused_mint_that_teaches_the_time_is_asked_again() {
    let variables = [
        ("CHATHUB_LOGIN", ""),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_API_KEY", crate::harness::PROFILE_KEY),
        ("TOKEN_TTL", "1m"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    service.chathub.world().pass_time(600);
    service.destination(CLICK).await;
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

#[tokio::test]
async fn a_token_s_own_earlier_end_is_believed() {
    let service = Service::start().await;
    // A token of another operator that ends at once, signed as the simulator signs.
    let ends_now = header(
        &service.click("operator=102&phone=0501234567").await,
        "location",
    );
    let token = ends_now.split_once("token=").expect("a token").1;
    let claims = token.split('.').nth(1).expect("claims");
    assert!(!claims.is_empty());
    let short = short_lived(Utc::now() + TimeDelta::seconds(1));
    service
        .chathub
        .next(Endpoint::OperatorToken, Fault::Body(format!("\"{short}\"")));
    service.destination(CLICK).await;
    eventually("the short token is not handed out any more", async || {
        !header(&service.click(CLICK).await, "location").ends_with(&short)
    })
    .await;
}

/// A JWT with this end; nobody checks its signature here.
fn short_lived(end: DateTime<Utc>) -> String {
    let claims = serde_json::json!({"operator_id": 101, "exp": end.timestamp()});
    jsonwebtoken::encode(
        &jsonwebtoken::Header::default(),
        &claims,
        &jsonwebtoken::EncodingKey::from_secret(PASSWORD.as_bytes()),
    )
    .unwrap()
}

#[tokio::test]
async fn validation_shows_each_new_token_to_chathub_first() {
    let service = Service::start_with(rules(), &[("TOKEN_VALIDATE", "on")]).await;
    for _ in 0..3 {
        service.destination(CLICK).await;
    }
    assert_eq!(service.chathub.calls(Endpoint::ValidateToken), 1);
    let invalid = Fault::Body(r#"{"isValid":false,"error":"Invalid token"}"#.into());
    service.chathub.next(Endpoint::ValidateToken, invalid);
    let problem = service.refusal("operator=102&phone=0501234567").await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (502, "chathub-bad-answer")
    );
    service.destination("operator=102&phone=0501234567").await;
}

#[tokio::test]
async fn who_cannot_be_served_in_time_is_told_at_once() {
    let rules = Rules {
        operators: 30,
        ..rules()
    };
    let service =
        Service::start_with(rules, &[("CHATHUB_MAX_RATE", "5"), ("CLICK_BUDGET", "1s")]).await;
    let clicks: Vec<_> = (101..131)
        .map(|operator| {
            let path = format!("/open-chat?operator={operator}&phone=0501234567");
            tokio::spawn(service.request(&path).send())
        })
        .collect();
    let (mut served, mut overloaded) = (0, 0);
    for click in clicks {
        let response = click.await.unwrap().unwrap();
        if response.status() == 302 {
            served += 1;
        } else {
            let problem = crate::harness::Problem::read(response).await;
            assert_eq!((problem.status, problem.kind.as_str()), (503, "overloaded"));
            assert!(problem.retry_after >= Some(1));
            overloaded += 1;
        }
    }
    // Five a second, and a second's worth at once: some ten in the budget.
    assert!((4..=12).contains(&served), "{served}");
    assert_eq!(served + overloaded, 30);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), served);
}
