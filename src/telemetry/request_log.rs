//! The line that every request leaves: written by hand into the thread's own buffer, without the machinery of spans or of serde, because it is on
//! the click's way.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use tracing::Level;

use super::LogFormat;
use super::writer::Queue;

/// The `target` of request lines, so that `RUST_LOG=open_chat::request=off` silences them alone.
const REQUEST_TARGET: &str = "open_chat::request";

/// Writes the lines that requests leave, for one thread.
pub struct RequestLog {
    format: LogFormat,
    queue: Queue,
    line: String,
    second: Second,
    /// Whether `RUST_LOG` lets ordinary lines through, and warnings.
    shows: (bool, bool),
}

impl RequestLog {
    pub(super) fn new(format: LogFormat, queue: Queue) -> Self {
        Self {
            format,
            queue,
            line: String::with_capacity(512),
            second: Second::default(),
            shows: (
                tracing::enabled!(target: REQUEST_TARGET, Level::INFO),
                tracing::enabled!(target: REQUEST_TARGET, Level::WARN),
            ),
        }
    }

    /// Writes one line, whose own fields `tell` adds.
    pub fn write(&mut self, level: Level, message: &'static str, tell: impl FnOnce(&mut Fields)) {
        let (info, warn) = self.shows;
        if !(if level <= Level::WARN { warn } else { info }) {
            return;
        }
        self.line.clear();
        let mut fields = Fields {
            format: self.format,
            line: &mut self.line,
        };
        fields.begin(&mut self.second, level, message);
        tell(&mut fields);
        fields.end();
        self.queue.push(self.line.as_bytes());
    }
}

/// The fields of a line that is being written. Names are ours, and need no escaping.
pub struct Fields<'a> {
    format: LogFormat,
    line: &'a mut String,
}

// Writing into a String cannot fail.
impl Fields<'_> {
    /// A text.
    pub fn text(&mut self, name: &'static str, value: &str) {
        self.texts(name, [value]);
    }

    /// A text in several pieces.
    pub fn texts<const PIECES: usize>(&mut self, name: &'static str, pieces: [&str; PIECES]) {
        self.name(name);
        self.quote();
        match self.format {
            LogFormat::Json => pieces.iter().for_each(|piece| escape(self.line, piece)),
            LogFormat::Text => self.line.extend(pieces),
        }
        self.quote();
    }

    /// A text in which nothing needs escaping, in several pieces.
    pub fn plain<const PIECES: usize>(&mut self, name: &'static str, pieces: [&str; PIECES]) {
        self.name(name);
        self.quote();
        self.line.extend(pieces);
        self.quote();
    }

    /// An address.
    pub fn address(&mut self, name: &'static str, address: IpAddr) {
        self.name(name);
        self.quote();
        match address {
            IpAddr::V4(address) => {
                for (place, byte) in address.octets().into_iter().enumerate() {
                    if place > 0 {
                        self.line.push('.');
                    }
                    push_number(self.line, byte.into());
                }
            }
            IpAddr::V6(address) => {
                let _ = write!(self.line, "{address}");
            }
        }
        self.quote();
    }

    /// A number.
    pub fn number(&mut self, name: &'static str, value: u64) {
        self.name(name);
        push_number(self.line, value);
    }

    fn begin(&mut self, second: &mut Second, level: Level, message: &str) {
        match self.format {
            LogFormat::Json => {
                self.line.push_str("{\"timestamp\":\"");
                second.push_now(self.line);
                self.line.push_str("\",\"level\":\"");
                self.line.push_str(level.as_str());
                self.line.push_str("\",\"target\":\"");
                self.line.push_str(REQUEST_TARGET);
                self.line.push('"');
                self.plain("message", [message]);
            }
            LogFormat::Text => {
                second.push_now(self.line);
                for word in [level.as_str(), message] {
                    self.line.push(' ');
                    self.line.push_str(word);
                }
            }
        }
    }

    fn quote(&mut self) {
        if self.format == LogFormat::Json {
            self.line.push('"');
        }
    }

    fn name(&mut self, name: &'static str) {
        let (before, after) = match self.format {
            LogFormat::Json => (",\"", "\":"),
            LogFormat::Text => (" ", "="),
        };
        self.line.extend([before, name, after]);
    }

    fn end(&mut self) {
        if self.format == LogFormat::Json {
            self.line.push('}');
        }
        self.line.push('\n');
    }
}

/// A second, formatted once for all of its lines.
#[derive(Default)]
struct Second {
    number: u64,
    text: String,
}

impl Second {
    /// `2026-11-22T01:10:10.568Z`
    fn push_now(&mut self, line: &mut String) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default();
        if self.number != now.as_secs() || self.text.is_empty() {
            self.number = now.as_secs();
            let date = DateTime::<Utc>::from(SystemTime::UNIX_EPOCH + now);
            self.text = date.format("%Y-%m-%dT%H:%M:%S.").to_string();
        }
        line.push_str(&self.text);
        let millis = now.subsec_millis();
        for digit in [millis / 100, millis / 10 % 10, millis % 10] {
            line.push(char::from_digit(digit, 10).unwrap_or('0'));
        }
        line.push('Z');
    }
}

/// As JSON wants it between quotation marks. What is not to be escaped is copied in one piece.
fn escape(line: &mut String, text: &str) {
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        // All of these bytes are characters of their own.
        line.push_str(&text[copied..at]);
        copied = at + 1;
        let _ = match byte {
            b'"' | b'\\' => write!(line, "\\{}", char::from(byte)),
            _ => write!(line, "\\u{byte:04x}"),
        };
    }
    line.push_str(&text[copied..]);
}

fn push_number(line: &mut String, number: u64) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    let mut rest = number;
    loop {
        first -= 1;
        // A remainder of ten is a digit.
        digits[first] += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    line.push_str(std::str::from_utf8(&digits[first..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(format: LogFormat, tell: impl FnOnce(&mut Fields)) -> String {
        let mut line = String::new();
        let mut fields = Fields {
            format,
            line: &mut line,
        };
        fields.begin(&mut Second::default(), Level::INFO, "click");
        tell(&mut fields);
        fields.end();
        line
    }

    #[test]
    fn a_line_for_people_begins_with_when_and_what() {
        let line = line(LogFormat::Text, |fields| {
            fields.text("kind", "none");
            fields.number("status", 302);
        });
        let (time, rest) = line.split_at("2026-11-22T01:10:10.568Z".len());
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
        assert_eq!(rest, " INFO click kind=none status=302\n");
    }

    #[test]
    fn a_line_for_machines_is_json_whatever_a_text_says() {
        let nasty = "\" \\ \n \u{0} \u{7f} \u{407} \u{2028} 😀";
        let line = line(LogFormat::Json, |fields| {
            fields.text("caller", nasty);
            fields.address("client", "2001:db8::1".parse().unwrap());
            fields.address("peer", "192.0.2.10".parse().unwrap());
            fields.plain("phone", ["+38050", "***", "4567"]);
            fields.number("least", 0);
            fields.number("most", u64::MAX);
        });
        let mut line: Value = serde_json::from_str(line.trim_end()).unwrap();
        let time = line["timestamp"].take();
        assert!(chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap()).is_ok());
        let expected = json!({
            "timestamp": null, "level": "INFO", "target": REQUEST_TARGET, "message": "click",
            "caller": nasty, "client": "2001:db8::1", "peer": "192.0.2.10", "phone": "+38050***4567", "least": 0, "most": u64::MAX,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn a_second_is_formatted_once() {
        let mut second = Second::default();
        let times = [(); 2].map(|()| {
            let mut time = String::new();
            second.push_now(&mut time);
            chrono::DateTime::parse_from_rfc3339(&time).unwrap()
        });
        assert!(times[0] <= times[1]);
    }
}
