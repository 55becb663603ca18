//! Nobody becomes an operator by changing a URL.

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chathub_simulator::{Endpoint, Fault};
use chrono::Utc;
use jsonwebtoken::Algorithm as A;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use open_chat::access::{AuthConfig, Authenticator, PassKeySources};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::{PANEL, Problem, Service, eventually, file, header, log, log_line, rules};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";
const OTHER_SECRET: &str = "canary-other-secret-of-more-than-32-bytes";

fn hs256(secret: &str) -> EncodingKey {
    EncodingKey::from_secret(secret.as_bytes())
}

fn in_seconds(seconds: i64) -> i64 {
    Utc::now().timestamp() + seconds
}

/// A pass with these claims, `exp` nine minutes ahead unless they say otherwise.
fn pass(claims: &Value) -> String {
    sign(&Header::new(Algorithm::HS256), claims, &hs256(SECRET))
}

fn sign(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    let mut all = json!({"exp": in_seconds(540)});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    encode(header, &all, key).unwrap()
}

async fn with_passes(variables: &[(&str, &str)]) -> Service {
    let mut all = vec![("ACCESS", "pass"), ("PASS_SECRET", SECRET)];
    all.extend(variables);
    Service::start_with(rules(), &all).await
}

async fn kind(service: &Service, query: &str) -> (u16, String) {
    let response = service.click(query).await;
    if response.status() == 302 {
        return (302, String::new());
    }
    let problem = Problem::read(response).await;
    (problem.status, problem.kind)
}

pub fn pem(kind: &str, key: &[u8]) -> String {
    let text = STANDARD.encode(key);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN {kind} KEY-----\n{}\n-----END {kind} KEY-----\n",
        lines.join("\n")
    )
}

#[tokio::test]
async fn a_pass_opens_its_operator_s_panel() {
    let service = with_passes(&[]).await;
    let good = pass(&json!({"sub": "102"}));
    let response = service
        .click(&format!("phone=0501234567&pass={good}"))
        .await;
    assert_eq!(response.status(), 302);
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["operator"], 102);
    assert_eq!(line["caller"], "pass:PASS_SECRET");

    let bearer = service
        .request("/open-chat?phone=0501234567")
        .header("Authorization", format!("Bearer {good}"));
    assert_eq!(bearer.send().await.unwrap().status(), 302);
    assert_eq!(
        kind(
            &service,
            &format!("operator=102&phone=0501234567&pass={good}")
        )
        .await
        .0,
        302
    );
    let fractions = pass(
        &json!({"sub": "102", "exp": 0.5 + f64::from(i32::try_from(in_seconds(540)).unwrap())}),
    );
    assert_eq!(
        kind(&service, &format!("phone=0501234567&pass={fractions}"))
            .await
            .0,
        302
    );
    let number = pass(&json!({"sub": 102, "nbf": in_seconds(50), "iat": in_seconds(59)}));
    assert_eq!(
        kind(&service, &format!("phone=0501234567&pass={number}"))
            .await
            .0,
        302
    );
}

/// Which setting is to blame for the keys, and why.
fn unusable(settings: AuthConfig) -> (&'static str, String) {
    let unusable = Authenticator::new(settings)
        .err()
        .expect("no door with such keys");
    let unusable = unusable.into_iter().next().unwrap();
    assert!(!unusable.problem.contains("canary"), "{unusable}");
    (unusable.variable, unusable.problem)
}

#[rstest]
#[case::none("", "there is no key")]
#[case::two_of_one_name("a HS256 secret, a HS256 secret", "two keys are called `a`")]
#[case::no_algorithm("a none secret", "algorithm must be")]
#[case::a_short_secret("a HS256 short", "at least 32 bytes")]
#[case::nothing_to_check_with("a HS256", "one of secret and secret_file")]
#[case::a_public_key_as_a_secret("a HS256 public_key_file", "one of secret and secret_file")]
#[case::two_secrets("a HS256 secret secret_file", "one of secret and secret_file")]
#[case::a_secret_for_everybody("a ES256 secret", "one of public_key_file and jwks_file")]
#[case::a_secret_file_for_everybody("a ES256 secret_file", "one of public_key_file and jwks_file")]
#[case::a_set_of_keys_as_a_secret("a HS256 jwks_file", "one of secret and secret_file")]
#[case::no_pem("a EdDSA public_key_file", "not a public key")]
#[case::others_keys("a RS256 jwks_file", "has no key of this algorithm")]
#[case::a_misspelt_field("a HS256 secret secrets", "see line 5")]
fn keys_that_make_no_sense_hang_no_door(#[case] keys: &str, #[case] why: &str) {
    let other = file("other", r#"{"keys": [{"kty": "oct", "k": "Y2FuYXJ5"}]}"#);
    let entry = |key: &str| {
        let mut words = key.split(' ');
        let (id, algorithm) = (words.next().unwrap(), words.next().unwrap());
        let fields = words.map(|word| match word {
            "short" => "secret = \"canary\"\n".to_owned(),
            "secret" | "secrets" => format!("{word} = \"{SECRET}\"\n"),
            field => format!("{field} = {other:?}\n"),
        });
        let fields = fields.collect::<String>();
        format!("[[key]]\nid = \"{id}\"\nalgorithm = \"{algorithm}\"\n{fields}")
    };
    let entries = keys.split(", ").filter(|key| !key.is_empty()).map(entry);
    let text = entries.collect::<String>();
    let pass_keys = PassKeySources {
        secret: None,
        file: Some(file("pass-keys.toml", &text)),
        max_ttl: Duration::from_mins(10),
    };
    let (variable, problem) = unusable(AuthConfig {
        pass_keys: Some(pass_keys),
        ..AuthConfig::default()
    });
    assert_eq!(variable, "PASS_KEYS_FILE");
    assert!(problem.contains(why), "{problem}");
}

#[rstest]
#[case::none(&[], "has no key")]
#[case::two_of_one_hash(&["aa", "aa"], "two keys have one sha256")]
#[case::no_hash(&["xy"], "64 hexadecimal digits")]
#[case::an_empty_key(&["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"], "sha256 is that of an empty key")]
#[case::signs(&["+a"], "64 hexadecimal digits")]
#[case::longer(&["aaa"], "64 hexadecimal digits")]
#[case::no_text(&["\" canary"], "is not a list of keys: see line 3")]
#[case::no_list(&["\"\n[[key]]\noperators = \"canary\" #"], "is not a list of keys: see line 5")]
fn api_keys_that_make_no_sense_hang_no_door(#[case] hashes: &[&str], #[case] why: &str) {
    let keys = hashes.iter().map(|hash| {
        let hash = if hash.len() == 64 {
            (*hash).to_owned()
        } else {
            hash.repeat(32)
        };
        format!("[[key]]\nname = \"odoo\"\nsha256 = \"{hash}\"\n")
    });
    let text = keys.collect::<String>();
    let (variable, problem) = unusable(AuthConfig {
        api_keys_file: Some(file("api-keys.toml", &text)),
        ..AuthConfig::default()
    });
    assert_eq!(variable, "API_KEYS_FILE");
    assert!(problem.contains(why), "{problem}");
}

#[tokio::test]
async fn what_is_no_good_pass_opens_nothing_and_costs_nothing() {
    let service = with_passes(&[("PASS_MAX_TTL", "10m")]).await;
    let calls = service.chathub.total_calls();
    let hs256_header = Header::new(Algorithm::HS256);
    let mut unknown_kid = Header::new(Algorithm::HS256);
    unknown_kid.kid = Some("nobody".into());
    let mut critical = Header::new(Algorithm::HS256);
    critical.crit = Some(vec!["b64".into()]);
    let claims = json!({"sub": "101"});
    let body = URL_SAFE_NO_PAD.encode(json!({"sub": "101", "exp": in_seconds(540)}).to_string());
    let none = |alg: &str| {
        let head = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "JWT"}).to_string());
        format!("{head}.{body}.")
    };
    let table = [
        (
            "another secret",
            sign(&hs256_header, &claims, &hs256(OTHER_SECRET)),
            "pass-invalid",
        ),
        (
            "another algorithm",
            sign(&Header::new(Algorithm::HS512), &claims, &hs256(SECRET)),
            "pass-invalid",
        ),
        (
            "an unknown key",
            sign(&unknown_kid, &claims, &hs256(SECRET)),
            "pass-invalid",
        ),
        (
            "a critical header",
            sign(&critical, &claims, &hs256(SECRET)),
            "pass-invalid",
        ),
        ("alg none", none("none"), "pass-invalid"),
        ("alg None", none("None"), "pass-invalid"),
        (
            "ended",
            pass(&json!({"sub": "101", "exp": in_seconds(-1)})),
            "pass-expired",
        ),
        (
            "valid for too long",
            pass(&json!({"sub": "101", "exp": in_seconds(4000)})),
            "pass-invalid",
        ),
        (
            "valid for ever",
            pass(&json!({"sub": "101", "exp": i64::MAX})),
            "pass-invalid",
        ),
        (
            "from the future",
            pass(&json!({"sub": "101", "iat": in_seconds(3600)})),
            "pass-invalid",
        ),
        (
            "not yet",
            pass(&json!({"sub": "101", "nbf": in_seconds(3600)})),
            "pass-invalid",
        ),
        (
            "not in this universe",
            pass(&json!({"sub": "101", "nbf": 2.5e35})),
            "pass-invalid",
        ),
        (
            "no end",
            pass(&json!({"sub": "101", "exp": null})),
            "pass-invalid",
        ),
        (
            "an end in words",
            pass(&json!({"sub": "101", "exp": "tomorrow"})),
            "pass-invalid",
        ),
        ("no operator", pass(&json!({})), "pass-invalid"),
        (
            "an empty operator",
            pass(&json!({"sub": " "})),
            "pass-invalid",
        ),
        (
            "a list of operators",
            pass(&json!({"sub": ["101"]})),
            "pass-invalid",
        ),
        (
            "a phone that is no text",
            pass(&json!({"sub": "101", "phone": {}})),
            "pass-invalid",
        ),
        ("no JWT", "nonsense".into(), "pass-invalid"),
        (
            "too long",
            format!("{}.x.y", "a".repeat(4000)),
            "pass-invalid",
        ),
    ];
    for (why, bad, expected) in table {
        let (status, kind) = kind(
            &service,
            &format!("operator=101&phone=0501234567&pass={bad}"),
        )
        .await;
        assert_eq!((status, kind.as_str()), (401, expected), "{why}");
    }
    assert_eq!(
        kind(&service, "operator=101&phone=0501234567").await,
        (401, "pass-missing".into())
    );
    assert_eq!(
        kind(&service, "operator=101&phone=0501234567&pass=").await,
        (401, "pass-missing".into())
    );
    assert_eq!(service.chathub.total_calls(), calls);
}

#[tokio::test]
async fn a_pass_longer_than_any_good_one_is_not_looked_at() {
    let service = with_passes(&[]).await;
    for (padding, expected) in [(2000, ""), (4000, "pass-invalid")] {
        let long = pass(&json!({"sub": "101", "padding": "x".repeat(padding)}));
        let bearer = format!("Bearer {long}");
        assert_eq!(
            asked_with(&service, "", &[("Authorization", &bearer)]).await,
            expected
        );
    }
}

#[tokio::test]
async fn one_flipped_bit_anywhere_spoils_a_pass() {
    let service = with_passes(&[]).await;
    let good = pass(&json!({"sub": "101"}));
    for (position, letter) in good.char_indices().filter(|(_, letter)| *letter != '.') {
        // The last letter of each part carries bits that decoding drops; flipping its highest bit
        // changes what is decoded.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let flipped = alphabet
            .chars()
            .nth(alphabet.find(letter).unwrap() ^ 32)
            .unwrap();
        let mut bad = good.clone();
        bad.replace_range(position..=position, &flipped.to_string());
        let (status, kind) = kind(&service, &format!("phone=0501234567&pass={bad}")).await;
        assert_eq!(
            (status, kind.as_str()),
            (401, "pass-invalid"),
            "at {position}"
        );
    }
    assert_eq!(
        kind(&service, &format!("phone=0501234567&pass={good}"))
            .await
            .0,
        302
    );
}

#[rstest]
#[case::another_operator(json!({}), "operator=102&phone=0501234567", "pass-mismatch")]
#[case::an_operator_in_words(json!({}), "operator=nobody&phone=0501234567", "pass-mismatch")]
#[case::another_phone(json!({"phone": "+380501234567"}), "phone=0671234567", "pass-mismatch")]
#[case::no_phone_at_all(json!({"phone": "+380501234567"}), "phone=x", "pass-mismatch")]
#[case::a_chat_instead(json!({"phone": "+380501234567"}), "chat_raw_id=65a1", "pass-mismatch")]
#[case::a_phone_instead(json!({"chat_raw_id": "65a1"}), "phone=0501234567", "pass-mismatch")]
#[case::another_chat(json!({"chat_raw_id": "65a1"}), "chat_raw_id=65A1", "pass-mismatch")]
#[case::another_source(json!({"source": "viber"}), "phone=0501234567&source=1", "pass-mismatch")]
#[case::another_sender(json!({"from": "Acme"}), "phone=0501234567&from=acme", "pass-mismatch")]
#[case::nothing_fixed(json!({}), "phone=0501234567", "phone=%2B380501234567")]
#[case::the_same_phone(json!({"phone": "+380501234567"}), "phone=050-123-45-67", "phone=%2B380501234567")]
#[case::filled_in(json!({"phone": "0501234567", "source": 0, "from": "Acme"}), "",
    "source=0&from=Acme&phone=%2B380501234567")]
#[case::the_same_source(json!({"source": "0", "phone": "0501234567"}), "source=viber&from=Acme",
    "source=0&from=Acme&phone=%2B380501234567")]
#[tokio::test]
async fn a_pass_fixes_what_it_says(
    #[case] mut claims: Value,
    #[case] query: &str,
    #[case] expected: &str,
) {
    let service = with_passes(&[]).await;
    claims["sub"] = json!("101");
    let response = service
        .click(&format!("{query}&pass={}", pass(&claims)))
        .await;
    if expected == "pass-mismatch" {
        assert_eq!(Problem::read(response).await.kind, expected);
    } else {
        let location = header(&response, "location");
        assert!(
            location.starts_with(&format!("{PANEL}?{expected}&token=")),
            "{location}"
        );
    }
}

#[tokio::test]
async fn a_one_time_pass_opens_once() {
    let service = with_passes(&[]).await;
    let once = pass(&json!({"sub": "101", "jti": "one"}));
    // A refusal that is not the pass's fault does not use it up.
    assert_eq!(
        kind(&service, &format!("phone=12345&pass={once}")).await.1,
        "phone-invalid"
    );
    // Nor does ChatHub's failure: the page offers to try again.
    service
        .chathub
        .always(Endpoint::OperatorToken, Some(Fault::Status(500)));
    for _ in 0..2 {
        assert_eq!(
            kind(&service, &format!("phone=0501234567&pass={once}")).await,
            (503, "chathub-unavailable".into())
        );
    }
    service.chathub.always(Endpoint::OperatorToken, None);
    assert_eq!(
        kind(&service, &format!("phone=0501234567&pass={once}"))
            .await
            .0,
        302
    );
    assert_eq!(
        kind(&service, &format!("phone=0501234567&pass={once}")).await,
        (403, "pass-used".into())
    );
    let another = pass(&json!({"sub": "101", "jti": "two"}));
    assert_eq!(
        kind(&service, &format!("phone=0501234567&pass={another}"))
            .await
            .0,
        302
    );
}

/// A link that was forwarded takes nothing from its operator.
#[tokio::test]
async fn a_used_pass_counts_for_no_operator() {
    let limits = [
        ("RATE_LIMIT_OPERATOR", "2/h"),
        ("RATE_LIMIT_REFUSED", "9/h"),
    ];
    let service = with_passes(&limits).await;
    let click = |jti: &str| {
        let pass = pass(&json!({"sub": "101", "jti": jti}));
        format!("phone=0501234567&pass={pass}")
    };
    let used = click("used");
    service.destination(&used).await;
    for _ in 0..3 {
        assert_eq!(kind(&service, &used).await, (403, "pass-used".into()));
    }
    service.destination(&click("another")).await;
    let third = kind(&service, &click("third")).await;
    assert_eq!(third, (429, "rate-limited".into()));
}

/// The visitor's connection breaks while ChatHub is asked: nobody has got a token.
#[tokio::test]
async fn a_click_that_is_cut_off_does_not_use_a_pass_up() {
    let service = with_passes(&[("RATE_LIMIT_REFUSED", "100000/s")]).await;
    let mint = Endpoint::OperatorToken;
    service.chathub.next(mint, Fault::Held);
    let in_flight = async || service.metric("http_requests_in_flight").await;
    let idle = in_flight().await;
    let query = format!(
        "phone=0501234567&pass={}",
        pass(&json!({"sub": "101", "jti": "cut-off"}))
    );
    let mut visitor = TcpStream::connect(service.url().trim_start_matches("http://"))
        .await
        .unwrap();
    let head = format!("GET /open-chat?{query} HTTP/1.1\r\nHost: x\r\n\r\n");
    visitor.write_all(head.as_bytes()).await.unwrap();
    eventually("ChatHub is asked", async || {
        service.chathub.calls(mint) == 1
    })
    .await;
    assert_eq!(kind(&service, &query).await.1, "pass-used");
    visitor.set_zero_linger().unwrap();
    drop(visitor);
    eventually("the visitor has left", async || in_flight().await == idle).await;
    service.chathub.release();
    eventually("the pass is good again", async || {
        kind(&service, &query).await.0 == 302
    })
    .await;
}

#[tokio::test]
async fn one_time_ids_are_each_key_s_own() {
    let entry = |id: &str| {
        format!("[[key]]\nid = \"{id}\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\n")
    };
    let keys = file("two-keys.toml", &(entry("crm") + &entry("shop")));
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;
    for (id, status) in [("crm", 302), ("shop", 302), ("crm", 403)] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(id.into());
        let once = sign(&header, &json!({"sub": "101", "jti": "1"}), &hs256(SECRET));
        assert_eq!(
            kind(&service, &format!("phone=0501234567&pass={once}"))
                .await
                .0,
            status
        );
    }
}

#[tokio::test]
async fn each_algorithm_checks_with_its_own_key_only() {
    let (rsa, ec, ed) = (
        RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        Ed25519KeyPair::generate().unwrap(),
    );
    let spki = |der: &PublicKeyX509Der<'_>| pem("PUBLIC", der.as_ref());
    let rsa_pem = spki(&rsa.public_key().as_der().unwrap());
    let rsa_file = file("rsa.pem", &rsa_pem);
    let ec_file = file("ec.pem", &spki(&ec.public_key().as_der().unwrap()));
    let ed_file = file("ed.pem", &spki(&ed.public_key().as_der().unwrap()));
    let jwks = json!({"keys": [{
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "issuer-1",
        "n": URL_SAFE_NO_PAD.encode(rsa.public_key().modulus().big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(rsa.public_key().exponent().big_endian_without_leading_zero()),
    }]});
    // As PowerShell and Notepad write it.
    let jwks_file = file("jwks.json", &format!("\u{feff}{jwks}"));
    let keys = file(
        "keys.toml",
        &format!(
            "[[key]]\nid = \"hs\"\nalgorithm = \"HS512\"\nsecret = \"{SECRET}\"\noperators = [101, \"102\"]\n\
             [[key]]\nid = \"rsa\"\nalgorithm = \"RS256\"\npublic_key_file = {rsa_file:?}\n\
             [[key]]\nid = \"ec\"\nalgorithm = \"ES256\"\npublic_key_file = {ec_file:?}\nmax_ttl = \"10m\"\n\
             [[key]]\nid = \"ed\"\nalgorithm = \"EdDSA\"\npublic_key_file = {ed_file:?}\nissuer = \"crm.example\"\n\
             audience = \"open-chat\"\n\
             [[key]]\nid = \"oidc\"\nalgorithm = \"RS256\"\njwks_file = {jwks_file:?}\noperator_claim = \"user.id\"\n"
        ),
    );
    let rsa_private = AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap();
    let rsa_private = pem("PRIVATE", rsa_private.as_ref());
    let rsa_key = EncodingKey::from_rsa_pem(rsa_private.as_bytes()).unwrap();
    let ec_key = EncodingKey::from_ec_der(ec.to_pkcs8v1().unwrap().as_ref());
    let ed_key = EncodingKey::from_ed_der(ed.to_pkcs8().unwrap().as_ref());
    let service = Service::start_with(
        rules(),
        &[
            ("ACCESS", "pass"),
            ("PASS_KEYS_FILE", keys.to_str().unwrap()),
        ],
    )
    .await;
    let signed = |algorithm, kid: &str, key: &EncodingKey, claims: Value| {
        let mut header = Header::new(algorithm);
        header.kid = Some(kid.into());
        sign(&header, &claims, key)
    };
    let sub = || json!({"sub": "101"});
    let vendor = |iss: &str, aud: &str| json!({"sub": "101", "iss": iss, "aud": aud});
    let public_as_secret = EncodingKey::from_secret(rsa_pem.as_bytes());
    let cases = [
        (signed(A::HS512, "hs", &hs256(SECRET), sub()), 302),
        (
            signed(A::HS512, "hs", &hs256(SECRET), json!({"sub": "102"})),
            302,
        ),
        (
            signed(A::HS512, "hs", &hs256(SECRET), json!({"sub": "103"})),
            403,
        ),
        (signed(A::RS256, "rsa", &rsa_key, sub()), 302),
        (signed(A::RS256, "ec", &rsa_key, sub()), 401),
        (signed(A::HS256, "rsa", &public_as_secret, sub()), 401),
        (signed(A::HS256, "hs", &hs256(SECRET), sub()), 401),
        (
            signed(
                A::ES256,
                "ec",
                &ec_key,
                json!({"sub": "101", "exp": in_seconds(540)}),
            ),
            302,
        ),
        (
            signed(
                A::ES256,
                "ec",
                &ec_key,
                json!({"sub": "101", "exp": in_seconds(4000)}),
            ),
            401,
        ),
        (
            signed(A::EdDSA, "ed", &ed_key, vendor("crm.example", "open-chat")),
            302,
        ),
        (
            signed(
                A::EdDSA,
                "ed",
                &ed_key,
                vendor("other.example", "open-chat"),
            ),
            401,
        ),
        (
            signed(A::EdDSA, "ed", &ed_key, vendor("crm.example", "other")),
            401,
        ),
        (signed(A::EdDSA, "ed", &ed_key, sub()), 401),
        (
            signed(A::RS256, "issuer-1", &rsa_key, json!({"user": {"id": 101}})),
            302,
        ),
        (
            signed(A::RS256, "issuer-2", &rsa_key, json!({"user": {"id": 101}})),
            401,
        ),
        (signed(A::RS256, "issuer-1", &rsa_key, sub()), 401),
    ];
    for (index, (pass, status)) in cases.into_iter().enumerate() {
        assert_eq!(
            kind(&service, &format!("phone=0501234567&pass={pass}"))
                .await
                .0,
            status,
            "case {index}"
        );
    }
}

#[tokio::test]
async fn keys_rotate_without_a_restart_and_a_broken_file_changes_nothing() {
    let entry = |id: &str, secret: &str| {
        format!("[[key]]\nid = \"{id}\"\nalgorithm = \"HS256\"\nsecret = \"{secret}\"\n")
    };
    let keys = file("rotating.toml", &entry("old", SECRET));
    let service = Service::start_with(
        rules(),
        &[
            ("ACCESS", "pass"),
            ("PASS_KEYS_FILE", keys.to_str().unwrap()),
        ],
    )
    .await;
    let by = |id: &str, secret: &str| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(id.into());
        format!(
            "phone=0501234567&pass={}",
            sign(&header, &json!({"sub": "101"}), &hs256(secret))
        )
    };
    let failed = r#"open_chat_file_reload_failed{file="PASS_KEYS_FILE"}"#;
    assert_eq!(kind(&service, &by("old", SECRET)).await.0, 302);
    assert_eq!(kind(&service, &by("new", OTHER_SECRET)).await.0, 401);

    std::fs::write(&keys, entry("old", SECRET) + &entry("new", OTHER_SECRET)).unwrap();
    eventually("the new key counts", async || {
        kind(&service, &by("new", OTHER_SECRET)).await.0 == 302
    })
    .await;
    assert_eq!(kind(&service, &by("old", SECRET)).await.0, 302);

    std::fs::write(&keys, format!("[[key]]\nid = 7\nsecret = \"{SECRET}\"\n")).unwrap();
    eventually("the gauge tells", async || {
        service.metric(failed).await == 1
    })
    .await;
    assert_eq!(kind(&service, &by("old", SECRET)).await.0, 302);

    std::fs::write(&keys, entry("new", OTHER_SECRET)).unwrap();
    eventually("the old key is gone", async || {
        kind(&service, &by("old", SECRET)).await.0 == 401
    })
    .await;
    assert_eq!(service.metric(failed).await, 0);
}

async fn with_sso(variables: &[(&str, &str)]) -> Service {
    let map = file(
        "sso-map.toml",
        "\"ann@example.com\" = 101\n\"bob@example.com\" = 102\n",
    );
    let map = map.to_str().unwrap().to_owned();
    let mut all = vec![
        ("ACCESS", "sso"),
        ("SSO_HEADER", "X-Auth-Request-Email"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("OPERATOR_MAP_FILE", map.as_str()),
    ];
    all.extend(variables);
    Service::start_with(rules(), &all).await
}

/// Asks with these headers: the kind of refusal, empty for a redirect.
async fn asked_with(service: &Service, query: &str, headers: &[(&str, &str)]) -> String {
    let mut request = service.request(&format!("/open-chat?phone=0501234567{query}"));
    for (name, value) in headers {
        request = request.header(*name, value.as_bytes());
    }
    let response = request.send().await.unwrap();
    if response.status() == 302 {
        return String::new();
    }
    Problem::read(response).await.kind
}

#[tokio::test]
async fn a_trusted_proxy_names_the_agent() {
    let service = with_sso(&[("DIRECTORY_REFRESH", "20ms"), ("SSO_BY_NAME", "on")]).await;
    let ann = ("X-Auth-Request-Email", "ann@example.com");
    let bob = ("X-Auth-Request-Email", "bob@example.com");
    assert_eq!(asked_with(&service, "", &[ann]).await, "");
    assert_eq!(asked_with(&service, "&operator=101", &[ann]).await, "");
    assert_eq!(
        asked_with(&service, "&operator=ann@example.com", &[ann]).await,
        ""
    );
    assert_eq!(
        asked_with(&service, "&operator=102", &[ann]).await,
        "operator-not-allowed"
    );
    assert_eq!(asked_with(&service, "", &[]).await, "identity-missing");
    assert_eq!(
        asked_with(&service, "&operator=101", &[]).await,
        "identity-missing"
    );
    assert_eq!(
        asked_with(&service, "", &[ann, bob]).await,
        "identity-missing",
        "doubled"
    );
    assert_eq!(
        asked_with(&service, "", &[("X_Auth_Request_Email", "ann@example.com")]).await,
        "identity-missing"
    );
    service
        .chathub
        .store()
        .add_operator(24, "\u{406}ван Приклад")
        .unwrap();
    eventually("the new name is known", async || {
        let ivan = ("X-Auth-Request-Email", "\u{456}ван приклад");
        asked_with(&service, "", &[ivan]).await.is_empty()
    })
    .await;
    // A number that nobody has mapped is an identity, not an operator's id.
    assert_eq!(
        asked_with(&service, "", &[("X-Auth-Request-Email", "101")]).await,
        "identity-unknown"
    );
}

#[tokio::test]
async fn a_stranger_s_header_names_nobody() {
    let service = with_sso(&[("TRUSTED_PROXIES", "192.0.2.1")]).await;
    let headers = [
        ("X-Auth-Request-Email", "ann@example.com"),
        ("X-Forwarded-For", "192.0.2.1"),
    ];
    assert_eq!(
        asked_with(&service, "&operator=101", &headers).await,
        "identity-missing"
    );
}

#[tokio::test]
async fn a_proxy_shows_its_secret_where_one_is_set() {
    let service = with_sso(&[("SSO_PROXY_SECRET", "canary-proxy-secret")]).await;
    let ann = ("X-Auth-Request-Email", "ann@example.com");
    let right = ("X-Proxy-Secret", "canary-proxy-secret");
    let wrong = ("X-Proxy-Secret", "canary-proxy-guess");
    assert_eq!(asked_with(&service, "", &[ann, right]).await, "");
    assert_eq!(asked_with(&service, "", &[ann]).await, "identity-missing");
    assert_eq!(
        asked_with(&service, "", &[ann, wrong]).await,
        "identity-missing"
    );
    assert_eq!(
        asked_with(&service, "", &[ann, wrong, right]).await,
        "identity-missing"
    );
}

/// Whatever the order of `ACCESS` is. A paired browser's cookie is the last of all.
#[tokio::test]
async fn the_first_credential_counts_and_a_bad_one_is_never_passed_over() {
    // `printf %s canary-api-key | sha256sum`
    let hash = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";
    let keys = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{hash}\"\n");
    let keys = file("api-keys.toml", &keys);
    let service = with_sso(&[
        ("ACCESS", "open,device,sso,key,pass"),
        ("PASS_SECRET", SECRET),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("SSO_PROXY_SECRET", "canary-proxy-secret"),
        ("PUBLIC_URL", "https://chat.example"),
        (
            "DEVICE_SECRET",
            "canary-device-secret-of-more-than-32-bytes",
        ),
    ])
    .await;
    let good = format!("&operator=101&pass={}", pass(&json!({"sub": "101"})));
    let key = ("Authorization", "Bearer canary-api-key");
    let guess = ("Authorization", "Bearer canary-api-guess");
    let login = [
        ("X-Auth-Request-Email", "ann@example.com"),
        ("X-Proxy-Secret", "canary-proxy-secret"),
    ];
    let half_login = [login[0], ("X-Proxy-Secret", "canary-proxy-guess")];
    let cookie = [
        ("Cookie", "__Host-open-chat-device=x"),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Mode", "navigate"),
    ];
    let named = "&operator=101";
    let bad = "&operator=101&pass=a.b.c";
    let all = |parts: &[&[(&'static str, &'static str)]]| parts.concat();
    let cases = [
        (&*good, all(&[&[guess], &half_login, &cookie]), ""),
        (bad, all(&[&[key], &login, &cookie]), "pass-invalid"),
        (named, all(&[&[key], &half_login, &cookie]), ""),
        (named, all(&[&[guess], &login]), "api-key-invalid"),
        (named, all(&[&login, &cookie]), ""),
        (named, all(&[&half_login]), "identity-missing"),
        (named, all(&[&cookie]), "device-ended"),
        (named, Vec::new(), ""),
    ];
    for (query, headers, expected) in cases {
        assert_eq!(
            asked_with(&service, query, &headers).await,
            expected,
            "{query} {headers:?}"
        );
    }
}

#[tokio::test]
async fn a_proxy_s_secret_rotates() {
    let secret = file("proxy-secret", "canary-proxy-secret\n");
    let service = with_sso(&[("SSO_PROXY_SECRET_FILE", secret.to_str().unwrap())]).await;
    let ann = ("X-Auth-Request-Email", "ann@example.com");
    let (old, new) = (
        ("X-Proxy-Secret", "canary-proxy-secret"),
        ("X-Proxy-Secret", "canary-proxy-rotated"),
    );
    assert_eq!(asked_with(&service, "", &[ann, old]).await, "");
    std::fs::write(&secret, "canary-proxy-rotated\n").unwrap();
    eventually("the new secret counts", async || {
        asked_with(&service, "", &[ann, new]).await.is_empty()
    })
    .await;
    assert_eq!(
        asked_with(&service, "", &[ann, old]).await,
        "identity-missing"
    );
}

#[tokio::test]
async fn networks_are_those_of_the_client_not_of_what_it_claims() {
    let elsewhere = [("ALLOWED_NETWORKS", "192.0.2.0/24")];
    let service = Service::start_with(rules(), &elsewhere).await;
    let claim = ("X-Forwarded-For", "192.0.2.7");
    assert_eq!(
        asked_with(&service, "&operator=101", &[]).await,
        "network-not-allowed"
    );
    assert_eq!(
        asked_with(&service, "&operator=101", &[claim]).await,
        "network-not-allowed"
    );

    let behind_a_proxy = [elsewhere[0], ("TRUSTED_PROXIES", "127.0.0.1")];
    let service = Service::start_with(rules(), &behind_a_proxy).await;
    assert_eq!(asked_with(&service, "&operator=101", &[claim]).await, "");
    // As a log that writes all addresses as IPv6 has them.
    let mapped = [
        ("ALLOWED_NETWORKS", "127.0.0.1,::ffff:192.0.2.0/120"),
        ("TRUSTED_PROXIES", "::ffff:127.0.0.1"),
    ];
    let mapped = Service::start_with(rules(), &mapped).await;
    assert_eq!(asked_with(&mapped, "&operator=101", &[claim]).await, "");
    let outside = ("X-Forwarded-For", "203.0.113.9");
    assert_eq!(
        asked_with(&mapped, "&operator=101", &[outside]).await,
        "network-not-allowed"
    );
    let forged = ("X-Forwarded-For", "192.0.2.7, 203.0.113.9");
    assert_eq!(
        asked_with(&service, "&operator=101", &[forged]).await,
        "network-not-allowed"
    );

    // What a stranger has written does not keep anybody from reading what the proxy has added.
    let of_the_proxy = [("ALLOWED_NETWORKS", "127.0.0.1"), behind_a_proxy[1]];
    let service = Service::start_with(rules(), &of_the_proxy).await;
    let unreadable = ("X-Forwarded-For", "\u{457}, 203.0.113.9");
    assert_eq!(
        asked_with(&service, "&operator=101", &[unreadable]).await,
        "network-not-allowed"
    );
}

#[tokio::test]
async fn an_api_key_acts_for_its_operators() {
    // `printf %s canary-api-key | sha256sum`
    let hash = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";
    let keys = file(
        "api-keys.toml",
        &format!("[[key]]\nname = \"odoo\"\nsha256 = \"{hash}\"\noperators = [101]\n"),
    );
    let variables = [("ACCESS", "key"), ("API_KEYS_FILE", keys.to_str().unwrap())];
    let service = Service::start_with(rules(), &variables).await;
    let key = ("Authorization", "Bearer canary-api-key");
    assert_eq!(asked_with(&service, "&operator=101", &[key]).await, "");
    assert_eq!(
        asked_with(&service, "&operator=102", &[key]).await,
        "operator-not-allowed"
    );
    assert_eq!(asked_with(&service, "", &[key]).await, "operator-missing");
    assert_eq!(
        asked_with(
            &service,
            "&operator=101",
            &[("Authorization", "Bearer canary-api-ke")]
        )
        .await,
        "api-key-invalid"
    );
    assert_eq!(
        asked_with(
            &service,
            "&operator=101",
            &[("Authorization", &format!("Bearer {hash}"))]
        )
        .await,
        "api-key-invalid"
    );
    assert_eq!(
        asked_with(
            &service,
            "&operator=101",
            &[("Authorization", "Basic canary-api-key")]
        )
        .await,
        "api-key-invalid"
    );
    assert_eq!(
        asked_with(&service, "&operator=101", &[]).await,
        "api-key-invalid"
    );
}

#[tokio::test]
async fn an_alias_names_an_operator() {
    let map = file("aliases.toml", "\"bitrix-17\" = 102\n");
    let service =
        Service::start_with(rules(), &[("OPERATOR_MAP_FILE", map.to_str().unwrap())]).await;
    let response = service.click("operator=Bitrix-17&phone=0501234567").await;
    let line = log_line(&header(&response, "x-request-id")).await;
    assert_eq!(line["operator"], 102);
}

#[tokio::test]
async fn a_start_without_the_proxy_s_secret_says_what_it_relies_on() {
    let _service = with_sso(&[("TRUSTED_PROXIES", "127.0.0.1,192.0.2.77")]).await;
    let words = "any program that can send requests from 127.0.0.1, 192.0.2.77 (TRUSTED_PROXIES) can name any agent in X-Auth-Request-Email";
    eventually("the log says so", async || log().contains(words)).await;
}

#[tokio::test]
async fn a_proxy_s_secret_that_becomes_too_short_changes_nothing() {
    let secret = file("proxy-secret-short", "canary-proxy-secret\n");
    let service = with_sso(&[("SSO_PROXY_SECRET_FILE", secret.to_str().unwrap())]).await;
    let ann = ("X-Auth-Request-Email", "ann@example.com");
    let failed = r#"open_chat_file_reload_failed{file="SSO_PROXY_SECRET"}"#;
    std::fs::write(&secret, "canary-short\n").unwrap();
    eventually("the gauge tells", async || {
        service.metric(failed).await == 1
    })
    .await;
    let short = ("X-Proxy-Secret", "canary-short");
    assert_eq!(
        asked_with(&service, "", &[ann, short]).await,
        "identity-missing"
    );
    let right = ("X-Proxy-Secret", "canary-proxy-secret");
    assert_eq!(asked_with(&service, "", &[ann, right]).await, "");
}
