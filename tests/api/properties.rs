//! What holds for every query that there is, tried with invented ones. The seed is fixed, so a run
//! is the same everywhere; what has ever failed is kept beside this file and tried first.
//! `PROPTEST_RNG_SEED=…` tries others.

use std::cell::Cell;

use chathub_simulator::Endpoint;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{
    Config, FileFailurePersistence, RngSeed, TestCaseError, TestCaseResult, TestRunner,
};
use regex::Regex;
use tokio::runtime::Runtime;

use crate::harness::{Problem, Service, header, raw, rules};

const CASES: u32 = 300;

/// The four documented shapes of a deep link, and nothing else.
const LINK: &str = r"\Ahttps://chat\.smsbat\.com/\?(?:chat_raw_id=(?<chat>(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)|(?:(?:source=(?<source>[0-7])&)?from=(?<sender>(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+)&)?phone=%2B(?<phone>[1-9][0-9]{6,14}))&token=[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\z";

/// A deep link, read by other code than the one that writes it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Link {
    chat: Option<String>,
    source: Option<String>,
    sender: Option<String>,
    phone: Option<String>,
}

impl Link {
    fn read(location: &str) -> Option<Self> {
        let link = Regex::new(LINK).unwrap().captures(location)?;
        let value = |name| {
            let escaped = link.name(name)?.as_str();
            let decoded = percent_encoding::percent_decode_str(escaped).decode_utf8();
            Some(decoded.unwrap().into_owned())
        };
        Some(Self {
            chat: value("chat"),
            source: value("source"),
            sender: value("sender"),
            phone: value("phone"),
        })
    }
}

/// A button of some CRM: each value as the CRM means it, and what its phone is where that is known.
#[derive(Clone, Debug)]
struct Button {
    operator: &'static str,
    phone: Option<(String, Option<String>)>,
    chat: Option<String>,
    sender: Option<String>,
    source: Option<String>,
    foreign: String,
    /// Where the order of the parameters begins.
    first: Index,
    /// Which characters are escaped, and in which case.
    escapes: u64,
}

impl Button {
    fn query(&self) -> String {
        let phone = self.phone.as_ref().map(|(written, _)| written);
        let mut pairs: Vec<_> = [
            ("operator", Some(self.operator)),
            ("phone", phone.map(String::as_str)),
            ("chat_raw_id", self.chat.as_deref()),
            ("from", self.sender.as_deref()),
            ("source", self.source.as_deref()),
            ("utm_source", Some(&self.foreign)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", self.escaped(value?))))
        .collect();
        let first = self.first.index(pairs.len());
        pairs.rotate_left(first);
        pairs.join("&")
    }

    fn escaped(&self, value: &str) -> String {
        let mut escapes = self.escapes;
        let mut text = String::new();
        for byte in value.bytes() {
            escapes = escapes.rotate_left(7);
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~'
                    if escapes & 1 == 0 =>
                {
                    text.push(char::from(byte));
                }
                b' ' if escapes & 2 == 0 => text.push('+'),
                _ => {
                    let hex = format!("%{byte:02x}");
                    text.push_str(&match escapes & 4 {
                        0 => hex,
                        _ => hex.to_uppercase(),
                    });
                }
            }
        }
        text
    }

    /// The link that it must lead to, if it leads anywhere. A phone that is not known is taken from
    /// the answer.
    fn link(&self, phone: Option<String>) -> Link {
        let set = |value: &Option<String>| value.as_deref().and_then(meant);
        if let chat @ Some(_) = set(&self.chat) {
            return Link {
                chat,
                ..Link::default()
            };
        }
        let sender = set(&self.sender);
        let source = set(&self.source).filter(|_| sender.is_some());
        Link {
            chat: None,
            source,
            sender,
            phone: match &self.phone {
                Some((_, known @ Some(_))) => known.clone(),
                _ => phone,
            },
        }
    }
}

/// A value as it is meant: less what is not seen around it, and nothing where it says so.
fn meant(value: &str) -> Option<String> {
    let unseen = r"[\p{White_Space}\p{Default_Ignorable_Code_Point}\x{2800}\x{FFF9}-\x{FFFB}]+";
    let around = Regex::new(&format!(r"\A{unseen}|{unseen}\z")).unwrap();
    let value = around.replace_all(value, "");
    let absent = r"(?i)\A(undefined|null|none|nil|nan|false|\[object object\])?\z";
    let is_absent = Regex::new(absent).unwrap().is_match(&value);
    (!is_absent).then(|| value.into_owned())
}

/// Any text without control characters, and what programs take for more than text.
fn text() -> impl Strategy<Value = String> {
    let snippets = select(vec![
        "&",
        "=",
        "#",
        "?",
        "+",
        "%",
        "%26",
        "%0d%0a",
        "//evil.example",
        "\\",
        "@",
        ":",
        ";",
        "\"",
        "<",
        "'",
        "token=",
        "&phone=",
        "\u{202e}",
        "\u{feff}",
        "\u{2028}",
        "\u{1f600}",
        "\u{200b}",
        "undefined",
        "Acme",
        "65a1",
        " ",
    ]);
    prop_oneof![
        3 => "[A-Za-z0-9 _-]{1,20}",
        2 => "\\PC{1,40}",
        2 => prop::collection::vec(snippets, 1..6).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

/// A Ukrainian mobile number in one of the ways in which CRMs write it; any digits and signs;
/// anything.
fn phone() -> impl Strategy<Value = (String, Option<String>)> {
    let ways = select(vec![
        "+380", "380", "0", "00380", " 380", "+38 (0", "+38-0", "8 0",
    ]);
    let mobile = ("(39|50|6[3678]|73|9[1-9])[0-9]{7}", ways).prop_map(|(number, way)| {
        let (code, rest) = number.split_at(2);
        let (written, known) = match way {
            "+38 (0" => (format!("+38 (0{code}) {rest}"), true),
            "+38-0" => (format!("+38-0{code}-{}-{}", &rest[..3], &rest[3..]), true),
            // The old trunk prefix: whatever comes of it must be a phone.
            "8 0" => (format!("8 0{number}"), false),
            way => (format!("{way}{number}"), true),
        };
        (written, known.then(|| format!("380{number}")))
    });
    prop_oneof![
        6 => mobile,
        2 => "[+ ]?[0-9]{7,15}".prop_map(|text| (text, None)),
        1 => "[-+ ()./0-9*#;,]{0,24}".prop_map(|text| (text, None)),
        1 => text().prop_map(|text| (text, None)),
    ]
}

fn source() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[0-7]", 1 => "[89]", 1 => text()]
}

fn button() -> impl Strategy<Value = Button> {
    (
        select(vec!["101", "102", "John Smith", "nobody"]),
        prop::option::weighted(0.8, phone()),
        prop::option::weighted(0.3, text()),
        prop::option::of(text()),
        prop::option::of(source()),
        text(),
        any::<Index>(),
        any::<u64>(),
    )
        .prop_map(
            |(operator, phone, chat, sender, source, foreign, first, escapes)| Button {
                operator,
                phone,
                chat,
                sender,
                source,
                foreign,
                first,
                escapes,
            },
        )
}

/// Each click mints, so a call to ChatHub is a click that was let through.
async fn service() -> Service {
    let variables = [("TOKEN_REUSE", "0"), ("CHATHUB_MAX_RATE", "10000")];
    Service::start_with(rules(), &variables).await
}

/// Tries a property with inputs of this kind.
fn try_with<S: Strategy>(
    inputs: &S,
    property: &impl AsyncFn(&Service, S::Value) -> TestCaseResult,
) {
    try_on(service(), inputs, property);
}

/// The same on a service of another set-up.
pub fn try_on<S: Strategy>(
    service: impl Future<Output = Service>,
    inputs: &S,
    property: &impl AsyncFn(&Service, S::Value) -> TestCaseResult,
) {
    let runtime = Runtime::new().unwrap();
    let service = runtime.block_on(service);
    let mut config = Config::with_cases(CASES);
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(380_501_234_567);
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/api/properties.proptest-regressions"
    ))));
    config.source_file = Some(file!());
    let tried =
        TestRunner::new(config).run(inputs, |input| runtime.block_on(property(&service, input)));
    // The service's tasks end with the runtime.
    drop(service);
    if let Err(failure) = tried {
        panic!("{failure}");
    }
}

fn fails(why: impl Into<String>) -> TestCaseError {
    TestCaseError::fail(why.into())
}

#[test]
fn a_click_leads_to_one_of_four_shapes_with_what_was_asked_or_nowhere() {
    let (led, refused) = (Cell::new(0), Cell::new(0));
    try_with(&button(), &async |service, button| {
        let mints = service.chathub.calls(Endpoint::OperatorToken);
        let response = service.click(&button.query()).await;
        let now = service.chathub.calls(Endpoint::OperatorToken);
        if response.status() != 302 {
            let problem = Problem::read(response).await;
            prop_assert!((400..500).contains(&problem.status), "{:?}", problem);
            prop_assert_eq!(now, mints, "a refused click reached ChatHub");
            refused.set(refused.get() + 1);
            return Ok(());
        }
        prop_assert_eq!(now, mints + 1);
        let location = header(&response, "location");
        let link =
            Link::read(&location).ok_or_else(|| fails(format!("no known shape: {location}")))?;
        prop_assert_eq!(&link, &button.link(link.phone.clone()));
        led.set(led.get() + 1);
        // A phone in E.164 means itself.
        if let Some(phone) = link.phone {
            let again = service
                .click(&format!("operator=101&phone=%2B{phone}"))
                .await;
            let again = Link::read(&header(&again, "location")).and_then(|link| link.phone);
            prop_assert_eq!(again, Some(phone));
        }
        Ok(())
    });
    // Both ways were tried often enough to mean something.
    assert!(led.get() > CASES / 4, "{} led somewhere", led.get());
    assert!(refused.get() > CASES / 8, "{} were refused", refused.get());
}

#[test]
fn a_query_of_any_bytes_is_answered_plainly() {
    let part = prop_oneof![
        4 => select(vec![
            "operator=", "phone=", "chat_raw_id=", "from=", "source=", "pass=", "&", "101", "0501234567", "65a1",
            "%", "%2", "%0d%0aLocation:%20", "%00", "%ff", "%C3%28", "%F0%9F%98%80", "{{", "}}", "+", "=", ";", "#",
            "//evil.example/", "https://", "@", "\\",
        ]).prop_map(str::to_owned),
        // All that a request line can carry.
        1 => "[!-~]{0,12}",
    ];
    let query = prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat());
    try_with(&query, &async |service, query| {
        let calls = service.chathub.total_calls();
        let request =
            format!("GET /open-chat?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(service, &request).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        let head = answer.split("\r\n\r\n").next().unwrap_or_default();
        let mut locations = head
            .lines()
            .filter_map(|line| line.strip_prefix("location: "));
        match (status, locations.next()) {
            ("302", Some(location)) => {
                prop_assert!(Link::read(location).is_some(), "{}", location);
            }
            (status, None) => {
                prop_assert!(status.starts_with('4'), "{}", answer);
                prop_assert_eq!(service.chathub.total_calls(), calls);
            }
            _ => return Err(fails(answer)),
        }
        prop_assert_eq!(locations.next(), None);
        Ok(())
    });
}

#[test]
fn a_phone_is_refused_or_read_as_e_164_that_means_itself() {
    try_with(&phone(), &async |service, (written, known)| {
        let escaped = percent_encoding::percent_encode(
            written.as_bytes(),
            percent_encoding::NON_ALPHANUMERIC,
        );
        let response = service
            .click(&format!("operator=101&phone={escaped}"))
            .await;
        if response.status() != 302 {
            prop_assert_eq!(response.status(), 400);
            prop_assert_eq!(known, None, "a good number was refused");
            return Ok(());
        }
        let phone = Link::read(&header(&response, "location")).and_then(|link| link.phone);
        let phone = phone.ok_or_else(|| fails("no phone"))?;
        prop_assert!(known.is_none_or(|known| known == phone));
        for way in ["%2B", "+"] {
            let query = format!("operator=101&phone={way}{phone}");
            let again = header(&service.click(&query).await, "location");
            let again = Link::read(&again).and_then(|link| link.phone);
            prop_assert_eq!(again.as_ref(), Some(&phone));
        }
        Ok(())
    });
}
