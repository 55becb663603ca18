//! TLS to a real Redis: `rediss://`, with certificates as for ChatHub.

use chathub_simulator::Simulator;

use crate::causes::{Authority, tls_server};
use crate::harness::{eventually, own_address, rules};
use crate::once::once;
use crate::process::Running;
use crate::redis::DEGRADED;
use crate::serving::Serving;

const PASSWORD: &str = "canary-redis-password";
const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

/// A Redis that speaks nothing but TLS, and its URL.
fn start(authority: &Authority, name: &str, user: &str) -> (Running, String) {
    let address = own_address();
    let (certificate, key) = authority.vouch(name, &format!("IP:{}", address.ip()));
    let redis = tls_server(address, &certificate, &key);
    (redis, format!("rediss://{user}{address}/0"))
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_a_redis_over_tls() {
    let chathub = Simulator::start(rules()).unwrap();
    let authority = Authority::new("redis");
    let (_redis, url) = start(&authority, "redis-tls", "");
    let certificates = authority.certificate();
    let variables = [
        ("REDIS_URL", url.as_str()),
        ("SSL_CERT_FILE", &certificates),
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
    ];
    let one = Serving::start(&chathub, &variables).await;
    let other = Serving::start(&chathub, &variables).await;
    for service in [&one, &other] {
        service.is_ready().await;
        eventually("Redis is found", async || {
            service.metric(DEGRADED).await == 0
        })
        .await;
    }
    let click = format!("/open-chat?{}", once("over-tls"));
    assert_eq!(one.ask(&click).await.0, 302);
    let (status, text) = other.ask(&click).await;
    assert_eq!(status, 403);
    assert!(text.contains("pass-used"), "{text}");
    one.end();
    other.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_with_a_wrong_certificate_gets_no_password() {
    let chathub = Simulator::start(rules()).unwrap();
    let (trusted, strange) = (
        Authority::new("redis-ours"),
        Authority::new("redis-strange"),
    );
    let (_redis, url) = start(&strange, "redis-wrong", &format!(":{PASSWORD}@"));
    let certificates = trusted.certificate();
    let variables = [
        ("REDIS_URL", url.as_str()),
        ("SSL_CERT_FILE", &certificates),
    ];
    let serving = Serving::start(&chathub, &variables).await;
    serving
        .has_said("the certificate is signed by no authority that this machine trusts")
        .await;
    serving.is_ready().await;
    let click = "/open-chat?operator=101&phone=0501234567";
    assert_eq!(serving.ask(click).await.0, 302);
    assert_eq!(serving.metric(DEGRADED).await, 1);
    serving.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_for_redis_alone_are_checked_at_the_start() {
    let shell = crate::administration::Shell::start();
    let url = format!("rediss://:{PASSWORD}@redis.invalid:6380/0");
    let variables = [
        ("ACCESS", "open"),
        ("LISTEN", "127.0.0.1:0"),
        ("REDIS_URL", url.as_str()),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ];
    let ended = shell.run_with(&["serve"], &variables, "");
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("SSL_CERT_FILE: the file /nowhere/ca.pem"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("canary"), "{ended:?}");
    let unchecked = format!("{url}#insecure");
    let variables = [("ACCESS", "open"), ("REDIS_URL", &unchecked)];
    let ended = shell.run_with(&["serve"], &variables, "");
    assert!(
        ended
            .stderr
            .contains("REDIS_URL: must not end in #insecure"),
        "{ended:?}"
    );
}
