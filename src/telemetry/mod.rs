//! What the service tells about itself beside metrics: logs, and traces for a collector.
//!
//! Request lines are `request_log`'s, all other lines go through `tracing` and are `events`'. Both
//! share the queue of `writer`, whose thread writes them.

mod events;
#[cfg_attr(not(feature = "otlp"), path = "no_export.rs")]
mod export;
#[cfg(feature = "otlp")]
mod failures;
mod line_format;
mod request_log;
mod sampling;
mod trace;
mod trace_parent;
mod writer;

#[cfg(unix)]
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
#[cfg(unix)]
use std::os::fd::AsFd as _;
use std::sync::Arc;

use thiserror::Error;
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

pub use self::export::{Export, traceparent};
use self::request_log::RequestLevels;
pub use self::request_log::RequestLog;
pub use self::sampling::{Sampling, SamplingError};
pub use self::trace::{Trace, TraceId, client_span};
pub use self::trace_parent::TraceParent;
use self::writer::LogWriter;

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

/// Standard output without the standard library's buffer, which takes a line that a full disk
/// refuses, and tries again later: the line would not be counted as lost.
pub fn stdout() -> Box<dyn Write + Send> {
    #[cfg(unix)]
    if let Ok(output) = io::stdout().as_fd().try_clone_to_owned() {
        return Box::new(File::from(output));
    }
    Box::new(io::stdout())
}

/// The running log and the exporter of traces. When its last clone is dropped, it sends and writes
/// what is still queued.
#[derive(Clone)]
pub struct Telemetry {
    format: LogFormat,
    levels: RequestLevels,
    queue: NonBlocking,
    sinks: Arc<Sinks>,
}

/// Where traces and lines go. They end in this order.
struct Sinks {
    export: Option<Export>,
    writer: LogWriter,
}

impl Telemetry {
    /// Starts the log of this process. `filter` is in `RUST_LOG`'s language. After a second call in
    /// a process, the first one still gets the lines and spans of `tracing`.
    pub fn start(
        format: LogFormat,
        filter: EnvFilter,
        output: impl Write + Send + 'static,
        export: Option<Export>,
    ) -> Self {
        let (queue, writer) = LogWriter::start(output);
        let levels = RequestLevels::of(&filter);
        let spans = export.as_ref().map(|export| export.layer(trace::TARGET));
        let subscriber = tracing_subscriber::registry()
            .with(events::layer(format, queue.clone()).with_filter(filter))
            .with(spans);
        let _ = tracing::subscriber::set_global_default(subscriber);
        Self {
            format,
            levels,
            queue,
            sinks: Arc::new(Sinks { export, writer }),
        }
    }

    /// A log of request lines, for one thread.
    pub fn request_log(&self) -> RequestLog {
        RequestLog::new(self.format, self.queue.clone(), self.levels)
    }

    /// How many lines were lost, because the queue was full or the output refused them.
    pub fn dropped_lines(&self) -> u64 {
        self.sinks.writer.dropped()
    }

    /// How often spans could not be sent to the collector.
    pub fn failed_exports(&self) -> u64 {
        self.sinks.export.as_ref().map_or(0, Export::failures)
    }

    /// Sends the traces, writes what is queued, and nothing after that. For the end of the process,
    /// where threads that hold clones may never end themselves.
    pub fn end(&self) {
        if let Some(export) = &self.sinks.export {
            export.end();
        }
        self.sinks.writer.end();
    }
}
