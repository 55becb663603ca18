//! The line that every request leaves: written by hand into the thread's own buffer, without the
//! machinery of spans or of serde, because it is on the click's way.

use std::io::Write as _;
use std::net::IpAddr;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use super::LogFormat;
use super::writer::Queue;
use crate::printable;

/// The `target` of request lines, so that `RUST_LOG=open_chat::request=off` silences them alone.
const REQUEST_TARGET: &str = "open_chat::request";

/// Which request lines the log filter lets through.
#[derive(Clone, Copy)]
pub(super) struct Shows {
    info: bool,
    warn: bool,
}

impl Shows {
    /// Asks the filter itself. With layers that have filters of their own, `tracing::enabled!`
    /// tells what any layer may take, and says yes where the one for lines would say no.
    pub(super) fn by(filter: &EnvFilter) -> Self {
        // A filter cannot be cloned, but what it prints is what it was made of.
        let filter = EnvFilter::new(filter.to_string());
        let only_filter = tracing_subscriber::registry().with(filter);
        tracing::subscriber::with_default(only_filter, || Self {
            info: tracing::enabled!(target: REQUEST_TARGET, Level::INFO),
            warn: tracing::enabled!(target: REQUEST_TARGET, Level::WARN),
        })
    }

    fn lets_through(self, level: Level) -> bool {
        if level <= Level::WARN {
            self.warn
        } else {
            self.info
        }
    }
}

/// Writes the lines that requests leave, for one thread.
pub struct RequestLog {
    format: LogFormat,
    queue: Queue,
    line: Vec<u8>,
    second: Second,
    shows: Shows,
}

impl RequestLog {
    pub(super) fn new(format: LogFormat, queue: Queue, shows: Shows) -> Self {
        Self {
            format,
            queue,
            line: Vec::with_capacity(512),
            second: Second::default(),
            shows,
        }
    }

    /// Writes one line, whose own fields `tell` adds.
    pub fn write(&mut self, level: Level, message: &'static str, tell: impl FnOnce(&mut Fields)) {
        if !self.shows.lets_through(level) {
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
        self.queue.push(&self.line);
    }
}

/// A field's name with what stands around it in each format, put together by the compiler:
/// `field!`.
#[derive(Clone, Copy)]
pub struct Field {
    /// `,"name":`
    pub json: &'static str,
    /// ` name=`
    pub text: &'static str,
}

/// A [`Field`] by its name, which needs no escaping.
macro_rules! field {
    ($name:literal) => {
        $crate::telemetry::Field {
            json: concat!(",\"", $name, "\":"),
            text: concat!(" ", $name, "="),
        }
    };
}
pub(crate) use field;

/// The fields of a line that is being written.
pub struct Fields<'a> {
    format: LogFormat,
    line: &'a mut Vec<u8>,
}

// Writing into a Vec cannot fail.
impl Fields<'_> {
    /// A text, in several pieces. In the log for people it is quoted where it could be taken for
    /// more than one value.
    pub fn text<const PIECES: usize>(&mut self, name: Field, pieces: [&str; PIECES]) {
        if self.format == LogFormat::Text && pieces.iter().all(|piece| is_word(piece)) {
            return self.plain(name, pieces);
        }
        self.name(name);
        self.line.push(b'"');
        for piece in pieces {
            printable::push_quoted(self.line, piece);
        }
        self.line.push(b'"');
    }

    /// A text in which nothing needs escaping, in several pieces.
    pub fn plain<const PIECES: usize>(&mut self, name: Field, pieces: [&str; PIECES]) {
        self.name(name);
        self.quote();
        for piece in pieces {
            self.push(piece);
        }
        self.quote();
    }

    /// An address.
    pub fn address(&mut self, name: Field, address: IpAddr) {
        self.name(name);
        self.quote();
        match address {
            IpAddr::V4(address) => {
                for (place, byte) in address.octets().into_iter().enumerate() {
                    if place > 0 {
                        self.line.push(b'.');
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
    pub fn number(&mut self, name: Field, value: u64) {
        self.name(name);
        push_number(self.line, value);
    }

    fn begin(&mut self, second: &mut Second, level: Level, message: &str) {
        match self.format {
            LogFormat::Json => {
                self.push("{\"timestamp\":\"");
                second.push_now(self.line);
                self.push("\",\"level\":\"");
                self.push(level.as_str());
                self.push("\",\"target\":\"");
                self.push(REQUEST_TARGET);
                self.push("\"");
                self.plain(field!("message"), [message]);
            }
            LogFormat::Text => {
                second.push_now(self.line);
                // As `tracing` writes its lines, so that one pattern finds both.
                let level = level.as_str();
                let padding = " ".len() + "ERROR".len().saturating_sub(level.len());
                self.push(&"      "[..padding]);
                for text in [level, " ", REQUEST_TARGET, ": ", message] {
                    self.push(text);
                }
            }
        }
    }

    fn end(&mut self) {
        self.push(match self.format {
            LogFormat::Json => "}\n",
            LogFormat::Text => "\n",
        });
    }

    fn name(&mut self, name: Field) {
        self.push(match self.format {
            LogFormat::Json => name.json,
            LogFormat::Text => name.text,
        });
    }

    fn quote(&mut self) {
        if self.format == LogFormat::Json {
            self.line.push(b'"');
        }
    }

    fn push(&mut self, text: &str) {
        self.line.extend_from_slice(text.as_bytes());
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
    fn push_now(&mut self, line: &mut Vec<u8>) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.unwrap_or_default();
        if self.number != now.as_secs() || self.text.is_empty() {
            self.number = now.as_secs();
            let date = DateTime::<Utc>::from(SystemTime::UNIX_EPOCH + now);
            self.text = date.format("%Y-%m-%dT%H:%M:%S.").to_string();
        }
        line.extend_from_slice(self.text.as_bytes());
        let millis = now.subsec_millis();
        line.extend([millis / 100, millis / 10 % 10, millis % 10].map(digit));
        line.push(b'Z');
    }
}

/// Whether a value of the log for people needs no quotation marks, as logfmt has it: one word, in
/// which nothing could be taken for another field.
fn is_word(text: &str) -> bool {
    text.chars()
        .all(|c| printable::is_printable(c) && !matches!(c, ' ' | '"' | '=' | '\\'))
}

fn push_number(line: &mut Vec<u8>, number: u64) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    let mut rest = number;
    loop {
        first -= 1;
        digits[first] = digit((rest % 10) as u32);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    line.extend_from_slice(&digits[first..]);
}

/// Of a number below ten.
const fn digit(number: u32) -> u8 {
    b"0123456789"[number as usize]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(format: LogFormat, tell: impl FnOnce(&mut Fields)) -> String {
        let mut line = Vec::new();
        let mut fields = Fields {
            format,
            line: &mut line,
        };
        fields.begin(&mut Second::default(), Level::INFO, "click");
        tell(&mut fields);
        fields.end();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_line_for_people_begins_with_when_and_what() {
        let line = line(LogFormat::Text, |fields| {
            fields.text(field!("kind"), ["none"]);
            fields.number(field!("status"), 302);
        });
        let (time, rest) = line.split_at("2026-11-22T01:10:10.568Z".len());
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
        assert_eq!(
            rest,
            "  INFO open_chat::request: click kind=none status=302\n"
        );
    }

    #[test]
    fn a_line_for_people_stays_one_line_whatever_a_text_says() {
        let line = line(LogFormat::Text, |fields| {
            fields.text(
                field!("caller"),
                ["Zoë \"\\\" 😀\n\r\u{1b}[2J", "\u{9b}m\u{7f}"],
            );
        });
        let (_, caller) = line.split_once(" caller=").unwrap();
        let expected = r#""Zoë \"\\\" 😀\u000a\u000d\u001b[2J\u009bm\u007f""#;
        assert_eq!(caller, format!("{expected}\n"));
    }

    #[test]
    fn a_value_for_people_is_never_taken_for_several() {
        let value = |pieces| {
            let line = line(LogFormat::Text, |fields| {
                fields.text(field!("caller"), pieces);
            });
            let (_, value) = line.split_once(" caller=").unwrap();
            value.trim_end_matches('\n').to_owned()
        };
        assert_eq!(value(["sso:", "ann@example.com"]), "sso:ann@example.com");
        assert_eq!(value(["sso:", "Зоя"]), "sso:Зоя");
        assert_eq!(value(["sso:", "Ann Lee"]), r#""sso:Ann Lee""#);
        assert_eq!(value(["sso:", "a=b"]), r#""sso:a=b""#);
        assert_eq!(value(["sso:", r#"a"b\c"#]), r#""sso:a\"b\\c""#);
        assert_eq!(
            value(["sso:", "a\u{202e}b\u{2028}c"]),
            r#""sso:a\u202eb\u2028c""#
        );
    }

    #[test]
    fn a_line_for_machines_hides_nothing() {
        let line = line(LogFormat::Json, |fields| {
            fields.text(field!("caller"), ["sso:", "a\u{202e}b\u{2028}c\u{200b}"]);
        });
        assert!(
            line.contains(r#""caller":"sso:a\u202eb\u2028c\u200b""#),
            "{line}"
        );
    }

    #[test]
    fn a_line_for_machines_is_json_whatever_a_text_says() {
        let nasty = "\" \\ \n \u{0} \u{7f} \u{407} \u{2028} 😀";
        let line = line(LogFormat::Json, |fields| {
            fields.text(field!("caller"), [nasty]);
            fields.address(field!("client"), "2001:db8::1".parse().unwrap());
            fields.address(field!("peer"), "192.0.2.10".parse().unwrap());
            fields.plain(field!("phone"), ["+38050", "***", "4567"]);
            fields.number(field!("least"), 0);
            fields.number(field!("most"), u64::MAX);
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
    fn the_filter_itself_decides_which_lines_are_written() {
        let shows = |filter| {
            let shows = Shows::by(&EnvFilter::new(filter));
            (shows.info, shows.warn)
        };
        assert_eq!(shows("info"), (true, true));
        assert_eq!(shows("info,open_chat::request=off"), (false, false));
        assert_eq!(shows("info,open_chat::request=warn"), (false, true));
        assert_eq!(shows("off,open_chat::request=info"), (true, true));
        assert_eq!(shows("error"), (false, false));
    }

    #[test]
    fn a_second_is_formatted_once() {
        let mut second = Second::default();
        let times = [(); 2].map(|()| {
            let mut time = Vec::new();
            second.push_now(&mut time);
            let time = String::from_utf8(time).unwrap();
            chrono::DateTime::parse_from_rfc3339(&time).unwrap()
        });
        assert!(times[0] <= times[1]);
    }
}
