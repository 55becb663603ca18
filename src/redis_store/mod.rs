//! Redis (or Valkey): what all replicas must agree on.
//!
//! Owns the connection, and the knowledge whether it is any good. A limit is never waited for: an
//! answer that is late is as good as none, and after one of those nobody asks again before Redis
//! was quick for a while. A one-time pass is waited for, because nobody else can say whether it was
//! used.

mod check;
mod gcra;
mod health;
mod once;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use connect_error::NoConnection;
use prometheus::IntGauge;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ConnectionAddr, RedisError, RedisResult};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout, timeout_at};

use self::gcra::Gcra;
pub use self::gcra::{Counted, OverLimit};
use self::health::{Health, Recovery};
use self::once::{GiveBack, OneTimeUse};
use crate::reload::{PollOutcome, Reloadable, Report};
use crate::secret::{Secret, SecretSource};

/// How long an answer to a count may take. A click is held up by this once, when Redis stops
/// answering.
pub const PATIENCE: Duration = Duration::from_millis(40);

/// How long a new connection may take, and an answer that nobody is in a hurry for.
const CONNECT: Duration = Duration::from_secs(1);

/// How often it is asked whether it is well.
const PROBE: Duration = Duration::from_millis(500);

/// After so many probes that have failed the connection is given up, for a new one.
const CONNECT_ANEW: u32 = 4;

/// Between two tries to use up a one-time pass.
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// How long a refused click waits for its one-time pass to be given back.
const GIVEN_BACK: Duration = Duration::from_millis(200);

/// What is wrong with a URL; its parser's own text may repeat it, and with it a password.
const NO_URL: &str = "not a Redis URL, such as redis://:password@host:6379/0, or rediss:// for TLS";

/// What a URL may ask for, and does not get: anybody between here and Redis could answer in its
/// place.
const UNCHECKED: &str = "must not end in #insecure: Redis' certificate is always checked";

/// What is wrong where nothing comes, or too late.
const NO_ANSWER: &str = "NoAnswer";

/// Redis forgets nothing by itself under this policy.
const EVICTS_NOTHING: &str = "noeviction";

/// Redis does not answer in time, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// What all replicas share.
pub struct RedisStore {
    url: Reloadable<Secret>,
    connection: ArcSwap<ConnectionManager>,
    patience: Duration,
    gcra: Gcra,
    once: OneTimeUse,
    health: Health,
}

impl RedisStore {
    /// Whether this can be a Redis URL. The error is a sentence without the URL, which may hold a
    /// password.
    pub fn check_url(url: &Secret) -> Result<(), &'static str> {
        let client = Client::open(url.expose()).map_err(|_| NO_URL)?;
        match client.get_connection_info().addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => Err(UNCHECKED),
            _ => Ok(()),
        }
    }

    /// Prepares the connection; nothing is sent yet. An answer to a count may take as long as
    /// `patience`. The error is a sentence without the URL.
    pub fn new(url: SecretSource, patience: Duration, degraded: IntGauge) -> Result<Self, String> {
        let url = Reloadable::load("REDIS_URL", move |files| {
            let url = files.secret(&url)?;
            Self::check_url(&url)?;
            Ok(url)
        })?;
        let connection = connection(&url.get(), patience).map_err(|_| NO_URL)?;
        Ok(Self {
            url,
            connection: ArcSwap::from_pointee(connection),
            patience,
            gcra: Gcra::new(),
            once: OneTimeUse::new(),
            health: Health::new(degraded),
        })
    }

    /// Looks whether the file with the URL has changed. Must be called within a Tokio runtime, in
    /// which a new connection lives.
    pub fn poll(&self) -> Report {
        let report = self.url.poll();
        if report.look == PollOutcome::Reloaded {
            self.connect_anew();
        }
        report
    }

    /// Counts one for each key, if all of them have room.
    pub async fn count(&self, keys: &[Counted]) -> Result<Result<(), OverLimit>, Unavailable> {
        if !self.health.is_well() {
            return Err(Unavailable);
        }
        let count = self.gcra.count(keys, self.connection());
        within(self.patience, count)
            .await
            .map_err(|trouble| self.away(&trouble))
    }

    /// Whether `id` has been used up. Waits for the answer until then.
    pub async fn is_used(&self, id: &str, until: Instant) -> Result<bool, Unavailable> {
        let is_used = self.once.is_used(id, self.connection());
        let patience = until.saturating_duration_since(Instant::now());
        within(patience, is_used)
            .await
            .map_err(|trouble| self.away(&trouble))
    }

    /// Whether `by`, one click, has used `id` up, which is remembered for `ttl`. Waits for the
    /// answer until then, and asks again where Redis cannot be reached. Whatever comes of it, a
    /// click that leads to no chat gives it back.
    pub async fn consume(
        &self,
        id: &str,
        by: &str,
        ttl: Duration,
        until: Instant,
    ) -> Result<bool, Unavailable> {
        let mut trouble = NO_ANSWER.to_owned();
        let used_up = async {
            loop {
                match self.once.consume(id, by, ttl, self.connection()).await {
                    Ok(is_first) => return is_first,
                    Err(error) => trouble = kind(&error),
                }
                sleep(TRY_AGAIN).await;
            }
        };
        let used_up = timeout_at(until.into(), used_up).await;
        used_up.map_err(|_| self.away(&trouble))
    }

    /// Makes `id` good again, if `by` has used it up. Waits for that a moment; it comes about
    /// sooner or later.
    pub async fn release(self: Arc<Self>, id: String, by: String) {
        let given_back = tokio::spawn(async move {
            self.try_to_give_back(GiveBack::new(id, by)).await;
        });
        let _ = timeout(GIVEN_BACK, given_back).await;
    }

    /// The same, waited for by nobody.
    pub fn release_soon(self: Arc<Self>, id: String, by: String) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                self.try_to_give_back(GiveBack::new(id, by)).await;
            });
        }
    }

    /// What was used up over this connection is given back over it, so in this order.
    async fn try_to_give_back(&self, pass: GiveBack) {
        let release = self.once.release(&pass, self.connection());
        match within(CONNECT, release).await {
            Ok(true) => {}
            Ok(false) => self.once.wait(pass, true),
            Err(_) => self.once.wait(pass, false),
        }
    }

    /// Finds out from time to time whether it is well; never ends.
    pub async fn watch(&self) {
        let mut recovery = Recovery::new();
        let mut troubles = 0_u32;
        // The first call makes the connection, which may take longer than an answer.
        let _ = self.probe().await;
        loop {
            let began = Instant::now();
            let answer = self.probe().await;
            let took = began.elapsed();
            if let Err(trouble) = answer {
                self.health.failed(&trouble);
                recovery.failed();
                troubles += 1;
                // A refused login is kept like a connection, and so is one to a machine that has
                // vanished without a word; a Redis that has become a copy stays one. The next
                // connection may lead elsewhere.
                if troubles.is_multiple_of(CONNECT_ANEW) {
                    self.connect_anew();
                }
            } else {
                troubles = 0;
                if took > self.patience {
                    self.health.failed(NO_ANSWER);
                }
                // One that is answered with some time to spare speaks for Redis.
                let is_quick = took <= self.patience * 3 / 4;
                if self
                    .health
                    .answered(&mut recovery, is_quick, Instant::now())
                {
                    self.warn_of_eviction().await;
                }
                for pass in self.once.take_waiting() {
                    self.try_to_give_back(pass).await;
                }
            }
            sleep(PROBE).await;
        }
    }

    /// What a click asks for, with two keys as there: one that answers may still be a copy that
    /// cannot be written, forbid scripts, or be the node of a cluster that does not have the keys.
    /// Never over its limit.
    async fn probe(&self) -> Result<(), String> {
        let probe = ["1", "2"].map(|number| Counted {
            key: key("probe", number),
            count: 1_000_000,
            period: Duration::from_secs(1),
        });
        let count = self.gcra.count(&probe, self.connection());
        let patience = CONNECT.max(self.patience);
        within(patience, count).await.map(|_| ())
    }

    /// A used one-time pass that Redis forgets opens again. Where its user may not ask, this is
    /// nobody's business.
    async fn warn_of_eviction(&self) {
        let mut connection = self.connection();
        let mut command = redis::cmd("INFO");
        command.arg("memory");
        let info = within(CONNECT, command.query_async::<String>(&mut connection)).await;
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

    fn connect_anew(&self) {
        // The URL has been checked.
        if let Ok(connection) = connection(&self.url.get(), self.patience) {
            self.connection.store(Arc::new(connection));
        }
    }

    fn connection(&self) -> ConnectionManager {
        ConnectionManager::clone(&self.connection.load())
    }

    fn away(&self, trouble: &str) -> Unavailable {
        self.health.failed(trouble);
        Unavailable
    }
}

/// A connection that makes itself when it is first used, and again when it is lost.
fn connection(url: &Secret, patience: Duration) -> RedisResult<ConnectionManager> {
    let client = Client::open(url.expose())?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(CONNECT.max(patience)))
        .set_number_of_retries(1);
    ConnectionManager::new_lazy_with_config(client, config)
}

/// The answer, or what is wrong.
async fn within<T>(
    patience: Duration,
    call: impl Future<Output = RedisResult<T>>,
) -> Result<T, String> {
    match timeout(patience, call).await {
        Ok(answer) => answer.map_err(|error| kind(&error)),
        Err(_) => Err(NO_ANSWER.into()),
    }
}

/// The name of a key of ours. In a Redis Cluster the braces put all of them into one slot, so that
/// one script may use several, and one node has them all.
pub fn key(purpose: &str, id: impl fmt::Display) -> String {
    format!("open-chat:{{shared}}:{purpose}:{id}")
}

/// What an error is called, and no more: its text may repeat what was sent.
fn kind(error: &RedisError) -> String {
    let is_name = |code: &&str| code.len() <= 32 && code.bytes().all(|c| c.is_ascii_uppercase());
    if let Some(code) = error.code().filter(is_name) {
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
