//! Rate limits: GCRA on the kinds of keys that [`Limit`] lists.
//!
//! Owns what is counted, and under which keys. The counts are in this process (`memory`), or in
//! Redis for all replicas (`redis`). Where Redis does not answer, this process takes over at once.

mod memory;
mod quota;
mod redis;

use std::hash::Hasher as _;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use prometheus::{IntCounter, IntGauge};
use siphasher::sip::SipHasher13;

use self::memory::{Access, MemoryLimiter};
pub use self::quota::{NotAQuota, Quota};
use crate::metrics::{self, Metrics};
use crate::redis_store::RedisStore;
use chathub::OperatorId;

named_enum! {
    /// What is counted. The name is a metric's label.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(usize)]
    pub enum Limit {
        /// Accepted clicks, by operator.
        Operator = "operator",
        /// The same by client address: one office shares an address, so this is far higher.
        Client = "client",
        /// Refused requests, by client address.
        Refused = "refused",
        /// Accepted clicks that another site has caused, by the operator of the agent whose browser
        /// was made to click: they use up nothing of that agent's own.
        Foreign = "foreign",
        /// Pages that CRMs show to an agent, and the tickets of these pages, by agent.
        CrmPage = "panel",
    }
}

/// An agent who goes through a list of clients shows a page for each.
const CRM_PAGE: Quota = Quota {
    count: NonZeroU32::MIN.saturating_add(59),
    period: Duration::from_mins(1),
};

/// The quota of each limit.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitConfig {
    /// Of [`Limit::Operator`], and of [`Limit::Foreign`] too.
    pub operator: Quota,
    /// Of [`Limit::Client`].
    pub client: Quota,
    /// Of [`Limit::Refused`].
    pub refused: Quota,
}

/// A request is over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Which.
    pub limit: Limit,
    /// When the next one is accepted.
    pub retry_after: Duration,
}

/// The limits.
pub struct Limits {
    quotas: [Quota; Limit::ALL.len()],
    redis: Option<Arc<RedisStore>>,
    memory: [MemoryLimiter; Limit::ALL.len()],
    limited: [IntCounter; Limit::ALL.len()],
    keys: [IntGauge; Limit::ALL.len()],
}

impl Limits {
    /// Counts in Redis for all replicas, where there is one.
    pub fn new(
        config: &RateLimitConfig,
        redis: Option<Arc<RedisStore>>,
        metrics: &Metrics,
    ) -> Self {
        let quotas = Limit::ALL.map(|limit| match limit {
            Limit::Operator | Limit::Foreign => config.operator,
            Limit::Client => config.client,
            Limit::Refused => config.refused,
            Limit::CrmPage => CRM_PAGE,
        });
        Self {
            quotas,
            redis,
            memory: quotas.map(MemoryLimiter::new),
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

    /// Counts a click of an authenticated caller, for its operator where it has one.
    pub async fn click(&self, client: IpAddr, operator: Option<OperatorId>) -> Result<(), Limited> {
        let operator = operator.map(|operator| operator.0);
        self.count_both(operator, address_key(client)).await
    }

    /// Counts a click that another site may have caused in an agent's browser. Neither the
    /// operator's own quota nor the address's shrinks by it: a site that an agent visits must not
    /// lock anyone out.
    pub async fn foreign(&self, ForeignKey(key): ForeignKey) -> Result<(), Limited> {
        self.count(&[(Limit::Foreign, key)]).await
    }

    /// Counts a request of a back end, by its API key's name, under keys of its own: it does not
    /// slow down agents, nor they it.
    pub async fn back_end(
        &self,
        client: IpAddr,
        name: &str,
        operator: Option<OperatorId>,
    ) -> Result<(), Limited> {
        // No other key begins with this word, whatever a company calls its back ends.
        let operator = operator.map(|operator| separate_key(["key ", name], operator.0));
        let client = separate_key(["address", ""], address_key(client));
        self.count_both(operator, client).await
    }

    /// Counts a link for a CRM's agent: by agent, by operator and by installation, under keys apart
    /// from those of clicks, which the link is going to be; by address too where `client` is the
    /// agent's own and no server's of the vendor.
    pub async fn connector(
        &self,
        client: Option<IpAddr>,
        installation: &str,
        agent: &str,
        operator: Option<OperatorId>,
    ) -> Result<(), Limited> {
        let mut keys = vec![(Limit::Operator, separate_key([agent, ""], 0))];
        let operator = operator.map(|operator| separate_key(["connector", ""], operator.0));
        keys.extend(operator.map(|key| (Limit::Operator, key)));
        let client = client.map(|client| separate_key(["connector", ""], address_key(client)));
        keys.extend(client.map(|key| (Limit::Client, key)));
        keys.push((Limit::Client, separate_key([installation, ""], 0)));
        self.count(&keys).await
    }

    /// Counts a page that a CRM shows to an agent, and each ticket of it.
    pub async fn crm_page(&self, agent: &str) -> Result<(), Limited> {
        self.count(&[(Limit::CrmPage, separate_key([agent, ""], 0))])
            .await
    }

    /// Counts a request for the page that pairs browsers, with the quota of clients and under a key
    /// of its own: another site can make an agent's browser ask for it, and must not use up the
    /// clicks of the office.
    pub async fn pairing(&self, client: IpAddr) -> Result<(), Limited> {
        let key = separate_key(["pairing", ""], address_key(client));
        self.count(&[(Limit::Client, key)]).await
    }

    /// Counts a download of what is installed in CRMs and browsers, in the same way and for the
    /// same reason.
    pub async fn download(&self, client: IpAddr) -> Result<(), Limited> {
        let key = separate_key(["download", ""], address_key(client));
        self.count(&[(Limit::Client, key)]).await
    }

    /// Counts an API key that this address has not presented before, valid or not, under a key of
    /// its own: refused clicks from the same address do not slow down a back end.
    pub async fn new_api_key(&self, client: IpAddr) -> Result<(), Limited> {
        let key = separate_key(["API key", ""], address_key(client));
        self.count(&[(Limit::Refused, key)]).await
    }

    /// Counts a refused request.
    pub async fn refused(&self, client: IpAddr) -> Result<(), Limited> {
        self.count(&[(Limit::Refused, address_key(client))]).await
    }

    /// Whether an address is over its limit of refused requests. Counts nothing.
    pub async fn check_refused(&self, client: IpAddr) -> Result<(), Limited> {
        let key = [(Limit::Refused, address_key(client))];
        self.access(&key, Access::Peek).await
    }

    /// Evicts keys whose whole quota is available again, and reports the number of the others. Call
    /// it every second.
    pub fn sweep(&self) {
        for (limiter, keys) in self.memory.iter().zip(&self.keys) {
            keys.set(i64::try_from(limiter.sweep()).unwrap_or(i64::MAX));
        }
    }

    async fn count_both(&self, operator: Option<u64>, client: u64) -> Result<(), Limited> {
        let client = (Limit::Client, client);
        match operator {
            // The operator first: clicks over that limit must not use up the quota of the office.
            Some(operator) => self.count(&[(Limit::Operator, operator), client]).await,
            None => self.count(&[client]).await,
        }
    }

    async fn count(&self, keys: &[(Limit, u64)]) -> Result<(), Limited> {
        self.access(keys, Access::Count).await
    }

    async fn access(&self, keys: &[(Limit, u64)], access: Access) -> Result<(), Limited> {
        let in_redis = match &self.redis {
            // Boxed, because the future of a click is copied about, and most clicks do without this
            // large part of it.
            Some(redis) => {
                let checked = redis::check(redis, &self.quotas, keys, access);
                Box::pin(checked).await.ok()
            }
            None => None,
        };
        let outcome = in_redis.unwrap_or_else(|| self.check_in_memory(keys, access));
        outcome.inspect_err(|limited| self.limited[limited.limit as usize].inc())
    }

    fn check_in_memory(&self, keys: &[(Limit, u64)], access: Access) -> Result<(), Limited> {
        // A click over one limit must not use up another: the operator's while the address is over
        // its limit, the address's while the operator is.
        let passes: &[Access] = match access {
            Access::Peek => &[Access::Peek],
            Access::Count => &[Access::Peek, Access::Count],
        };
        for &access in passes {
            for &(limit, key) in keys {
                let checked = self.memory[limit as usize].check(key, access);
                checked.map_err(|retry_after| Limited { limit, retry_after })?;
            }
        }
        Ok(())
    }
}

/// What a click that another site may have caused counts under.
#[derive(Clone, Copy, Debug)]
pub struct ForeignKey(u64);

impl ForeignKey {
    /// The operator, or the agent by name where no operator is known.
    pub fn of(operator: Option<OperatorId>, agent: &str) -> Self {
        Self(operator.map_or_else(|| separate_key([agent, ""], 0), |operator| operator.0))
    }
}

/// A key apart from those of operators and addresses, the same in all replicas: SipHash-1-3 with
/// the key 0.
fn separate_key(namespace: [&str; 2], key: u64) -> u64 {
    let mut hasher = SipHasher13::new();
    for part in namespace {
        hasher.write(part.as_bytes());
    }
    hasher.write(&key.to_le_bytes());
    hasher.finish()
}

/// For an IPv6 address the /64 network, which belongs to one customer.
fn address_key(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_bits().into(),
        // No /64 network of the Internet begins with 32 zero bits, as the keys of IPv4 do.
        IpAddr::V6(address) => (address.to_bits() >> 64) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(operator: &str, client: &str, refused: &str) -> (Limits, Metrics) {
        let quota = |text| Quota::parse(text).unwrap();
        let config = RateLimitConfig {
            operator: quota(operator),
            client: quota(client),
            refused: quota(refused),
        };
        let metrics = Metrics::new().unwrap();
        (Limits::new(&config, None, &metrics), metrics)
    }

    fn over(outcome: Result<(), Limited>) -> Result<(), &'static str> {
        outcome.map_err(|limited| limited.limit.name())
    }

    #[tokio::test]
    async fn each_limit_has_its_own_counts() {
        let (limits, metrics) = limits("2/h", "4/h", "1/h");
        let [client, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());

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
    async fn back_ends_and_agents_have_separate_counts() {
        let (limits, _) = limits("2/h", "3/h", "1/h");
        let client: IpAddr = "192.0.2.1".parse().unwrap();
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

    #[tokio::test]
    async fn a_crm_s_links_are_counted_by_agent_operator_installation_and_address() {
        let (limits, _) = limits("2/h", "4/h", "1/h");
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let link = async |client, installation, agent, operator| {
            let operator = Some(OperatorId(operator));
            over(
                limits
                    .connector(client, installation, agent, operator)
                    .await,
            )
        };
        let mine = Some(client);
        assert_eq!(link(mine, "kommo a", "kommo a 5", 1).await, Ok(()));
        assert_eq!(link(mine, "kommo a", "kommo a 5", 2).await, Ok(()));
        // The agent, then the operator.
        assert_eq!(link(mine, "kommo a", "kommo a 5", 3).await, Err("operator"));
        assert_eq!(link(mine, "kommo b", "kommo b 5", 1).await, Ok(()));
        assert_eq!(link(mine, "kommo b", "kommo b 6", 1).await, Err("operator"));
        assert_eq!(link(mine, "kommo b", "kommo b 6", 3).await, Ok(()));
        // The address, and without one the installation.
        assert_eq!(link(mine, "kommo c", "kommo c 1", 4).await, Err("client"));
        assert_eq!(link(None, "kommo a", "kommo a 1", 4).await, Ok(()));
        assert_eq!(link(None, "kommo a", "kommo a 2", 5).await, Ok(()));
        assert_eq!(link(None, "kommo a", "kommo a 3", 6).await, Err("client"));
        // Clicks have counts of their own.
        let click = limits.click(client, Some(OperatorId(1))).await;
        assert_eq!(over(click), Ok(()));
        let mut shown = 0;
        while limits.crm_page("kommo a 5").await.is_ok() {
            shown += 1;
        }
        assert!(shown >= 60, "{shown}");
        assert_eq!(over(limits.crm_page("kommo a 6").await), Ok(()));
    }

    /// As in Redis, where all keys count or none does.
    #[tokio::test]
    async fn a_refused_click_counts_nowhere() {
        let (limits, _) = limits("2/h", "1/h", "1/h");
        let [client, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let operator = Some(OperatorId(1));
        assert_eq!(limits.click(client, operator).await, Ok(()));
        assert_eq!(over(limits.click(client, operator).await), Err("client"));
        assert_eq!(limits.click(other, operator).await, Ok(()));
    }

    /// Replicas of two versions share one count.
    #[test]
    fn a_separate_key_is_the_same_in_all_replicas() {
        let key = |name, key| separate_key([name, ""], key);
        assert_eq!(key("odoo", 101), 6_137_736_812_524_795_286);
        assert_ne!(key("odoo", 101), key("odoo", 102));
        assert_ne!(key("odoo", 101), key("erp", 101));
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
