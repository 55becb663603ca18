//! Lines of other crates that whoever runs the service has no use for.

use std::io::{self, Write};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::writer::Queue;

/// Where actix writes an error for every client that speaks no HTTP, without saying who it was. The service counts those itself,
/// and tells of them by address.
const ACTIX: &str = "actix_http";
const NO_HTTP: &[u8] = b"stream error: ";

/// A queue that leaves those lines out. Everything else that actix says stays.
pub(super) struct WithoutNoise(pub(super) Queue);

impl<'a> MakeWriter<'a> for WithoutNoise {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line {
            queue: self.0.clone(),
            is_suspect: false,
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line {
        Line {
            queue: self.0.clone(),
            is_suspect: metadata.target().starts_with(ACTIX),
        }
    }
}

/// One line, which comes formatted and in one piece.
pub(super) struct Line {
    queue: Queue,
    is_suspect: bool,
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.is_suspect && line.windows(NO_HTTP.len()).any(|part| part == NO_HTTP) {
            return Ok(line.len());
        }
        self.queue.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
