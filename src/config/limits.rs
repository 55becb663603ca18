//! The rate limits.

use super::{EnvParser, Reported, Variable};
use crate::rate_limit::{Quota, RateLimitConfig};

pub(super) const VARIABLES: &[Variable] = &[
    // An agent opens a chat every few seconds at most, and not for a whole minute.
    Variable::with_default("RATE_LIMIT_OPERATOR", "30/m"),
    // An office shares an address: twenty agents who click as fast as they are allowed to.
    Variable::with_default("RATE_LIMIT_CLIENT", "600/m"),
    // Room for a mistake in a template, none for guessing.
    Variable::with_default("RATE_LIMIT_REFUSED", "30/m"),
];

pub(super) fn parse(parser: &mut EnvParser) -> Result<RateLimitConfig, Reported> {
    let operator = parser.required("RATE_LIMIT_OPERATOR", Quota::parse);
    let client = parser.required("RATE_LIMIT_CLIENT", Quota::parse);
    let refused = parser.required("RATE_LIMIT_REFUSED", Quota::parse);
    Ok(RateLimitConfig {
        operator: operator?,
        client: client?,
        refused: refused?,
    })
}
