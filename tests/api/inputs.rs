//! How values are read that templates get wrong, the same on all ways in: a link's query, a pass's
//! claims, and `POST /links`.

use std::fmt::Write as _;

use chathub_simulator::Endpoint;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::sample::select;
use reqwest::Response;
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::harness::{PANEL, Problem, Service, file, header, rules};
use crate::properties::try_on;

const SECRET: &str = "canary-pass-secret-of-more-than-32-bytes";

/// `printf %s canary-api-key | sha256sum`
const API_KEY_SHA256: &str = "e3214c483c5be6f2921e07874fb3eecff64de25bb46ebac0fc363b002712ab40";

/// What a template writes where there is no value.
const NO_VALUE: [&str; 8] = [
    "undefined",
    "null",
    "none",
    "nil",
    "nan",
    "false",
    "[object Object]",
    "",
];

/// Templates that no CRM has filled in, as they stand in its form.
const TEMPLATES: [&str; 28] = [
    "{{phone}}",
    "{{ contact.phone }}",
    "+{{phone}}",
    "{!Contact.Phone}",
    "${lead.phone}",
    "{Lead.Phone}",
    "{phone}",
    "$PHONE$",
    "$phone$",
    "#PHONE#",
    "#Contact.Phone#",
    "%PHONE%",
    "%DEAL_PHONE%",
    "+%PHONE%",
    "%%Phone%%",
    "%%ADDRESS%%",
    "[[phone]]",
    "[%phone%]",
    "[% contact.phone %]",
    "<%= phone %>",
    "*|PHONE|*",
    "<phone>",
    "<Contact.Phone>",
    "<<phone>>",
    "[phone]",
    "+[phone]",
    "[#Contact.Phone#]",
    "[Телефон]",
];

/// Values that only resemble what is refused or absent.
const REAL: [&str; 22] = [
    "None Smith",
    "Nullify",
    "nonexistent",
    "#1 Shop",
    "Shop #1",
    "#1#",
    "#A b#",
    "100% Ukraine",
    "50%OFF",
    "100%",
    "a$b$c",
    "$5 Shop$",
    "a<b",
    "<3 Shop",
    "<b>Acme</b>",
    "[24] Shop",
    "{Acme",
    "*Acme*",
    "A&B",
    "A & amp; B",
    "Ви й Ми",
    "Shop \u{2764}\u{fe0f}",
];

/// Blanks and marks that are not seen.
const UNSEEN: [&str; 16] = [
    " ", "\u{a0}", "\u{2009}", "\u{202f}", "\u{3000}", "\u{200b}", "\u{200e}", "\u{202a}",
    "\u{202c}", "\u{2060}", "\u{2069}", "\u{feff}", "\u{ad}", "\u{fe0d}", "\u{2800}", "\u{3164}",
];

const PHONE: &str = "0501234567";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The deep link's query, less its token.
    Opens(String),
    /// The kind.
    Refused(String),
}

fn opens(query: &str) -> Outcome {
    Outcome::Opens(query.into())
}

fn refused(kind: &str) -> Outcome {
    Outcome::Refused(kind.into())
}

async fn service() -> Service {
    let text = format!("[[key]]\nname = \"odoo\"\nsha256 = \"{API_KEY_SHA256}\"\n");
    let keys = file("inputs-api-keys.toml", &text);
    let variables = [
        ("ACCESS", "open,pass,key"),
        ("PASS_SECRET", SECRET),
        ("API_KEYS_FILE", keys.to_str().unwrap()),
        ("PUBLIC_URL", "https://chat.example"),
        ("CHATHUB_MAX_RATE", "10000"),
    ];
    Service::start_with(rules(), &variables).await
}

/// What else is known of a client where this parameter is tried.
fn beside(name: &str) -> Vec<(&'static str, &'static str)> {
    match name {
        "phone" => vec![("operator", "101")],
        "source" => vec![("operator", "101"), ("phone", PHONE), ("from", "Acme")],
        "operator" => vec![("phone", PHONE)],
        _ => vec![("operator", "101"), ("phone", PHONE)],
    }
}

/// What becomes of a click that leaves this parameter out.
fn without(name: &str) -> Outcome {
    match name {
        "phone" => refused("target-missing"),
        "source" => opens("from=Acme&phone=%2B380501234567"),
        "operator" => refused("operator-missing"),
        _ => opens("phone=%2B380501234567"),
    }
}

/// What becomes of a click with this value of a chat's id or a sender.
fn with(name: &str, value: &str) -> Outcome {
    let mut escaped = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => write!(escaped, "%{byte:02X}").unwrap(),
        }
    }
    match name {
        "chat_raw_id" => opens(&format!("chat_raw_id={escaped}")),
        _ => opens(&format!("from={escaped}&phone=%2B380501234567")),
    }
}

async fn outcome(response: Response) -> Outcome {
    if response.status() != 302 {
        return refused(&Problem::read(response).await.kind);
    }
    let location = header(&response, "location");
    let query = location.strip_prefix(&format!("{PANEL}?")).unwrap();
    opens(query.split("&token=").next().unwrap())
}

async fn by_query(service: &Service, name: &str, value: &str) -> Outcome {
    let mut query = format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    for (name, value) in beside(name) {
        write!(query, "&{name}={value}").unwrap();
    }
    outcome(service.click(&query).await).await
}

fn object(name: &str, value: &Value) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in beside(name) {
        object.insert(name.into(), value.into());
    }
    object.insert(name.into(), value.clone());
    object
}

async fn by_pass(service: &Service, name: &str, value: &Value) -> Outcome {
    let mut claims = object(name, value);
    let operator = claims.remove("operator").unwrap();
    claims.insert("sub".into(), operator);
    claims.insert("exp".into(), (Utc::now().timestamp() + 3600).into());
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let pass = encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
    outcome(service.click(&format!("pass={pass}")).await).await
}

async fn post(service: &Service, body: Vec<u8>) -> Response {
    reqwest::Client::new()
        .post(format!("{}/links", service.url()))
        .header("Authorization", "Bearer canary-api-key")
        .body(body)
        .send()
        .await
        .unwrap()
}

/// A link that is made must open: what a click would be refused for is refused when it is asked
/// for.
async fn by_link(service: &Service, name: &str, value: &Value) -> Outcome {
    let body = serde_json::to_vec(&object(name, value)).unwrap();
    let response = post(service, body).await;
    if response.status() != 201 {
        return refused(&Problem::read(response).await.kind);
    }
    let link: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let (_, query) = link["url"].as_str().unwrap().split_once('?').unwrap();
    let click = service.click(query).await;
    assert_eq!(
        click.status(),
        302,
        "{name} {value}: a link that does not open"
    );
    outcome(click).await
}

/// What all three ways make of a value; they must agree.
async fn by_all(service: &Service, name: &str, value: &str) -> Result<Outcome, TestCaseError> {
    let json = json!(value);
    let query = by_query(service, name, value).await;
    let link = by_link(service, name, &json).await;
    prop_assert_eq!(&link, &query, "POST /links, {}={:?}", name, value);
    let mut pass = by_pass(service, name, &json).await;
    // A pass that names no operator is not one.
    if (name, &pass) == ("operator", &refused("pass-invalid")) {
        pass = refused("operator-missing");
    }
    prop_assert_eq!(&pass, &query, "pass, {}={:?}", name, value);
    Ok(query)
}

#[tokio::test]
async fn each_value_that_is_none_and_each_template_is_known_on_all_ways_in() {
    let service = service().await;
    for name in ["operator", "phone", "chat_raw_id", "from", "source"] {
        for value in NO_VALUE {
            for value in [value.to_owned(), value.to_uppercase()] {
                let outcome = by_all(&service, name, &value).await.unwrap();
                assert_eq!(outcome, without(name), "{name}={value:?}");
            }
        }
        for value in TEMPLATES {
            let outcome = by_all(&service, name, value).await.unwrap();
            let expected = refused("placeholder-unfilled");
            assert_eq!(outcome, expected, "{name}={value:?}");
        }
    }
    for name in ["chat_raw_id", "from"] {
        for value in REAL {
            let outcome = by_all(&service, name, value).await.unwrap();
            assert_eq!(outcome, with(name, value), "{name}={value:?}");
        }
    }
}

/// A back end writes its own language's nothing as JSON's.
#[rstest]
#[case(Value::Null)]
#[case(json!(false))]
#[tokio::test]
async fn nothing_in_json_is_nothing(#[case] value: Value) {
    let service = service().await;
    for name in ["phone", "chat_raw_id", "from", "source"] {
        assert_eq!(by_link(&service, name, &value).await, without(name));
        assert_eq!(by_pass(&service, name, &value).await, without(name));
    }
}

/// Encoded as little as a link in a CRM's form is, by its browser.
#[rstest]
#[case("phone=%PHONE%")]
#[case("phone=%%Phone%%")]
#[case("phone=%DEAL%")]
#[case("phone=%%ADDRESS%%")]
#[case("phone=%2B%DEAL%")]
#[case("phone=[%phone%]")]
#[case("phone=[%25phone%25]")]
#[case("phone=[%23Contact.Phone%23]")]
#[case("phone=%3C%=%20phone%20%%3E")]
#[case("phone=*|PHONE|*")]
#[case("phone=%7B%7Bphone%7D%7D")]
#[case("phone=0501234567&from=%%Sender%%")]
#[case("phone=0501234567&chat_raw_id=%CHAT%")]
#[case("phone=0501234567&source=$SOURCE$")]
#[case("phone=0501234567&pass={pass}")]
#[case("phone=0501234567&pass=%%pass%%")]
#[tokio::test]
async fn a_template_is_known_as_a_browser_sends_it(#[case] query: &str) {
    let service = service().await;
    let calls = service.chathub.total_calls();
    let problem = service.refusal(&format!("operator=101&{query}")).await;
    let (_, name) = query.rsplit_once('&').unwrap_or(("", query));
    let (name, _) = name.split_once('=').unwrap();
    assert_eq!(problem.kind, "placeholder-unfilled", "{query}");
    let words = format!("`{name}` is still a template");
    assert!(problem.detail.contains(&words), "{}", problem.detail);
    assert_eq!(service.chathub.total_calls(), calls);
}

#[rstest]
#[case(
    "chat_raw_id=abc%252B1",
    "parameter-invalid",
    "`chat_raw_id` was percent-encoded twice"
)]
#[case(
    "from=Acme%2520Ltd",
    "parameter-invalid",
    "`from` was percent-encoded twice"
)]
#[case(
    "source=%2530",
    "parameter-invalid",
    "`source` was percent-encoded twice"
)]
#[case(
    "operator=John%2520Smith",
    "parameter-invalid",
    "`operator` was percent-encoded twice"
)]
#[case(
    "pass=a%252Eb%252Ec",
    "parameter-invalid",
    "`pass` was percent-encoded twice"
)]
#[case(
    "phone=%252B380501234567",
    "phone-invalid",
    "phone was percent-encoded twice"
)]
// Also where it is not needed.
#[case(
    "phone=%252B380501234567&chat_raw_id=65a1",
    "phone-invalid",
    "phone was percent-encoded twice"
)]
#[tokio::test]
async fn what_is_encoded_twice_is_refused_by_name(
    #[case] query: &str,
    #[case] kind: &str,
    #[case] words: &str,
) {
    let service = service().await;
    let mut query = query.to_owned();
    for (name, value) in [("operator", "101"), ("phone", PHONE)] {
        if !query.contains(&format!("{name}=")) {
            write!(query, "&{name}={value}").unwrap();
        }
    }
    let problem = service.refusal(&query).await;
    assert_eq!(problem.kind, kind, "{query}");
    assert!(problem.detail.contains(words), "{}", problem.detail);
}

/// A link that was copied out of a page's source, or written into one twice over.
#[rstest]
#[case(
    "operator=101&amp;phone=0501234567&amp;source=0&amp;from=Beta",
    "source=0&from=Beta&phone=%2B380501234567"
)]
#[case(
    "operator=101&amp%3Bphone=0501234567&amp%3bfrom=Beta",
    "from=Beta&phone=%2B380501234567"
)]
#[case(
    "operator=101&AMP;phone=0501234567&amp;amp;from=Beta",
    "from=Beta&phone=%2B380501234567"
)]
#[case(
    "operator=101&amp;phone=0501234567&amp;chat_raw_id=65a1",
    "chat_raw_id=65a1"
)]
#[case(
    "operator=101&phone=0501234567&amp;utm_source=x&amp;=&amp;",
    "phone=%2B380501234567"
)]
#[case(
    "operator=101&phone=0501234567&amplifier=x&amp;from=A%26amp%3BB",
    "from=A%26amp%3BB&phone=%2B380501234567"
)]
#[tokio::test]
async fn an_escaped_ampersand_is_one(#[case] query: &str, #[case] expected: &str) {
    let service = service().await;
    assert_eq!(outcome(service.click(query).await).await, opens(expected));
}

#[tokio::test]
async fn an_escaped_ampersand_hides_no_repetition() {
    let service = service().await;
    let query = "operator=101&phone=0501234567&amp;phone=0501234567";
    assert_eq!(service.refusal(query).await.kind, "parameter-repeated");
}

/// A phone as it is copied from a page, a document or a contact.
#[rstest]
#[case::thin_spaces("+38\u{202f}050\u{2009}123\u{205f}45\u{3000}67")]
#[case::marks_inside("+380\u{202c}50\u{200e}123\u{2069}45\u{feff}6\u{fe0d}7")]
#[case::blanks_that_are_letters("+38\u{3164}050\u{115f}1234567")]
#[case::braille_blank("+38\u{2800}0501234567")]
#[case::dashes("+38\u{2012}050\u{2212}123\u{fe63}45\u{2e3a}67")]
#[case::wrapped("\u{2068}\u{200b}050 123 45 67\u{200b}\u{2069}")]
#[tokio::test]
async fn a_phone_that_looks_right_is_right(#[case] phone: &str) {
    let service = service().await;
    let outcome = by_all(&service, "phone", phone).await.unwrap();
    assert_eq!(outcome, opens("phone=%2B380501234567"));
}

#[tokio::test]
async fn a_pass_that_names_a_client_by_a_template_costs_chathub_nothing() {
    let service = service().await;
    let calls = service.chathub.total_calls();
    for (name, value) in [("operator", "{{user.id}}"), ("from", "{{contact.owner}}")] {
        let pass = by_pass(&service, name, &json!(value)).await;
        assert_eq!(pass, refused("placeholder-unfilled"), "{name}");
        let link = by_link(&service, name, &json!(value)).await;
        assert_eq!(link, refused("placeholder-unfilled"), "{name}");
    }
    assert_eq!(service.chathub.total_calls(), calls);
}

/// An identity is compared as it is: what looks like a colleague's is somebody else's.
#[tokio::test]
async fn the_operator_of_a_pass_is_not_repaired() {
    let service = service().await;
    for name in ["101\u{200b}", "\u{a0}101", "John\u{a0}Smith"] {
        let pass = by_pass(&service, "operator", &json!(name)).await;
        assert_eq!(pass, refused("operator-unknown"), "{name:?}");
    }
    // What a person has typed or pasted into a link is.
    let query = by_query(&service, "operator", "\u{200b}101\u{a0}").await;
    assert_eq!(query, opens("phone=%2B380501234567"));
}

#[tokio::test]
async fn a_byte_order_mark_before_json_is_no_part_of_it() {
    let service = service().await;
    let body = "\u{feff}{\"operator\": 101, \"phone\": \"0501234567\"}";
    assert_eq!(post(&service, body.into()).await.status(), 201);
}

/// A value of a parameter and what must become of it, where that is known.
#[derive(Clone, Debug)]
struct Input {
    name: &'static str,
    value: String,
    expected: Option<Outcome>,
}

fn unseen() -> impl Strategy<Value = String> {
    prop::collection::vec(select(&UNSEEN[..]), 0..5).prop_map(|marks| marks.concat())
}

/// The parameters that a pass may fix.
fn names() -> impl Strategy<Value = &'static str> {
    select(vec!["phone", "chat_raw_id", "from", "source"])
}

fn in_any_case(word: &str, upper: u32) -> String {
    let case = |(at, letter): (usize, char)| match upper >> at & 1 {
        0 => letter,
        _ => letter.to_ascii_uppercase(),
    };
    word.chars().enumerate().map(case).collect()
}

fn known(name: &'static str) -> impl Strategy<Value = (String, Outcome)> {
    let phone = select(vec![
        "+380501234567",
        "380501234567",
        "0501234567",
        "+38 (050) 123-45-67",
    ]);
    let source = select(vec!["0", "viber", "ViBeR"]);
    let text = select(&REAL[..]);
    (phone, source, text).prop_map(move |(phone, source, text)| match name {
        "phone" => (phone.into(), opens("phone=%2B380501234567")),
        "source" => (
            source.into(),
            opens("source=0&from=Acme&phone=%2B380501234567"),
        ),
        _ => (text.into(), with(name, text)),
    })
}

fn input() -> impl Strategy<Value = Input> {
    names().prop_flat_map(|name| {
        let none = (select(&NO_VALUE[..]), any::<u32>())
            .prop_map(move |(word, upper)| (in_any_case(word, upper), Some(without(name))));
        let template = select(&TEMPLATES[..])
            .prop_map(|text| (text.to_owned(), Some(refused("placeholder-unfilled"))));
        let twice = "[a-z]{0,3}%(20|2B|D0%9F|c3%a4)[a-z0-9]{0,3}".prop_map(move |text| {
            let kind = if name == "phone" {
                "phone-invalid"
            } else {
                "parameter-invalid"
            };
            (text, Some(refused(kind)))
        });
        let real = known(name).prop_map(|(text, outcome)| (text, Some(outcome)));
        let any = prop_oneof![any::<String>(), "\\PC{1,20}", "[-+ ()0-9%#<>$a-f]{1,16}"]
            .prop_map(|text| (text, None));
        let value = prop_oneof![2 => none, 2 => template, 1 => twice, 3 => real, 3 => any];
        (unseen(), value, unseen()).prop_map(move |(before, (text, expected), after)| Input {
            name,
            value: format!("{before}{text}{after}"),
            expected,
        })
    })
}

#[test]
fn a_value_is_read_alike_on_all_ways_in() {
    try_on(service(), &input(), &async |service, input: Input| {
        let mints = service.chathub.calls(Endpoint::OperatorToken);
        let outcome = by_all(service, input.name, &input.value).await?;
        if let Some(expected) = input.expected {
            prop_assert_eq!(outcome, expected);
        }
        // One operator, whose token is reused.
        prop_assert!(service.chathub.calls(Endpoint::OperatorToken) <= mints + 1);
        Ok(())
    });
}
