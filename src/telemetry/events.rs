//! The lines of `tracing`'s events, the service's own and those of its libraries.
//!
//! Owns how they look and which are left out. Request lines are `request_log`'s.

use std::io::{self, IsTerminal as _, Write};

use tracing::Metadata;
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::ChronoUtc;
use tracing_subscriber::{Layer, Registry};

use super::LogFormat;
use crate::printable;

/// actix logs an error for each client that does not speak HTTP, without its address. The service
/// counts those, and logs them with their address.
const ACTIX: &str = "actix_http";
const NO_HTTP: &[u8] = b"stream error: ";

pub(super) fn layer(
    format: LogFormat,
    queue: NonBlocking,
) -> Box<dyn Layer<Registry> + Send + Sync> {
    let has_colours = format == LogFormat::Text && io::stdout().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_timer(ChronoUtc::new("%Y-%m-%dT%H:%M:%S%.3fZ".into()))
        .with_ansi(has_colours)
        .with_writer(EventWriter {
            queue,
            has_colours,
            is_from_actix: false,
        });
    match format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
        LogFormat::Text => lines.boxed(),
    }
}

/// Takes formatted lines, each in one write. Their fields may quote foreign text, such as why a
/// file cannot be read: an event stays one line, and nothing in it is hidden.
#[derive(Clone)]
struct EventWriter {
    queue: NonBlocking,
    /// Escape characters are then the formatter's own, which escapes those in fields.
    has_colours: bool,
    is_from_actix: bool,
}

impl MakeWriter<'_> for EventWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }

    fn make_writer_for(&self, metadata: &Metadata<'_>) -> Self {
        Self {
            is_from_actix: metadata.target().starts_with(ACTIX),
            ..self.clone()
        }
    }
}

impl Write for EventWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.is_from_actix && line.windows(NO_HTTP.len()).any(|part| part == NO_HTTP) {
            return Ok(line.len());
        }
        let text = String::from_utf8_lossy(line);
        let (text, end) = match text.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (&*text, ""),
        };
        let controls: &[char] = if self.has_colours { &['\u{1b}'] } else { &[] };
        let mut shown = printable::escaped(text, controls).into_owned();
        shown.push_str(end);
        self.queue.write_all(shown.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.queue.flush()
    }
}
