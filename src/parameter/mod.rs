//! Reads the values that CRM templates write: in a decoded query, in the claims of a pass, in the
//! body of `POST /links`.
//!
//! Templates fail in a few well-known ways. Each of them means that there is no value, or is
//! refused: a guess could open the wrong chat.

mod template;

use std::ops::Range;

use crate::{invisible, phone};

/// What programming languages print for a missing value.
const NO_VALUE: [&str; 7] = [
    "undefined",
    "null",
    "none",
    "nil",
    "nan",
    "false",
    "[object Object]",
];

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misread {
    /// The value has a control character, such as a line break.
    ControlCharacter,
    /// The value is an unfilled template.
    Template,
    /// The value is still percent-encoded.
    Encoded,
}

/// Reads a value without the blank and invisible characters around it; `None` where it is absent.
pub fn read(text: &str) -> Result<Option<&str>, Misread> {
    Ok(range(text)?.map(|range| &text[range]))
}

/// Reads a phone: the same, but a space in front of it stays, because it is a `+` that was not
/// percent-encoded, and a phone link may be encoded, as URIs are.
pub fn read_phone(text: &str) -> Result<Option<&str>, Misread> {
    let range = match range(text) {
        Err(Misread::Encoded) if phone::is_link(invisible::trim(text)) => {
            Some(invisible::visible_range(text))
        }
        range => range?,
    };
    Ok(range.map(|range| {
        let start = text[..range.start].rfind(' ').unwrap_or(range.start);
        &text[start..range.end]
    }))
}

/// Whether a value counts as absent.
pub fn is_absent(text: &str) -> bool {
    let text = invisible::trim(text);
    text.is_empty() || NO_VALUE.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a text is an unfilled template.
pub fn is_template(text: &str) -> bool {
    template::is_template(invisible::trim(text))
}

/// The range of the value in a text.
fn range(text: &str) -> Result<Option<Range<usize>>, Misread> {
    if text.bytes().all(is_ordinary) {
        return Ok(Some(0..text.len()).filter(|_| !is_absent(text)));
    }
    if text.chars().any(char::is_control) {
        return Err(Misread::ControlCharacter);
    }
    let range = invisible::visible_range(text);
    let value = &text[range.clone()];
    if is_absent(value) {
        return Ok(None);
    }
    if template::is_template(value) {
        return Err(Misread::Template);
    }
    if is_encoded(value) {
        return Err(Misread::Encoded);
    }
    Ok(Some(range))
}

/// Almost all values have only such bytes, and need no further check.
const fn is_ordinary(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !matches!(byte, b'#' | b'$' | b'%' | b'*' | b'<' | b'[' | b'{')
}

/// Whether an escape is left. A `%` without two hexadecimal digits is a per cent sign.
fn is_encoded(value: &str) -> bool {
    value.as_bytes().windows(3).any(|bytes| match bytes {
        [b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("101", Ok(Some("101")))]
    #[case("\u{200b} Acme Ltd\u{a0}", Ok(Some("Acme Ltd")))]
    #[case("", Ok(None))]
    #[case(" \u{feff}", Ok(None))]
    #[case("Undefined", Ok(None))]
    #[case(" None\u{200b}", Ok(None))]
    #[case("[object Object]", Ok(None))]
    #[case("None Smith", Ok(Some("None Smith")))]
    #[case("0", Ok(Some("0")))]
    #[case("{{phone}}", Err(Misread::Template))]
    #[case(" #PHONE# ", Err(Misread::Template))]
    #[case("%DEAL%", Err(Misread::Template))]
    #[case("Acme%20Ltd", Err(Misread::Encoded))]
    #[case("%CF%F0", Err(Misread::Encoded))]
    #[case("50%OFF", Ok(Some("50%OFF")))]
    #[case("100%", Ok(Some("100%")))]
    #[case("a\nb", Err(Misread::ControlCharacter))]
    #[case("a\u{85}", Err(Misread::ControlCharacter))]
    fn values(#[case] text: &str, #[case] expected: Result<Option<&str>, Misread>) {
        assert_eq!(read(text), expected);
        if let Ok(Some(value)) = expected {
            assert_eq!(read(value), expected, "read again");
        }
    }

    #[rstest]
    #[case(" 380501234567 ", " 380501234567")]
    #[case("\u{200e} 380501234567", " 380501234567")]
    #[case("  \u{200e}380501234567", " \u{200e}380501234567")]
    #[case("\u{a0}0501234567", "0501234567")]
    #[case("+380501234567\u{2069}", "+380501234567")]
    #[case(" tel:%2B380501234567 ", " tel:%2B380501234567")]
    #[case("tel%3A%2B380501234567", "tel%3A%2B380501234567")]
    fn a_space_before_a_phone_stays(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(read_phone(text), Ok(Some(expected)));
    }
}
