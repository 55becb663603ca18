//! Operator tokens: their lifetime, their cache, and their validation.

use std::time::Duration;

use super::{EnvParser, Reported, Variable, duration, duration_or_zero, on_or_off};
use crate::tokens::TokenConfig;

pub(super) const VARIABLES: &[Variable] = &[
    // Far more operators than a company has. It bounds memory against a client that tries every id.
    Variable::with_default("TOKEN_CACHE_SIZE", "100000"),
    // An agent who clicks forty times an hour is minted for every few clicks, and never waits for
    // it.
    Variable::with_default("TOKEN_REUSE", "5m"),
    // It ends the operator's session in the panel as well, so not too short; it stays in a
    // browser's history, so not long.
    Variable::with_default("TOKEN_TTL", "1h"),
    // A second call for each token, for companies whose tokens ChatHub has refused.
    Variable::with_default("TOKEN_VALIDATE", "off"),
];

/// ChatHub's bound is 24 hours; five minutes of it are left for clocks that differ.
const TTL: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_mins(24 * 60 - 5);

pub(super) fn parse(
    parser: &mut EnvParser,
    click_budget: Result<Duration, Reported>,
) -> Result<TokenConfig, Reported> {
    let ttl = parser.required("TOKEN_TTL", |text| {
        duration(text).and_then(|ttl| {
            let is_allowed = TTL.contains(&ttl);
            is_allowed.then_some(ttl).ok_or("must be from 1m to 23h55m")
        })
    });
    let reuse = parser.required("TOKEN_REUSE", duration_or_zero);
    let cache_size = parser.required("TOKEN_CACHE_SIZE", |text| {
        text.parse()
            .ok()
            .filter(|size| *size > 0)
            .ok_or("not a number of operators, such as 100000")
    });
    let validate = parser.required("TOKEN_VALIDATE", on_or_off);
    Ok(TokenConfig {
        ttl: ttl?,
        reuse: reuse?,
        cache_size: cache_size?,
        validate: validate?,
        click_budget: click_budget?,
    })
}
