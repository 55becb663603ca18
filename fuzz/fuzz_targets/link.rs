//! A phone as a link. Any text: its number is the one that a plain reading of the link gives, or it
//! is refused. Behind a `!`, a link that is made of a number, in one of many spellings: the number
//! is the one of the plain text, through the query of a click as well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use open_chat::http::fuzzing::query;
use open_chat::phone::{PhoneError, PhoneNumber, Region, is_link};
use open_chat::source::ChatSource;
use open_chat_fuzz::as_it_looks;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Url, form_urlencoded};

type Read = (PhoneNumber, Option<ChatSource>);

fuzz_target!(|input: &str| {
    match input.strip_prefix('!') {
        Some(recipe) => made(recipe),
        None => any(input),
    }
});

fn parse(text: &str, region: Region) -> Result<Read, PhoneError> {
    PhoneNumber::parse_with_source(text, region)
}

/// A number that comes out of a text that is no plain number is the one that is read here.
fn any(text: &str) {
    // No value with a control character comes so far, and URL parsers disagree about `\`.
    if text.contains(|c: char| c.is_control() || c == '\\') {
        return;
    }
    let seen = as_it_looks(text);
    for region in [Region::UA, Region::parse("US").unwrap()] {
        let Ok((phone, source)) = parse(text, region) else {
            continue;
        };
        let has_letters = seen.chars().any(char::is_alphabetic);
        if !has_letters {
            assert_eq!(source, None);
            continue;
        }
        assert!(is_link(&seen), "{} of no link: {text}", phone.as_str());
        let decoded = decoded(&seen).unwrap_or_default();
        let readings = [&seen, &decoded].map(|text| reading(text.trim_start()));
        let is_right = |(of, number): &(Option<ChatSource>, String)| {
            // What follows a comma is dialled after a pause, or it is a mark like another.
            let before_pause = number.split(',').next().unwrap_or_default();
            let numbers = [number.as_str(), before_pause];
            *of == source
                && numbers
                    .map(|number| plain(number, region))
                    .contains(&Some(phone))
        };
        assert!(
            readings.iter().flatten().any(is_right),
            "{} of {text}, which reads {readings:?}",
            phone.as_str()
        );
    }
}

/// The number of a text that is no link.
fn plain(number: &str, region: Region) -> Option<PhoneNumber> {
    let phone = PhoneNumber::parse(number, region).ok();
    phone.filter(|_| !is_link(number))
}

fn decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// Whose messenger's a link is, and the number in it, as a URL parser reads it.
fn reading(text: &str) -> Option<(Option<ChatSource>, String)> {
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    let in_query = |name: &str| {
        let url = Url::parse(&format!("x:{}", rest.trim_start_matches('/'))).ok()?;
        only_value(url.query()?, name)
    };
    let (viber, whatsapp) = (ChatSource::Viber, ChatSource::Whatsapp);
    match &*scheme.to_ascii_lowercase() {
        "viber" => Some((Some(viber), in_query("number")?)),
        "whatsapp" => Some((Some(whatsapp), in_query("phone")?)),
        "tg" => Some((Some(ChatSource::TelegramBot), in_query("phone")?)),
        "tel" | "sms" | "smsto" | "callto" | "skype" => Some((None, dialled(rest))),
        "sip" | "sips" => Some((
            None,
            dialled(rest)
                .split(':')
                .next()
                .unwrap_or_default()
                .to_owned(),
        )),
        "http" | "https" => web(rest),
        _ => web(text),
    }
}

/// The number of a messenger's web address, by the host that a browser would go to.
fn web(address: &str) -> Option<(Option<ChatSource>, String)> {
    let url = Url::parse(&format!("https://{}", address.trim_start_matches('/'))).ok()?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    let host = url
        .host_str()
        .filter(|_| !has_user && url.port().is_none())?;
    let path = decoded(url.path().trim_matches('/'))?;
    match host.strip_prefix("www.").unwrap_or(host) {
        "wa.me" => Some((Some(ChatSource::Whatsapp), with_plus(&path))),
        "api.whatsapp.com" | "web.whatsapp.com" => {
            let number = only_value(url.query()?, "phone")?;
            Some((Some(ChatSource::Whatsapp), number))
        }
        "t.me" | "telegram.me" => {
            let is_number = path.starts_with(['+', ' ']);
            is_number.then_some((Some(ChatSource::TelegramBot), path))
        }
        _ => None,
    }
}

/// The one value of a parameter, however its name is written.
fn only_value(query: &str, name: &str) -> Option<String> {
    let query = query.replace('+', "%2B");
    let mut values = form_urlencoded::parse(query.as_bytes())
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| with_plus(&value))
        .filter(|value| !value.is_empty());
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

fn with_plus(number: &str) -> String {
    let plus = if number.starts_with(|c: char| ('1'..='9').contains(&c)) {
        "+"
    } else {
        ""
    };
    format!("{plus}{number}")
}

/// Skype's links have words behind the number.
fn without_word(number: &str) -> &str {
    let mut before = None;
    for (at, c) in number.char_indices() {
        if c.is_alphabetic() && matches!(before, Some('+' | ' ')) {
            return &number[..at - 1];
        }
        before = Some(c);
    }
    number
}

/// What stands in front of the first delimiter, with the country code of the context.
fn dialled(rest: &str) -> String {
    let Some(decoded) = decoded(rest) else {
        return String::new();
    };
    let mut text = decoded.trim_start_matches('/');
    // A link in a link.
    while let Some((scheme, inner)) = text.split_once(':')
        && !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        text = inner.trim_start_matches('/');
    }
    let text = text.split(['?', '&', '#', '@']).next().unwrap_or_default();
    let mut parts = text.split(';');
    let number = parts.next().unwrap_or_default();
    let number = without_word(number);
    let contexts = parts.filter_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("phone-context").then_some(value)
    });
    let code = contexts
        .last()
        .and_then(|code| code.strip_prefix(['+', ' ']));
    // Anything else is a domain.
    let is_code = |code: &&str| {
        !code.is_empty()
            && code
                .trim_matches(|c| "0123456789-.() ".contains(c))
                .is_empty()
    };
    match code.filter(is_code) {
        Some(code) if !number.starts_with(['+', ' ']) => format!("+{code}{number}"),
        _ => number.to_owned(),
    }
}

/// What stands around a number, and whose messenger's link it is. A `~` is a text of people's.
const LINKS: [(&str, &str, Option<ChatSource>); 22] = [
    ("tel:", "", None),
    ("tel:", ";ext=~", None),
    ("tel:", "?~", None),
    ("sms:", "?body=~", None),
    ("sms:", "&body=~", None),
    ("smsto:", "#~", None),
    ("callto:", "?call", None),
    ("skype:", "?chat&topic=~", None),
    ("sip:", "@pbx.example;user=phone", None),
    ("sips:", ":~@192.0.2.1:5061", None),
    ("viber://chat?number=", "&draft=~", Some(ChatSource::Viber)),
    ("viber://add?a=~&number=", "#~", Some(ChatSource::Viber)),
    ("viber:chat?number=", "", Some(ChatSource::Viber)),
    (
        "whatsapp://send?text=~&phone=",
        "&a",
        Some(ChatSource::Whatsapp),
    ),
    (
        "tg://resolve?phone=",
        "&text=~",
        Some(ChatSource::TelegramBot),
    ),
    ("https://wa.me/", "?text=~", Some(ChatSource::Whatsapp)),
    ("http://www.wa.me//", "/#~", Some(ChatSource::Whatsapp)),
    ("wa.me/", "/", Some(ChatSource::Whatsapp)),
    (
        "https://api.whatsapp.com/send/?text=~&phone=",
        "",
        Some(ChatSource::Whatsapp),
    ),
    (
        "web.whatsapp.com/send?phone=",
        "&text=~#a",
        Some(ChatSource::Whatsapp),
    ),
    ("https://t.me/", "?text=~", Some(ChatSource::TelegramBot)),
    ("www.telegram.me/", "#~", Some(ChatSource::TelegramBot)),
];

const NUMBERS: [&str; 5] = [
    "+380501234567",
    "+12025550123",
    "+442079460018",
    "+4930901820",
    "+390612345678",
];

/// What people put between digits.
const MARKS: [&str; 8] = ["-", " ", ".", "(", ")", "\u{a0}", "\u{200b}", "\u{2011}"];

/// A letter each says which link, which number, how it is encoded and in which case; then digits
/// say where the number has marks, up to a `|`, behind which a text stands in the link.
fn made(recipe: &str) {
    let (recipe, people) = recipe.split_once('|').unwrap_or((recipe, ""));
    let mut bytes = recipe.bytes().map(usize::from);
    let mut choice = |of: usize| bytes.next().unwrap_or_default() % of;
    let (before, after, source) = LINKS[choice(LINKS.len())];
    let e164 = NUMBERS[choice(NUMBERS.len())];
    let (is_number_encoded, is_upper, is_whole) = (choice(2) == 1, choice(2) == 1, choice(2) == 1);
    let mut number = String::new();
    for digit in e164.chars() {
        number.push(digit);
        // As many marks as the plain text may have.
        if let Some(mark) = MARKS.get(choice(3 * MARKS.len())) {
            number.push_str(mark);
        }
    }
    let Ok(phone) = PhoneNumber::parse(&number, Region::UA) else {
        return;
    };
    assert_eq!(phone.as_str(), e164);
    if people.contains(char::is_control) {
        return;
    }
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let upper = |text: &str| {
        if is_upper {
            text.to_ascii_uppercase()
        } else {
            text.to_owned()
        }
    };
    let text = |around: &str| upper(around).replace('~', &encoded(people));
    let spelled = if is_number_encoded {
        encoded(&number)
    } else {
        number
    };
    let mut link = format!("{}{spelled}{}", text(before), text(after));
    if is_whole && before.contains(':') {
        link = encoded(&link);
    }
    let right = Ok((phone, source));
    // What follows a `;` without a name could be a second number, which is refused.
    let is_parameter = people.contains(';') && matches!(after, ";ext=~" | ":~@192.0.2.1:5061");
    if is_parameter && parse(&link, Region::UA) == Err(PhoneError::Extension) {
        return;
    }
    assert_eq!(parse(&link, Region::UA), right, "{link}");

    let clicked = format!("phone={}", encoded(&link));
    let read = query(&clicked).map(|[_, phone, ..]| phone);
    let read = read
        .expect("a link's value is read")
        .expect("it is no nothing");
    assert_eq!(parse(&read, Region::UA), right, "{clicked}");
}
