//! The fault matrix: what a click gets and what ChatHub hears when something breaks.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::faulty_proxy::{Mode, Proxy};
use crate::harness::{
    PASSWORD, PROFILE_KEY, Problem, Service, eventually, file, header, log_line, own_address, rules,
};

const CLICK: &str = "operator=101&phone=0501234567";
const LINK: &str = "https://chat.smsbat.com/?phone=%2B380501234567&token=";

/// For those who wait for a ChatHub that does not answer. Whatever is to be answered has far
/// longer.
const QUICK: [(&str, &str); 1] = [("CHATHUB_ATTEMPT_TIMEOUT", "1s")];

async fn service_behind(proxy: &Proxy, variables: &[(&str, &str)]) -> Service {
    let url = proxy.url();
    let variables = [&[("CHATHUB_URL", url.as_str())], variables].concat();
    Service::start_with(rules(), &variables).await
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::Status(500),
        Fault::Status(502),
        Fault::Status(401),
        Fault::Status(403),
        Fault::Throttled(5),
        Fault::Body(String::new()),
        Fault::Nested(100_000),
        Fault::Endless,
        Fault::Redirect("http://127.0.0.1:9/".into()),
        Fault::Reset,
        Fault::Silence,
    ]
}

#[tokio::test]
async fn a_warm_operator_notices_nothing() {
    for fault in faults() {
        let service = Service::start().await;
        service.destination(CLICK).await;
        for endpoint in [Endpoint::CompanyToken, Endpoint::OperatorToken] {
            service.chathub.always(endpoint, Some(fault.clone()));
        }
        let calls = service.chathub.total_calls();
        for _ in 0..5 {
            assert_eq!(service.destination(CLICK).await, LINK, "{fault:?}");
        }
        assert_eq!(service.chathub.total_calls(), calls, "{fault:?}");
    }
}

/// What ChatHub does, what a cold click gets, how often it is asked, and what the next click gets
/// when it is well again.
#[rstest]
#[case::no_answer(Fault::Silence, 504, "chathub-timeout", 2, 302)]
#[case::internal_error(Fault::Status(500), 503, "chathub-unavailable", 2, 302)]
#[case::a_proxy_s_html(Fault::Status(502), 503, "chathub-unavailable", 2, 302)]
#[case::throttled(Fault::Throttled(700), 503, "chathub-throttled", 1, 503)]
#[case::forbidden(Fault::Status(403), 403, "operator-not-allowed", 1, 403)]
#[case::unknown(Fault::Status(404), 404, "operator-unknown", 1, 404)]
#[case::empty(Fault::Body(String::new()), 502, "chathub-bad-answer", 1, 302)]
#[case::no_json(Fault::Body("all is well".into()), 502, "chathub-bad-answer", 1, 302)]
#[case::no_token(Fault::Body("{}".into()), 502, "chathub-bad-answer", 1, 302)]
#[case::gigantic(Fault::Endless, 502, "chathub-bad-answer", 1, 302)]
#[case::deep(Fault::Nested(100_000), 502, "chathub-bad-answer", 1, 302)]
#[case::resets_for_good(Fault::Reset, 503, "chathub-unavailable", 2, 302)]
#[tokio::test]
async fn a_cold_click_gets_the_best_answer_there_is(
    #[case] fault: Fault,
    #[case] status: u16,
    #[case] kind: &str,
    #[case] mints: u64,
    #[case] next_status: u16,
) {
    let is_silent = matches!(fault, Fault::Silence);
    let variables = if is_silent { &QUICK[..] } else { &[] };
    let service = Service::start_with(rules(), variables).await;
    let logins = service.chathub.calls(Endpoint::CompanyToken);
    service.chathub.always(Endpoint::OperatorToken, Some(fault));
    let problem = service.refusal(CLICK).await;
    assert_eq!((problem.status, problem.kind.as_str()), (status, kind));
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), mints);
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), logins);

    service.chathub.always(Endpoint::OperatorToken, None);
    if is_silent {
        // A second may be too short for a right answer, too.
        eventually("it is well again", async || {
            service.click(CLICK).await.status() == next_status
        })
        .await;
    } else {
        assert_eq!(service.click(CLICK).await.status(), next_status);
    }
}

/// A click's budget ends it long before an attempt would.
/// Longer than the defaults of `CHATHUB_ATTEMPT_TIMEOUT` (2 s) and `CLICK_BUDGET` (5 s).
#[tokio::test]
async fn a_slow_answer_is_waited_for_as_long_as_is_set() {
    let patience = [("CHATHUB_ATTEMPT_TIMEOUT", "2m"), ("CLICK_BUDGET", "5m")];
    let service = Service::start_with(rules(), &patience).await;
    let slow = Some(Fault::Late(5500));
    service.chathub.always(Endpoint::OperatorToken, slow);
    assert_eq!(service.destination(CLICK).await, LINK);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
}

/// A host whose queue of connections is full does not answer; the system asks it again after one
/// second and after three. By then two attempts of the default (1 s) would be over.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_slow_connection_is_waited_for_as_long_as_is_set() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(own_address()).unwrap();
    let host = socket.listen(0).unwrap();
    let address = host.local_addr().unwrap();
    let full = tokio::net::TcpStream::connect(address).await.unwrap();
    let url = format!("http://{address}/");
    let variables = [
        ("CHATHUB_URL", url.as_str()),
        ("CHATHUB_CONNECT_TIMEOUT", "2m"),
    ];
    let service = Service::start_unproven(rules(), &variables);
    let click = service.request(&format!("/open-chat?{CLICK}"));
    let click = tokio::spawn(click.send());
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let chathub: SocketAddr = service.chathub.url()["http://".len()..]
        .trim_end_matches('/')
        .parse()
        .unwrap();
    let relay = tokio::spawn(async move {
        while let Ok((mut client, _)) = host.accept().await {
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(chathub).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    assert_eq!(click.await.unwrap().unwrap().status(), 302);
    relay.abort();
    drop(full);
}

#[tokio::test]
async fn no_click_takes_longer_than_its_budget() {
    let service = Service::start_with(rules(), &[("CLICK_BUDGET", "3s")]).await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Silence));
    let started = Instant::now();
    let problem = service.refusal(CLICK).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (504, "chathub-timeout")
    );
    let attempt_timeout = Duration::from_mins(2);
    assert!(started.elapsed() < attempt_timeout);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
}

/// At two requests a second three hundred clicks have no time within a minute to wait for a turn
/// each; while nothing may go out, none of them has to.
#[tokio::test]
async fn who_cannot_go_out_waits_for_no_turn() {
    let slow = [("CHATHUB_MAX_RATE", "2"), ("CLICK_BUDGET", "1m")];
    let service = Service::start_with(rules(), &slow).await;
    service
        .chathub
        .next(Endpoint::OperatorToken, Fault::Throttled(3600));
    let mut clicks = JoinSet::new();
    assert_eq!(service.refusal(CLICK).await.kind, "chathub-throttled");
    for operator in 201..501 {
        let path = format!("/open-chat?operator={operator}&phone=0501234567");
        clicks.spawn(service.request(&path).send());
    }
    for response in clicks.join_all().await {
        let problem = Problem::read(response.unwrap()).await;
        assert_eq!(problem.kind, "chathub-throttled");
        assert!(problem.retry_after.unwrap() > 1800, "{problem:?}");
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
}

#[tokio::test]
async fn a_password_file_that_is_emptied_changes_nothing_and_is_told_of() {
    let path = file("emptied-password", PASSWORD);
    let variables = [
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_PASSWORD_FILE", path.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;
    service.destination(CLICK).await;
    std::fs::write(&path, "").unwrap();
    let failed = r#"open_chat_file_reload_failed{file="CHATHUB_PASSWORD"}"#;
    eventually("it is found out", async || {
        let metrics = service.ops("/metrics").await.text().await.unwrap();
        metrics.contains(&format!("{failed} 1"))
    })
    .await;
    // The password before it still logs in.
    service.chathub.store().revoke_company_tokens();
    service.destination("operator=102&phone=0501234567").await;
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), 2);
    std::fs::write(&path, format!("{PASSWORD}\n")).unwrap();
    eventually("it is in force", async || service.metric(failed).await == 0).await;
}

#[rstest]
#[case::a_number(Fault::Throttled(700), 700)]
#[case::a_date(Fault::ThrottledUntil(700), 700)]
#[case::an_hour_at_most(Fault::Throttled(86_400), 3600)]
#[case::a_date_an_hour_ahead_at_most(Fault::ThrottledUntil(86_400), 3600)]
#[tokio::test]
async fn retry_after_is_honoured_and_passed_on(#[case] fault: Fault, #[case] seconds: u64) {
    // ChatHub's clock differs from this one, and a date is meant on its own.
    let rules = Rules {
        clock_ahead: -300,
        ..rules()
    };
    let service = Service::start_with(rules, &[]).await;
    service.chathub.next(Endpoint::OperatorToken, fault);
    for operator in [101, 102, 101] {
        let problem = service
            .refusal(&format!("operator={operator}&phone=0501234567"))
            .await;
        assert_eq!(problem.kind, "chathub-throttled");
        let least = seconds - 100;
        assert!(
            (least..=seconds).contains(&problem.retry_after.unwrap()),
            "{problem:?}"
        );
    }
    assert_eq!(
        service.chathub.calls(Endpoint::OperatorToken),
        1,
        "then 0 for as long"
    );
}

#[tokio::test]
async fn a_short_retry_after_is_over_soon() {
    // A second is short enough to wait for.
    let service = Service::start().await;
    service
        .chathub
        .next(Endpoint::OperatorToken, Fault::Throttled(1));
    assert_eq!(service.refusal(CLICK).await.kind, "chathub-throttled");
    eventually("it is well again", async || {
        service.click(CLICK).await.status() == 302
    })
    .await;
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

#[rstest]
#[case::refused("http://127.0.0.1:1/")]
#[case::no_such_host("https://chathub.invalid/")]
#[tokio::test]
async fn no_connection_is_told_at_once(#[case] url: &str) {
    let service = Service::start_unproven(rules(), &[("CHATHUB_URL", url)]);
    let started = Instant::now();
    let problem = service.refusal(CLICK).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (503, "chathub-unavailable")
    );
    let budget = Duration::from_mins(5);
    assert!(started.elapsed() < budget / 2);
    assert!(problem.retry_after >= Some(1));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unavailable() {
    let service = Service::start_unproven(rules(), &[]);
    let https = service.chathub.url().replace("http://", "https://");
    let service = Service::start_unproven(rules(), &[("CHATHUB_URL", &https)]);
    let problem = service.refusal(CLICK).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (503, "chathub-unavailable")
    );
}

#[rstest]
#[case::before_the_answer(0)]
#[case::in_its_head(20)]
#[tokio::test]
async fn a_reset_in_mid_answer_is_retried_once(#[case] bytes: usize) {
    let chathub = Simulator::start(rules()).unwrap();
    let proxy = Proxy::before(&chathub.url()).await;
    let service = service_behind(&proxy, &[]).await;
    proxy.set(Mode::CutAfter(bytes));
    assert_eq!(service.refusal(CLICK).await.kind, "chathub-unavailable");
    assert_eq!(chathub.calls(Endpoint::OperatorToken), 2);
    proxy.set(Mode::Forward);
    assert_eq!(service.destination(CLICK).await, LINK);
}

#[tokio::test]
async fn one_reset_is_not_noticed() {
    let service = Service::start().await;
    service.chathub.next(Endpoint::OperatorToken, Fault::Reset);
    assert_eq!(service.destination(CLICK).await, LINK);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 2);
}

/// Ten retries are saved up at the start, and ten calls earn another: a ChatHub that breaks every
/// first answer is not asked twice for everything.
#[tokio::test]
async fn second_attempts_run_out() {
    let rules = Rules {
        operators: 15,
        ..rules()
    };
    // A broken connection is told at once, so nothing here has to be quick.
    let service = Service::start_with(rules, &[]).await;
    let mut served = 0;
    for operator in 101..116 {
        service.chathub.next(Endpoint::OperatorToken, Fault::Reset);
        let response = service
            .click(&format!("operator={operator}&phone=0501234567"))
            .await;
        served += u64::from(response.status() == 302);
    }
    assert_eq!(served, 11);
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 15 + served);
}

#[tokio::test]
async fn a_stale_pooled_connection_is_not_noticed() {
    let chathub = Simulator::start(rules()).unwrap();
    let proxy = Proxy::before(&chathub.url()).await;
    let service = service_behind(&proxy, &[]).await;
    proxy.set(Mode::OneAnswerAConnection);
    // The login's connection is pooled; the mint's request finds it dead.
    assert_eq!(service.destination(CLICK).await, LINK);
    assert_eq!(chathub.calls(Endpoint::OperatorToken), 1);
}

#[tokio::test]
async fn a_body_that_drips_is_a_timeout() {
    let chathub = Simulator::start(rules()).unwrap();
    let proxy = Proxy::before(&chathub.url()).await;
    let service = service_behind(&proxy, &QUICK).await;
    // A whole answer would take minutes.
    proxy.set(Mode::Drip(Duration::from_secs(1)));
    let problem = service.refusal(CLICK).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (504, "chathub-timeout")
    );
    assert_eq!(chathub.calls(Endpoint::OperatorToken), 2);
}

#[tokio::test]
async fn a_redirect_takes_nothing_elsewhere() {
    let elsewhere = Simulator::start(rules()).unwrap();
    for endpoint in [Endpoint::OperatorToken, Endpoint::CompanyToken] {
        let service = Service::start().await;
        service.chathub.store().revoke_company_tokens();
        let target = format!("{}api/operator/get-token", elsewhere.url());
        service
            .chathub
            .always(endpoint, Some(Fault::Redirect(target)));
        let problem = service.refusal(CLICK).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (502, "chathub-bad-answer")
        );
    }
    assert_eq!(elsewhere.total_calls(), 0);
}

#[tokio::test]
async fn five_failures_in_a_row_give_chathub_a_rest() {
    let rules = Rules {
        operators: 50,
        ..rules()
    };
    let service = Service::start_with(rules, &[]).await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(500)));
    let begun = Instant::now();
    for operator in 101..141 {
        let problem = service
            .refusal(&format!("operator={operator}&phone=0501234567"))
            .await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (503, "chathub-unavailable")
        );
    }
    // Then one at most every ten seconds, which find out whether it is well.
    let calls = service.chathub.calls(Endpoint::OperatorToken);
    let probes = begun.elapsed().as_secs() / 10;
    assert!((5..=5 + probes).contains(&calls), "{calls}");
    assert_eq!(service.metric("chathub_circuit_open").await, 1);
    let problem = service.refusal(CLICK).await;
    assert!(
        (1..=11).contains(&problem.retry_after.unwrap()),
        "{problem:?}"
    );
}

/// Which of the two statuses a wrong login gets is not documented.
#[rstest]
#[case(401)]
#[case(400)]
#[tokio::test]
async fn a_wrong_password_is_shown_once(#[case] wrong_login: u16) {
    let rules = Rules {
        wrong_login,
        ..rules()
    };
    let wrong = [("CHATHUB_PASSWORD", "canary-password-wrong")];
    let service = Service::start_unproven(rules, &wrong);
    for _ in 0..10 {
        assert_eq!(service.refusal(CLICK).await.kind, "credentials-rejected");
    }
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), 1);
}

#[tokio::test]
async fn a_wrong_profile_key_is_shown_once() {
    let variables = [
        ("CHATHUB_LOGIN", ""),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_API_KEY", "canary-profile-key-wrong"),
    ];
    let service = Service::start_unproven(rules(), &variables);
    for _ in 0..10 {
        assert_eq!(service.refusal(CLICK).await.kind, "credentials-rejected");
    }
    // The proof at the start, the directory and the first click may have been on their way
    // together.
    assert!(
        service.chathub.total_calls() <= 3,
        "{}",
        service.chathub.total_calls()
    );
}

#[rstest]
#[case::password("CHATHUB_PASSWORD", "canary-password-wrong", PASSWORD)]
#[case::profile_key("CHATHUB_API_KEY", "canary-profile-key-wrong", PROFILE_KEY)]
#[tokio::test]
async fn a_corrected_file_is_noticed(
    #[case] variable: &str,
    #[case] wrong: &str,
    #[case] right: &str,
) {
    let path = file(&format!("corrected-{variable}"), &format!("{wrong}\n"));
    let file_variable = format!("{variable}_FILE");
    let login = if variable == "CHATHUB_PASSWORD" {
        "acme"
    } else {
        ""
    };
    let variables = [
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_LOGIN", login),
        (file_variable.as_str(), path.to_str().unwrap()),
    ];
    let service = Service::start_unproven(rules(), &variables);
    assert_eq!(service.refusal(CLICK).await.kind, "credentials-rejected");
    assert_eq!(service.ops("/readyz").await.status(), 503);
    std::fs::write(&path, format!("{right}\n")).unwrap();
    eventually("clicks are served", async || {
        service.click(CLICK).await.status() == 302
    })
    .await;
    service.wait_until_ready().await;
}

#[tokio::test]
async fn fallback_to_the_login_page() {
    let service = Service::start_with(rules(), &[("FALLBACK", "login")]).await;
    // A proxy in front of ChatHub has waited for it.
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(408)));
    let response = service.click(CLICK).await;
    assert_eq!(response.status(), 302);
    assert_eq!(
        header(&response, "location"),
        "https://chat.smsbat.com/?phone=%2B380501234567"
    );
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["outcome"], "fallback");
    assert_eq!(line["kind"], "chathub-timeout");
    assert_eq!(service.metric("open_chat_fallbacks_total").await, 1);
    assert_eq!(
        service
            .metric(r#"open_chat_refusals_total{kind="chathub-timeout"}"#)
            .await,
        0
    );

    // A link that is wrong stays refused.
    assert_eq!(
        service.refusal("operator=101&phone=12345").await.kind,
        "phone-invalid"
    );
    service.chathub.always(Endpoint::OperatorToken, None);
    let unknown = service.refusal("operator=999&phone=0501234567").await;
    assert_eq!(unknown.kind, "operator-unknown");
}

#[rstest]
#[case(Fault::Status(400), "invalid-request")]
#[case(Fault::Status(401), "token-refused")]
#[case(Fault::Status(403), "not-permitted")]
#[case(Fault::Status(404), "not-found")]
#[case(Fault::Status(500), "unavailable")]
#[case(Fault::Throttled(700), "throttled")]
#[case(Fault::Body(String::new()), "bad-answer")]
#[case(Fault::Silence, "timeout")]
#[tokio::test]
async fn each_outcome_of_a_call_is_counted(#[case] fault: Fault, #[case] outcome: &str) {
    let variables = match fault {
        Fault::Silence => &QUICK[..],
        _ => &[],
    };
    let service = Service::start_with(rules(), variables).await;
    let series =
        format!(r#"chathub_requests_total{{endpoint="operator/get-token",outcome="{outcome}"}}"#);
    assert_eq!(service.metric(&series).await, 0);
    service.chathub.always(Endpoint::OperatorToken, Some(fault));
    assert_ne!(service.click(CLICK).await.status(), 302);
    assert!(service.metric(&series).await >= 1);
}

#[tokio::test]
async fn requests_to_chathub_are_counted_by_how_they_ended() {
    let service = Service::start().await;
    let count = async |endpoint: &str, outcome: &str| {
        let series =
            format!(r#"chathub_requests_total{{endpoint="{endpoint}",outcome="{outcome}"}}"#);
        service.metric(&series).await
    };
    service.destination(CLICK).await;
    service.refusal("operator=999&phone=0501234567").await;
    service.chathub.next(Endpoint::OperatorToken, Fault::Reset);
    service.destination("operator=102&phone=0501234567").await;
    assert_eq!(count("company/get-token", "ok").await, 1);
    assert_eq!(count("operator/get-token", "ok").await, 2);
    assert_eq!(count("operator/get-token", "not-found").await, 1);
    assert_eq!(count("operator/get-token", "unavailable").await, 1);
    assert_eq!(count("operator/get-token", "timeout").await, 0);
    let durations = r#"chathub_request_duration_seconds_count{endpoint="operator/get-token"}"#;
    assert_eq!(service.metric(durations).await, 4);
}
