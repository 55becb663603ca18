//! Reads CSV as spreadsheets write it: UTF-8 or, with a byte order mark, UTF-16; separated by
//! commas, semicolons, tabs, or the separator of its first line (`sep=;`); with any line ends.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::sanitized;

/// The file name that stands for standard input.
pub(super) const STDIN: &str = "-";

/// The text of a file with line feeds as line ends, and its separator.
pub(super) struct CsvText {
    /// The file's name, for errors.
    pub(super) source: String,
    pub(super) text: String,
    pub(super) separator: u8,
}

impl CsvText {
    /// Reads a file, or standard input. The error names the file.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let (source, bytes) = if path == Path::new(STDIN) {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes)?;
            ("standard input".to_owned(), bytes)
        } else {
            let source = path.display().to_string();
            let bytes = std::fs::read(path);
            let bytes = bytes.with_context(|| format!("the file {source} cannot be read"))?;
            (source, bytes)
        };
        Self::of(source.clone(), &bytes).context(source)
    }

    /// The text of these bytes.
    pub(super) fn of(source: String, bytes: &[u8]) -> anyhow::Result<Self> {
        let text = decoded(bytes)?;
        let text = with_line_feeds(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let (text, given) = without_separator_line(text);
        let separator = given.unwrap_or_else(|| separator_of(text.trim_start_matches('\n')));
        Ok(Self {
            source,
            text,
            separator,
        })
    }

    pub(super) fn reader(&self) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new()
            .delimiter(self.separator)
            .flexible(true)
            .from_reader(self.text.as_bytes())
    }

    /// The line on which a record begins: the position of the CSV reader is before the empty lines
    /// that it skips.
    pub(super) fn line_of(&self, record: &csv::StringRecord) -> u64 {
        let Some(position) = record.position() else {
            return 0;
        };
        let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let skipped = self.text.as_bytes().get(start..).unwrap_or_default();
        let empty = skipped.iter().take_while(|byte| **byte == b'\n').count();
        position.line() + empty as u64
    }

    /// ``the columns `id`, `name` ``
    pub(super) fn columns(header: &csv::StringRecord) -> String {
        let quoted = |name: &str| format!("`{}`", sanitized(name.trim()));
        match header.iter().map(quoted).collect::<Vec<_>>().as_slice() {
            [] => "no columns".into(),
            [name] => format!("the column {name}"),
            names => format!("the columns {}", names.join(", ")),
        }
    }
}

fn decoded(bytes: &[u8]) -> anyhow::Result<String> {
    let units = |of_bytes: fn([u8; 2]) -> u16| {
        let units = bytes
            .chunks_exact(2)
            .map(|pair| of_bytes([pair[0], pair[1]]));
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.map_err(|_| {
            anyhow!("it is not UTF-16, though it begins so; save the file as \"CSV UTF-8\"")
        })
    };
    match bytes {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = with_line_feeds(&before).split('\n').count();
            anyhow!("line {line} is not UTF-8; save the file as \"CSV UTF-8\"")
        }),
    }
}

/// The CSV reader ends a row at a carriage return too, but counts lines by line feeds alone: rows
/// that share a line would be confused.
fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Removes the line that tells Excel the separator. An empty line stays, so that the others keep
/// their numbers.
fn without_separator_line(text: String) -> (String, Option<u8>) {
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let given = first.trim_end().trim_matches('"').strip_prefix("sep=");
    match given.map(str::as_bytes) {
        Some([separator]) if separator.is_ascii() && *separator != b'"' => {
            (format!("\n{rest}"), Some(*separator))
        }
        // A tab is white space.
        Some([]) if first.contains('\t') => (format!("\n{rest}"), Some(b'\t')),
        _ => (text, None),
    }
}

/// No column name of ours contains a separator.
fn separator_of(text: &str) -> u8 {
    let header = text.split('\n').next().unwrap_or_default();
    [b';', b'\t']
        .into_iter()
        .find(|separator| header.as_bytes().contains(separator))
        .unwrap_or(b',')
}
