//! The line that every request leaves: formatted once, without the machinery of spans, because it is on the click's way.

use std::io::Write as _;

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;
use tracing::Level;
use tracing_appender::non_blocking::NonBlocking;

use super::LogFormat;

/// The `target` of request lines, so that `RUST_LOG=open_chat::request=off` silences them alone.
const REQUEST_TARGET: &str = "open_chat::request";

/// Writes the line that every request leaves.
pub struct RequestLog {
    pub(super) format: LogFormat,
    pub(super) writer: NonBlocking,
    pub(super) line: Vec<u8>,
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
