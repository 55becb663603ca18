//! How often is too often: GCRA on three keys.
//!
//! Owns what is counted and how a count reads. The counts are kept in this process (`local`), or in
//! Redis for all replicas; where Redis does not answer, this process takes over at once.

mod local;

use std::hash::Hasher as _;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chathub::OperatorId;
use prometheus::{IntCounter, IntGauge};
use siphasher::sip::SipHasher13;
use thiserror::Error;

use self::local::Local;
use crate::metrics::{self, Metrics};
use crate::redis_store::{self, Counted, RedisStore};

/// So many at once, and again so many over a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub count: NonZeroU32,
    /// In which time.
    pub period: Duration,
}

/// The text is no quota.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("not a number of clicks in a time, such as 30/m, 5/s or 1000/h")]
pub struct NotAQuota;

impl Quota {
    /// Reads `30/m`, `5/s`, `1000/h`.
    pub fn parse(text: &str) -> Result<Self, NotAQuota> {
        let (count, unit) = text.split_once('/').ok_or(NotAQuota)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(NotAQuota),
        };
        Ok(Self {
            count: count.trim().parse().map_err(|_| NotAQuota)?,
            period: Duration::from_secs(seconds),
        })
    }
}

/// What is counted. The name is a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Limit {
    /// Clicks that were let in, by operator.
    Operator,
    /// The same by client address: one office shares an address, so this is far higher.
    Client,
    /// Attempts that were not let in, by client address.
    Refused,
}

impl Limit {
    const ALL: [Self; 3] = [Self::Operator, Self::Client, Self::Refused];

    /// `operator`
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Client => "client",
            Self::Refused => "refused",
        }
    }
}

/// The quota of each limit.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Of [`Limit::Operator`].
    pub operator: Quota,
    /// Of [`Limit::Client`].
    pub client: Quota,
    /// Of [`Limit::Refused`].
    pub refused: Quota,
}

/// Somebody is over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Which.
    pub limit: Limit,
    /// When the next one is let through.
    pub retry_after: Duration,
}

/// The limits.
pub struct Limits {
    quotas: [Quota; Limit::ALL.len()],
    shared: Option<Arc<RedisStore>>,
    local: [Local; Limit::ALL.len()],
    limited: [IntCounter; Limit::ALL.len()],
    keys: [IntGauge; Limit::ALL.len()],
}

impl Limits {
    /// Counts from nothing, or, with a store, from what all replicas have counted.
    pub fn new(settings: &Settings, shared: Option<Arc<RedisStore>>, metrics: &Metrics) -> Self {
        let quotas = [settings.operator, settings.client, settings.refused];
        Self {
            quotas,
            shared,
            local: quotas.map(Local::new),
            limited: Limit::ALL.map(|limit| {
                metrics::counter(&metrics.open_chat_rate_limited_total, &[limit.name()])
            }),
            keys: Limit::ALL.map(|limit| {
                metrics
                    .open_chat_rate_limit_keys
                    .with_label_values(&[limit.name()])
            }),
        }
    }

    /// Counts a click of somebody who has been let in; for an operator, where it names one.
    pub async fn click(&self, client: IpAddr, operator: Option<OperatorId>) -> Result<(), Limited> {
        let client = (Limit::Client, address_key(client));
        match operator {
            // The operator first: what is over that limit must not eat up what a whole office has
            // in common.
            Some(operator) => self.count(&[(Limit::Operator, operator.0), client]).await,
            None => self.count(&[client]).await,
        }
    }

    /// Counts what a back end asks for, by its API key's name, on keys of its own: agents and their
    /// offices are not held up by it, nor it by them.
    pub async fn back_end(
        &self,
        client: IpAddr,
        name: &str,
        operator: Option<OperatorId>,
    ) -> Result<(), Limited> {
        let client = (Limit::Client, apart("address", address_key(client)));
        match operator {
            Some(operator) => {
                let operator = (Limit::Operator, apart(name, operator.0));
                self.count(&[operator, client]).await
            }
            None => self.count(&[client]).await,
        }
    }

    /// Counts an API key that this address has not shown before, whether it is good or not, and on
    /// a key of its own: refused clicks from the same address do not hold up a back end.
    pub async fn new_api_key(&self, client: IpAddr) -> Result<(), Limited> {
        let key = apart("API key", address_key(client));
        self.count(&[(Limit::Refused, key)]).await
    }

    /// Counts an attempt of somebody who has not been let in.
    pub async fn refused(&self, client: IpAddr) -> Result<(), Limited> {
        self.count(&[(Limit::Refused, address_key(client))]).await
    }

    /// Forgets keys that are as good as new, and counts the others. Call it every second.
    pub fn sweep(&self) {
        for (local, keys) in self.local.iter().zip(&self.keys) {
            keys.set(i64::try_from(local.sweep()).unwrap_or(i64::MAX));
        }
    }

    async fn count(&self, keys: &[(Limit, u64)]) -> Result<(), Limited> {
        let shared = match &self.shared {
            // In a box, because a click's own future is copied about, and this one is a large part
            // that most do without.
            Some(shared) => Box::pin(self.count_shared(shared, keys)).await,
            None => None,
        };
        let outcome = shared.unwrap_or_else(|| self.count_locally(keys));
        outcome.inspect_err(|limited| self.limited[limited.limit as usize].inc())
    }

    /// `None`: the store does not answer.
    async fn count_shared(
        &self,
        shared: &RedisStore,
        keys: &[(Limit, u64)],
    ) -> Option<Result<(), Limited>> {
        let counted: Vec<_> = keys
            .iter()
            .map(|(limit, key)| {
                let quota = self.quotas[*limit as usize];
                Counted {
                    key: redis_store::key("limit", format_args!("{}:{key:x}", limit.name())),
                    count: quota.count.get(),
                    period: quota.period,
                }
            })
            .collect();
        let outcome = shared.count(&counted).await.ok()?;
        Some(outcome.map_err(|(place, retry_after)| Limited {
            limit: keys.get(place).map_or(Limit::Client, |(limit, _)| *limit),
            retry_after,
        }))
    }

    fn count_locally(&self, keys: &[(Limit, u64)]) -> Result<(), Limited> {
        let over = |limit| move |retry_after| Limited { limit, retry_after };
        // Who is over one limit must not go on to use another up: the operators' while an address
        // is over, the office's while an operator is.
        for (limit, key) in keys {
            self.local[*limit as usize]
                .look(*key)
                .map_err(over(*limit))?;
        }
        for (limit, key) in keys {
            self.local[*limit as usize]
                .count(*key)
                .map_err(over(*limit))?;
        }
        Ok(())
    }
}

/// A key beside those of operators and addresses, the same in all replicas: SipHash-1-3 with the
/// key 0.
fn apart(whose: &str, key: u64) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(whose.as_bytes());
    hasher.write(&key.to_le_bytes());
    hasher.finish()
}

/// Of an IPv6 address the network of 64 bits, which one customer has to itself.
fn address_key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_bits().into(),
        // No network of the Internet begins with zeros, as the keys of IPv4 do.
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_read_as_documented() {
        let quota = |count, seconds| {
            Ok(Quota {
                count: NonZeroU32::new(count).unwrap(),
                period: Duration::from_secs(seconds),
            })
        };
        assert_eq!(Quota::parse("30/m"), quota(30, 60));
        assert_eq!(Quota::parse(" 5 / s "), quota(5, 1));
        assert_eq!(Quota::parse("1000/h"), quota(1000, 3600));
        for text in ["", "30", "0/m", "-1/m", "30/d", "30/m/s", "m"] {
            assert_eq!(Quota::parse(text), Err(NotAQuota), "{text}");
        }
    }

    #[tokio::test]
    async fn each_limit_counts_what_it_is_for() {
        let settings = Settings {
            operator: Quota::parse("2/h").unwrap(),
            client: Quota::parse("4/h").unwrap(),
            refused: Quota::parse("1/h").unwrap(),
        };
        let metrics = Metrics::new().unwrap();
        let limits = Limits::new(&settings, None, &metrics);
        let [client, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let over = |outcome: Result<(), Limited>| outcome.map_err(|limited| limited.limit.name());

        assert_eq!(
            over(limits.click(client, Some(OperatorId(1))).await),
            Ok(())
        );
        assert_eq!(over(limits.click(other, Some(OperatorId(1))).await), Ok(()));
        let operators = over(limits.click(client, Some(OperatorId(1))).await);
        assert_eq!(operators, Err("operator"));
        assert_eq!(
            over(limits.click(client, Some(OperatorId(2))).await),
            Ok(())
        );
        for _ in 0..2 {
            assert_eq!(over(limits.click(client, None).await), Ok(()));
        }
        assert_eq!(over(limits.click(client, None).await), Err("client"));
        for _ in 0..5 {
            let refused = limits.click(client, Some(OperatorId(2))).await;
            assert_eq!(over(refused), Err("client"));
        }
        assert_eq!(over(limits.click(other, Some(OperatorId(2))).await), Ok(()));
        assert_eq!(over(limits.click(other, None).await), Ok(()));
        assert_eq!(over(limits.refused(client).await), Ok(()));
        assert_eq!(over(limits.refused(client).await), Err("refused"));

        limits.sweep();
        for (limit, keys, limited) in [("operator", 2, 1), ("client", 2, 6), ("refused", 1, 1)] {
            let label = [limit];
            let kept = metrics.open_chat_rate_limit_keys.with_label_values(&label);
            assert_eq!(kept.get(), keys, "{limit}");
            let counted = metrics::counter(&metrics.open_chat_rate_limited_total, &label);
            assert_eq!(counted.get(), limited, "{limit}");
        }
    }

    #[tokio::test]
    async fn back_ends_count_apart_from_agents() {
        let quota = |text| Quota::parse(text).unwrap();
        let settings = Settings {
            operator: quota("2/h"),
            client: quota("3/h"),
            refused: quota("1/h"),
        };
        let limits = Limits::new(&settings, None, &Metrics::new().unwrap());
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let over = |outcome: Result<(), Limited>| outcome.map_err(|limited| limited.limit.name());
        let odoo = async |operator| {
            over(
                limits
                    .back_end(client, "odoo", Some(OperatorId(operator)))
                    .await,
            )
        };
        assert_eq!([odoo(1).await, odoo(1).await], [Ok(()); 2]);
        assert_eq!(odoo(1).await, Err("operator"));
        let other = limits.back_end(client, "erp", Some(OperatorId(1))).await;
        assert_eq!(over(other), Ok(()));
        assert_eq!(odoo(2).await, Err("client"));
        assert_eq!(
            over(limits.back_end(client, "erp", None).await),
            Err("client")
        );
        for _ in 0..2 {
            let click = limits.click(client, Some(OperatorId(1))).await;
            assert_eq!(over(click), Ok(()));
        }
        assert_eq!(over(limits.refused(client).await), Ok(()));
        assert_eq!(over(limits.new_api_key(client).await), Ok(()));
        assert_eq!(over(limits.new_api_key(client).await), Err("refused"));
    }

    /// Replicas of two versions share one count.
    #[test]
    fn a_key_apart_is_the_same_everywhere() {
        assert_eq!(apart("odoo", 101), 6_137_736_812_524_795_286);
        assert_ne!(apart("odoo", 101), apart("odoo", 102));
        assert_ne!(apart("odoo", 101), apart("erp", 101));
    }

    #[test]
    fn a_network_of_64_bits_is_one_client() {
        let key = |text: &str| address_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
