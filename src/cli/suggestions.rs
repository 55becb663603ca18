//! Suggests operators with a similar name for a name that no operator has.

use super::sanitized;
use crate::operators::name::spelling;
use chathub::Operator;

/// How many names are suggested.
const MAX_SUGGESTIONS: usize = 3;

/// The lowest Jaro-Winkler similarity of a mistyped name; 1 means equal.
const MIN_SIMILARITY: f64 = 0.85;

/// The sentence that follows "there is no operator …".
pub(super) fn hint(operators: &[Operator], text: &str) -> String {
    let similar = similar(operators, text);
    if similar.is_empty() {
        return "`open-chat operators list` shows them".into();
    }
    let names = similar
        .iter()
        .map(|(_, operator)| format!("{} ({})", sanitized(&operator.name), operator.id));
    format!("did you mean {}?", names.collect::<Vec<_>>().join(", "))
}

/// The most similar first, each with its similarity.
fn similar<'a>(operators: &'a [Operator], text: &str) -> Vec<(f64, &'a Operator)> {
    let text = spelling(text);
    let similarity = |operator: &'a Operator| {
        let name = spelling(&operator.name);
        let similarity = if !text.is_empty() && name.contains(&text) {
            1.0
        } else {
            strsim::jaro_winkler(&name, &text)
        };
        (similarity >= MIN_SIMILARITY).then_some((similarity, operator))
    };
    let mut similar: Vec<_> = operators.iter().filter_map(similarity).collect();
    similar.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    similar.truncate(MAX_SUGGESTIONS);
    similar
}
