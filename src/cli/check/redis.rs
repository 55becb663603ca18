//! Checks Redis: an address can be well-formed and still lead to no Redis, or to a read-only one.

use std::time::Duration;

use super::findings::Findings;
use crate::config::Config;
use crate::redis_store::RedisStore;

/// A person waits longer than a click does.
const TIMEOUT: Duration = Duration::from_secs(5);

impl Findings {
    /// Sends Redis the commands of a click.
    pub(super) async fn redis(&mut self, config: &Config) {
        let Some(url) = &config.redis.url else {
            return;
        };
        match RedisStore::check(url.clone(), TIMEOUT).await {
            Ok(()) => self.ok("redis", "it answers what a click asks"),
            Err(trouble) => self.fail(
                "redis",
                format!("it does not answer what a click asks: {trouble}"),
                "Check REDIS_URL, from this very machine: the name, the port, the firewall, the password, and that it is no read-only copy. Until it answers, \
                 each replica counts limits for itself, and one-time links are refused.",
            ),
        }
    }
}
