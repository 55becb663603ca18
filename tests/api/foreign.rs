//! What others have collected over the years: phone numbers of all countries, strings that break
//! programs, ways around the checks of redirects, and attacks on JWTs. Whatever of it arrives,
//! wherever HTTP lets it, is answered plainly, and leads to the panel or nowhere.

use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use naughty_strings::BLNS;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Response};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde_json::{Value, json};

use crate::harness::{PANEL, Service, file, header, log, log_line, raw, rules};

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

/// A click that succeeds, for what must not change it.
const GOOD: &str = "operator=101&phone=0501234567";

const PARAMETERS: [&str; 6] = ["operator", "phone", "source", "from", "chat_raw_id", "pass"];

/// Headers that decide on nothing here, however strange they are.
const HEADERS: [&str; 12] = [
    "Accept-Language",
    "Cookie",
    "Forwarded",
    "Host",
    "Origin",
    "Referer",
    "Traceparent",
    "Tracestate",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Request-Id",
];

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// Ways in which a value that names an address has got past the checks of some redirect.
const REDIRECTS: &[&str] = &[
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2e%2e",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "hTTps://evil.example",
    "http://0x7f000001/",
    "http://2130706433/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "https://chat.smsbat.com@evil.example",
    "https://chat.smsbat.com:x@evil.example/",
    "https://chat.smsbat.com.evil.example",
    "https://evil.example/chat.smsbat.com",
    "https://evil.example?chat.smsbat.com",
    "https://evil.example#chat.smsbat.com",
    "https://evil.example\\@chat.smsbat.com",
    "https://evil.example%00.chat.smsbat.com",
    "https://evil.example%2f@chat.smsbat.com",
    "https://evil\u{3002}example",
    "https://\u{ff45}vil.example",
    "https://evil.example\u{ff0f}chat.smsbat.com",
    "@evil.example",
    ".evil.example",
    "/..//evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "%2f%2fevil.example",
    "%252f%252fevil.example",
    "%68%74%74%70%73%3a%2f%2fevil.example",
    "%0d%0aLocation:%20https://evil.example",
    "%0aSet-Cookie:%20a=b",
    "%E5%98%8A%E5%98%8DLocation:https://evil.example",
    "\r\nLocation: https://evil.example\r\n\r\n",
    "\t//evil.example",
    "\u{85}//evil.example",
    "\u{200b}//evil.example",
    "\u{2028}//evil.example",
    "\u{560a}\u{560d}Location: //evil.example",
    "&token=evil",
    "?token=evil",
    "#token=evil",
    ";token=evil",
    "&phone=%2B380671234567",
    "x&x=//evil.example",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    "javascript://chat.smsbat.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "blob:https://evil.example/x",
    "view-source:https://evil.example",
    "file:///etc/passwd",
    "\"><meta http-equiv=refresh content=0;url=//evil.example>",
    "';location='//evil.example",
];

fn payloads() -> impl Iterator<Item = &'static str> {
    REDIRECTS.iter().chain(BLNS).copied()
}

fn escaped(text: &str) -> String {
    percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string()
}

/// What no answer does, whatever it is asked: it breaks nothing, and a redirect leads to the panel,
/// in one line. The page, if it is one.
async fn plain(response: Response, asked: &str) -> String {
    let status = response.status().as_u16();
    assert!(
        status == 200 || status == 302 || (400..500).contains(&status),
        "{status} for {asked:?}"
    );
    assert!(!response.headers().contains_key("set-cookie"), "{asked:?}");
    if status == 302 {
        assert_leads_to_the_panel(&header(&response, "location"), asked);
    } else {
        assert!(!response.headers().contains_key("location"), "{asked:?}");
    }
    response.text().await.expect("a text")
}

fn assert_leads_to_the_panel(location: &str, asked: &str) {
    let rest = location
        .strip_prefix(PANEL)
        .and_then(|rest| rest.strip_prefix('?'));
    let rest = rest.unwrap_or_else(|| panic!("{asked:?} leads to {location}"));
    assert!(
        rest.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%=&".contains(&byte)),
        "{asked:?} leads to {location}"
    );
    assert_eq!(
        rest.matches("token=").count(),
        1,
        "{asked:?} leads to {location}"
    );
}

/// Whether a page can take this for something else than text, and does not have it in it anyway.
fn is_markup(payload: &str) -> bool {
    payload.contains(['<', '"', '\'']) && payload.len() > 5
}

/// What proxies say of a client is read too, because every peer here counts as one.
async fn behind_a_proxy() -> Service {
    Service::start_with(rules(), &[("TRUSTED_PROXIES", "127.0.0.0/8")]).await
}

async fn sent(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

#[tokio::test]
async fn each_region_s_example_numbers_are_read_as_themselves() {
    let service = Service::start().await;
    let mut tried = 0;
    for region in PHONE_NUMBER_UTIL.get_supported_regions() {
        let types = PHONE_NUMBER_UTIL
            .get_supported_types_for_region(region)
            .unwrap();
        for kind in types {
            let number = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind);
            // Some lists of types name one that has no example.
            let Ok(number) = number else { continue };
            if !number.is_valid() {
                continue;
            }
            let e164 = number.format_as(PhoneNumberFormat::E164);
            let international = number.format_as(PhoneNumberFormat::International);
            for written in [
                e164.as_ref(),
                international.as_ref(),
                &format!(" {}", &e164[1..]),
            ] {
                let link = service
                    .destination(&format!("operator=101&phone={}", escaped(written)))
                    .await;
                assert_eq!(
                    link,
                    format!("https://chat.smsbat.com/?phone=%2B{}&token=", &e164[1..]),
                    "{written}"
                );
            }
            tried += 1;
        }
    }
    assert!(tried > 800, "{tried}");
}

#[tokio::test]
async fn nothing_in_a_parameter_leads_elsewhere_or_becomes_markup() {
    let service = Service::start().await;
    for payload in payloads() {
        for parameter in PARAMETERS {
            let rest = match parameter {
                "operator" => "phone=0501234567",
                "phone" => "operator=101",
                "source" => "operator=101&phone=0501234567&from=Acme",
                _ => GOOD,
            };
            let query = format!("/open-chat?{rest}&{parameter}={}", escaped(payload));
            let response = sent(service.request(&query).header("Accept", BROWSER)).await;
            let page = plain(response, &query).await;
            // A page says of some parameters what they are; only ever as text.
            if is_markup(payload) {
                assert!(!page.contains(payload), "{payload:?} in {page}");
                let query = query.replace("/open-chat", "/builder");
                let page = plain(sent(service.request(&query)).await, &query).await;
                assert!(!page.contains(payload), "{payload:?} in {page}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_raw_in_a_request_line_leads_elsewhere() {
    let service = Service::start().await;
    // White space and control characters end a request line; one that has them is another request.
    let unspaced = payloads().filter(|payload| {
        !payload.is_empty() && !payload.contains(|c: char| c.is_whitespace() || c.is_control())
    });
    for payload in unspaced {
        for target in [
            format!("/open-chat?operator=101&phone=0501234567&from={payload}"),
            format!("/open-chat?operator=101&chat_raw_id={payload}"),
            format!("/open-chat/{payload}"),
            format!("//{payload}"),
        ] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = raw(&service, &request).await;
            assert!(
                ["302", "400", "404", "414"]
                    .iter()
                    .any(|status| answer[9..].starts_with(status)),
                "{target}: {answer}"
            );
            let mut lines = answer.lines();
            let location = lines.find_map(|line| line.strip_prefix("location: "));
            assert_eq!(
                location.is_some(),
                answer[9..].starts_with("302"),
                "{target}"
            );
            if let Some(location) = location {
                assert_leads_to_the_panel(location, payload);
            }
        }
    }
}

#[tokio::test]
async fn nothing_in_a_header_changes_where_a_click_leads() {
    let service = behind_a_proxy().await;
    let expected = service.destination(GOOD).await;
    for payload in payloads() {
        // Line ends and the like are no part of any header.
        let value = HeaderValue::from_bytes(payload.as_bytes())
            .or_else(|_| HeaderValue::from_str(&escaped(payload)))
            .unwrap();
        let mut request = service.request(&format!("/open-chat?{GOOD}"));
        for name in HEADERS {
            request = request.header(name, value.clone());
        }
        let response = sent(request).await;
        let location = header(&response, "location");
        assert!(location.starts_with(&expected), "{payload:?}: {location}");
        plain(response, payload).await;
        for name in ["Accept", "Authorization", "User-Agent", "Sec-Fetch-Dest"] {
            let request = service
                .request(&format!("/open-chat?{GOOD}"))
                .header(name, value.clone());
            plain(sent(request).await, payload).await;
        }
        // The refusal of a browser that speaks strange languages.
        let request = service
            .request("/open-chat?operator=101")
            .header("Accept", BROWSER)
            .header("Accept-Language", value.clone())
            .header("X-Request-Id", value.clone())
            .header("Referer", value);
        let page = plain(sent(request).await, payload).await;
        if is_markup(payload) {
            assert!(!page.contains(payload), "{payload:?} in {page}");
        }
    }
}

/// A name that a collection's strings cannot have by chance goes with each of them; the log knows
/// neither.
#[tokio::test]
async fn the_log_knows_nothing_of_what_was_sent() {
    const MARK: &str = "zq7-mark-of-a-stranger";
    let service = behind_a_proxy().await;
    let mut last = String::new();
    for (payload, parameter) in payloads().zip(PARAMETERS.into_iter().cycle()) {
        let marked = format!("{payload}{MARK}");
        let rest = match parameter {
            "operator" => "phone=0501234567",
            "phone" => "operator=101",
            _ => GOOD,
        };
        let query = format!("{rest}&{parameter}={}", escaped(&marked));
        last = header(&service.click(&query).await, "x-request-id");
        if let Ok(value) = HeaderValue::from_bytes(marked.as_bytes()) {
            let mut request = service.request(&format!("/open-chat?{GOOD}"));
            for name in HEADERS
                .into_iter()
                .chain(["Authorization", "User-Agent", "Accept"])
            {
                // An id without anything strange in it is taken over, as documented.
                if name != "X-Request-Id" {
                    request = request.header(name, value.clone());
                }
            }
            last = header(&sent(request).await, "x-request-id");
        }
    }
    log_line(&last).await;
    let log = log();
    let line = log.lines().find(|line| line.contains(MARK));
    assert!(line.is_none(), "{}", line.unwrap_or_default());
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A JWT of these two parts, written as they are, signed with this key.
fn signed(head: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(head),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {kind} KEY-----\n{}\n-----END {kind} KEY-----\n",
        lines.join("\n")
    )
}

/// Who signs these is a stranger: nothing in a pass may lead to another key than those that are set
/// up, or to another algorithm.
#[tokio::test]
async fn no_known_attack_on_a_jwt_opens_anything() {
    let ours = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public_der: PublicKeyX509Der<'_> = ours.public_key().as_der().unwrap();
    let public = pem("PUBLIC", public_der.as_ref());
    let public_file = file("rsa-of-foreign.pem", &public);
    let keys = file(
        "keys-of-foreign.toml",
        &format!(
            "[[key]]\nid = \"hs\"\nalgorithm = \"HS256\"\nsecret = \"{SECRET}\"\n\
             [[key]]\nid = \"rs\"\nalgorithm = \"RS256\"\npublic_key_file = {public_file:?}\n"
        ),
    );
    let variables = [
        ("ACCESS", "pass"),
        ("PASS_KEYS_FILE", keys.to_str().unwrap()),
    ];
    let service = Service::start_with(rules(), &variables).await;

    let exp = (chrono::Utc::now() + Duration::from_hours(1)).timestamp();
    let claims = json!({"sub": "101", "exp": exp});
    let text = claims.to_string();
    let good_key = EncodingKey::from_secret(SECRET.as_bytes());
    let hs = |head: &str, claims: &str| signed(head, claims, &good_key, Algorithm::HS256);
    let plain_head = r#"{"alg":"HS256"}"#;
    let good = hs(plain_head, &text);
    let mut attacks = Vec::new();

    // No signature at all, whatever it is called.
    for alg in [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        "",
        "null",
        "HS0",
        "hs256",
        "HS256 ",
        "HS256\u{0}",
    ] {
        for signature in ["", "AA", good.rsplit('.').next().unwrap()] {
            attacks.push(format!(
                "{}.{}.{signature}",
                part(&json!({"alg": alg})),
                part(&claims)
            ));
        }
    }
    for alg in [
        Value::Null,
        json!(0),
        json!(true),
        json!(["HS256"]),
        json!({"HS256": 1}),
    ] {
        attacks.push(hs(&json!({"alg": alg}).to_string(), &text));
    }
    let (message, signature) = good.rsplit_once('.').unwrap();
    attacks.extend([
        format!("{message}."),
        message.to_owned(),
        format!("{message}.{}", &signature[..signature.len() - 1]),
        format!("{message}.{signature}="),
        format!("{message}.{signature}.{signature}"),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 32])),
        format!("{message}.MAYCAQACAQA"),
        "..".into(),
        "a.b.c".into(),
        format!(".{}.{signature}", part(&claims)),
    ]);

    // Our public key, which everybody knows, as a secret, in all its forms.
    for known in [
        public.as_bytes(),
        public.trim_end().as_bytes(),
        public_der.as_ref(),
        STANDARD.encode(public_der.as_ref()).as_bytes(),
        b"",
        b"secret",
        b"PASS_SECRET",
        b"hs",
    ] {
        let key = EncodingKey::from_secret(known);
        for (alg, algorithm) in [
            ("HS256", Algorithm::HS256),
            ("HS384", Algorithm::HS384),
            ("HS512", Algorithm::HS512),
        ] {
            for head in [
                json!({"alg": alg}),
                json!({"alg": alg, "kid": "rs"}),
                json!({"alg": alg, "kid": "hs"}),
            ] {
                attacks.push(signed(&head.to_string(), &text, &key, algorithm));
            }
        }
    }

    // A key that the token brings or names, signed with that key.
    let theirs = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = theirs.as_der().unwrap();
    let their_key = EncodingKey::from_rsa_pem(pem("PRIVATE", private.as_ref()).as_bytes()).unwrap();
    let modulus = theirs
        .public_key()
        .modulus()
        .big_endian_without_leading_zero();
    let jwk = json!({"kty": "RSA", "kid": "rs", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB"});
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("cty", json!("JWT")),
    ] {
        for kid in [json!("rs"), Value::Null] {
            let head = json!({"alg": "RS256", "kid": kid, name: value}).to_string();
            attacks.push(signed(&head, &text, &their_key, Algorithm::RS256));
        }
    }
    for (kid, secret) in [
        ("../../../../dev/null", ""),
        ("/dev/null", ""),
        ("/proc/sys/kernel/randomize_va_space", "2"),
        ("' OR 1=1 --", ""),
        ("x' UNION SELECT 'evil';--", "evil"),
        ("hs|id", ""),
        ("$(id)", ""),
        ("hs\u{0}", SECRET),
        ("HS", SECRET),
        ("hs ", SECRET),
        ("", SECRET),
        ("*", SECRET),
        ("https://evil.example/key", "evil"),
    ] {
        let key = EncodingKey::from_secret(secret.as_bytes());
        let head = json!({"alg": "HS256", "kid": kid}).to_string();
        attacks.push(signed(&head, &text, &key, Algorithm::HS256));
    }

    // From here on the signature is right: heads that must be understood, and are not.
    for head in [
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":"b64"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","kid":5}"#,
        r#"{"alg":"HS256","kid":["hs"]}"#,
        r#"["HS256"]"#,
        "",
        "null",
    ] {
        attacks.push(hs(head, &text));
    }
    // Claims that are no claims, or say two things.
    for claims in [
        String::new(),
        "null".into(),
        "[]".into(),
        good.clone(),
        format!("{text}{text}"),
        json!([claims]).to_string(),
        r#"{"sub":"101","exp":99999999999999999999999999999999}"#.into(),
        r#"{"sub":"101","exp":1e400}"#.into(),
        r#"{"sub":"101","exp":1e18}"#.into(),
        r#"{"sub":"101","exp":-1}"#.into(),
        r#"{"sub":"101","exp":9223372036854775807}"#.into(),
        r#"{"sub":"101","exp":18446744073709551615}"#.into(),
        format!(r#"{{"sub":"101","exp":"{exp}"}}"#),
        format!(r#"{{"sub":"101","exp":[{exp}]}}"#),
        format!(r#"{{"sub":"101","exp":{exp},"nbf":9223372036854775807}}"#),
        format!(r#"{{"sub":"101","exp":{exp},"iat":1e400}}"#),
        format!(r#"{{"sub":"101","exp":{exp},"nbf":"0"}}"#),
        format!(r#"{{"sub":{{"a":"101"}},"exp":{exp}}}"#),
        format!(r#"{{"sub":-101,"exp":{exp}}}"#),
        format!(r#"{{"sub":101.5,"exp":{exp}}}"#),
        format!(r#"{{"sub":"101","exp":{exp},"jti":{}}}"#, "[".repeat(300)),
    ] {
        attacks.push(hs(plain_head, &claims));
    }

    let calls = service.chathub.total_calls();
    for attack in &attacks {
        let query = format!("/open-chat?{GOOD}&pass={}", escaped(attack));
        let in_query = sent(service.request(&query)).await;
        assert_eq!(in_query.status(), 401, "{}", decoded(attack));
        let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {attack}")) else {
            continue;
        };
        let request = service.request(&format!("/open-chat?{GOOD}"));
        let in_header = sent(request.header("Authorization", bearer)).await;
        assert_eq!(in_header.status(), 401, "{}", decoded(attack));
    }
    assert_eq!(service.chathub.total_calls(), calls);
    // The one that all of them were made of is good.
    service.destination(&format!("{GOOD}&pass={good}")).await;
}

/// A token as a failed test may print it.
fn decoded(token: &str) -> String {
    token
        .split('.')
        .take(2)
        .map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        })
        .collect::<Vec<_>>()
        .join(" . ")
}
