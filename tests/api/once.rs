//! A one-time pass opens once, whatever comes at once and whatever becomes of the store.

use chathub_simulator::{Endpoint, Fault};
use jsonwebtoken::{EncodingKey, Header};
use rstest::rstest;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::{Service, eventually, rules};
use crate::redis::{Redis, replica};
use crate::redis_proxy::RedisProxy;

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";
const ACCESS: [(&str, &str); 2] = [("ACCESS", "pass"), ("PASS_SECRET", SECRET)];

/// A click with a one-time pass of this id.
pub fn once(id: &str) -> String {
    let ends = chrono::Utc::now().timestamp() + 600;
    let claims = json!({"sub": "101", "jti": id, "exp": ends});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let pass = jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap();
    format!("phone=0501234567&pass={pass}")
}

/// The status of each of some clicks that come at the same time, to one replica after another.
async fn at_once(services: &[Service], query: &str, clicks: usize) -> Vec<u16> {
    let mut running = JoinSet::new();
    for service in services.iter().cycle().take(clicks) {
        let request = service.request(&format!("/open-chat?{query}"));
        running.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    running.join_all().await
}

/// Asserts, in each of some rounds of requests that come at once with one proof, that one gets
/// `opened` and the others `used`.
///
/// Where Redis is late by a second, as on a busy machine, some are told to try again, and then it
/// may be that none is let through; but never two. Another round takes the place of such a one.
pub async fn one_of_many(
    rounds: usize,
    opened: u16,
    used: u16,
    mut at_once: impl AsyncFnMut(usize) -> Vec<u16>,
) {
    let mut undisturbed = 0;
    for round in 0..2 * rounds {
        let statuses = at_once(round).await;
        let count = |status| statuses.iter().filter(|one| **one == status).count();
        let (winners, late) = (count(opened), count(503));
        let is_right = winners + usize::from(late > 0) >= 1 && winners <= 1;
        assert!(
            is_right && winners + late + count(used) == statuses.len(),
            "round {round}: {statuses:?}"
        );
        undisturbed += usize::from(late == 0);
        if undisturbed == rounds {
            return;
        }
    }
    panic!("Redis was late in most of the rounds");
}

fn opened(statuses: &[u16]) -> usize {
    statuses.iter().filter(|status| **status == 302).count()
}

#[rstest]
#[case::in_memory(false, 1)]
#[case::one_replica_on_redis(true, 1)]
#[case::two_replicas_on_redis(true, 2)]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clicks_at_once_open_a_one_time_pass_once(#[case] on_redis: bool, #[case] replicas: usize) {
    const ROUNDS: usize = 200;
    let redis = on_redis.then(Redis::start);
    let mut services = Vec::new();
    for _ in 0..replicas {
        services.push(match &redis {
            Some(redis) => replica(redis, &ACCESS).await,
            None => Service::start_with(rules(), &ACCESS).await,
        });
    }
    for (number, service) in services.iter().enumerate() {
        service.destination(&once(&format!("warm-{number}"))).await;
    }
    one_of_many(ROUNDS, 302, 403, async |round| {
        let click = once(&format!("round-{round}"));
        let clicks = if round % 2 == 0 { 2 } else { 8 };
        let mut statuses = at_once(&services, &click, clicks).await;
        // Then one alone at each replica: whoever came too late has given nothing back.
        for service in &services {
            statuses.push(service.click(&click).await.status().as_u16());
        }
        statuses
    })
    .await;
}

/// Clicks that came too late while the first failed must not spoil what that one gives back.
#[tokio::test]
async fn a_pass_that_led_to_no_chat_is_good_again_for_one_of_many() {
    let redis = Redis::start();
    let services = [
        replica(&redis, &ACCESS).await,
        replica(&redis, &ACCESS).await,
    ];
    let mint = Endpoint::OperatorToken;
    let click = once("given-back");
    for service in &services {
        service.chathub.always(mint, Some(Fault::Status(500)));
    }
    assert_eq!(opened(&at_once(&services, &click, 8).await), 0);
    for service in &services {
        service.chathub.always(mint, None);
    }
    eventually("it opens", async || {
        services[1].click(&click).await.status() == 302
    })
    .await;
    assert_eq!(opened(&at_once(&services, &click, 8).await), 0);
}

/// As where Redis answers after everybody has gone: the click was refused, so the pass is good.
#[tokio::test]
async fn a_redis_that_answers_too_late_uses_no_pass_up() {
    let redis = Redis::start();
    let proxy = RedisProxy::before(&redis).await;
    let service = proxy.replica(&ACCESS).await;
    let click = once("late");
    proxy.hold_from("open-chat:{shared}:once:", "EVALSHA");
    let problem = service.refusal(&click).await;
    assert_eq!((problem.status, problem.kind.as_str()), (503, "overloaded"));
    assert_eq!(problem.retry_after, Some(5));
    proxy.release();
    eventually("the pass is good again", async || {
        service.click(&click).await.status() == 302
    })
    .await;
    assert_eq!(service.refusal(&click).await.kind, "pass-used");
}

#[tokio::test]
async fn a_visitor_who_leaves_while_redis_is_asked_uses_no_pass_up() {
    let redis = Redis::start();
    let proxy = RedisProxy::before(&redis).await;
    let service = proxy.replica(&ACCESS).await;
    let click = once("left");
    proxy.hold_from("open-chat:{shared}:once:", "EVALSHA");
    let address = service.url().trim_start_matches("http://");
    let mut visitor = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /open-chat?{click} HTTP/1.1\r\nHost: x\r\n\r\n");
    visitor.write_all(head.as_bytes()).await.unwrap();
    eventually("Redis is asked", async || proxy.is_holding()).await;
    visitor.set_zero_linger().unwrap();
    drop(visitor);
    proxy.release();
    eventually("the pass is good again", async || {
        service.click(&click).await.status() == 302
    })
    .await;
    assert_eq!(service.refusal(&click).await.kind, "pass-used");
}

/// A replica remembers what it has let through itself, should Redis lose it.
#[tokio::test]
async fn a_redis_that_forgets_reopens_nothing_at_the_replica_that_was_there() {
    let redis = Redis::start();
    let service = replica(&redis, &ACCESS).await;
    let click = once("forgotten");
    service.destination(&click).await;
    redis.command("FLUSHALL");
    assert_eq!(service.refusal(&click).await.kind, "pass-used");
}

/// Redis' clock may step ahead by more than an hour without forgetting a pass that is still good.
#[tokio::test]
async fn redis_remembers_a_used_pass_two_hours_longer_than_it_lives() {
    let redis = Redis::start();
    let service = replica(&redis, &ACCESS).await;
    service.destination(&once("remembered")).await;
    let keys = redis.command("KEYS open-chat:*:once:*");
    let key = keys
        .lines()
        .find(|line| line.starts_with("open-chat:{shared}:once:"));
    let left = redis.told(&format!("PTTL {}", key.unwrap()), ":");
    assert!((7_200_000..=7_801_000).contains(&left), "{left}");
}
