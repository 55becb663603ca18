//! The pairing of a browser among replicas: which were ended elsewhere, and when an invitation was
//! used.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::one_time_use;
use crate::access::{AuthContext, Authenticator, Caller, Denied, DeviceId, OneTimeUse};
use crate::http::state::AppState;
use crate::redis_store::RedisStore;

/// How long the store is waited for where a person waits for a page.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Rejects a device whose pairing was ended on another replica's page a short while ago. A store
/// that does not answer holds up no click: what ends a pairing for good is a file.
pub(super) async fn check_not_ended<'a>(
    auth: AuthContext<'a>,
    redis: &RedisStore,
) -> Result<AuthContext<'a>, Denied> {
    if let Caller::Device(device) = auth.caller
        && redis.is_device_ended(device.as_str()).await == Ok(true)
    {
        return Err(Denied::DeviceEnded);
    }
    Ok(auth)
}

/// Refuses a device from now on, here and in all replicas that share a store.
pub(crate) async fn end(device: DeviceId, state: &AppState) {
    state.authenticator.end_pairing(device);
    if let Some(redis) = &state.redis {
        let ttl = Authenticator::DEVICE_END_REMEMBERED;
        let deadline = Instant::now() + TIMEOUT;
        // Without the store the end is this replica's alone, and the browser's cookie is gone.
        let _ = redis.end_device(device.as_str(), ttl, deadline).await;
    }
}

/// When an invitation was used, as far as this replica or the store knows.
pub(crate) async fn used_at(once: &OneTimeUse, state: &AppState) -> Option<DateTime<Utc>> {
    if let Some(by) = state.authenticator.used_by(once) {
        return one_time_use::moment(by);
    }
    let redis = state.redis.as_ref()?;
    let deadline = Instant::now() + TIMEOUT;
    let by = redis.used_by(&once.fingerprint(), deadline).await.ok()??;
    one_time_use::moment(u128::from_str_radix(&by, 16).ok()?)
}
