//! What an operator may be called, and when two are called the same.

use thiserror::Error;

/// ChatHub's bound, in characters.
const MAX_NAME: usize = 100;

/// Why a text is no operator's name. `Display` completes "the name …".
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// Nothing but white space.
    #[error("the name is empty")]
    Empty,
    /// More than ChatHub takes.
    #[error("the name has more than 100 characters")]
    TooLong,
    /// A line break, a tab or the like.
    #[error("the name has a control character in it, such as a line break")]
    Control,
}

/// Reads a name: 1 to 100 characters, less the white space around them.
pub fn parse(text: &str) -> Result<String, NameError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.chars().any(char::is_control) {
        return Err(NameError::Control);
    }
    if name.chars().nth(MAX_NAME).is_some() {
        return Err(NameError::TooLong);
    }
    Ok(name.to_owned())
}

/// Two names are the same where this is: case does not matter, nor how much white space there is.
pub fn folded(name: &str) -> String {
    let words: Vec<_> = name.split_whitespace().collect();
    words.join(" ").to_lowercase()
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
    fn case_does_not_matter() {
        assert_eq!(
            folded(" \u{407}\u{416}\u{410}\u{41a} "),
            folded("\u{457}\u{436}\u{430}\u{43a}")
        );
        assert_eq!(folded("Ann  Lee"), folded("ann lee"));
        assert_ne!(folded("Ann"), folded("Anna"));
    }
}
