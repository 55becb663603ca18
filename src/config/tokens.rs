//! How operator tokens are got and kept.

use std::time::Duration;

use super::environment::Environment;
use super::reader::{Reader, Reported, duration, duration_or_zero, on_or_off};
use crate::tokens::Settings;

/// ChatHub's bound is 24 hours; five minutes of it are left for clocks that differ.
const TTL: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_mins(24 * 60 - 5);

pub(super) fn read(
    reader: &mut Reader,
    env: &Environment,
    click_budget: Result<Duration, Reported>,
) -> Result<Settings, Reported> {
    let ttl = reader.read("TOKEN_TTL", env.token_ttl.as_ref(), |text| {
        duration(text).and_then(|ttl| {
            let is_allowed = TTL.contains(&ttl);
            is_allowed.then_some(ttl).ok_or("must be from 1m to 23h55m")
        })
    });
    let reuse = reader.read("TOKEN_REUSE", env.token_reuse.as_ref(), duration_or_zero);
    let cache_size = reader.read("TOKEN_CACHE_SIZE", env.token_cache_size.as_ref(), |text| {
        text.parse()
            .ok()
            .filter(|size| *size > 0)
            .ok_or("not a number of operators, such as 100000")
    });
    let validate = reader.read("TOKEN_VALIDATE", env.token_validate.as_ref(), on_or_off);
    Ok(Settings {
        ttl: ttl?,
        reuse: reuse?,
        cache_size: cache_size?,
        validate: validate?,
        click_budget: click_budget?,
    })
}
