//! Which API keys have been verified from which addresses, so that guesses can be rate limited
//! without slowing down callers with a valid key.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use moka::sync::Cache;

/// The maximum number of pairs of an address and a key, some 150 bytes each. Only a valid key adds
/// one.
const MAX_PAIRS: u64 = 10_000;

/// After this time without a request a pair must be verified again.
const IDLE: Duration = Duration::from_hours(7 * 24);

/// The pairs, each as a hash: the keys themselves are not stored.
pub(super) struct VerifiedKeys(Cache<[u8; 32], ()>);

impl Default for VerifiedKeys {
    fn default() -> Self {
        let pairs = Cache::builder().max_capacity(MAX_PAIRS).time_to_idle(IDLE);
        Self(pairs.build())
    }
}

impl VerifiedKeys {
    pub(super) fn contains(&self, client: IpAddr, key: &str) -> bool {
        self.0.get(&pair(client, key)).is_some()
    }

    pub(super) fn add(&self, client: IpAddr, key: &str) {
        self.0.insert(pair(client, key), ());
    }
}

fn pair(client: IpAddr, key: &str) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    match client.to_canonical() {
        IpAddr::V4(address) => hash.update(&address.octets()),
        // Like the rate limits: the /64 network of one customer.
        IpAddr::V6(address) => hash.update(&address.octets()[..8]),
    }
    hash.update(b"\n");
    hash.update(key.as_bytes());
    let mut pair = [0; 32];
    pair.copy_from_slice(hash.finish().as_ref());
    pair
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_verified_for_one_address() {
        let verified = VerifiedKeys::default();
        let [office, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        verified.add(office, "canary-one");
        assert!(verified.contains(office, "canary-one"));
        assert!(!verified.contains(office, "canary-two"));
        assert!(!verified.contains(other, "canary-one"));
        let [one, same_network] =
            ["2001:db8:1:2::1", "2001:db8:1:2::9"].map(|text| text.parse().unwrap());
        verified.add(one, "canary-one");
        assert!(verified.contains(same_network, "canary-one"));
    }
}
