//! How often is too often.

use std::net::Ipv4Addr;

use crate::harness::{Problem, Service, eventually, header, rules};
use crate::redis::{Redis, replica};

const CLICK: &str = "operator=101&phone=0501234567";

fn limited(limit: &str) -> String {
    format!(r#"open_chat_rate_limited_total{{limit="{limit}"}}"#)
}

/// A click that comes from `client`, as a trusted proxy says; its status.
async fn click_from(service: &Service, client: Ipv4Addr, query: &str) -> u16 {
    let request = service.request(&format!("/open-chat?{query}"));
    let request = request.header("X-Forwarded-For", client.to_string());
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn an_operator_s_clicks_are_limited() {
    let service = Service::start_with(rules(), &[("RATE_LIMIT_OPERATOR", "3/h")]).await;
    for _ in 0..3 {
        service.destination(CLICK).await;
    }
    let calls = service.chathub.total_calls();
    let problem = service.refusal(CLICK).await;
    assert_eq!(
        (problem.status, problem.kind.as_str()),
        (429, "rate-limited")
    );
    assert!(
        (1000..=1200).contains(&problem.retry_after.unwrap()),
        "{problem:?}"
    );
    assert_eq!(service.chathub.total_calls(), calls);
    // Another operator's are not.
    service.destination("operator=102&phone=0501234567").await;
    assert_eq!(service.metric(&limited("operator")).await, 1);
}

#[tokio::test]
async fn an_agent_who_clicks_too_often_holds_up_nobody_else_in_the_office() {
    let limits = [("RATE_LIMIT_OPERATOR", "2/h"), ("RATE_LIMIT_CLIENT", "4/h")];
    let redis = Redis::start();
    let alone = Service::start_with(rules(), &limits).await;
    for service in [alone, replica(&redis, &limits).await] {
        let click = async |operator: u16| {
            let query = format!("operator={operator}&phone=0501234567");
            service.click(&query).await.status().as_u16()
        };
        for expected in [302, 302, 429, 429, 429, 429] {
            assert_eq!(click(101).await, expected);
        }
        assert_eq!([click(102).await, click(102).await], [302, 302]);
        assert_eq!(service.metric(&limited("operator")).await, 4);
        assert_eq!(service.metric(&limited("client")).await, 0);
    }
}

#[tokio::test]
async fn a_click_counts_once_and_for_whomever_the_client_meets() {
    let variables = [
        ("OPERATOR_AUTO", "on"),
        ("RATE_LIMIT_OPERATOR", "2/h"),
        ("RATE_LIMIT_CLIENT", "4/h"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let click = async |operator: &str| {
        let query = format!("operator={operator}&phone=0501234567");
        service.click(&query).await.status().as_u16()
    };
    for expected in [302, 302, 429, 429, 429] {
        assert_eq!(click("auto:24").await, expected);
    }
    // One of them is the one whom this client meets, and is over the limit; the colleague is not
    // held up.
    let mut colleagues = [click("101").await, click("102").await];
    colleagues.sort_unstable();
    assert_eq!(colleagues, [302, 429]);
}

#[tokio::test]
async fn a_client_s_clicks_are_limited_by_its_real_address() {
    let variables = [
        ("RATE_LIMIT_CLIENT", "3/h"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let (one, other) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
    for expected in [302, 302, 302, 429] {
        assert_eq!(click_from(&service, one, CLICK).await, expected);
    }
    assert_eq!(click_from(&service, other, CLICK).await, 302);
    assert_eq!(service.metric(&limited("client")).await, 1);

    // A stranger cannot make himself another client.
    let service = Service::start_with(rules(), &[variables[0]]).await;
    for (index, expected) in [302, 302, 302, 429].into_iter().enumerate() {
        let claimed = Ipv4Addr::from_bits(u32::try_from(index).unwrap());
        assert_eq!(click_from(&service, claimed, CLICK).await, expected);
    }
}

#[tokio::test]
async fn who_keeps_trying_learns_nothing_more_and_locks_nobody_out() {
    let variables = [
        ("ACCESS", "pass,open"),
        ("PASS_SECRET", "canary-pass-secret-of-more-than-32-bytes"),
        ("RATE_LIMIT_REFUSED", "3/h"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let guess = "operator=101&phone=0501234567&pass=guess";
    for expected in [
        "pass-invalid",
        "pass-invalid",
        "pass-invalid",
        "rate-limited",
        "rate-limited",
    ] {
        assert_eq!(service.refusal(guess).await.kind, expected);
    }
    assert_eq!(service.metric(&limited("refused")).await, 2);
    // The colleague behind the same address opens her chats as ever.
    service.destination(CLICK).await;
}

#[tokio::test]
async fn ops_routes_and_wrong_links_are_not_limited() {
    let variables = [
        ("RATE_LIMIT_CLIENT", "1/h"),
        ("RATE_LIMIT_OPERATOR", "1/h"),
        ("RATE_LIMIT_REFUSED", "1/h"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    for _ in 0..10 {
        assert_eq!(service.ops("/healthz").await.status(), 200);
        assert_eq!(
            service.refusal("operator=101&phone=x&phone=y").await.kind,
            "parameter-repeated"
        );
    }
    service.destination(CLICK).await;
    let limited = service.click(CLICK).await;
    assert_eq!(limited.status(), 429);
    assert!(!header(&limited, "retry-after").is_empty());
    assert_eq!(Problem::read(limited).await.kind, "rate-limited");
}

#[tokio::test]
async fn keys_are_counted_and_forgotten() {
    let quotas = [("RATE_LIMIT_OPERATOR", "2/s"), ("RATE_LIMIT_CLIENT", "2/s")];
    let service = Service::start_with(rules(), &quotas).await;
    let are_kept = async |count: i64| {
        let mut kept = Vec::new();
        for limit in ["operator", "client"] {
            let series = format!(r#"open_chat_rate_limit_keys{{limit="{limit}"}}"#);
            kept.push(service.metric(&series).await == count);
        }
        kept == [true; 2]
    };
    eventually("a key of each limit is counted", async || {
        service.click(CLICK).await;
        are_kept(1).await
    })
    .await;
    eventually("the keys are forgotten", async || are_kept(0).await).await;
}
