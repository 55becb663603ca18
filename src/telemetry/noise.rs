//! Lines of other crates that whoever runs the service has no use for.

use std::io::{self, Write};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// Where actix writes an error for every client that speaks no HTTP, without saying who it was. The
/// service counts those itself, and tells of them by address.
const ACTIX: &str = "actix_http";
const NO_HTTP: &[u8] = b"stream error: ";

/// A writer that leaves those lines out. Everything else that actix says stays.
pub(super) struct WithoutNoise<W>(pub(super) W);

impl<'a, W: Write + Clone + 'a> MakeWriter<'a> for WithoutNoise<W> {
    type Writer = Line<W>;

    fn make_writer(&'a self) -> Line<W> {
        Line {
            writer: self.0.clone(),
            is_suspect: false,
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<W> {
        Line {
            writer: self.0.clone(),
            is_suspect: metadata.target().starts_with(ACTIX),
        }
    }
}

/// One line, which comes formatted and in one piece.
pub(super) struct Line<W> {
    writer: W,
    is_suspect: bool,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.is_suspect && line.windows(NO_HTTP.len()).any(|part| part == NO_HTTP) {
            return Ok(line.len());
        }
        self.writer.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
