//! What the service tells of itself beside metrics: logs, and traces where somebody collects them.
//!
//! Rare lines (a start, a warning) go through `tracing`, request lines are `request_log`'s; both share one writer. Writing is done by a thread of
//! its own over a bounded queue: a slow disk drops lines, it never holds up a click.

#[cfg_attr(not(feature = "otlp"), path = "no_export.rs")]
mod export;
mod request_log;
mod trace;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use thiserror::Error;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::time::ChronoUtc;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

pub use self::export::{Export, traceparent};
pub use self::request_log::RequestLog;
pub use self::trace::{Sampling, TARGET, Trace, TraceParent, UnknownSampler};

/// Lines that wait for the writer, at most; some 50 MB when every one of them is a long one.
const QUEUED_LINES: usize = 128_000;

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

/// Why spans cannot be sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("OTEL_EXPORTER_OTLP_ENDPOINT: spans cannot be sent: {0}")]
pub struct Unexportable(String);

/// The running log. When its last clone is dropped, what is still queued is written, and traces are sent.
#[derive(Clone)]
pub struct Telemetry {
    format: LogFormat,
    writer: NonBlocking,
    dropped: ErrorCounter,
    _flush: Arc<(WorkerGuard, Option<Export>)>,
}

impl Telemetry {
    /// Starts the log of this process. `filter` is in `RUST_LOG`'s language. A second call in a process keeps the first one's
    /// `tracing` lines, and traces, where they are.
    pub fn start(
        format: LogFormat,
        filter: EnvFilter,
        output: impl Write + Send + 'static,
        export: Option<Export>,
    ) -> Self {
        let (writer, flush) = NonBlockingBuilder::default()
            .buffered_lines_limit(QUEUED_LINES)
            .lossy(true)
            .finish(output);
        let spans = export.as_ref().map(Export::layer);
        let subscriber = tracing_subscriber::registry()
            .with(lines(format, writer.clone()).with_filter(filter))
            .with(spans);
        let _ = tracing::subscriber::set_global_default(subscriber);
        Self {
            format,
            dropped: writer.error_counter(),
            writer,
            _flush: Arc::new((flush, export)),
        }
    }

    /// A log of request lines, for one thread.
    pub fn request_log(&self) -> RequestLog {
        RequestLog {
            format: self.format,
            writer: self.writer.clone(),
            line: Vec::with_capacity(512),
        }
    }

    /// How many lines were lost because nobody could write them fast enough.
    pub fn dropped_lines(&self) -> u64 {
        self.dropped.dropped_lines() as u64
    }
}

fn lines(format: LogFormat, writer: NonBlocking) -> Box<dyn Layer<Registry> + Send + Sync> {
    let lines = tracing_subscriber::fmt::layer()
        .with_timer(ChronoUtc::new("%Y-%m-%dT%H:%M:%S%.3fZ".into()))
        .with_ansi(format == LogFormat::Text && io::stdout().is_terminal())
        .with_writer(writer);
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
