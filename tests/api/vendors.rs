//! CRMs that sign for themselves: the entries of `docs/programmers.md`, with tokens of each
//! vendor's shape as far as that is known.

use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::harness::{Problem, Service, file, header, log_line, rules};

const KOMMO: &str = "canary-kommo-integration-secret-0123456789abcdef";
const PIPEDRIVE: &str = "canary-pipedrive-panel-secret-0123456789abcdef";

/// The blocks of TOML in the guide: those that are keys, or the one that is the map.
fn guide(keys: bool) -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/programmers.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let blocks = guide.split("```toml\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .filter(|block| block.starts_with("[[key]]") == keys)
        .collect()
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {kind} KEY-----\n{text}\n-----END {kind} KEY-----\n")
}

/// The service with the guide's entries, and what signs for Zendesk and the login.
async fn service() -> (Service, EncodingKey) {
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(rsa.public_key()).unwrap();
    let modulus = rsa.public_key().modulus();
    let exponent = rsa.public_key().exponent();
    let jwks = json!({"keys": [{
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "2026-01",
        "n": URL_SAFE_NO_PAD.encode(modulus.big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(exponent.big_endian_without_leading_zero()),
    }]});
    let secrets = [
        ("/run/secrets/kommo", file("kommo", KOMMO)),
        ("/run/secrets/pipedrive", file("pipedrive", PIPEDRIVE)),
        (
            "/run/secrets/zendesk.pem",
            file("zendesk.pem", &pem("PUBLIC", public.as_ref())),
        ),
        (
            "/run/secrets/login-jwks.json",
            file("login-jwks.json", &jwks.to_string()),
        ),
    ];
    let mut entries = guide(true);
    for (named, real) in secrets {
        assert!(entries.contains(&format!("\"{named}\"")), "{named}");
        entries = entries.replace(&format!("\"{named}\""), &format!("\"{}\"", real.display()));
    }
    let keys = file("vendors.toml", &entries);
    let map = file("vendors-map.toml", &guide(false));
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
        ("OPERATOR_MAP_FILE", map.to_str().unwrap()),
    ];
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap();
    let private = pem("PRIVATE", private.as_ref());
    let key = EncodingKey::from_rsa_pem(private.as_bytes()).unwrap();
    (Service::start_with(rules(), &variables).await, key)
}

fn now() -> i64 {
    Utc::now().timestamp()
}

fn hs256(secret: &str, claims: &Value) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

/// The operator whose panel opens and the key that let the caller in, or the kind of refusal.
async fn opens(service: &Service, pass: &str) -> (Value, Value) {
    let click = service
        .click(&format!("phone=0501234567&pass={pass}"))
        .await;
    if click.status() != 302 {
        return (Problem::read(click).await.kind.into(), Value::Null);
    }
    let line = log_line(&header(&click, "x-request-id")).await;
    (line["operator"].clone(), line["caller"].clone())
}

fn refused(kind: &str) -> (Value, Value) {
    (json!(kind), Value::Null)
}

/// <https://developers.kommo.com/docs/one-time-tokens>, and the claims that amoCRM's own PHP
/// library reads.
fn kommo(user: u32, jti: &str) -> Value {
    json!({
        "iss": "https://acme.kommo.com", "aud": "https://your.example", "jti": jti, "iat": now(), "nbf": now(), "exp": now() + 1800,
        "account_id": 31_415_926, "subdomain": "acme", "client_uuid": "1b9c65f1-53a5-4d0e-9f2c-5d8f7a1f0c3e", "user_id": user,
    })
}

#[tokio::test]
async fn kommo_s_one_time_token_is_a_pass() {
    let (service, _) = service().await;
    let token = hs256(KOMMO, &kommo(5, "a8b1c1de-0000-4000-8000-000000000001"));
    let expected = (json!(102), json!("pass:kommo"));
    assert_eq!(opens(&service, &token).await, expected);
    assert_eq!(opens(&service, &token).await, refused("pass-used"));
    // Another account of Kommo's, and a user whom the map lacks: 101 is ChatHub's number, not
    // Kommo's.
    let mut other = kommo(5, "2");
    other["iss"] = json!("https://evil.kommo.com");
    assert_eq!(
        opens(&service, &hs256(KOMMO, &other)).await,
        refused("pass-invalid")
    );
    let stranger = hs256(KOMMO, &kommo(101, "3"));
    assert_eq!(
        opens(&service, &stranger).await,
        refused("operator-unknown")
    );
}

/// The names of the claims are known, the text of `sub` is not.
#[tokio::test]
async fn zendesk_s_token_is_a_pass() {
    let (service, rsa) = service().await;
    let claims = |audience: &str| {
        json!({
            "iss": "acme.zendesk.com", "aud": audience, "sub": "https://acme.zendesk.com/api/v2/users/35436.json",
            "iat": now(), "nbf": now(), "exp": now() + 300, "qsh": "4f53cda18c2baa0c0354bb5f9a3ecbe5",
            "cnf": {"jku": "https://acme.zendesk.com/api/v2/apps/installations/82/public_key.pem"},
            "context": {"product": "support", "location": "ticket_sidebar"},
        })
    };
    let ours = claims("https://acme.zendesk.com/api/v2/apps/installations/82.json");
    let sign = |claims: &Value| encode(&Header::new(Algorithm::RS256), claims, &rsa).unwrap();
    let expected = (json!(101), json!("pass:zendesk"));
    assert_eq!(opens(&service, &sign(&ours)).await, expected);
    let other = claims("https://acme.zendesk.com/api/v2/apps/installations/83.json");
    assert_eq!(
        opens(&service, &sign(&other)).await,
        refused("pass-invalid")
    );
}

/// `userId` and `companyId` are known; whether there is an `exp` is not, so both are tried.
#[tokio::test]
async fn pipedrive_s_panel_token_is_a_pass() {
    let (service, _) = service().await;
    let expected = (json!(102), json!("pass:pipedrive"));
    let claims = |iat: i64| json!({"userId": 191_352, "companyId": 13_377, "iat": iat});
    let without = hs256(PIPEDRIVE, &claims(now() - 200));
    assert_eq!(opens(&service, &without).await, expected);
    let over = hs256(PIPEDRIVE, &claims(now() - 301));
    assert_eq!(opens(&service, &over).await, refused("pass-expired"));
    let mut with = claims(now());
    with["exp"] = json!(now() + 120);
    assert_eq!(opens(&service, &hs256(PIPEDRIVE, &with)).await, expected);
    let endless = hs256(PIPEDRIVE, &json!({"userId": 191_352}));
    assert_eq!(opens(&service, &endless).await, refused("pass-invalid"));
    // Where the key does not say so, a token without an end is none.
    let kommo = json!({"iss": "https://acme.kommo.com", "aud": "https://your.example", "iat": now(), "user_id": 5});
    assert_eq!(
        opens(&service, &hs256(KOMMO, &kommo)).await,
        refused("pass-invalid")
    );
}

#[tokio::test]
async fn an_id_token_of_the_agents_login_is_a_pass() {
    let (service, rsa) = service().await;
    let sign = |audience: Value| {
        let claims = json!({
            "iss": "https://login.example", "sub": "00u1a2b3", "aud": audience, "azp": "open-chat", "iat": now(), "auth_time": now(),
            "exp": now() + 3600, "nonce": "n-0S6", "email": "ann@example.com", "email_verified": true,
        });
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("2026-01".into());
        encode(&header, &claims, &rsa).unwrap()
    };
    let expected = (json!(101), json!("pass:login"));
    assert_eq!(opens(&service, &sign(json!("open-chat"))).await, expected);
    let several = sign(json!(["open-chat", "crm"]));
    assert_eq!(opens(&service, &several).await, expected);
    let other = sign(json!(["crm"]));
    assert_eq!(opens(&service, &other).await, refused("pass-invalid"));
}

#[tokio::test]
async fn a_claim_may_have_dots_in_its_name() {
    let entry = |claim: &str| {
        let secret = KOMMO;
        format!(
            "[[key]]\nid = \"it\"\nalgorithm = \"HS256\"\nsecret = \"{secret}\"\noperator_claim = \"{claim}\"\n"
        )
    };
    let cases = [
        (
            "https://acme.example/operator",
            json!({"https://acme.example/operator": 101}),
        ),
        ("user.id", json!({"user": {"id": 101}})),
        ("user.id", json!({"user.id": "101"})),
    ];
    for (claim, mut claims) in cases {
        let keys = file("dots.toml", &entry(claim));
        let variables = [
            ("ACCESS", "pass"),
            ("PASS_KEYS_FILE", keys.to_str().unwrap()),
        ];
        let service = Service::start_with(rules(), &variables).await;
        claims["exp"] = json!(now() + 60);
        let expected = (json!(101), json!("pass:it"));
        assert_eq!(
            opens(&service, &hs256(KOMMO, &claims)).await,
            expected,
            "{claims}"
        );
    }
}

/// A vendor's secret would sign passes that its own entry does not take.
#[tokio::test]
async fn links_are_signed_with_a_key_of_our_own() {
    // `printf %s canary-api-key | sha256sum`
    let hash = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";
    let api_keys = file(
        "vendors-api.toml",
        &format!("[[key]]\nname = \"crm\"\nsha256 = \"{hash}\"\n"),
    );
    let vendor = format!(
        "[[key]]\nid = \"kommo\"\nalgorithm = \"HS256\"\nsecret = \"{KOMMO}\"\noperator_claim = \"user_id\"\n"
    );
    let own = format!("[[key]]\nid = \"own\"\nalgorithm = \"HS256\"\nsecret = \"{PIPEDRIVE}\"\n");
    for (keys, status) in [(vendor.clone() + &own, 201), (vendor, 404)] {
        let keys = file("vendors-own.toml", &keys);
        let variables = [
            ("ACCESS", "pass,key"),
            ("PASS_KEYS_FILE", keys.to_str().unwrap()),
            ("API_KEYS_FILE", api_keys.to_str().unwrap()),
            ("PUBLIC_URL", "https://chat.example"),
        ];
        let service = Service::start_with(rules(), &variables).await;
        let wanted = reqwest::Client::new()
            .post(format!("{}/links", service.url()))
            .header("Authorization", "Bearer canary-api-key")
            .body(r#"{"operator": 101, "phone": "0501234567"}"#);
        let answer = wanted.send().await.unwrap();
        assert_eq!(answer.status(), status);
        if status == 201 {
            let link: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            let query = link["url"].as_str().unwrap().split_once('?').unwrap().1;
            assert_eq!(service.click(query).await.status(), 302);
        }
    }
}
