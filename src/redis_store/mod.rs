//! Redis (or Valkey): the state that all replicas share.
//!
//! Owns the connection and knows whether Redis is available. Rate limits never wait for it: a late
//! answer counts as none, and after one no request asks again before Redis was quick for a while.
//! One-time passes do wait, because nothing else knows whether a pass was used.

mod connection;
mod ended_devices;
mod gcra;
mod health;
mod monitor;
mod one_time_use;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use prometheus::IntGauge;
use redis::aio::ConnectionManager;
use redis::{Client, ConnectionAddr};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout, timeout_at};

use self::connection::{CONNECT_TIMEOUT, NO_ANSWER, connect, error_kind, with_timeout};
use self::gcra::OnRoom;
pub use self::gcra::{GcraKey, OverLimit};
use self::health::Health;
use self::one_time_use::{Release, Releases};
use crate::reload::{PollOutcome, Reloadable, Report};
use crate::secret::{Secret, SecretSource};

/// How long a count may take. When Redis stops answering, one click waits for this long.
pub const TIMEOUT: Duration = Duration::from_millis(40);

/// Between two attempts to consume a one-time pass.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// How long a refused click waits until its one-time pass is released.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(200);

/// The problem with a URL. The parser's own text may repeat it, and a password with it.
const INVALID_URL: &str =
    "not a Redis URL, such as redis://:password@host:6379/0, or rediss:// for TLS";

/// A URL may ask for an unverified certificate, and does not get it: any machine between here and
/// Redis could then answer in its place.
const INSECURE_URL: &str = "must not end in #insecure: Redis' certificate is always checked";

/// Redis does not answer, or not in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// The store that all replicas share.
pub struct RedisStore {
    url: Reloadable<Secret>,
    connection: ArcSwap<ConnectionManager>,
    timeout: Duration,
    releases: Releases,
    health: Health,
}

impl RedisStore {
    /// Checks that this can be a Redis URL. The error is a sentence without the URL, which may
    /// contain a password.
    pub fn check_url(url: &Secret) -> Result<(), &'static str> {
        let client = Client::open(url.expose()).map_err(|_| INVALID_URL)?;
        match client.get_connection_info().addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => Err(INSECURE_URL),
            _ => Ok(()),
        }
    }

    /// Prepares the connection, and sends nothing yet. `timeout` is the limit for a count. The
    /// error is a sentence without the URL.
    pub fn new(url: SecretSource, timeout: Duration, degraded: IntGauge) -> Result<Self, String> {
        let url = Reloadable::load("REDIS_URL", move |files| {
            let url = files.secret(&url)?;
            Self::check_url(&url)?;
            Ok(url)
        })?;
        let connection = connect(&url.get(), timeout).map_err(|_| INVALID_URL)?;
        Ok(Self {
            url,
            connection: ArcSwap::from_pointee(connection),
            timeout,
            releases: Releases::default(),
            health: Health::new(degraded),
        })
    }

    /// Polls the file with the URL. Must be called within a Tokio runtime, in which a new
    /// connection lives.
    pub fn poll(&self) -> Report {
        let report = self.url.poll();
        if report.outcome == PollOutcome::Reloaded {
            self.reconnect();
        }
        report
    }

    /// Counts one under each key, if all of them have room.
    pub async fn count(&self, keys: &[GcraKey]) -> Result<Result<(), OverLimit>, Unavailable> {
        self.check_limits(keys, OnRoom::Count).await
    }

    /// Whether all keys have room. Counts nothing.
    pub async fn peek(&self, keys: &[GcraKey]) -> Result<Result<(), OverLimit>, Unavailable> {
        self.check_limits(keys, OnRoom::Peek).await
    }

    async fn check_limits(
        &self,
        keys: &[GcraKey],
        on_room: OnRoom,
    ) -> Result<Result<(), OverLimit>, Unavailable> {
        if !self.health.is_available() {
            return Err(Unavailable);
        }
        let check = gcra::check(keys, on_room, self.connection());
        with_timeout(self.timeout, check)
            .await
            .map_err(|kind| self.unavailable(&kind))
    }

    /// Whether the one-time pass `id` was used. Waits for the answer until `deadline`.
    pub async fn is_used(&self, id: &str, deadline: Instant) -> Result<bool, Unavailable> {
        let by = self.used_by(id, deadline).await?;
        Ok(by.is_some())
    }

    /// Which click has used the one-time pass `id`, if one has. Waits for the answer until
    /// `deadline`.
    pub async fn used_by(
        &self,
        id: &str,
        deadline: Instant,
    ) -> Result<Option<String>, Unavailable> {
        let used_by = one_time_use::used_by(id, self.connection());
        let left = deadline.saturating_duration_since(Instant::now());
        with_timeout(left, used_by)
            .await
            .map_err(|kind| self.unavailable(&kind))
    }

    /// Whether the pairing of `device` was ended a short while ago. Like a count, it waits for no
    /// late answer.
    pub async fn is_device_ended(&self, device: &str) -> Result<bool, Unavailable> {
        if !self.health.is_available() {
            return Err(Unavailable);
        }
        let is_ended = ended_devices::contain(device, self.connection());
        with_timeout(self.timeout, is_ended)
            .await
            .map_err(|kind| self.unavailable(&kind))
    }

    /// Remembers for `ttl` that the pairing of `device` was ended. Waits for the answer until
    /// `deadline`.
    pub async fn end_device(
        &self,
        device: &str,
        ttl: Duration,
        deadline: Instant,
    ) -> Result<(), Unavailable> {
        let end = ended_devices::add(device, ttl, self.connection());
        let left = deadline.saturating_duration_since(Instant::now());
        with_timeout(left, end)
            .await
            .map_err(|kind| self.unavailable(&kind))
    }

    /// Consumes the one-time pass `id` for the click `by`, and remembers that for `ttl`; `false`
    /// where another click has used it. Waits for the answer until `deadline`, and retries where
    /// Redis cannot be reached. Whatever the outcome, a click that leads to no chat must release
    /// the pass.
    pub async fn consume(
        &self,
        id: &str,
        by: &str,
        ttl: Duration,
        deadline: Instant,
    ) -> Result<bool, Unavailable> {
        let mut kind = NO_ANSWER.to_owned();
        let consumed = async {
            loop {
                let consume = one_time_use::consume(id, by, ttl, self.connection());
                match consume.await {
                    Ok(is_first) => return is_first,
                    Err(error) => kind = error_kind(&error),
                }
                sleep(RETRY_INTERVAL).await;
            }
        };
        let consumed = timeout_at(deadline.into(), consumed).await;
        consumed.map_err(|_| self.unavailable(&kind))
    }

    /// Releases the one-time pass `id`, if the click `by` has consumed it. Waits for that a moment;
    /// it happens sooner or later.
    pub async fn release(self: Arc<Self>, id: String, by: String) {
        let released = tokio::spawn(async move { self.try_release(Release::new(id, by)).await });
        let _ = timeout(RELEASE_TIMEOUT, released).await;
    }

    /// The same, without waiting.
    pub fn release_in_background(self: Arc<Self>, id: String, by: String) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { self.try_release(Release::new(id, by)).await });
        }
    }

    /// A pass is released over the connection over which it was consumed, so in this order.
    async fn try_release(&self, release: Release) {
        let released = release.run(self.connection());
        match with_timeout(CONNECT_TIMEOUT, released).await {
            Ok(true) => {}
            Ok(false) => self.releases.retry_later(release, true),
            Err(_) => self.releases.retry_later(release, false),
        }
    }

    fn reconnect(&self) {
        // The URL was checked.
        if let Ok(connection) = connect(&self.url.get(), self.timeout) {
            self.connection.store(Arc::new(connection));
        }
    }

    fn connection(&self) -> ConnectionManager {
        ConnectionManager::clone(&self.connection.load())
    }

    fn unavailable(&self, kind: &str) -> Unavailable {
        self.health.failed(kind);
        Unavailable
    }
}

/// The name of a key of this service. In a Redis Cluster the braces put all keys into one slot, so
/// that one script may use several, and one node has them all.
pub fn key(purpose: &str, id: impl fmt::Display) -> String {
    format!("open-chat:{{shared}}:{purpose}:{id}")
}
