//! An identity as a page or a problem shows it: what a proxy says, in a form that can be copied.

use std::fmt::Write as _;

use crate::operators::name::lowers_into_ascii;

/// The longest that is shown, in characters: a longer one is hardly an address.
const LONGEST: usize = 100;

/// An identity that leads to no operator.
#[derive(Clone, Debug)]
pub(crate) struct ShownIdentity {
    text: String,
    is_shortened: bool,
}

impl ShownIdentity {
    /// Writes whatever the eye would miss, or take for something else, as TOML does: `\u202e`.
    pub(crate) fn of(identity: &str) -> Self {
        let identity = identity.trim_ascii();
        let mut text = String::new();
        for letter in identity.chars().take(LONGEST) {
            push(letter, &mut text);
        }
        let is_shortened = identity.chars().nth(LONGEST).is_some();
        if is_shortened {
            text.push('…');
        }
        Self { text, is_shortened }
    }

    /// The identity, or its beginning.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The line of `OPERATOR_MAP_FILE` that would make it operator 101; a part of an identity makes
    /// none.
    pub(crate) fn map_line(&self) -> Option<String> {
        (!self.is_shortened).then(|| format!("\"{}\" = 101", self.text))
    }
}

fn push(letter: char, text: &mut String) {
    let is_plain = match letter {
        // A code mark would end the name that it stands in.
        '"' | '\\' => {
            text.push('\\');
            true
        }
        '`' => false,
        letter if letter.is_ascii() => !letter.is_control(),
        letter => letter.is_alphanumeric() && !lowers_into_ascii(letter),
    };
    // Writing into a String cannot fail.
    let _ = match u32::from(letter) {
        _ if is_plain => {
            text.push(letter);
            Ok(())
        }
        code @ ..=0xffff => write!(text, "\\u{code:04x}"),
        code => write!(text, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::operators::OperatorMap;

    #[rstest]
    #[case("eve@example.com")]
    #[case(" Eve \\ \"Example\" ")]
    #[case("`eve`")]
    #[case("mi\u{212a}e\u{202e}\u{200b}\u{a0}\u{1f600}")]
    #[case("Олена Приклад")]
    #[case("")]
    fn the_line_can_be_added_to_the_map(#[case] identity: &str) {
        let line = ShownIdentity::of(identity).map_line().unwrap();
        assert!(!line.contains(['`', '\u{202e}', '\u{200b}', '\u{a0}']));
        let again = OperatorMap::parse(&format!("{line}\n{line}")).unwrap_err();
        assert!(again.to_string().contains("duplicate key"), "{again}");
        let map = OperatorMap::parse(&line).unwrap();
        assert_eq!(
            format!("{map:?}"),
            format!(
                "OperatorMap({{{:?}: Id(OperatorId(101))}})",
                identity.trim_ascii().to_ascii_lowercase()
            )
        );
    }

    #[test]
    fn a_long_one_is_shortened() {
        let of = |length: usize| ShownIdentity::of(&"я".repeat(length));
        assert!(of(100).map_line().is_some() && !of(100).text().ends_with('…'));
        assert_eq!(of(101).map_line(), None);
        assert_eq!(of(101).text(), format!("{}…", "я".repeat(100)));
    }
}
