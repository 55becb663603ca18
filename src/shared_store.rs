//! Redis (or Valkey): what all replicas must agree on.
//!
//! Owns the connection, and the knowledge whether it is any good. It is never waited for: an answer that is late is as good as none, and after
//! one of those nobody asks again before a probe has succeeded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus::IntGauge;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult, Script};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::reload::{Look, Reloading, Report};
use crate::secret::{Secret, SecretSource};

/// How long an answer may take. A click is held up by this once, when Redis stops answering.
pub const PATIENCE: Duration = Duration::from_millis(40);

/// How long a new connection may take, in the background.
const CONNECT: Duration = Duration::from_secs(1);

/// How often it is asked whether it is well.
const PROBE: Duration = Duration::from_millis(500);

/// After so many probes that have failed the connection is given up, for a new one.
const CONNECT_ANEW: u32 = 4;

/// What is wrong with a URL; its parser's own text may repeat it, and with it a password.
const NO_URL: &str = "not a Redis URL, such as redis://:password@host:6379/0";

/// What is wrong where nothing comes.
const NO_ANSWER: &str = "NoAnswer";

/// The theoretical arrival time of GCRA for each key, on Redis' own clock, in one round trip. All keys count or none does.
const GCRA: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrivals = {}
for i, key in ipairs(KEYS) do
  local interval, tolerance = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local arrival = tonumber(redis.call('GET', key) or now)
  if arrival < now then arrival = now end
  arrival = arrival + interval
  local early = arrival - tolerance - now
  if early > 0 then return {i, math.ceil(early)} end
  arrivals[i] = arrival
end
for i, key in ipairs(KEYS) do
  local lives = math.ceil((arrivals[i] - now) / 1000) + 1
  redis.call('SET', key, string.format('%.0f', arrivals[i]), 'PX', lives)
end
return {0, 0}
";

/// One of the keys of a count.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The key.
    pub key: String,
    /// How many at once, and again over the period.
    pub count: u32,
    /// The time over which they come back.
    pub period: Duration,
}

/// Which key is over its limit, by its place, and until when.
pub type OverLimit = (usize, Duration);

/// Redis does not answer in time, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away;

/// What all replicas share.
pub struct SharedStore {
    url: Reloading<Secret>,
    connection: ArcSwap<ConnectionManager>,
    patience: Duration,
    gcra: Script,
    is_away: AtomicBool,
    degraded: IntGauge,
}

impl SharedStore {
    /// Whether this can be a Redis URL. The error is a sentence without the URL, which may hold a password.
    pub fn check_url(url: &Secret) -> Result<(), &'static str> {
        Client::open(url.expose()).map(drop).map_err(|_| NO_URL)
    }

    /// Prepares the connection; nothing is sent yet. An answer may take as long as `patience`. The
    /// error is a sentence without the URL.
    pub fn new(url: SecretSource, patience: Duration, degraded: IntGauge) -> Result<Self, String> {
        let url = Reloading::load("REDIS_URL", move |files| {
            let url = files.secret(&url)?;
            Self::check_url(&url)?;
            Ok(url)
        })?;
        let connection = connection(&url.get(), patience).map_err(|_| NO_URL)?;
        degraded.set(1);
        Ok(Self {
            url,
            connection: ArcSwap::from_pointee(connection),
            patience,
            gcra: Script::new(GCRA),
            // The first probe tells.
            is_away: AtomicBool::new(true),
            degraded,
        })
    }

    /// Looks whether the file with the URL has changed. Must be called within a Tokio runtime, in which a new connection lives.
    pub fn look(&self) -> Report {
        let report = self.url.look();
        if report.look == Look::Reloaded {
            self.connect_anew();
        }
        report
    }

    /// Counts one for each key, if all of them have room.
    pub async fn count(&self, keys: &[Counted]) -> Result<Result<(), OverLimit>, Away> {
        let (place, wait) = self.ask(self.counting(keys)).await?;
        Ok(match place.checked_sub(1) {
            None => Ok(()),
            Some(place) => Err((place, Duration::from_micros(wait))),
        })
    }

    /// Which key is over its limit, counted from one, and for how many microseconds.
    async fn counting(&self, keys: &[Counted]) -> RedisResult<(usize, u64)> {
        let mut call = self.gcra.prepare_invoke();
        for counted in keys {
            let interval = counted.period / counted.count.max(1);
            call.key(&counted.key)
                .arg(micros(interval))
                .arg(micros(interval * counted.count));
        }
        call.invoke_async(&mut self.connection()).await
    }

    /// Whether `id` has been used up.
    pub async fn is_used(&self, id: &str) -> Result<bool, Away> {
        let mut command = redis::cmd("GET");
        command.arg(once(id));
        let mut connection = self.connection();
        let used: Option<String> = self.ask(command.query_async(&mut connection)).await?;
        Ok(used.is_some())
    }

    /// Forgets `id`, as far as the store can be reached.
    pub async fn give_back(&self, id: &str) {
        let mut command = redis::cmd("DEL");
        command.arg(once(id));
        let mut connection = self.connection();
        let _ = self.ask(command.query_async::<()>(&mut connection)).await;
    }

    /// The same, waited for by nobody.
    pub fn give_back_soon(self: Arc<Self>, id: String) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { self.give_back(&id).await });
        }
    }

    /// Whether this is the first use of `id`, which is remembered for `lives`.
    pub async fn use_up(&self, id: &str, lives: Duration) -> Result<bool, Away> {
        let mut command = redis::cmd("SET");
        command
            .arg(once(id))
            .arg(1)
            .arg("NX")
            .arg("PX")
            .arg(u64::try_from(lives.as_millis()).unwrap_or(u64::MAX).max(1));
        let mut connection = self.connection();
        let first: Option<String> = self.ask(command.query_async(&mut connection)).await?;
        Ok(first.is_some())
    }

    /// Finds out from time to time whether it is well; never ends.
    pub async fn watch(&self) {
        // What a click asks for: one that answers may still be a copy that cannot be written, or forbid scripts. Never over its limit.
        let probe = [Counted {
            key: "open-chat:probe".into(),
            count: 1_000_000,
            period: Duration::from_secs(1),
        }];
        let mut is_first = true;
        let mut troubles = 0_u32;
        loop {
            // The first one makes the connection, which may take longer than an answer.
            let trouble = within(CONNECT.max(self.patience), self.counting(&probe))
                .await
                .err();
            troubles = trouble.as_ref().map_or(0, |_| troubles + 1);
            // A refused login is kept like a connection, and so is one to a machine that has vanished without a word; a Redis that has become a copy
            // stays one. The next connection may lead elsewhere.
            if troubles > 0 && troubles.is_multiple_of(CONNECT_ANEW) {
                self.connect_anew();
            }
            if let Some(trouble) = trouble.as_ref().filter(|_| is_first) {
                say_away(trouble);
            }
            is_first = false;
            self.found(trouble.as_deref());
            tokio::time::sleep(PROBE).await;
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

    async fn ask<T>(&self, call: impl Future<Output = RedisResult<T>>) -> Result<T, Away> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Away);
        }
        within(self.patience, call).await.map_err(|trouble| {
            self.found(Some(&trouble));
            Away
        })
    }

    fn found(&self, trouble: Option<&str>) {
        let was_away = self.is_away.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(trouble) if !was_away => say_away(trouble),
            None if was_away => {
                tracing::info!("Redis answers: all replicas share their counts");
            }
            _ => {}
        }
        self.degraded.set(trouble.is_some().into());
    }
}

/// A connection that makes itself when it is first used, and again when it is lost.
fn connection(url: &Secret, patience: Duration) -> RedisResult<ConnectionManager> {
    let client = Client::open(url.expose())?;
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(patience))
        .set_number_of_retries(1);
    ConnectionManager::new_lazy_with_config(client, config)
}

/// The answer, or what is wrong. Its kind only: an error's text may repeat what was sent.
async fn within<T>(
    patience: Duration,
    call: impl Future<Output = RedisResult<T>>,
) -> Result<T, String> {
    match timeout(patience, call).await {
        Ok(answer) => answer.map_err(|error| format!("{:?}", error.kind())),
        Err(_) => Err(NO_ANSWER.into()),
    }
}

fn say_away(trouble: &str) {
    tracing::warn!(
        trouble,
        "Redis is away: each replica counts for itself, one-time links are refused"
    );
}

fn once(id: &str) -> String {
    format!("open-chat:once:{id}")
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
