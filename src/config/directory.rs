//! The directory of the company's operators, as ChatHub lists them.

use std::time::Duration;

use super::parser::{EnvParser, Reported, duration};
use super::variables::Variable;
use crate::operators::Settings as DirectoryConfig;

pub(super) const VARIABLES: &[Variable] = &[
    // What changes in ChatHub counts after a minute, as ChatHub's own refusals do.
    Variable::with_default("DIRECTORY_REFRESH", "60s"),
];

/// `max_rate` is the number of requests that ChatHub takes in a second.
pub(super) fn parse(
    parser: &mut EnvParser,
    max_rate: Result<u32, Reported>,
) -> Result<DirectoryConfig, Reported> {
    let refresh = parser.required("DIRECTORY_REFRESH", duration);
    Ok(DirectoryConfig {
        refresh: refresh?,
        // Half of the rate is left for clicks.
        spacing: Duration::from_secs(2) / max_rate?,
    })
}
