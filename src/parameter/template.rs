//! Detects unfilled placeholders of CRMs, form builders and mailing tools.

use crate::phone;

/// The brackets of placeholders, which count anywhere in a value:
/// `{{phone}}`, `{!Contact.Phone}`, `${phone}`, `[[phone]]`, `[% phone %]`, `<%= phone %>`,
/// `*|PHONE|*`. Other values do not have them.
const ANYWHERE: [(&str, &str); 5] = [
    ("{", "}"),
    ("[[", "]]"),
    ("[%", "%]"),
    ("<%", "%>"),
    ("*|", "|*"),
];

/// Marks that count only around a whole value that is a name: `#PHONE#`, `%%PHONE%%`, `<phone>`,
/// `[#Contact.Phone#]`. Names of companies contain them as well.
const AROUND: [(char, char); 5] = [('#', '#'), ('$', '$'), ('%', '%'), ('<', '>'), ('[', ']')];

/// Whether a value is an unfilled template.
pub(super) fn is_template(value: &str) -> bool {
    // Almost no value has any of these.
    value.bytes().any(|byte| b"{[%<*#$".contains(&byte))
        && (is_enclosed_somewhere(value) || is_marked_name(value))
}

fn is_enclosed_somewhere(value: &str) -> bool {
    ANYWHERE.iter().any(|(open, close)| {
        value
            .split_once(open)
            .is_some_and(|(_, rest)| rest.contains(close))
    })
}

fn is_marked_name(value: &str) -> bool {
    // The link may have a `+`, or a scheme, before the placeholder of a phone.
    let value = phone::behind_scheme(value).unwrap_or(value);
    let mut inner = value.trim_start_matches('+');
    let mut is_marked = false;
    while let Some(name) = without_marks(inner) {
        inner = name;
        is_marked = true;
    }
    is_marked && is_name(inner)
}

fn without_marks(text: &str) -> Option<&str> {
    AROUND
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
        .map(str::trim)
}

/// Whether a text is the name of a field, in any alphabet: `Contact.Phone`, `UF_CRM-1`.
fn is_name(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '-'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("{{phone}}")]
    #[case("+{{ phone }}")]
    #[case("tel:{phone}")]
    #[case("{!Contact.Phone}")]
    #[case("${phone}")]
    #[case("[[phone]]")]
    #[case("[%phone%]")]
    #[case("<%= phone %>")]
    #[case("*|PHONE|*")]
    #[case("$PHONE$")]
    #[case("#PHONE#")]
    #[case("%PHONE%")]
    #[case("%%PHONE%%")]
    #[case("+%PHONE%")]
    #[case("tel:%PHONE%")]
    #[case("sms:+%DEAL%")]
    #[case("<phone>")]
    #[case("<<phone>>")]
    #[case("[phone]")]
    #[case("[ phone ]")]
    #[case("[#Contact.Phone#]")]
    #[case("#Телефон#")]
    fn a_template(#[case] value: &str) {
        assert!(is_template(value), "{value}");
    }

    #[rstest]
    #[case("")]
    #[case("#")]
    #[case("##")]
    #[case("[]")]
    #[case("phone")]
    #[case("+380501234567")]
    #[case("#1#")]
    #[case("#A b#")]
    #[case("#1 Shop")]
    #[case("100%")]
    #[case("100% Ukraine")]
    #[case("a$b$c")]
    #[case("a<b")]
    #[case("<b>Acme</b>")]
    #[case("<3")]
    #[case("[24] Shop")]
    #[case("{Acme")]
    #[case("}Acme{")]
    #[case("*Acme*")]
    fn no_template(#[case] value: &str) {
        assert!(!is_template(value), "{value}");
    }
}
