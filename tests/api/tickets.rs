//! The widget's tickets: who can make one, and what ends it.

use aws_lc_rs::hmac;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, PROFILE_KEY, Problem, Service, eventually, file, rules};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

fn pass(claims: &Value) -> String {
    let mut all = json!({"exp": Utc::now().timestamp() + 60});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), &all, &key).unwrap()
}

/// The status of the next token's answer, and the kind where it is a refusal.
async fn renewed(service: &Service, ticket: &str) -> (u16, String) {
    let request = service
        .request("/widget/token")
        .header("X-Widget-Ticket", ticket);
    let response = request.send().await.unwrap();
    if response.status() == 200 {
        return (200, String::new());
    }
    let problem = Problem::read(response).await;
    (problem.status, problem.kind)
}

async fn ticket(service: &Service, claims: &Value) -> String {
    let page = service.request(&format!("/widget?pass={}", pass(claims)));
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let (_, rest) = page.split_once(" data-ticket=\"").expect("a ticket");
    rest.split_once('"').unwrap().0.to_owned()
}

const OK: (u16, String) = (200, String::new());

fn refused(kind: &str) -> (u16, String) {
    (401, kind.to_owned())
}

/// Whoever holds a vendor's key can compute all that is made of that key alone.
#[tokio::test]
async fn a_pass_key_s_holder_cannot_make_a_ticket() {
    let keys = file(
        "ticket-vendor.toml",
        &format!(
            "[[key]]\nid = \"vendor\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\nmax_ttl = \"10m\"\n\
             operator_prefix = \"kommo-\"\nissuer = \"crm.example\"\n"
        ),
    );
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let calls = service.chathub.total_calls();
    let mac = |purpose: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        hmac::sign(&key, purpose.as_bytes()).as_ref().to_vec()
    };
    let secrets = [
        mac("open-chat widget ticket 1"),
        mac("open-chat widget ticket 2"),
        SECRET.as_bytes().to_vec(),
        Vec::new(),
    ];
    for secret in &secrets {
        for kid in [Some("vendor"), None] {
            for seconds in [60, 315_360_000] {
                let mut header = Header::new(Algorithm::HS256);
                header.kid = kid.map(Into::into);
                let claims =
                    json!({"sub": "101", "operator": 101, "exp": Utc::now().timestamp() + seconds});
                let key = EncodingKey::from_secret(secret);
                let forged = encode(&header, &claims, &key).unwrap();
                assert_eq!(renewed(&service, &forged).await, refused("pass-invalid"));
            }
        }
    }
    assert_eq!(service.chathub.total_calls(), calls);
}

#[tokio::test]
async fn every_replica_and_every_restart_takes_the_ticket() {
    let variables = [("ACCESS", "pass"), ("PASS_SECRET", SECRET)];
    let [one, other] = [
        Service::start_with(rules(), &variables).await,
        Service::start_with(rules(), &variables).await,
    ];
    let ticket = ticket(&one, &json!({"sub": "101"})).await;
    assert_eq!(renewed(&other, &ticket).await, OK);
    drop(one);
    assert_eq!(renewed(&other, &ticket).await, OK);
}

#[tokio::test]
async fn a_ticket_ends_when_the_company_s_password_changes() {
    let password = file("ticket-password", PASSWORD);
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_PASSWORD_FILE", password.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let ticket = ticket(&service, &json!({"sub": "101"})).await;
    assert_eq!(renewed(&service, &ticket).await, OK);
    std::fs::write(&password, "canary-password-rotated").unwrap();
    eventually("the ticket has ended", async || {
        renewed(&service, &ticket).await == refused("pass-invalid")
    })
    .await;
}

#[tokio::test]
async fn a_ticket_ends_when_the_profile_key_or_the_pass_key_changes() {
    let profile = file("ticket-profile-key", PROFILE_KEY);
    let secret = file("ticket-pass-secret", SECRET);
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET_FILE", secret.to_str().unwrap()),
        ("CHATHUB_LOGIN", ""),
        ("CHATHUB_PASSWORD", ""),
        ("CHATHUB_API_KEY_FILE", profile.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let first = ticket(&service, &json!({"sub": "101"})).await;
    assert_eq!(renewed(&service, &first).await, OK);
    std::fs::write(&profile, "canary-profile-key-rotated").unwrap();
    eventually("the ticket has ended with the profile key", async || {
        renewed(&service, &first).await == refused("pass-invalid")
    })
    .await;
    std::fs::write(&profile, PROFILE_KEY).unwrap();
    eventually("it is the old one again", async || {
        renewed(&service, &first).await == OK
    })
    .await;
    std::fs::write(&secret, "canary-another-pass-secret-of-over-32-bytes").unwrap();
    eventually("the ticket has ended with the pass key", async || {
        renewed(&service, &first).await == refused("pass-invalid")
    })
    .await;
}

/// As after a restart with shorter sessions.
#[tokio::test]
async fn a_ticket_is_good_for_no_longer_than_a_session() {
    let with = async |session: &str| {
        let variables = [
            ("ACCESS", "pass"),
            ("PASS_SECRET", SECRET),
            ("WIDGET_SESSION", session),
        ];
        Service::start_with(rules(), &variables).await
    };
    let (long, short) = (with("12h").await, with("1h").await);
    let ticket = ticket(&long, &json!({"sub": "101"})).await;
    assert_eq!(renewed(&long, &ticket).await, OK);
    assert_eq!(renewed(&short, &ticket).await, refused("pass-invalid"));
}

/// As after the key has got a prefix: what was vouched for without it counts no more.
#[tokio::test]
async fn a_ticket_begins_with_its_key_s_prefix() {
    let with = async |prefix: &str| {
        let keys = file(
            "ticket-prefix.toml",
            &format!(
                "[[key]]\nid = \"crm\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\noperator_prefix = \"{prefix}\"\n"
            ),
        );
        let map = file("ticket-prefix-map.toml", "\"kommo-5\" = 101\n");
        let variables = [
            ("ACCESS", "pass"),
            ("PASS_KEYS_FILE", keys.to_str().unwrap()),
            ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
        ];
        Service::start_with(rules(), &variables).await
    };
    let (plain, prefixed) = (with("").await, with("kommo-").await);
    let before = ticket(&plain, &json!({"sub": "101"})).await;
    assert_eq!(renewed(&prefixed, &before).await, refused("pass-invalid"));
    let after = ticket(&prefixed, &json!({"sub": "5"})).await;
    assert_eq!(renewed(&prefixed, &after).await, OK);
}

/// The page that is open shows one operator's chats, whatever becomes of the name that opened it.
#[tokio::test]
async fn a_ticket_stays_with_its_operator_when_the_name_goes_to_another() {
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_SECRET", SECRET),
        ("DIRECTORY_REFRESH", "20ms"),
    ];
    let service = Service::start_with(rules(), &variables).await;
    let ticket = ticket(&service, &json!({"sub": "John Smith"})).await;
    assert_eq!(renewed(&service, &ticket).await, OK);
    service.chathub.store().set_status(101, 2);
    service.chathub.store().add_operator(24, "John Smith");
    eventually("the ticket has ended", async || {
        let (status, kind) = renewed(&service, &ticket).await;
        assert!(status != 200 || service.chathub.store().operator(101).is_some());
        status == 403 && kind == "pass-mismatch"
    })
    .await;
}
