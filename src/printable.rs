//! Escapes or replaces characters that are not printable, in logs and on terminals.
//!
//! Names and identities come from strangers. A control character moves the cursor, U+202E turns the
//! writing direction, U+2028 begins a line, U+200B is invisible: each of them can forge a line.

use std::borrow::Cow;
use std::io::Write as _;

use crate::invisible;

/// Replaces a character where an escape would be too long.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a character is printable: a letter, mark, digit, symbol or the plain space.
pub fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    !is_blank(c) && !is_escaped_by_std(c)
}

/// By the standard library's table: controls, format characters, separators, and unassigned
/// characters.
fn is_escaped_by_std(c: char) -> bool {
    // After a letter, because a combining mark at the start of a text would be escaped too.
    let mut text = [b'a', 0, 0, 0, 0];
    let length = c.encode_utf8(&mut text[1..]).len();
    str::from_utf8(&text[..=length]).is_ok_and(|text| text.escape_debug().nth(1) == Some('\\'))
}

/// Blank and invisible characters, whatever their category. U+FE0F, which makes a symbol an emoji,
/// is kept.
const fn is_blank(c: char) -> bool {
    c != '\u{fe0f}' && (invisible::is_invisible(c) || invisible::is_blank(c))
}

/// Appends a text as the inside of a JSON string, with escapes such as `\u202e` for characters that
/// are not printable.
pub fn push_quoted(line: &mut Vec<u8>, text: &str) {
    push_escaped(line, text, |c| matches!(c, '"' | '\\') || !is_printable(c));
}

/// Escapes JSON, or a line of a log, except for the given controls.
///
/// JSON has other such characters only in strings, so its meaning stays.
pub fn escaped<'a>(text: &'a str, controls: &[char]) -> Cow<'a, str> {
    let is_hidden = |c| !is_printable(c) && !controls.contains(&c);
    if !text.contains(is_hidden) {
        return text.into();
    }
    let mut escaped = Vec::with_capacity(text.len() + 16);
    push_escaped(&mut escaped, text, is_hidden);
    // The escapes are ASCII, so the text stays UTF-8.
    String::from_utf8(escaped).unwrap_or_default().into()
}

/// A text as one line on a terminal.
pub fn one_line(text: &str) -> String {
    replaced(text, |c| !is_printable(c))
}

/// A text as several lines on a terminal.
pub fn lines(text: &str) -> String {
    replaced(text, |c| !is_printable(c) && c != '\n')
}

fn replaced(text: &str, is_hidden: impl Fn(char) -> bool) -> String {
    text.chars()
        .map(|c| if is_hidden(c) { REPLACEMENT } else { c })
        .collect()
}

/// Copies the text between escapes in one piece.
fn push_escaped(line: &mut Vec<u8>, text: &str, is_escaped: impl Fn(char) -> bool) {
    let mut copied = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| is_escaped(*c)) {
        line.extend_from_slice(&text.as_bytes()[copied..at]);
        copied = at + c.len_utf8();
        push_escape(line, c);
    }
    line.extend_from_slice(&text.as_bytes()[copied..]);
}

/// `\"`, or JSON's escape of each UTF-16 unit, which readers of logfmt understand as well.
fn push_escape(line: &mut Vec<u8>, c: char) {
    if matches!(c, '"' | '\\') {
        line.extend([b'\\', c as u8]);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing into a Vec cannot fail.
        let _ = write!(line, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters that move, hide, turn or end a line.
    const HIDDEN: [char; 24] = [
        '\0',
        '\t',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
        '\u{a0}',
        '\u{ad}',
        '\u{34f}',
        '\u{61c}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{2028}',
        '\u{2029}',
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{3164}',
        '\u{feff}',
        '\u{e0041}',
        '\u{e000}',
    ];

    #[test]
    fn only_visible_characters_are_printable() {
        for c in HIDDEN {
            assert!(!is_printable(c), "{c:?}");
        }
        for c in " aЙїẞ漢😀\u{301}\u{fe0f}\"\\=~€№".chars() {
            assert!(is_printable(c), "{c:?}");
        }
    }

    #[test]
    fn escaped_json_has_the_same_meaning() {
        let text: String = HIDDEN.iter().chain(&['"', '\\', 'ї', '😀']).collect();
        let mut quoted = vec![b'"'];
        push_quoted(&mut quoted, &text);
        quoted.push(b'"');
        assert!(str::from_utf8(&quoted).unwrap().chars().all(is_printable));
        assert_eq!(serde_json::from_slice::<String>(&quoted).unwrap(), text);

        let json = serde_json::to_string(&[&text]).unwrap();
        let shown = escaped(&json, &[]);
        assert!(shown.chars().all(is_printable), "{shown}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [text]);
    }

    #[test]
    fn printable_text_is_unchanged() {
        assert!(matches!(
            escaped("Zoë \"ї\" 😀\n", &['\n']),
            Cow::Borrowed(_)
        ));
        assert_eq!(
            escaped("a\u{e0041}\u{2028}b\n", &['\n']),
            "a\\udb40\\udc41\\u2028b\n"
        );
        assert_eq!(one_line("a\nb\u{202e}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(lines("a\nb\u{202e}c"), "a\nb\u{fffd}c");
    }
}
