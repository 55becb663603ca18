//! The outcome of a name or row, as tables, JSON and results files show it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The outcome of a name that was given, or of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RowOutcome {
    /// A new operator.
    Added,
    /// The organization has an operator of this name.
    Exists,
    /// An earlier name or row is the same.
    Duplicate,
    /// ChatHub refuses it.
    Failed,
    /// Sent, and the import ended before it was known whether it was added.
    Unknown,
}

impl RowOutcome {
    /// Whether a later run skips the row.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Added | Self::Exists | Self::Duplicate)
    }
}

/// The same word as in JSON.
impl fmt::Display for RowOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
