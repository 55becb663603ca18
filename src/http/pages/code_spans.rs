//! Sentences with code spans in them: names between backticks, as in Markdown.

/// The pieces of a text, and whether each is a code span. A template shows and escapes them one by
/// one.
pub(in crate::http) struct CodeSpans(pub(in crate::http) Vec<(bool, String)>);

impl CodeSpans {
    pub(in crate::http) fn of(text: &str) -> Self {
        let pieces = text.split('`').enumerate();
        Self(
            pieces
                .map(|(position, piece)| (position % 2 == 1, piece.to_owned()))
                .collect(),
        )
    }
}
