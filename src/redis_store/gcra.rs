//! GCRA in Redis: one count for all replicas, on Redis' own clock, in one round trip.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{RedisResult, Script};

/// Stores the theoretical arrival time of each key. All keys count or none does.
///
/// No arrival is ever stored that is later than `now + tolerance`. One that is found there comes
/// from a clock that has since gone back, or from another Redis' clock, so the key begins anew, as
/// it does with a value that is no time. No key is stored for longer than its quota's period.
const GCRA_TEXT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrivals = {}
for i, key in ipairs(KEYS) do
  local interval, tolerance = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local arrival = tonumber(redis.call('GET', key) or now)
  if not (arrival and arrival >= now and arrival <= now + tolerance) then arrival = now end
  arrival = arrival + interval
  local early = arrival - tolerance - now
  if early > 0 then return {i, math.ceil(early)} end
  arrivals[i] = arrival
end
if ARGV[2 * #KEYS + 1] == 'peek' then return {0, 0} end
for i, key in ipairs(KEYS) do
  local lives = math.ceil((arrivals[i] - now) / 1000) + 1
  redis.call('SET', key, string.format('%.0f', arrivals[i]), 'PX', lives)
end
return {0, 0}
";

static GCRA: LazyLock<Script> = LazyLock::new(|| Script::new(GCRA_TEXT));

/// A key, and its quota.
#[derive(Clone, Debug)]
pub struct GcraKey {
    /// The key in Redis.
    pub name: String,
    /// The burst, which is refilled over the period.
    pub count: u32,
    /// The time in which the burst is refilled.
    pub period: Duration,
}

/// The index of the key that is over its limit, and the time to wait.
pub type OverLimit = (usize, Duration);

/// What is done where all keys have room.
#[derive(Clone, Copy, Debug)]
pub(super) enum OnRoom {
    /// One is counted under each.
    Count,
    /// Nothing.
    Peek,
}

/// Checks whether all keys have room.
pub(super) async fn check(
    keys: &[GcraKey],
    on_room: OnRoom,
    mut connection: ConnectionManager,
) -> RedisResult<Result<(), OverLimit>> {
    let mut call = GCRA.prepare_invoke();
    for key in keys {
        let interval = key.period / key.count.max(1);
        call.key(&key.name)
            .arg(micros(interval))
            .arg(micros(interval * key.count));
    }
    if matches!(on_room, OnRoom::Peek) {
        call.arg("peek");
    }
    // Keys are numbered from one; 0 where all have room.
    let (number, wait): (usize, u64) = call.invoke_async(&mut connection).await?;
    Ok(match number.checked_sub(1) {
        None => Ok(()),
        Some(index) => Err((index, Duration::from_micros(wait))),
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
