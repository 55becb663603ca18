//! Connects to Redis, bounds its calls in time, and names its errors without their text.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, RedisResult};
use tokio::time::timeout;

use crate::secret::Secret;
use connect_error::NoConnection;

/// How long a new connection may take, and a call that no click waits for.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The error kind where no answer comes, or too late.
pub(super) const NO_ANSWER: &str = "NoAnswer";

/// A connection that is made when it is first used, and made again when it is lost.
pub(super) fn connect(url: &Secret, timeout: Duration) -> RedisResult<ConnectionManager> {
    let client = Client::open(url.expose())?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(CONNECT_TIMEOUT.max(timeout)))
        .set_number_of_retries(1);
    ConnectionManager::new_lazy_with_config(client, config)
}

/// The answer, or the kind of error.
pub(super) async fn with_timeout<T>(
    limit: Duration,
    call: impl Future<Output = RedisResult<T>>,
) -> Result<T, String> {
    match timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| error_kind(&error)),
        Err(_) => Err(NO_ANSWER.into()),
    }
}

/// The kind of an error, and no more: its text may repeat what was sent.
pub(super) fn error_kind(error: &RedisError) -> String {
    let is_code = |code: &&str| code.len() <= 32 && code.bytes().all(|c| c.is_ascii_uppercase());
    if let Some(code) = error.code().filter(is_code) {
        return code.to_owned();
    }
    match NoConnection::of(error) {
        cause if cause.is_about_tls() => cause.to_string(),
        cause @ (NoConnection::NoSuchName | NoConnection::Refused | NoConnection::NoRoute) => {
            cause.to_string()
        }
        _ => format!("{:?}", error.kind()),
    }
}
