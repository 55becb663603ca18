//! Sentences with names in them.

/// The pieces of a text, and whether each is a name that stood between code marks. A template shows
/// and escapes them one by one.
pub(super) struct Prose(pub(super) Vec<(bool, String)>);

impl Prose {
    pub(super) fn of(text: &str) -> Self {
        let pieces = text.split('`').enumerate();
        Self(
            pieces
                .map(|(position, piece)| (position % 2 == 1, piece.to_owned()))
                .collect(),
        )
    }
}
