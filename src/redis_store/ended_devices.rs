//! Paired browsers whose pairing was ended on the page a short while ago, in Redis.

use std::time::Duration;

use redis::RedisResult;
use redis::aio::ConnectionManager;

/// Remembers for `ttl` that the pairing of `device` was ended.
pub(super) async fn add(
    device: &str,
    ttl: Duration,
    mut connection: ConnectionManager,
) -> RedisResult<()> {
    let mut command = redis::cmd("SET");
    command.arg(key(device)).arg(1).arg("EX").arg(ttl.as_secs());
    command.query_async(&mut connection).await
}

/// Whether the pairing of `device` was ended.
pub(super) async fn contain(device: &str, mut connection: ConnectionManager) -> RedisResult<bool> {
    let mut command = redis::cmd("EXISTS");
    command.arg(key(device));
    command.query_async(&mut connection).await
}

fn key(device: &str) -> String {
    super::key("device-ended", device)
}
