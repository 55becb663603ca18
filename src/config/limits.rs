//! The settings of the rate limits.

use super::environment::Environment;
use super::reader::{Reader, Reported};
use crate::rate_limit::{Quota, RateLimitConfig};

pub(super) fn read(reader: &mut Reader, env: &Environment) -> Result<RateLimitConfig, Reported> {
    let mut quota =
        |variable, text: &Option<String>| reader.read(variable, text.as_ref(), Quota::parse);
    let operator = quota("RATE_LIMIT_OPERATOR", &env.rate_limit_operator);
    let client = quota("RATE_LIMIT_CLIENT", &env.rate_limit_client);
    let refused = quota("RATE_LIMIT_REFUSED", &env.rate_limit_refused);
    Ok(RateLimitConfig {
        operator: operator?,
        client: client?,
        refused: refused?,
    })
}
