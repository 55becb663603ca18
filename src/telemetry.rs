//! Logs: where lines go, and how they look.
//!
//! Two kinds of lines share one writer. Rare ones (a start, a warning) go through `tracing`. The line that every request leaves is formatted
//! here, once, without the machinery of spans, because it is on the click's way. Writing is done by a thread of its own over a
//! bounded queue: a slow disk drops lines, it never holds up a click.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;
use tracing::Level;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::ChronoUtc;

/// The `target` of request lines, so that `RUST_LOG=open_chat::request=off` silences them alone.
const REQUEST_TARGET: &str = "open_chat::request";

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

/// The running log. When its last clone is dropped, what is still queued is written.
#[derive(Clone)]
pub struct Telemetry {
    format: LogFormat,
    writer: NonBlocking,
    _flush: Arc<WorkerGuard>,
}

impl Telemetry {
    /// Starts the log of this process. `filter` is in `RUST_LOG`'s language. A second call in a process keeps the first one's
    /// `tracing` lines where they are.
    pub fn start(
        format: LogFormat,
        filter: EnvFilter,
        output: impl Write + Send + 'static,
    ) -> Self {
        let (writer, flush) = NonBlockingBuilder::default()
            .buffered_lines_limit(QUEUED_LINES)
            .lossy(true)
            .finish(output);
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_timer(ChronoUtc::new("%Y-%m-%dT%H:%M:%S%.3fZ".into()))
            .with_ansi(format == LogFormat::Text && io::stdout().is_terminal())
            .with_writer(writer.clone());
        let _ = match format {
            LogFormat::Json => {
                let lines = lines.json().flatten_event(true).with_current_span(false);
                tracing::subscriber::set_global_default(lines.with_span_list(false).finish())
            }
            LogFormat::Text => tracing::subscriber::set_global_default(lines.finish()),
        };
        Self {
            format,
            writer,
            _flush: Arc::new(flush),
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
}

/// Writes the line that every request leaves.
pub struct RequestLog {
    format: LogFormat,
    writer: NonBlocking,
    line: Vec<u8>,
}

/// What stands before a request's own fields.
#[derive(Serialize)]
struct Line<'a, Fields> {
    timestamp: &'a str,
    level: &'static str,
    target: &'static str,
    #[serde(flatten)]
    fields: &'a Fields,
}

impl RequestLog {
    /// Writes one line. `fields` must serialize to an object.
    pub fn write(&mut self, level: Level, fields: &impl Serialize) {
        if !is_enabled(level) {
            return;
        }
        let line = Line {
            timestamp: &Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            level: level.as_str(),
            target: REQUEST_TARGET,
            fields,
        };
        self.line.clear();
        let formatted = match self.format {
            LogFormat::Json => serde_json::to_writer(&mut self.line, &line),
            LogFormat::Text => write_text(&mut self.line, &line),
        };
        if formatted.is_ok() {
            self.line.push(b'\n');
            // A full queue drops the line; that is its promise.
            let _ = self.writer.write(&self.line);
        }
    }
}

/// Whether `RUST_LOG` lets request lines through.
fn is_enabled(level: Level) -> bool {
    if level <= Level::WARN {
        tracing::enabled!(target: REQUEST_TARGET, Level::WARN)
    } else {
        tracing::enabled!(target: REQUEST_TARGET, Level::INFO)
    }
}

/// `2026-11-22T01:10:10.568Z INFO click status=302 …`
fn write_text(out: &mut Vec<u8>, line: &impl Serialize) -> serde_json::Result<()> {
    let Value::Object(mut fields) = serde_json::to_value(line)? else {
        return Ok(());
    };
    fields.remove("target");
    for head in ["timestamp", "level", "message"] {
        if let Some(Value::String(text)) = fields.remove(head) {
            out.extend([text.as_bytes(), b" "].concat());
        }
    }
    for (name, value) in fields {
        let written = match value {
            Value::String(text) => write!(out, "{name}={text} "),
            value => write!(out, "{name}={value} "),
        };
        written.map_err(serde_json::Error::io)?;
    }
    out.truncate(out.trim_ascii_end().len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_for_people_begins_with_when_and_what() {
        let mut out = Vec::new();
        let fields = json!({"message": "click", "status": 302, "kind": "none"});
        let line = Line {
            timestamp: "2026-11-22T01:10:10.568Z",
            level: "INFO",
            target: REQUEST_TARGET,
            fields: &fields,
        };
        write_text(&mut out, &line).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "2026-11-22T01:10:10.568Z INFO click kind=none status=302"
        );
    }
}
