//! A phone, after the two letters of a region: refused, or read as E.164 that means itself, as
//! libphonenumber reads it. In every link it is the same, and no link has one that is not in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use open_chat::phone::{PhoneNumber, Region, is_link};
use open_chat_fuzz::as_it_looks;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

/// `+` and 15 digits.
const MAX_E164: usize = 16;

/// What libphonenumber alone makes of a text, without the shortcuts and the refusals of this
/// service.
fn libphonenumber(text: &str, region: &str) -> Option<String> {
    let region = rlibphonenumber::enums::Region::from_code(&region.to_ascii_uppercase()).ok();
    let plus = text
        .strip_prefix(' ')
        .map(str::trim_start)
        .filter(|rest| rest.starts_with(|c: char| ('1'..='9').contains(&c)))
        .map(|rest| format!("+{rest}"));
    let number = PHONE_NUMBER_UTIL
        .parse(plus.as_deref().unwrap_or(text), region)
        .ok()?;
    let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
    let is_good = number.is_valid() && number.extension.is_none() && e164.len() <= MAX_E164;
    is_good.then_some(e164)
}

/// What stands around a number in links of each kind.
const LINKS: [(&str, &str); 14] = [
    ("tel:", ""),
    ("TEL:///", ";ext=12"),
    ("callto://", "+skype"),
    ("sms:", "?body=050 765 43 21"),
    ("smsto:", "&body=1"),
    ("sip:", ":1@pbx.example;user=phone"),
    ("sips:", "@192.0.2.1:5061"),
    ("skype:", "?chat"),
    ("viber://chat/?number=", "&draft=1"),
    ("whatsapp://send?text=1&phone=", "#1"),
    ("tg://resolve?phone=", ""),
    ("https://wa.me/", "/?text=1"),
    ("http://api.whatsapp.com/send?phone=", ""),
    ("t.me/", ""),
];

/// A number is the same in every link, however the link is encoded.
fn check_links(phone: PhoneNumber, region: Region) {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    for (before, after) in LINKS {
        for number in [phone.as_str().to_owned(), encoded(phone.as_str())] {
            let link = format!("{before}{number}{after}");
            assert_eq!(PhoneNumber::parse(&link, region), Ok(phone), "{link}");
            let link = if before.starts_with("t.me") {
                encoded(&format!("https://{link}"))
            } else {
                encoded(&link)
            };
            assert_eq!(PhoneNumber::parse(&link, region), Ok(phone), "{link}");
        }
    }
}

/// The subscriber's digits stand in the link, decoded as often as a link may be encoded.
fn is_in(e164: &str, link: &str) -> bool {
    const SUBSCRIBER: usize = 4;
    let subscriber = &e164[e164.len() - SUBSCRIBER..];
    let mut text = link.to_owned();
    (0..3).any(|_| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        // Other scripts have digits, too.
        let is_found =
            digits.contains(subscriber) || text.chars().any(|c| !c.is_ascii() && c.is_numeric());
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        is_found
    })
}

fuzz_target!(|input: &str| {
    let (code, text) = input
        .split_at_checked(2)
        .filter(|(code, _)| Region::parse(code).is_ok())
        .unwrap_or(("UA", input));
    let region = Region::parse(code).unwrap();
    let seen = as_it_looks(text);
    if is_link(&seen) {
        if let Ok(phone) = PhoneNumber::parse(text, region) {
            assert!(is_in(phone.as_str(), &seen), "{} in {seen}", phone.as_str());
            check_links(phone, region);
        }
        return;
    }
    let refused =
        seen.contains('%') || seen.chars().any(char::is_alphabetic) || seen.chars().count() > 64;
    let Ok(phone) = PhoneNumber::parse(text, region) else {
        assert!(
            refused || libphonenumber(&seen, code).is_none(),
            "a good phone was refused"
        );
        return;
    };
    assert!(!refused);

    let e164 = phone.as_str();
    let digits = e164.strip_prefix('+').expect("E.164 begins with +");
    assert!(digits.bytes().all(|byte| byte.is_ascii_digit()));
    assert!((5..=15).contains(&digits.len()), "{e164}");
    assert_eq!(phone.digits(), digits);
    assert_eq!(
        libphonenumber(&seen, code).as_deref(),
        Some(e164),
        "libphonenumber reads another number"
    );
    for region in [region, Region::UA, Region::parse("US").unwrap()] {
        assert_eq!(PhoneNumber::parse(e164, region), Ok(phone), "in {region}");
    }
    assert_eq!(
        PhoneNumber::parse(&format!(" {digits}"), region),
        Ok(phone),
        "a + that was not encoded"
    );

    check_links(phone, region);

    let shown = phone.masked().to_string();
    let hidden = digits.len() - shown.bytes().filter(u8::is_ascii_digit).count();
    assert!(hidden >= 3, "{shown}");
    assert!(!format!("{phone:?}").contains(e164));
});
