//! How often ChatHub hears of an operator.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use chrono::{TimeDelta, Utc};
use rstest::rstest;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

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

/// Past its time of reuse a token is still handed out, and refreshed behind the click's back: here
/// ChatHub holds the refresh up for longer than a click may take, and the click does not notice.
#[tokio::test]
async fn an_active_operator_never_waits() {
    let service = Service::start_with(rules(), &[("TOKEN_REUSE", "1ms")]).await;
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
    let begun = Instant::now();
    eventually("a refresh fails", async || {
        service.destination(CLICK).await;
        service.metric(failed).await > 0
    })
    .await;
    for _ in 0..50 {
        service.destination(CLICK).await;
    }
    // The first mint, a refresh, and another every ten seconds, however long fifty clicks take.
    let refreshes = service.chathub.calls(Endpoint::OperatorToken) - 1;
    assert!(
        refreshes <= 1 + begun.elapsed().as_secs() / 10,
        "{refreshes}"
    );
}

#[tokio::test]
async fn a_refresh_brings_a_new_token() {
    let service = Service::start_with(rules(), &[("TOKEN_REUSE", "1ms")]).await;
    let token = async || header(&service.click(CLICK).await, "location");
    let first = token().await;
    // The sample tokens differ by their second only, so ChatHub's clock is moved on.
    service.chathub.store().pass_time(60);
    eventually("the new token is handed out", async || {
        token().await != first
    })
    .await;
    assert_eq!(service.metric(&outcomes("failed")).await, 0);
}

/// A firewall in front of ChatHub, a wrong deployment: for a moment every refresh is refused. The
/// tokens that are there have an hour left, and no agent may notice.
#[rstest]
#[case::not_permitted(Fault::Status(403))]
#[case::not_found(Fault::Status(404))]
#[case::not_wanted(Fault::Status(400))]
#[case::a_firewall_s_403(Fault::Page(403))]
#[case::a_firewall_s_404(Fault::Page(404))]
#[tokio::test]
async fn a_refused_refresh_takes_no_token_away(#[case] fault: Fault) {
    let rules = Rules {
        operators: 20,
        ..rules()
    };
    let variables = [("TOKEN_REUSE", "1ms"), ("CHATHUB_MAX_RATE", "1000")];
    let service = Service::start_with(rules, &variables).await;
    let click = |operator: u64| format!("operator={operator}&phone=0501234567");
    for operator in 101..121 {
        service.destination(&click(operator)).await;
    }
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(fault.clone()));
    let mints = service.chathub.calls(Endpoint::OperatorToken);
    eventually("every refresh is refused", async || {
        for operator in 101..121 {
            service.destination(&click(operator)).await;
        }
        service.chathub.calls(Endpoint::OperatorToken) >= mints + 20
    })
    .await;
    for operator in 101..121 {
        for _ in 0..5 {
            service.destination(&click(operator)).await;
        }
    }
    assert_eq!(service.metric(&outcomes("failed")).await, 0);
    // It is well again: who comes now gets a token.
    service.chathub.always(Endpoint::OperatorToken, None);
    service.destination(&click(101)).await;
}

#[tokio::test]
async fn a_refused_refresh_is_not_tried_at_every_click() {
    let service = Service::start_with(rules(), &[("TOKEN_REUSE", "1ms")]).await;
    service.destination(CLICK).await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(403)));
    let refused =
        r#"chathub_requests_total{endpoint="operator/get-token",outcome="not-permitted"}"#;
    eventually("a refresh is refused", async || {
        service.destination(CLICK).await;
        service.metric(refused).await > 0
    })
    .await;
    for _ in 0..50 {
        service.destination(CLICK).await;
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

/// The directory says that the operator does not work: then there is nothing to wait for.
#[tokio::test]
async fn an_operator_who_is_disabled_is_refused_after_the_next_reading() {
    let variables = [("TOKEN_REUSE", "1ms"), ("DIRECTORY_REFRESH", "20ms")];
    let service = Service::start_with(rules(), &variables).await;
    service.destination(CLICK).await;
    service.chathub.store().set_status(101, 1);
    eventually("the refusal arrives", async || {
        service.click(CLICK).await.status() == 403
    })
    .await;
    assert_eq!(service.refusal(CLICK).await.kind, "operator-inactive");
}

/// ChatHub refuses the refresh, and a reading that began after that has the operator no more.
#[tokio::test]
async fn an_operator_who_is_gone_is_refused_after_the_next_reading() {
    let variables = [("TOKEN_REUSE", "1ms"), ("DIRECTORY_REFRESH", "20ms")];
    let service = Service::start_with(rules(), &variables).await;
    service.destination(CLICK).await;
    service.chathub.store().remove_operator(101);
    eventually("the refusal arrives", async || {
        service.click(CLICK).await.status() == 404
    })
    .await;
    let mints = service.chathub.calls(Endpoint::OperatorToken);
    assert_eq!(service.refusal(CLICK).await.kind, "operator-unknown");
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), mints);
}

/// What a firewall's page says is nothing that ChatHub has said of the operator.
#[rstest]
#[case::forbidden(403)]
#[case::not_found(404)]
#[case::not_wanted(400)]
#[tokio::test]
async fn a_page_is_no_refusal_by_chathub(#[case] status: u16) {
    let service = Service::start().await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Page(status)));
    for mints in 1..4 {
        let problem = service.refusal(CLICK).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (502, "chathub-bad-answer")
        );
        assert_eq!(service.chathub.calls(Endpoint::OperatorToken), mints);
    }
    service.chathub.always(Endpoint::OperatorToken, None);
    service.destination(CLICK).await;
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
    service.chathub.next(Endpoint::OperatorToken, Fault::Held);
    let path = format!("/open-chat?{CLICK}");
    let in_flight = async || service.metric("http_requests_in_flight").await;
    let idle = in_flight().await;
    let address = service.url().trim_start_matches("http://");
    let mut first = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    first.write_all(head.as_bytes()).await.unwrap();
    eventually("the mint is on its way", async || {
        service.chathub.calls(Endpoint::OperatorToken) == 1
    })
    .await;
    // The service takes one that only closes for one that still listens.
    first.set_zero_linger().unwrap();
    drop(first);
    eventually("the first has left", async || in_flight().await == idle).await;
    let others: Vec<_> = (0..20)
        .map(|_| tokio::spawn(service.request(&path).send()))
        .collect();
    eventually("the others wait", async || in_flight().await == idle + 20).await;
    service.chathub.release();
    for other in others {
        assert_eq!(other.await.unwrap().unwrap().status(), 302);
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    assert_eq!(service.metric(&outcomes("minted")).await, 1);
    // One that was counted as in flight may have come to the token only after the mint.
    let shared = service.metric(&outcomes("shared")).await;
    assert!(shared > 10, "{shared}");
    assert_eq!(shared + service.metric(&outcomes("reused")).await, 20);
}

#[tokio::test]
async fn one_login_serves_all_whose_company_token_has_ended() {
    let rules = Rules {
        operators: 20,
        ..rules()
    };
    let service = Service::start_with(rules, &[]).await;
    service.chathub.store().revoke_company_tokens();
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

/// The simulated company tokens live for seconds here and say so, so none is ever shown after its
/// end. A machine that is too busy to get the next one within the last tenth of such a life gets
/// longer ones.
#[tokio::test]
async fn a_company_token_is_renewed_before_it_ends() {
    for seconds in [3, 6, 12, 24, 48] {
        if shown_after_their_end(seconds).await == 0 {
            return;
        }
    }
    panic!("however long they live, tokens are shown after their end");
}

/// Clicks until two company tokens that live so long have followed the first: how many calls came
/// with one that had ended.
async fn shown_after_their_end(seconds: u64) -> i64 {
    let rules = Rules {
        company_token_ttl: Duration::from_secs(seconds),
        ..rules()
    };
    let variables = [("CHATHUB_MAX_RATE", "10000"), ("TOKEN_REUSE", "0")];
    let service = Service::start_with(rules, &variables).await;
    while service.chathub.calls(Endpoint::CompanyToken) < 3 {
        service.destination(CLICK).await;
    }
    let refused =
        r#"chathub_requests_total{endpoint="operator/get-token",outcome="token-refused"}"#;
    service.metric(refused).await
}

/// A token of a second or two: after a pause it is known to have ended, and is not shown once more
/// to find out. The next one lives for hours, however slow the machine is.
#[tokio::test]
async fn a_company_token_that_has_ended_is_not_shown() {
    let rules = Rules {
        company_token_ttl: Duration::from_secs(2),
        ..rules()
    };
    let service = Service::start_with(rules, &[]).await;
    let logins = service.chathub.calls(Endpoint::CompanyToken);
    let lasting = Fault::Body(lasting_company_token().await);
    service.chathub.next(Endpoint::CompanyToken, lasting);
    let started = Instant::now();
    eventually("the token ends", async || {
        started.elapsed() > Duration::from_secs(2)
    })
    .await;
    service.destination(CLICK).await;
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), logins + 1);
}

/// The answer to a login: a company token of twelve hours, which every simulator takes.
async fn lasting_company_token() -> String {
    let chathub = Simulator::start(rules()).unwrap();
    let body = serde_json::json!({"login": "acme", "password": PASSWORD});
    let url = format!("{}api/company/get-token", chathub.url());
    let login = reqwest::Client::new().post(url).body(body.to_string());
    login.send().await.unwrap().text().await.unwrap()
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
        // Half of the time that an answer took is not known.
        (skew - f64::from(i32::try_from(clock_ahead).unwrap())).abs() < 60.0,
        "{skew}"
    );
}

/// At a profile key there is no login that would tell the time first; here even the proof of the
/// key comes without a date.
#[tokio::test]
async fn a_refused_mint_that_teaches_the_time_is_asked_again() {
    let variables = [
        ("CHATHUB_LOGIN", ""),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_API_KEY", crate::harness::PROFILE_KEY),
        ("TOKEN_TTL", "1m"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    service.chathub.store().pass_time(600);
    service.destination(CLICK).await;
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

/// Half an hour has passed on ChatHub's clock alone, and the mint's own answer is the first to
/// tell: the token that was asked for by the old time has half an hour too little.
#[tokio::test]
async fn a_mint_that_teaches_the_time_is_asked_again() {
    let service = Service::start().await;
    service.chathub.store().pass_time(1800);
    let location = header(&service.click(CLICK).await, "location");
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
    let claims = location.split('.').nth_back(1).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    let left = claims["exp"].as_i64().unwrap() - 1800 - Utc::now().timestamp();
    assert!((3000..=3605).contains(&left), "{left}");
}

/// A JWT with these claims; nobody but ChatHub can check its signature.
fn jwt(claims: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(claims);
    format!("eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl")
}

fn as_answer(token: &str) -> Fault {
    Fault::Body(format!("\"{token}\""))
}

#[tokio::test]
async fn a_token_s_own_earlier_end_is_believed() {
    let service = Service::start().await;
    let end = Utc::now() + TimeDelta::minutes(10);
    let short = jwt(&format!(
        r#"{{"operator_id":101,"exp":{}}}"#,
        end.timestamp()
    ));
    service
        .chathub
        .next(Endpoint::OperatorToken, as_answer(&short));
    let is_short = async || header(&service.click(CLICK).await, "location").ends_with(&short);
    assert!(is_short().await);
    assert!(is_short().await, "it is good for some minutes");
    service.chathub.store().pass_time(600);
    hear_the_time(&service).await;
    assert!(!is_short().await);
}

/// Has ChatHub answer two POSTs, whose dates tell its clock.
async fn hear_the_time(service: &Service) {
    for unknown in [9001, 9002] {
        let query = format!("operator={unknown}&phone=0501234567");
        assert_eq!(service.refusal(&query).await.kind, "operator-unknown");
    }
}

/// ChatHub's clock moves on and this machine's does not, as where this machine was suspended.
#[tokio::test]
async fn a_token_that_has_ended_by_the_other_clock_is_not_handed_out() {
    let service = Service::start().await;
    let token = async || header(&service.click(CLICK).await, "location");
    let first = token().await;
    assert_eq!(token().await, first);
    service.chathub.store().pass_time(7200);
    hear_the_time(&service).await;
    let second = token().await;
    assert_ne!(second, first);
    assert_eq!(token().await, second, "and is kept");
}

#[rstest]
#[case::for_another_operator(r#"{"operator_id":999,"exp":4000000000}"#)]
#[case::for_another_as_a_text(r#"{"operator_id":"102","exp":4000000000}"#)]
#[case::for_another_in_the_other_spelling(r#"{"operatorId":102,"exp":4000000000}"#)]
#[case::for_two(r#"{"operator_id":101,"operatorId":102,"exp":4000000000}"#)]
#[case::for_nobody_that_can_be(r#"{"operator_id":[101],"exp":4000000000}"#)]
#[case::ended_ten_minutes_ago(r#"{"operator_id":101,"exp":TEN_MINUTES_AGO}"#)]
#[case::ended_long_ago(r#"{"exp":0}"#)]
#[case::an_end_that_is_no_moment(r#"{"operator_id":101,"exp":"soon"}"#)]
#[case::claims_that_are_a_list("[101]")]
#[case::claims_that_are_a_text("\"operator 101\"")]
#[case::claims_that_are_no_json("operator 101")]
#[tokio::test]
async fn a_token_whose_claims_do_not_fit_is_not_handed_out(#[case] claims: &str) {
    let ten_minutes_ago = (Utc::now() - TimeDelta::minutes(10)).timestamp();
    let claims = claims.replace("TEN_MINUTES_AGO", &ten_minutes_ago.to_string());
    refused_once(as_answer(&jwt(&claims))).await;
}

#[rstest]
#[case::words("maintenance")]
#[case::quoted_words("\"maintenance\"")]
#[case::ok("OK")]
#[case::in_an_object(r#"{"token":"maintenance"}"#)]
#[case::two_parts("\"eyJhbGciOiJIUzI1NiJ9.e30\"")]
#[case::four_parts("\"eyJhbGciOiJIUzI1NiJ9.e30.c2ln.c2ln\"")]
#[case::empty_parts("\"..\"")]
#[case::no_base64("\"eyJhbGciOiJIUzI1NiJ9.{}.c2ln\"")]
#[tokio::test]
async fn a_text_that_is_no_jwt_is_not_handed_out(#[case] body: &str) {
    refused_once(Fault::Body(body.into())).await;
}

/// The click is told so, nothing is kept, and the next click asks again.
async fn refused_once(fault: Fault) {
    let service = Service::start().await;
    service.chathub.next(Endpoint::OperatorToken, fault);
    let problem = service.refusal(CLICK).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (502, "chathub-bad-answer")
    );
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    service.destination(CLICK).await;
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

/// ChatHub does not document its claims: what is absent is no fault.
#[rstest]
#[case::none("{}")]
#[case::no_end(r#"{"operator_id":101}"#)]
#[case::an_id_as_a_text(r#"{"operator_id":"101","exp":"4000000000"}"#)]
#[case::the_other_spelling(r#"{"operatorId":101,"exp":4000000000.5}"#)]
#[case::nothing_in_them(r#"{"operator_id":null,"exp":null}"#)]
#[case::others(r#"{"sub":"someone","iat":1,"role":["operator"]}"#)]
#[tokio::test]
async fn claims_that_are_absent_are_not_missed(#[case] claims: &str) {
    let service = Service::start().await;
    let token = jwt(claims);
    service
        .chathub
        .next(Endpoint::OperatorToken, as_answer(&token));
    for _ in 0..2 {
        let location = header(&service.click(CLICK).await, "location");
        assert!(location.ends_with(&token), "{location}");
    }
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
    // It is valid, and another operator's.
    let another = Fault::Body(r#"{"isValid":true,"operatorId":999,"error":null}"#.into());
    service.chathub.next(Endpoint::ValidateToken, another);
    let third = service.chathub.store().add_operator(24, "Third").unwrap();
    let query = format!("operator={third}&phone=0501234567");
    let problem = service.refusal(&query).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (502, "chathub-bad-answer")
    );
    service.destination(&query).await;
}

#[tokio::test]
async fn who_cannot_be_served_in_time_is_told_at_once() {
    let rules = Rules {
        operators: 300,
        ..rules()
    };
    // At one a second some forty find a place within a minute. However slowly the clicks come, most
    // of them come before that is over.
    let variables = [("CHATHUB_MAX_RATE", "1"), ("CLICK_BUDGET", "1m")];
    let service = Service::start_with(rules, &variables).await;
    let mut clicks = JoinSet::new();
    for operator in 101..401 {
        let path = format!("/open-chat?operator={operator}&phone=0501234567");
        clicks.spawn(service.request(&path).send());
    }
    let begun = Instant::now();
    let (mut served, mut overloaded) = (0, 0);
    while served < 1 || overloaded < 150 {
        let response = clicks.join_next().await.unwrap().unwrap().unwrap();
        if response.status() == 302 {
            served += 1;
        } else {
            let problem = crate::harness::Problem::read(response).await;
            assert_eq!((problem.status, problem.kind.as_str()), (503, "overloaded"));
            assert!(problem.retry_after >= Some(1));
            overloaded += 1;
        }
    }
    // They are told while others still wait for their turn, one after another.
    let mints = service.chathub.calls(Endpoint::OperatorToken);
    assert!(mints < 40, "{mints}");
    assert!(mints <= 2 + begun.elapsed().as_secs(), "{mints}");
}
