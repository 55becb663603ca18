//! Which API keys have been shown to be good from which addresses, so that guessing can be limited
//! without holding up those who know their key.

use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use moka::sync::Cache;

/// Pairs of an address and a key at most, some 150 bytes each. Only a good key adds one.
const MOST: u64 = 10_000;

/// A pair that has not been seen for so long has to prove itself again.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// The pairs, each by its hash: the keys themselves are not kept.
pub(super) struct ProvenKeys(Cache<[u8; 32], ()>);

impl Default for ProvenKeys {
    fn default() -> Self {
        let pairs = Cache::builder().max_capacity(MOST).time_to_idle(KEPT);
        Self(pairs.build())
    }
}

impl ProvenKeys {
    pub(super) fn contain(&self, client: IpAddr, key: &str) -> bool {
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
        // As limits are counted: the network that one customer has.
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
    fn a_key_is_proven_for_the_address_that_has_shown_it() {
        let proven = ProvenKeys::default();
        let [office, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        proven.add(office, "canary-one");
        assert!(proven.contain(office, "canary-one"));
        assert!(!proven.contain(office, "canary-two"));
        assert!(!proven.contain(other, "canary-one"));
        let [one, same_network] =
            ["2001:db8:1:2::1", "2001:db8:1:2::9"].map(|text| text.parse().unwrap());
        proven.add(one, "canary-one");
        assert!(proven.contain(same_network, "canary-one"));
    }
}
