//! Rate limits in Redis: one count for all replicas.

use super::memory::Access;
use super::{Limit, Limited, Quota};
use crate::redis_store::{self, GcraKey, RedisStore, Unavailable};

/// Counts one under each key, if all of them have room; or only says whether they have.
pub(super) async fn check(
    store: &RedisStore,
    quotas: &[Quota; Limit::ALL.len()],
    keys: &[(Limit, u64)],
    access: Access,
) -> Result<Result<(), Limited>, Unavailable> {
    let gcra_keys: Vec<_> = keys
        .iter()
        .map(|(limit, key)| {
            let quota = quotas[*limit as usize];
            GcraKey {
                name: redis_store::key("limit", format_args!("{}:{key:x}", limit.name())),
                count: quota.count.get(),
                period: quota.period,
            }
        })
        .collect();
    let outcome = match access {
        Access::Count => store.count(&gcra_keys).await?,
        Access::Peek => store.peek(&gcra_keys).await?,
    };
    Ok(outcome.map_err(|(index, retry_after)| Limited {
        limit: keys.get(index).map_or(Limit::Client, |(limit, _)| *limit),
        retry_after,
    }))
}
