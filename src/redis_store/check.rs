//! One question to Redis, for a checklist.

use std::time::Duration;

use prometheus::IntGauge;

use super::RedisStore;
use crate::secret::SecretSource;

impl RedisStore {
    /// Asks what a click asks. The error names the kind of trouble, without the URL.
    pub async fn check(url: SecretSource, patience: Duration) -> Result<(), String> {
        let degraded = IntGauge::new("degraded", "of nobody's interest");
        let degraded = degraded.map_err(|error| error.to_string())?;
        let store = Self::new(url, patience, degraded)?;
        // The first call makes the connection, which may take longer than an answer.
        match store.probe().await {
            Ok(()) => Ok(()),
            Err(_) => store.probe().await,
        }
    }
}
