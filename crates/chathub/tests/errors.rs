//! What an error tells, against the simulator.
#![cfg(test)]

use std::error::Error as _;
use std::time::Duration;

use chathub::{
    ChatHub, ClientConfig, Credentials, Endpoint, Error, ErrorKind, HttpsUrl, NoConnection,
    OrganizationId, Unreachable,
};
use chathub_simulator::{Endpoint as Simulated, Fault, Rules, Simulator};

fn connect(url: &str) -> ChatHub {
    let credentials = Credentials::Login {
        login: "demo".into(),
        password: "demo-password".into(),
    };
    let mut config = ClientConfig::new(HttpsUrl::parse(url).unwrap(), credentials);
    config.connect_timeout = Duration::from_mins(1);
    config.attempt_timeout = Duration::from_mins(1);
    config.call_budget = Duration::from_mins(3);
    ChatHub::new(config).unwrap()
}

async fn failed(simulator: &Simulator, endpoint: Simulated, fault: Fault) -> Error {
    simulator.next(endpoint, fault);
    let chathub = connect(&simulator.url());
    chathub
        .list_operators(OrganizationId(24))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn it_names_the_endpoint_that_was_asked() {
    let simulator = Simulator::start(Rules::default()).unwrap();
    let error = failed(&simulator, Simulated::Operators, Fault::Status(404)).await;
    assert_eq!(*error.kind(), ErrorKind::NotFound);
    assert_eq!(error.endpoint(), Some(Endpoint::Operators));
    assert!(!error.is_retryable() && error.source().is_none());
    let error = failed(&simulator, Simulated::CompanyToken, Fault::Status(401)).await;
    assert_eq!(error.endpoint(), Some(Endpoint::CompanyToken));
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn it_says_whether_and_when_another_attempt_may_succeed() {
    let simulator = Simulator::start(Rules::default()).unwrap();
    let error = failed(&simulator, Simulated::Operators, Fault::Throttled(7)).await;
    assert!(error.is_retryable());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn its_source_is_kept_without_the_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let chathub = connect(&format!("http://{address}/canary-path"));
    let error = chathub.list_organizations().await.unwrap_err();
    let refused = Unreachable::NoConnection(NoConnection::Refused);
    assert_eq!(*error.kind(), ErrorKind::Unavailable(refused));
    assert_eq!(
        error.to_string(),
        "ChatHub is unavailable: no connection: the connection was refused"
    );
    assert!(error.source().is_some());
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}
