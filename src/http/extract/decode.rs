//! Percent-decoding of a query, which repairs nothing.

use std::borrow::Cow;

/// Why a text cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// Behind a `%` are no two hexadecimal digits.
    PercentEncoding,
    /// What it stands for is not UTF-8.
    Utf8,
}

/// Strict percent-decoding; `+` is a space, as in every form.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, Undecodable> {
    if !raw.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [byte, others @ ..] = rest {
        rest = others;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (escaped, others) = escape(others).ok_or(Undecodable::PercentEncoding)?;
                rest = others;
                escaped
            }
            other => *other,
        });
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| Undecodable::Utf8)
}

/// What a text that is not properly encoded was meant to say, so that a template can be told from
/// it: a browser escapes the `<` of `<%phone%>` and leaves the `%`. Only escapes of ASCII are read,
/// because the `%DE` of `%DEAL%` is none.
pub(super) fn decode_loosely(raw: &str) -> String {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let [byte, others @ ..] = rest {
        rest = others;
        let escape = escape(others).filter(|(escaped, _)| *byte == b'%' && escaped.is_ascii());
        decoded.push(match (byte, escape) {
            (_, Some((escaped, others))) => {
                rest = others;
                escaped
            }
            (b'+', None) => b' ',
            (other, None) => *other,
        });
    }
    // ASCII in the place of ASCII.
    String::from_utf8(decoded).unwrap_or_default()
}

/// The byte that two hexadecimal digits stand for, and what follows.
fn escape(digits: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = digits else {
        return None;
    };
    Some((hex(*high)? << 4 | hex(*low)?, rest))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a%20b+c", Ok("a b c"))]
    #[case("%D1%97", Ok("\u{457}"))]
    #[case("%", Err(Undecodable::PercentEncoding))]
    #[case("%2", Err(Undecodable::PercentEncoding))]
    #[case("%2x", Err(Undecodable::PercentEncoding))]
    #[case("%FF", Err(Undecodable::Utf8))]
    fn strictly(#[case] raw: &str, #[case] expected: Result<&str, Undecodable>) {
        assert_eq!(decode(raw).as_deref(), expected.as_ref().map(|text| *text));
    }

    #[rstest]
    #[case("%%Phone%%", "%%Phone%%")]
    #[case("%2B%DEAL%", "+%DEAL%")]
    #[case("%3C%=+phone%20%%3E", "<%= phone %>")]
    #[case("\u{457}%D1%", "\u{457}%D1%")]
    fn loosely(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(decode_loosely(raw), expected);
    }
}
