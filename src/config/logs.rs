//! What the log shows.

use tracing_subscriber::EnvFilter;

use super::environment::Environment;
use super::reader::{Reader, Reported};
use crate::telemetry::LogFormat;

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
    pub(super) fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Reported> {
        let format =
            reader.read_optional("LOG_FORMAT", env.log_format.as_ref(), |text| match text {
                "json" => Ok(LogFormat::Json),
                "text" => Ok(LogFormat::Text),
                _ => Err("neither `json` nor `text`"),
            });
        let filter = reader.read("RUST_LOG", env.rust_log.as_ref(), |text| {
            EnvFilter::try_new(text)
                .map(|_| text.to_owned())
                .map_err(|_| "not a log filter, such as info or open_chat=debug")
        });
        let phones = reader.read("LOG_PHONES", env.log_phones.as_ref(), |text| match text {
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
