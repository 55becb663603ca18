//! Invisible characters, and Unicode's many spaces and dashes.
//!
//! Copied phones and names are full of them: a contact card wraps a number in direction marks, a
//! page groups digits with thin spaces, a file begins with a byte order mark.

use std::ops::Range;

/// Whether a character is invisible: Unicode's `Default_Ignorable_Code_Point`, and the annotation
/// marks.
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a character is blank: Unicode's white space, and the empty braille pattern.
pub const fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{2800}'
}

/// Whether a character is a dash or a minus: Unicode's `Dash`.
pub const fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{58a}'
            | '\u{5be}'
            | '\u{1400}'
            | '\u{1806}'
            | '\u{2010}'..='\u{2015}'
            | '\u{2053}'
            | '\u{207b}'
            | '\u{208b}'
            | '\u{2212}'
            | '\u{2e17}'
            | '\u{2e1a}'
            | '\u{2e3a}'..='\u{2e3b}'
            | '\u{2e40}'
            | '\u{2e5d}'
            | '\u{301c}'
            | '\u{3030}'
            | '\u{30a0}'
            | '\u{fe31}'..='\u{fe32}'
            | '\u{fe58}'
            | '\u{fe63}'
            | '\u{ff0d}'
            | '\u{10d6e}'
            | '\u{10ead}'
    )
}

/// The text without blank and invisible characters around it.
pub fn trim(text: &str) -> &str {
    &text[visible_range(text)]
}

/// The range of the text that [`trim`] keeps.
pub fn visible_range(text: &str) -> Range<usize> {
    let is_trimmed = |c: char| is_blank(c) || is_invisible(c);
    let start = text.len() - text.trim_start_matches(is_trimmed).len();
    let end = start + text[start..].trim_end_matches(is_trimmed).len();
    let is_symbol = |c: char| !c.is_ascii() && !c.is_alphanumeric();
    if !text[start..end].chars().next_back().is_some_and(is_symbol) {
        return start..end;
    }
    // After a symbol these select the emoji, or the flag of a region.
    let rest = &text[end..];
    let kept = rest.trim_start_matches(|c| matches!(c, '\u{fe0f}' | '\u{e0020}'..='\u{e007f}'));
    start..text.len() - kept.len()
}

#[cfg(test)]
mod tests {
    use regex::Regex;
    use rstest::rstest;

    use super::*;

    /// The tables are those of the Unicode version of `regex`.
    #[test]
    fn tables_are_unicode_s() {
        for (is_one, class) in [
            (
                is_invisible as fn(char) -> bool,
                r"[\p{Default_Ignorable_Code_Point}\x{FFF9}-\x{FFFB}]",
            ),
            (is_blank, r"[\p{White_Space}\x{2800}]"),
            (is_dash, r"\p{Dash}"),
        ] {
            let all: String = ('\0'..=char::MAX).collect();
            let unicode = Regex::new(class).unwrap();
            let unicode: String = unicode.find_iter(&all).map(|one| one.as_str()).collect();
            let ours: String = all.chars().filter(|c| is_one(*c)).collect();
            assert_eq!(ours, unicode);
        }
    }

    #[rstest]
    #[case("", "")]
    #[case(" \u{a0}\u{200b}", "")]
    #[case("Acme", "Acme")]
    #[case("\u{feff} Acme \u{3000}\u{202c}", "Acme")]
    #[case(" A\u{200b} b ", "A\u{200b} b")]
    #[case("Acme\u{fe0f}", "Acme")]
    #[case("\u{fe0f}\u{2764}\u{fe0f} \u{200b}", "\u{2764}\u{fe0f}")]
    #[case(
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}\u{200d}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}"
    )]
    fn visible_text_is_kept(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(trim(text), expected);
    }
}
