//! Probes Redis: all the time while the service runs, and once for a checklist.

use std::time::{Duration, Instant};

use prometheus::IntGauge;
use tokio::time::sleep;

use super::connection::{CONNECT_TIMEOUT, NO_ANSWER, with_timeout};
use super::gcra::{self, GcraKey, OnRoom};
use super::health::Recovery;
use super::{RedisStore, key};
use crate::secret::SecretSource;

/// Between two probes.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// After this many failed probes the connection is replaced.
const RECONNECT_AFTER: u32 = 4;

/// The policy under which Redis evicts no key.
const EVICTS_NOTHING: &str = "noeviction";

impl RedisStore {
    /// Probes once, with a connection of its own. The error names the kind of error, without the
    /// URL.
    pub async fn check(url: SecretSource, timeout: Duration) -> Result<(), String> {
        let degraded = IntGauge::new("degraded", "not exported");
        let degraded = degraded.map_err(|error| error.to_string())?;
        let store = Self::new(url, timeout, degraded)?;
        // The first call makes the connection, which may take longer than an answer.
        match store.probe().await {
            Ok(()) => Ok(()),
            Err(_) => store.probe().await,
        }
    }

    /// Probes again and again, and retries releases while Redis answers. Never returns.
    pub async fn monitor(&self) {
        let mut recovery = Recovery::new();
        let mut failures = 0_u32;
        // The first call makes the connection, which may take longer than an answer.
        let _ = self.probe().await;
        loop {
            let began = Instant::now();
            if let Err(kind) = self.probe().await {
                self.health.failed(&kind);
                recovery.failed();
                failures += 1;
                // A connection stays open after a refused login, to a machine that has vanished
                // silently, and to a Redis that has become a replica. A new one may lead to another
                // Redis.
                if failures.is_multiple_of(RECONNECT_AFTER) {
                    self.reconnect();
                }
            } else {
                failures = 0;
                self.answered(&mut recovery, began.elapsed()).await;
            }
            sleep(PROBE_INTERVAL).await;
        }
    }

    async fn answered(&self, recovery: &mut Recovery, took: Duration) {
        if took > self.timeout {
            self.health.failed(NO_ANSWER);
        }
        // An answer with some time to spare counts towards recovery.
        let is_quick = took <= self.timeout * 3 / 4;
        if self.health.answered(recovery, is_quick, Instant::now()) {
            self.warn_of_eviction().await;
        }
        for release in self.releases.take_waiting() {
            self.try_release(release).await;
        }
    }

    /// Does what a click does, with two keys as well. A Redis that answers may still be a replica
    /// that is read-only, forbid scripts, or be a node of a cluster that does not have the keys.
    /// Never over its limit.
    async fn probe(&self) -> Result<(), String> {
        let probe = ["1", "2"].map(|number| GcraKey {
            name: key("probe", number),
            count: 1_000_000,
            period: Duration::from_secs(1),
        });
        let count = gcra::check(&probe, OnRoom::Count, self.connection());
        let timeout = CONNECT_TIMEOUT.max(self.timeout);
        with_timeout(timeout, count).await.map(|_| ())
    }

    /// A used one-time pass that Redis evicts opens again. A user that may not read the policy gets
    /// no warning.
    async fn warn_of_eviction(&self) {
        let mut connection = self.connection();
        let mut command = redis::cmd("INFO");
        command.arg("memory");
        let info = command.query_async::<String>(&mut connection);
        let info = with_timeout(CONNECT_TIMEOUT, info).await;
        let policy = info.as_deref().ok().and_then(|info| {
            let mut lines = info.lines();
            lines.find_map(|line| line.strip_prefix("maxmemory_policy:"))
        });
        if let Some(maxmemory_policy) = policy
            && maxmemory_policy != EVICTS_NOTHING
        {
            tracing::warn!(
                maxmemory_policy,
                "Redis may forget what it holds when its memory is full, and a used one-time link that it forgets opens again: set maxmemory-policy to noeviction"
            );
        }
    }
}
