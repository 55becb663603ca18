//! What the service tells of itself beside metrics: logs, and traces where somebody collects them.
//!
//! Rare lines (a start, a warning) go through `tracing`, request lines are `request_log`'s; both
//! share one `writer`, a thread of its own behind bounded queues: a slow disk drops lines, it never
//! holds up a click.

#[cfg_attr(not(feature = "otlp"), path = "no_export.rs")]
mod export;
#[cfg(feature = "otlp")]
mod failures;
mod noise;
mod request_log;
mod sampling;
mod trace;
mod trace_parent;
mod writer;

#[cfg(unix)]
use std::fs::File;
use std::io::{self, IsTerminal, Write};
#[cfg(unix)]
use std::os::fd::AsFd as _;
use std::sync::Arc;

use thiserror::Error;
use tracing_subscriber::fmt::time::ChronoUtc;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

pub use self::export::{Export, traceparent};
use self::noise::WithoutNoise;
use self::request_log::Shows;
pub(crate) use self::request_log::field;
pub use self::request_log::{Field, Fields, RequestLog};
pub use self::sampling::{Sampling, UnknownSampler};
pub use self::trace::{Trace, client_span};
pub use self::trace_parent::TraceParent;
use self::writer::{Ending, Queue, Writer};
use crate::printable;

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// `key=value`, for people.
    Text,
}

impl LogFormat {
    /// Text on a terminal, JSON elsewhere.
    pub fn of_stdout() -> Self {
        if io::stdout().is_terminal() {
            Self::Text
        } else {
            Self::Json
        }
    }
}

/// Why spans cannot be sent: a variable, and what is wrong with it. Its value is left out, which
/// may hold a password.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{variable}: {what}")]
pub struct Unexportable {
    variable: String,
    what: &'static str,
}

/// Standard output without a buffer in front: a line that a full disk refuses is known to be
/// refused, where the standard library's own buffer would say that it was written, and try again at
/// some later time.
pub fn stdout() -> Box<dyn Write + Send> {
    #[cfg(unix)]
    if let Ok(output) = io::stdout().as_fd().try_clone_to_owned() {
        return Box::new(File::from(output));
    }
    Box::new(io::stdout())
}

/// The running log. When its last clone is dropped, what is still queued is written, and traces are
/// sent.
#[derive(Clone)]
pub struct Telemetry {
    format: LogFormat,
    shows: Shows,
    writer: Writer,
    ending: Arc<(Ending, Option<Export>)>,
}

impl Telemetry {
    /// Starts the log of this process. `filter` is in `RUST_LOG`'s language. A second call in a
    /// process keeps the first one's `tracing` lines, and traces, where they are.
    pub fn start(
        format: LogFormat,
        filter: EnvFilter,
        output: impl Write + Send + 'static,
        export: Option<Export>,
    ) -> Self {
        let (writer, ending) = Writer::start(output);
        let shows = Shows::by(&filter);
        let spans = export.as_ref().map(|export| export.layer(trace::TARGET));
        let subscriber = tracing_subscriber::registry()
            .with(lines(format, writer.queue()).with_filter(filter))
            .with(spans);
        let _ = tracing::subscriber::set_global_default(subscriber);
        Self {
            format,
            shows,
            writer,
            ending: Arc::new((ending, export)),
        }
    }

    /// A log of request lines, for one thread.
    pub fn request_log(&self) -> RequestLog {
        RequestLog::new(self.format, self.writer.queue(), self.shows)
    }

    /// How many lines were lost because nobody could write them fast enough.
    pub fn dropped_lines(&self) -> u64 {
        self.writer.dropped()
    }

    /// How often spans could not be sent to the collector.
    pub fn failed_exports(&self) -> u64 {
        let (_, export) = &*self.ending;
        export.as_ref().map_or(0, Export::failures)
    }

    /// Sends the traces, writes what is queued, and nothing after it: for the end of the process,
    /// where threads that hold clones may never end themselves.
    pub fn end(&self) {
        let (ending, export) = &*self.ending;
        if let Some(export) = export {
            export.end();
        }
        ending.now();
    }
}

fn lines(format: LogFormat, queue: Queue) -> Box<dyn Layer<Registry> + Send + Sync> {
    let has_colours = format == LogFormat::Text && io::stdout().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_timer(ChronoUtc::new("%Y-%m-%dT%H:%M:%S%.3fZ".into()))
        .with_ansi(has_colours)
        .with_writer(WithoutNoise(PrintableLine { queue, has_colours }));
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

/// Takes a line that `tracing` has formatted, whose fields may quote what came from elsewhere: the
/// reason why a file cannot be read, what a library found in a request. One event stays one line,
/// and hides nothing.
#[derive(Clone)]
struct PrintableLine {
    queue: Queue,
    /// Then escape characters are the formatter's own: it lets none of a field's through.
    has_colours: bool,
}

impl Write for PrintableLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
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
