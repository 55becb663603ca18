//! Operators' names: which are valid, and when two are equal.

use thiserror::Error;

/// ChatHub's limit, in characters.
const MAX_NAME: usize = 100;

/// What keyboards and word processors write for the apostrophe of `М'яч`.
const APOSTROPHES: [char; 10] = [
    '\'', '`', '\u{b4}', '\u{2b9}', '\u{2bc}', '\u{2018}', '\u{2019}', '\u{201b}', '\u{2032}',
    '\u{ff07}',
];

/// Why a text is not a valid name. `Display` is a clause that begins with "the name".
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// Nothing but white space.
    #[error("the name is empty")]
    Empty,
    /// Longer than ChatHub accepts.
    #[error("the name has more than 100 characters")]
    TooLong,
    /// A line break, a tab or the like.
    #[error("the name has a control character in it, such as a line break")]
    Control,
}

/// Parses a name: 1 to 100 characters, without the white space around them and without invisible
/// characters. White space inside becomes a single space, as it is displayed.
pub fn parse(text: &str) -> Result<String, NameError> {
    if text.trim().chars().any(char::is_control) {
        return Err(NameError::Control);
    }
    let name = text.replace(is_invisible, "");
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.chars().nth(MAX_NAME).is_some() {
        return Err(NameError::TooLong);
    }
    Ok(name)
}

/// A form in which names that look alike are equal: like [`folded`], and with any apostrophe the
/// same and without invisible characters.
///
/// For lists that people type and paste, never for an identity that a third party asserts.
pub fn spelling(name: &str) -> String {
    let plain = name.replace(is_invisible, "").replace(APOSTROPHES, "'");
    folded(&plain)
}

/// Characters without a glyph, which come along when a text is copied. Fewer than
/// [`crate::invisible`] has: a name keeps what shapes its own letters and symbols.
const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// A form in which names are equal whatever their case and white space.
///
/// No letter outside ASCII becomes one of ASCII, as U+212A (the Kelvin sign) becomes `k` in
/// Unicode: a user with such a name must not be mistaken for a colleague.
pub fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for word in name.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        word.chars().for_each(|letter| fold(letter, &mut folded));
    }
    folded
}

fn fold(letter: char, folded: &mut String) {
    match letter {
        letter if lowers_into_ascii(letter) => folded.push(letter),
        // The same letter at the end of a word.
        'ς' => folded.push('σ'),
        letter => folded.extend(letter.to_lowercase()),
    }
}

/// Whether the lower case of a letter outside ASCII contains one of ASCII.
pub fn lowers_into_ascii(letter: char) -> bool {
    !letter.is_ascii() && letter.to_lowercase().any(|lower| lower.is_ascii())
}

/// Whether a name has white space outside ASCII, such as U+00A0. [`folded`] turns it into a plain
/// space, which suits names that people type and paste, but not an asserted identity.
pub fn has_foreign_space(name: &str) -> bool {
    name.chars()
        .any(|letter| letter.is_whitespace() && !letter.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_not_bytes() {
        let longest = "\u{407}".repeat(100);
        assert_eq!(parse(&format!(" {longest}\u{a0}")), Ok(longest.clone()));
        assert_eq!(parse(&format!("{longest}x")), Err(NameError::TooLong));
        assert_eq!(parse(" \u{a0} "), Err(NameError::Empty));
        assert_eq!(parse("Ann\tLee"), Err(NameError::Control));
    }

    #[test]
    fn invisible_characters_are_no_part_of_a_name() {
        assert_eq!(
            parse(" Ann \u{200b} \u{a0} Lee\u{feff}"),
            Ok("Ann Lee".into())
        );
        assert_eq!(parse("\u{200b}\u{2060}"), Err(NameError::Empty));
        assert_eq!(
            parse(&format!("{}\u{200b}", "x".repeat(100))),
            Ok("x".repeat(100))
        );
    }

    #[test]
    fn an_apostrophe_is_one_however_it_is_written() {
        for apostrophe in [
            "'",
            "`",
            "\u{2019}",
            "\u{2018}",
            "\u{2bc}",
            "\u{b4}",
            "'\u{200b}",
        ] {
            let name = format!("МАР{apostrophe}яна");
            assert_eq!(spelling(&name), "мар'яна", "{apostrophe:?}");
        }
        assert_ne!(
            folded("Мар'яна"),
            folded("Мар’яна"),
            "an identity is told apart"
        );
    }

    #[test]
    fn case_does_not_matter() {
        assert_eq!(
            folded(" \u{407}\u{416}\u{410}\u{41a} "),
            folded("\u{457}\u{436}\u{430}\u{43a}")
        );
        assert_eq!(folded("Ann  Lee"), folded("ann lee"));
        assert_ne!(folded("Ann"), folded("Anna"));
        assert_eq!(folded("ΟΔΟΣ"), folded("οδος"));
    }

    #[test]
    fn no_character_outside_ascii_folds_into_ascii() {
        for letter in (0x80..=0x10_ffff).filter_map(char::from_u32) {
            let folded = folded(&format!("a{letter}b"));
            let is_space = letter.is_whitespace() && has_foreign_space(&letter.to_string());
            let inside = &folded[1..folded.len() - 1];
            assert!(!inside.is_empty(), "{letter:?}");
            assert!(
                is_space && inside == " " || !inside.chars().any(|c| c.is_ascii()),
                "{letter:?} became {inside:?}"
            );
        }
    }

    /// The other half of the same rule: case does not matter in any alphabet.
    #[test]
    fn every_letter_folds_like_its_lower_case() {
        for letter in (0..=0x10_ffff).filter_map(char::from_u32) {
            let lower: String = letter.to_lowercase().collect();
            let is_same = folded(&letter.to_string()) == folded(&lower);
            assert_eq!(is_same, !lowers_into_ascii(letter), "{letter:?}");
        }
    }
}
