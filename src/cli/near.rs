//! Operators whose names are nearly what somebody has typed.

use chathub::Operator;

use super::output::shown;
use crate::operators::name::spelling;

/// So many are offered.
const MOST: usize = 3;

/// Names that are less alike are no mistyped ones. By Jaro and Winkler, 1 for the same.
const ALIKE: f64 = 0.85;

/// What to do about a name that nobody has.
pub(super) fn hint(operators: &[Operator], text: &str) -> String {
    let near = near(operators, text);
    if near.is_empty() {
        return "`open-chat operators list` shows them".into();
    }
    let names = near
        .iter()
        .map(|operator| format!("{} ({})", shown(&operator.name), operator.id));
    format!("did you mean {}?", names.collect::<Vec<_>>().join(", "))
}

/// The nearest first.
fn near<'a>(operators: &'a [Operator], text: &str) -> Vec<&'a Operator> {
    let text = spelling(text);
    let likeness = |operator: &'a Operator| {
        let name = spelling(&operator.name);
        let likeness = if !text.is_empty() && name.contains(&text) {
            1.0
        } else {
            strsim::jaro_winkler(&name, &text)
        };
        (likeness >= ALIKE).then_some((likeness, operator))
    };
    let mut near: Vec<_> = operators.iter().filter_map(likeness).collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.into_iter()
        .take(MOST)
        .map(|(_, operator)| operator)
        .collect()
}

/// Whether a name has this part, however either is spelt.
pub(super) fn has_part(name: &str, part: &str) -> bool {
    spelling(name).contains(&spelling(part))
}
