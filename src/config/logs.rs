//! The log: its format, its filter, and how much of a phone it shows.

use tracing_subscriber::EnvFilter;

use super::{EnvParser, Reported, Variable};
use crate::telemetry::LogFormat;

pub(super) const VARIABLES: &[Variable] = &[
    Variable::without_default("LOG_FORMAT"),
    Variable::with_default("RUST_LOG", "info"),
    // Enough to find a click again, too little to call the client.
    Variable::with_default("LOG_PHONES", "masked"),
];

/// What the log shows.
#[derive(Debug)]
pub struct LogConfig {
    /// Unset: text on a terminal, JSON elsewhere.
    pub format: Option<LogFormat>,
    /// In `RUST_LOG`'s language.
    pub filter: String,
    /// How much of a client's phone.
    pub phones: LogPhones,
}

/// How much of a client's phone a log shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPhones {
    /// `+38050***4567`
    Masked,
    /// Nothing.
    None,
}

impl LogConfig {
    pub(super) fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let format = parser.optional("LOG_FORMAT", |text| match text {
            "json" => Ok(LogFormat::Json),
            "text" => Ok(LogFormat::Text),
            _ => Err("neither `json` nor `text`"),
        });
        let filter = parser.required("RUST_LOG", |text| {
            EnvFilter::try_new(text)
                .map(|_| text.to_owned())
                .map_err(|_| "not a log filter, such as info or open_chat=debug")
        });
        let phones = parser.required("LOG_PHONES", |text| match text {
            "masked" => Ok(LogPhones::Masked),
            "none" => Ok(LogPhones::None),
            _ => Err("neither `masked` nor `none`"),
        });
        Ok(Self {
            format: format?,
            filter: filter?,
            phones: phones?,
        })
    }
}
