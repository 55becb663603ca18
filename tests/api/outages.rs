//! Outages of ChatHub that are neither whole nor simple: names that move, every other answer wrong,
//! nobody there at the start.

use std::net::TcpListener;
use std::time::Duration;

use chathub_simulator::{Endpoint, Fault, Rules, Simulator};

use crate::faulty_proxy::Proxy;
use crate::harness::{Service, eventually, rules};

fn many_operators() -> Rules {
    Rules {
        operators: 2000,
        ..rules()
    }
}

/// A service whose ChatHub is `old` until the name moves, with a few connections kept.
async fn service_with_kept_connections(proxy: &Proxy, old: &Simulator) -> Service {
    let url = proxy.url();
    let variables = [("CHATHUB_URL", url.as_str()), ("DIRECTORY_REFRESH", "1h")];
    let service = Service::start_with(rules(), &variables).await;
    old.always(Endpoint::OperatorToken, Some(Fault::Late(300)));
    let clicks: Vec<_> = (101..106)
        .map(|operator| {
            let path = format!("/open-chat?operator={operator}&phone=0501234567");
            tokio::spawn(service.request(&path).send())
        })
        .collect();
    for click in clicks {
        assert_eq!(click.await.unwrap().unwrap().status(), 302);
    }
    service
}

/// What the old address says once ChatHub has moved away from it, on connections that stay open.
fn close_down(old: &Simulator) {
    for endpoint in Endpoint::ALL {
        old.always(endpoint, Some(Fault::Status(503)));
    }
}

async fn serves(service: &Service, operators: std::ops::Range<u64>) -> usize {
    let mut served = 0;
    for operator in operators {
        let click = format!("operator={operator}&phone=0501234567");
        served += usize::from(service.click(&click).await.status() == 302);
    }
    served
}

/// Thirty clicks are three times as many as there are second attempts saved up.
#[tokio::test]
async fn a_name_that_moves_is_followed() {
    let (old, new) = (
        Simulator::start(many_operators()).unwrap(),
        Simulator::start(many_operators()).unwrap(),
    );
    let proxy = Proxy::before(&old.url()).await;
    let service = service_with_kept_connections(&proxy, &old).await;
    close_down(&old);
    proxy.lead_to(&new.url());
    let asked = old.calls(Endpoint::OperatorToken);
    assert_eq!(serves(&service, 200..230).await, 30);
    assert_eq!(
        old.calls(Endpoint::OperatorToken) - asked,
        1,
        "what is kept is forgotten when it fails"
    );
}

/// The old address fails first, and the name moves later: by then nothing goes out but probes.
#[tokio::test]
async fn a_probe_finds_a_name_s_new_address() {
    let (old, new) = (
        Simulator::start(many_operators()).unwrap(),
        Simulator::start(many_operators()).unwrap(),
    );
    let proxy = Proxy::before(&old.url()).await;
    let service = service_with_kept_connections(&proxy, &old).await;
    close_down(&old);
    let mut operator = 300;
    eventually("the circuit opens", async || {
        operator += 1;
        serves(&service, operator..operator + 1).await;
        service.metric("chathub_circuit_open").await == 1
    })
    .await;
    proxy.lead_to(&new.url());
    eventually("a probe finds the new address", async || {
        operator += 1;
        serves(&service, operator..operator + 1).await == 1
    })
    .await;
    assert_eq!(serves(&service, 1900..1920).await, 20);
}

/// Six answers are right, six are wrong, and so on: at twenty clicks a second nearly half can be
/// served, so they are.
#[tokio::test]
async fn every_other_run_of_failures_leaves_the_other_clicks_alone() {
    let service = Service::start_with(many_operators(), &[]).await;
    for _ in 0..20 {
        for fault in [Fault::Late(0), Fault::Status(500)] {
            for _ in 0..6 {
                service.chathub.next(Endpoint::OperatorToken, fault.clone());
            }
        }
    }
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let mut served = 0;
    for operator in 200..320 {
        ticks.tick().await;
        served += serves(&service, operator..operator + 1).await;
    }
    assert!(served >= 50, "{served} of 120");
}

/// Nobody is there at the start, long enough for the circuit to open.
#[tokio::test]
async fn a_chathub_that_comes_later_is_found() {
    let closed = TcpListener::bind("127.0.0.3:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let url = format!("http://{address}/");
    let service = Service::start_unproven(rules(), &[("CHATHUB_URL", &url)]);
    eventually("the circuit opens", async || {
        service.metric("chathub_circuit_open").await == 1
    })
    .await;
    assert_eq!(service.ops("/readyz").await.status(), 503);
    let _chathub = Simulator::start_on(address, rules()).unwrap();
    service.wait_until_ready().await;
    assert_eq!(serves(&service, 101..102).await, 1);
}
