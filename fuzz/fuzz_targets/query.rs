//! The query of a click, and in further lines what a pass fixes: phone, chat id, sender, source.
#![no_main]

use libfuzzer_sys::fuzz_target;
use open_chat::access::PassConstraints;
use open_chat::http::Kind;
use open_chat::http::fuzzing::{Values, bound_query, query};
use open_chat::invisible::{is_blank, is_invisible};
use open_chat::parameter::{self, Misread};
use open_chat::phone::{self, PhoneNumber, Region};
use open_chat::source::ChatSource;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

const NAMES: [&str; 6] = ["operator", "phone", "chat_raw_id", "from", "source", "pass"];
const LONGEST: usize = 4096;

/// What a template writes where there is no value, in lower case.
const NO_VALUE: [&str; 8] = [
    "",
    "undefined",
    "null",
    "none",
    "nil",
    "nan",
    "false",
    "[object object]",
];

fuzz_target!(|input: &str| {
    let mut lines = input.split('\n');
    let text = lines.next().unwrap_or_default();
    match query(text) {
        Ok(values) => check(text, &values),
        Err(kind) => check_refused(text, kind),
    }
    let mut fixed = || {
        lines
            .next()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
    };
    let constraints = PassConstraints {
        phone: fixed(),
        chat_raw_id: fixed(),
        from: fixed(),
        source: fixed(),
    };
    check_bound(text, &constraints);
});

/// What a decoder that repairs and guesses makes of a query: it may say more than the strict one,
/// never something else.
fn lenient(text: &str) -> Vec<(usize, String)> {
    form_urlencoded::parse(text.as_bytes())
        .filter_map(|(name, value)| {
            let mut name = &*name;
            while let Some((head, rest)) = name.split_at_checked(4)
                && head.eq_ignore_ascii_case("amp;")
            {
                name = rest;
            }
            let place = NAMES.iter().position(|known| *known == name)?;
            Some((place, value.into_owned()))
        })
        .collect()
}

fn check(text: &str, values: &Values) {
    assert!(text.len() <= LONGEST);
    let written = lenient(text);
    for (place, value) in values.iter().enumerate() {
        let mut given = written.iter().filter(|(at, _)| *at == place);
        let first = given.next().map(|(_, value)| value);
        assert!(given.next().is_none(), "{} is there twice", NAMES[place]);
        check_value(place, value.as_deref(), first.map_or("", String::as_str));
    }

    let again = written_anew(values);
    if again.len() <= LONGEST {
        assert_eq!(query(&again).as_ref(), Ok(values), "written anew: {again}");
    }
    if text.len() + 20 <= LONGEST {
        assert_eq!(
            query(&format!("utm_source=%zz&{text}")).as_ref(),
            Ok(values),
            "what is not ours matters"
        );
        if let Some((place, _)) = written.first() {
            assert_eq!(
                query(&format!("{text}&{}=", NAMES[*place])),
                Err(Kind::ParameterRepeated)
            );
        }
    }
}

fn is_unseen(c: char) -> bool {
    is_blank(c) || is_invisible(c)
}

/// A value is what is seen of what was written, and absent where that says so.
fn check_value(place: usize, value: Option<&str>, written: &str) {
    let name = NAMES[place];
    let Some(value) = value else {
        let seen = written.trim_matches(is_unseen).to_lowercase();
        assert!(NO_VALUE.contains(&&*seen), "{name}: {written:?} is gone");
        return;
    };
    let at = written.find(value).expect("a value was written so");
    let around = written[..at]
        .chars()
        .chain(written[at + value.len()..].chars());
    assert!(
        around.into_iter().all(is_unseen),
        "{name}: {written:?} is {value:?}"
    );
    assert!(!value.chars().any(char::is_control));
    assert!(!(value.contains("{{") && value.ends_with("}}")));
    assert!(!(value.starts_with("[%") && value.ends_with("%]")));
    let is_link = name == "phone" && phone::is_link(value);
    for (at, _) in value.match_indices('%').filter(|_| !is_link) {
        let escape = value.as_bytes().get(at + 1..at + 3);
        let is_escape = escape.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        assert!(!is_escape, "{name}: {value:?} is still encoded");
    }
    // Of what is seen of an emoji, the end may be a mark that alone is not.
    assert!(name == "phone" || !value.starts_with(is_unseen));
    assert!(!value.ends_with(is_blank));
}

fn written_anew(values: &Values) -> String {
    let pairs: Vec<_> = NAMES
        .iter()
        .zip(values)
        .filter_map(|(name, value)| {
            let value = utf8_percent_encode(value.as_ref()?, NON_ALPHANUMERIC);
            Some(format!("{name}={value}"))
        })
        .collect();
    pairs.join("&")
}

fn check_refused(text: &str, kind: Kind) {
    assert!(
        match kind {
            Kind::QueryTooLong => text.len() > LONGEST,
            Kind::ParameterRepeated => lenient(text).len() > 1,
            Kind::ParameterInvalid | Kind::PlaceholderUnfilled => text.len() <= LONGEST,
            // Encoded twice.
            Kind::PhoneInvalid => text.contains("%25"),
            _ => false,
        },
        "{kind:?}"
    );
}

/// Whatever the query says, a pass for one client opens that client's chat or none.
fn check_bound(text: &str, constraints: &PassConstraints) {
    let Ok([_, phone, chat, from, source, _]) = bound_query(text, constraints.clone(), Region::UA)
    else {
        return;
    };
    let read = |text: &Option<String>, read: fn(&str) -> Result<Option<&str>, Misread>| {
        let value = text.as_deref().map(read).transpose();
        let value = value.expect("what cannot be read fixes nothing");
        value.flatten().map(str::to_owned)
    };
    let constraints = PassConstraints {
        phone: read(&constraints.phone, parameter::read_phone),
        chat_raw_id: read(&constraints.chat_raw_id, parameter::read),
        from: read(&constraints.from, parameter::read),
        source: read(&constraints.source, parameter::read),
    };
    let free = query(text).expect("a query that cannot be read is bound by nothing");
    for (value, fixed, free) in [
        (&phone, &constraints.phone, &free[1]),
        (&chat, &constraints.chat_raw_id, &free[2]),
        (&from, &constraints.from, &free[3]),
        (&source, &constraints.source, &free[4]),
    ] {
        assert_eq!(value, if free.is_some() { free } else { fixed });
    }
    if constraints.phone.is_some() || constraints.chat_raw_id.is_some() {
        assert_eq!(chat, constraints.chat_raw_id);
        assert_eq!(phone.is_some(), constraints.phone.is_some());
    }
    let number = |text: &Option<String>| PhoneNumber::parse(text.as_ref()?, Region::UA).ok();
    let channel = |text: &Option<String>| ChatSource::parse(text.as_ref()?).ok();
    if free[1].is_some() && constraints.phone.is_some() {
        assert!(number(&phone).is_some());
        assert_eq!(number(&phone), number(&constraints.phone));
    }
    if free[4].is_some() && constraints.source.is_some() {
        assert_eq!(channel(&free[4]), channel(&constraints.source));
    }
    for (free, fixed) in [
        (&free[2], &constraints.chat_raw_id),
        (&free[3], &constraints.from),
    ] {
        assert!(free.is_none() || fixed.is_none() || free == fixed);
    }
}
