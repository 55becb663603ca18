//! A phone, after the two letters of a region: refused, or read as E.164 that means itself, as
//! libphonenumber reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use open_chat::invisible::{is_blank, is_dash, is_invisible};
use open_chat::phone::{PhoneNumber, Region};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

/// `+` and 15 digits.
const MAX_E164: usize = 16;

/// A text as it looks: what is not seen is not there, and all spaces and dashes are the plain ones.
fn as_it_looks(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if c.is_ascii() {
            plain.push(c);
        } else if is_dash(c) {
            plain.push('-');
        } else if !is_blank(c) {
            plain.push(c);
        } else if !plain.is_empty() {
            // In front it would be a `+` that was not encoded.
            plain.push(' ');
        }
    }
    plain
}

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

fuzz_target!(|input: &str| {
    let (code, text) = input
        .split_at_checked(2)
        .filter(|(code, _)| Region::parse(code).is_ok())
        .unwrap_or(("UA", input));
    let region = Region::parse(code).unwrap();
    let seen = as_it_looks(text);
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

    let shown = phone.masked().to_string();
    let hidden = digits.len() - shown.bytes().filter(u8::is_ascii_digit).count();
    assert!(hidden >= 3, "{shown}");
    assert!(!format!("{phone:?}").contains(e164));
});
