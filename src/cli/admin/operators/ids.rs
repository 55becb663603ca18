//! Reads the ids of operators from the column `id` of a CSV file.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use crate::cli::{CsvText, sanitized};
use chathub::OperatorId;

/// Reads the ids. Other columns are ignored: the file may come from `operators list --csv`.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = CsvText::read(path)?;
    ids(&text).with_context(|| text.source.clone())
}

fn ids(text: &CsvText) -> anyhow::Result<Vec<String>> {
    let mut reader = text.reader();
    let header = reader.headers()?;
    let column = header
        .iter()
        .position(|name| name.trim().eq_ignore_ascii_case("id"));
    let Some(column) = column else {
        bail!(
            "there is no column `id`; it has {}",
            CsvText::columns(header)
        );
    };
    let mut ids = Vec::new();
    for record in reader.records() {
        let record = record?;
        let id = record.get(column).unwrap_or_default().trim();
        ensure!(
            OperatorId::parse(id).is_some(),
            "line {}: `{}` is not an operator's id, such as 101",
            text.line_of(&record),
            sanitized(id)
        );
        ids.push(id.to_owned());
    }
    ensure!(!ids.is_empty(), "there is no row below the header");
    Ok(ids)
}
