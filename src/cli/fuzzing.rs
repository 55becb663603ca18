//! The way in for `fuzz/`, which cannot see what is private here. Built with `--cfg fuzzing` alone.

use chathub::OrganizationId;

use super::{CsvText, operators, pair};

/// The name that errors have for the file.
pub const FILE: &str = "operators.csv";

/// Reads a file for `operators import`: line, organization and name of each row.
pub fn import(
    bytes: &[u8],
    organization: Option<OrganizationId>,
) -> anyhow::Result<Vec<(u64, OrganizationId, String)>> {
    operators::read_rows(&CsvText::of(FILE.into(), bytes)?, organization)
}

/// Reads a file for `pair`: line and operator of each row.
pub fn invitations(bytes: &[u8]) -> anyhow::Result<Vec<(u64, String)>> {
    pair::read_file(&CsvText::of(FILE.into(), bytes)?)
}

/// The text of a file, with line feeds, and its separator.
pub fn text(bytes: &[u8]) -> anyhow::Result<(String, u8)> {
    let text = CsvText::of(FILE.into(), bytes)?;
    Ok((text.text, text.separator))
}

/// A cell of the file that `pair` writes.
pub fn cell(text: &str) -> String {
    pair::cell_of(text)
}
