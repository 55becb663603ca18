//! Company tokens and the logins that bring them: what is a refused password, and what only looks
//! like one.

use chathub_simulator::{Endpoint, Fault, Rules, Simulator};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::harness::{Problem, Service, eventually, rules};

const CLICK: &str = "operator=101&phone=0501234567";

/// Nothing here depends on how fast the machine is.
const PATIENT: [(&str, &str); 2] = [("CLICK_BUDGET", "60s"), ("CHATHUB_ATTEMPT_TIMEOUT", "20s")];

fn outcome(endpoint: &str, outcome: &str) -> String {
    format!(r#"chathub_requests_total{{endpoint="{endpoint}",outcome="{outcome}"}}"#)
}

/// Services that share one account with a ChatHub which ends the earlier company token at each
/// login.
async fn replicas(chathub: &Simulator, number: usize) -> Vec<Service> {
    let url = chathub.url();
    let variables = [("CHATHUB_URL", url.as_str()), PATIENT[0], PATIENT[1]];
    let replicas: Vec<_> = (0..number)
        .map(|_| Service::start_unproven(rules(), &variables))
        .collect();
    for replica in &replicas {
        eventually("it is ready", async || {
            replica.ops("/readyz").await.status() == 200
        })
        .await;
    }
    replicas
}

/// Clicks on each of these operators through each replica, all at once. Tells how many were served.
async fn click_at_once(replicas: &[Service], operators: std::ops::Range<u64>) -> usize {
    let mut clicks = JoinSet::new();
    for operator in operators {
        for replica in replicas {
            let path = format!("/open-chat?operator={operator}&phone=0501234567");
            let patience = std::time::Duration::from_mins(2);
            clicks.spawn(replica.request(&path).timeout(patience).send());
        }
    }
    let mut served = 0;
    while let Some(response) = clicks.join_next().await {
        let response = response.unwrap().unwrap();
        if response.status() == 302 {
            served += 1;
        } else {
            let problem = Problem::read(response).await;
            assert_eq!(
                (problem.status, problem.kind.as_str()),
                (503, "chathub-unavailable"),
                "{problem:?}"
            );
        }
    }
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_end_each_other_s_tokens_do_not_lock_themselves_out() {
    let chathub = Simulator::start(Rules {
        operators: 100,
        one_company_token: true,
        ..rules()
    })
    .unwrap();
    let replicas = replicas(&chathub, 6).await;
    let served = click_at_once(&replicas, 101..109).await;
    assert!(served >= 24, "{served} of 48");
    let logins = chathub.calls(Endpoint::CompanyToken);
    assert!(logins <= 60, "{logins} logins, ten a replica");

    for (replica, operator) in replicas.iter().zip(151..) {
        eventually("each serves again", async || {
            let click = format!("operator={operator}&phone=0501234567");
            replica.click(&click).await.status() == 302
        })
        .await;
        for endpoint in ["company/get-token", "operator/get-token", "operator"] {
            let rejected = outcome(endpoint, "credentials-rejected");
            assert_eq!(replica.metric(&rejected).await, 0, "no password is blamed");
        }
    }
    let logins = chathub.calls(Endpoint::CompanyToken) - logins;
    assert!(logins <= 24, "{logins} logins for six clicks");
}

/// Cold clicks come to two replicas without end: neither starves, and the logins stay few.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_take_turns() {
    let chathub = Simulator::start(Rules {
        operators: 200,
        one_company_token: true,
        ..rules()
    })
    .unwrap();
    let replicas = replicas(&chathub, 2).await;
    let before = chathub.calls(Endpoint::CompanyToken);
    for round in 0..20 {
        let first = 101 + round * 2;
        assert_eq!(click_at_once(&replicas, first..first + 2).await, 4);
    }
    let logins = chathub.calls(Endpoint::CompanyToken) - before;
    assert!(logins <= 60, "{logins} logins for 20 rounds");
}

/// ChatHub accepts the login, and then not the token: that says nothing against the password.
#[tokio::test]
async fn a_login_whose_token_opens_nothing_is_no_wrong_password() {
    let quick = [("CHATHUB_ATTEMPT_TIMEOUT", "200ms"), ("CLICK_BUDGET", "1s")];
    let service = Service::start_with(rules(), &quick).await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(401)));
    for _ in 0..10 {
        let problem = service.refusal(CLICK).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (503, "chathub-unavailable")
        );
    }
    let logins = service.chathub.calls(Endpoint::CompanyToken);
    assert!(logins <= 4, "{logins} logins");
    let rejected = outcome("operator/get-token", "credentials-rejected");
    assert_eq!(service.metric(&rejected).await, 0);
    assert_ne!(
        service
            .metric(&outcome("operator/get-token", "token-refused"))
            .await,
        0
    );
    service.chathub.always(Endpoint::OperatorToken, None);
    eventually("it is well again", async || {
        service.click(CLICK).await.status() == 302
    })
    .await;
}

/// A profile key is shown as it is, so a 401 is about the key itself.
#[tokio::test]
async fn a_profile_key_that_is_revoked_is_a_refused_credential() {
    let variables = [
        ("CHATHUB_LOGIN", ""),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_API_KEY", crate::harness::PROFILE_KEY),
    ];
    let service = Service::start_with(rules(), &variables).await;
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(401)));
    for _ in 0..5 {
        assert_eq!(service.refusal(CLICK).await.kind, "credentials-rejected");
    }
    assert_eq!(service.chathub.calls(Endpoint::OperatorToken), 1);
    let rejected = outcome("operator/get-token", "credentials-rejected");
    assert_eq!(service.metric(&rejected).await, 1);
}

/// A firewall before ChatHub knows nothing of passwords, so nothing it says keeps the login back
/// for a minute.
#[rstest]
#[case::a_firewall_s_page(Fault::Page(403))]
#[case::too_large(Fault::Status(413))]
#[case::for_reasons_of_law(Fault::Status(451))]
#[case::validation(Fault::Status(422))]
#[tokio::test]
async fn a_login_that_something_else_refuses_is_tried_again_soon(#[case] fault: Fault) {
    let broken = [(Endpoint::CompanyToken, fault)];
    let service = Service::start_broken(rules(), &[], &broken);
    for _ in 0..3 {
        let problem = service.refusal(CLICK).await;
        assert_eq!(
            (problem.status, problem.kind.as_str()),
            (503, "chathub-unavailable")
        );
    }
    let logins = service.chathub.calls(Endpoint::CompanyToken);
    assert!((1..=8).contains(&logins), "{logins} logins");
    service.chathub.always(Endpoint::CompanyToken, None);
    service.wait_until_ready().await;
    service.destination(CLICK).await;
}

/// ChatHub's own 403 has no page with it: the account may have been closed.
#[tokio::test]
async fn a_login_that_chathub_forbids_is_left_alone() {
    let broken = [(Endpoint::CompanyToken, Fault::Status(403))];
    let service = Service::start_broken(rules(), &[], &broken);
    for _ in 0..5 {
        assert_eq!(service.refusal(CLICK).await.kind, "credentials-rejected");
    }
    assert_eq!(service.chathub.calls(Endpoint::CompanyToken), 1);
}
