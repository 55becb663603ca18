//! A Redis Cluster: supported where `REDIS_URL` names the node that has the keys, and told of where
//! it names another.

use crate::harness::{Service, eventually, log, rules};
use crate::once::once;
use crate::redis::{DEGRADED, Redis, is_found, replica};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

async fn is_whole(node: &Redis) {
    eventually("the cluster is whole", async || {
        node.command("CLUSTER INFO").contains("cluster_state:ok")
    })
    .await;
}

#[tokio::test]
async fn a_cluster_of_one_node_counts_and_opens_one_time_links_once() {
    let node = Redis::in_cluster();
    node.command("CLUSTER ADDSLOTSRANGE 0 16383");
    is_whole(&node).await;
    let access = [
        ("ACCESS", "pass,open"),
        ("PASS_SECRET", SECRET),
        ("RATE_LIMIT_OPERATOR", "1000/h"),
    ];
    let (one, other) = (replica(&node, &access).await, replica(&node, &access).await);
    for number in 0..20 {
        let click = once(&format!("cluster-{number}"));
        one.destination(&click).await;
        assert_eq!(other.refusal(&click).await.kind, "pass-used");
    }
    one.destination("operator=101&phone=0501234567").await;
    assert_eq!(one.metric(DEGRADED).await, 0);
    assert_eq!(other.metric(DEGRADED).await, 0);
    // The keys of one script lie in one slot.
    assert!(node.told("DBSIZE", ":") >= 3, "Redis has counted");
}

#[tokio::test]
async fn the_node_that_has_the_keys_is_the_one_to_name() {
    let (first, second) = (Redis::in_cluster(), Redis::in_cluster());
    first.command("CLUSTER ADDSLOTSRANGE 0 8191");
    second.command("CLUSTER ADDSLOTSRANGE 8192 16383");
    let address = second.address();
    first.command(&format!("CLUSTER MEET {} {}", address.ip(), address.port()));
    for node in [&first, &second] {
        is_whole(node).await;
    }
    let slot = first.told("CLUSTER KEYSLOT shared", ":");
    let (owner, other) = if slot < 8192 {
        (&first, &second)
    } else {
        (&second, &first)
    };
    let access = [("ACCESS", "pass,open"), ("PASS_SECRET", SECRET)];
    let right = replica(owner, &access).await;
    right.destination(&once("cluster-owner")).await;

    let url = other.url();
    let variables = [&access[..], &[("REDIS_URL", &url)]].concat();
    let wrong = Service::start_with(rules(), &variables).await;
    eventually("it is told of", async || {
        log().contains(r#""trouble":"MOVED""#)
    })
    .await;
    wrong.destination("operator=101&phone=0501234567").await;
    let problem = wrong.refusal(&once("cluster-other")).await;
    assert_eq!(problem.kind, "overloaded");
    assert_eq!(wrong.metric(DEGRADED).await, 1);
    is_found(&right).await;
}
