//! The log line of a request.
//!
//! Owns what begins each line, and whether it is written. The fields are the caller's record.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde::Serialize;
use tracing::Level;
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use super::LogFormat;
use super::line_format::Fields;

/// The `target` of request lines, so that `RUST_LOG=open_chat::request=off` silences them alone.
const TARGET: &str = "open_chat::request";

/// Which request lines the log filter lets through.
#[derive(Clone, Copy)]
pub(super) struct RequestLevels {
    info: bool,
    warn: bool,
}

impl RequestLevels {
    /// Asks the filter itself. With layers that have filters of their own, `tracing::enabled!`
    /// answers for all of them, and says yes where the filter of lines would say no.
    pub(super) fn of(filter: &EnvFilter) -> Self {
        // A filter cannot be cloned, but it can be parsed from what it displays.
        let filter = EnvFilter::new(filter.to_string());
        let only_filter = tracing_subscriber::registry().with(filter);
        tracing::subscriber::with_default(only_filter, || Self {
            info: tracing::enabled!(target: TARGET, Level::INFO),
            warn: tracing::enabled!(target: TARGET, Level::WARN),
        })
    }

    fn includes(self, level: Level) -> bool {
        if level <= Level::WARN {
            self.warn
        } else {
            self.info
        }
    }
}

/// Writes the log lines of requests, for one thread.
pub struct RequestLog {
    format: LogFormat,
    queue: NonBlocking,
    line: Vec<u8>,
    text: String,
    timestamp: Timestamp,
    levels: RequestLevels,
}

impl RequestLog {
    pub(super) fn new(format: LogFormat, queue: NonBlocking, levels: RequestLevels) -> Self {
        Self {
            format,
            queue,
            line: Vec::with_capacity(512),
            text: String::new(),
            timestamp: Timestamp::default(),
            levels,
        }
    }

    /// Writes one line with the fields of `record`: texts, numbers, and none that is null.
    pub fn write(&mut self, level: Level, message: &'static str, record: &impl Serialize) {
        if !self.levels.includes(level) {
            return;
        }
        self.line.clear();
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let timestamp = self.timestamp.format(now);
        push_head(&mut self.line, self.format, timestamp, level, message);
        // Only a record of something else than texts and numbers could fail.
        let _ = record.serialize(&mut Fields {
            format: self.format,
            line: &mut self.line,
            text: &mut self.text,
        });
        self.line.push(b'\n');
        // A full queue counts what it drops.
        let _ = self.queue.write_all(&self.line);
    }
}

/// Own texts, in which nothing needs an escape. The text form is that of `tracing`, so that one
/// pattern finds both.
fn push_head(line: &mut Vec<u8>, format: LogFormat, timestamp: &str, level: Level, message: &str) {
    let level = level.as_str();
    let pieces = match format {
        LogFormat::Json => [
            r#"{"timestamp":""#,
            timestamp,
            r#"","level":""#,
            level,
            r#"","target":""#,
            TARGET,
            r#"","message":""#,
            message,
            "\"",
        ],
        LogFormat::Text => {
            let padding = "     ".get(level.len()..).unwrap_or_default();
            [
                timestamp, " ", padding, level, " ", TARGET, ": ", message, "",
            ]
        }
    };
    for piece in pieces {
        line.extend_from_slice(piece.as_bytes());
    }
}

/// `2026-11-22T01:10:10.568Z`, whose date is formatted once a second.
#[derive(Default)]
struct Timestamp {
    second: u64,
    text: String,
}

impl Timestamp {
    fn format(&mut self, since_epoch: Duration) -> &str {
        const TO_SECOND: usize = "2026-11-22T01:10:10".len();
        if self.second != since_epoch.as_secs() || self.text.is_empty() {
            self.second = since_epoch.as_secs();
            let date = DateTime::<Utc>::from(SystemTime::UNIX_EPOCH + since_epoch);
            self.text = date.format("%Y-%m-%dT%H:%M:%S").to_string();
        }
        self.text.truncate(TO_SECOND);
        self.text.push('.');
        let millis = since_epoch.subsec_millis();
        let digits = [millis / 100, millis / 10 % 10, millis % 10];
        let digits = digits.map(|digit| char::from_digit(digit, 10).unwrap_or_default());
        self.text.extend(digits);
        self.text.push('Z');
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use serde_json::{Value, json};

    use super::*;

    const TIME: &str = "2026-11-22T01:10:10.568Z";

    fn line(format: LogFormat, record: &impl Serialize) -> String {
        let (mut line, mut text) = (Vec::new(), String::new());
        push_head(&mut line, format, TIME, Level::INFO, "click");
        let mut fields = Fields {
            format,
            line: &mut line,
            text: &mut text,
        };
        record.serialize(&mut fields).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[derive(Serialize)]
    struct Named<'a> {
        caller: &'a str,
    }

    const fn caller(caller: &str) -> Named<'_> {
        Named { caller }
    }

    #[test]
    fn a_text_line_begins_like_one_of_tracing() {
        #[derive(Serialize)]
        struct Record {
            kind: &'static str,
            status: u16,
        }
        let record = Record {
            kind: "none",
            status: 302,
        };
        assert_eq!(
            line(LogFormat::Text, &record),
            format!("{TIME}  INFO open_chat::request: click kind=none status=302")
        );
    }

    #[test]
    fn a_text_line_stays_one_line_whatever_a_text_says() {
        let line = line(
            LogFormat::Text,
            &caller("Zoë \"\\\" 😀\n\r\u{1b}[2J\u{9b}m\u{7f}"),
        );
        let (_, caller) = line.split_once(" caller=").unwrap();
        let expected = r#""Zoë \"\\\" 😀\u000a\u000d\u001b[2J\u009bm\u007f""#;
        assert_eq!(caller, expected);
    }

    #[test]
    fn a_text_value_is_never_taken_for_several() {
        let value = |name| {
            let line = line(LogFormat::Text, &caller(name));
            let (_, value) = line.split_once(" caller=").unwrap();
            value.to_owned()
        };
        assert_eq!(value("sso:ann@example.com"), "sso:ann@example.com");
        assert_eq!(value("sso:Зоя"), "sso:Зоя");
        assert_eq!(value("sso:Ann Lee"), r#""sso:Ann Lee""#);
        assert_eq!(value("sso:a=b"), r#""sso:a=b""#);
        assert_eq!(value(r#"sso:a"b\c"#), r#""sso:a\"b\\c""#);
        assert_eq!(value("sso:a\u{202e}b\u{2028}c"), r#""sso:a\u202eb\u2028c""#);
    }

    #[test]
    fn a_json_line_hides_nothing() {
        let line = line(
            LogFormat::Json,
            &caller("sso:a\u{202e}b\u{2028}c\n\u{200b}"),
        );
        assert!(
            line.ends_with(r#","caller":"sso:a\u202eb\u2028c\u000a\u200b"}"#),
            "{line}"
        );
    }

    #[test]
    fn a_json_line_is_json_whatever_a_text_says() {
        #[derive(Serialize)]
        struct Record<'a> {
            caller: &'a str,
            client: IpAddr,
            peer: IpAddr,
            least: u64,
            most: u64,
        }
        let nasty = "\" \\ \n \t \u{8} \u{c} \r / \u{0} \u{7f} \u{407} \u{2028} 😀";
        let line = line(
            LogFormat::Json,
            &Record {
                caller: nasty,
                client: "2001:db8::1".parse().unwrap(),
                peer: "192.0.2.10".parse().unwrap(),
                least: 0,
                most: u64::MAX,
            },
        );
        let expected = json!({
            "timestamp": TIME, "level": "INFO", "target": TARGET, "message": "click",
            "caller": nasty, "client": "2001:db8::1", "peer": "192.0.2.10", "least": 0, "most": u64::MAX,
        });
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
    }

    #[test]
    fn the_filter_itself_decides_which_lines_are_written() {
        let levels = |filter| {
            let levels = RequestLevels::of(&EnvFilter::new(filter));
            (levels.info, levels.warn)
        };
        assert_eq!(levels("info"), (true, true));
        assert_eq!(levels("info,open_chat::request=off"), (false, false));
        assert_eq!(levels("info,open_chat::request=warn"), (false, true));
        assert_eq!(levels("off,open_chat::request=info"), (true, true));
        assert_eq!(levels("error"), (false, false));
    }

    #[test]
    fn a_date_is_formatted_once_a_second() {
        let mut timestamp = Timestamp::default();
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_309_810_568, "2026-11-22T01:10:10.568Z"),
            (1_795_309_810_999, "2026-11-22T01:10:10.999Z"),
            (1_795_309_811_007, "2026-11-22T01:10:11.007Z"),
        ] {
            let since_epoch = Duration::from_millis(milliseconds);
            assert_eq!(timestamp.format(since_epoch), expected);
        }
    }
}
