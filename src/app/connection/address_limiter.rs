//! Limits the connections of one address, so that no client takes all of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use foldhash::fast::RandomState;
use parking_lot::Mutex;

/// The connections of a port, counted by address. Used once a connection, never by a request.
#[derive(Clone)]
pub(super) struct AddressLimiter {
    max: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize, RandomState>>>,
}

impl AddressLimiter {
    /// `max` is the number of connections that one address may have.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            counts: Arc::default(),
        }
    }

    /// Takes a slot for a connection of this address; `None` where it has as many as it may.
    pub(super) fn acquire(&self, peer: IpAddr) -> Option<ConnectionSlot> {
        let peer = network(peer);
        let mut counts = self.counts.lock();
        let count = counts.entry(peer).or_insert(0);
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(ConnectionSlot {
            limiter: self.clone(),
            peer,
        })
    }
}

/// The slot of one connection. Dropping it frees the slot.
pub(super) struct ConnectionSlot {
    limiter: AddressLimiter,
    peer: IpAddr,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut counts = self.limiter.counts.lock();
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

/// The network of 64 bits of an IPv6 address, which one customer has to itself. The rate limits
/// count in the same way.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(network).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquire(addresses: &AddressLimiter, address: &str) -> Option<ConnectionSlot> {
        addresses.acquire(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_its_share_and_a_network_of_64_bits_is_one() {
        let addresses = AddressLimiter::new(2);
        let one = acquire(&addresses, "2001:db8::1").unwrap();
        let _two = acquire(&addresses, "2001:db8::2:3").unwrap();
        assert!(acquire(&addresses, "2001:db8::9").is_none());
        assert!(acquire(&addresses, "2001:db8:0:1::1").is_some());
        drop(one);
        let _three = acquire(&addresses, "2001:db8::9").unwrap();
        let _four = acquire(&addresses, "192.0.2.1").unwrap();
        let _five = acquire(&addresses, "::ffff:192.0.2.1").unwrap();
        assert!(acquire(&addresses, "192.0.2.1").is_none());
        assert!(acquire(&addresses, "192.0.2.2").is_some());
    }

    #[test]
    fn concurrent_connections_that_end_leave_no_count_behind() {
        let addresses = AddressLimiter::new(3);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..10_000_u32 {
                        let slot = addresses.acquire(IpAddr::V4((number % 7).into()));
                        drop(slot);
                    }
                });
            }
        });
        assert!(addresses.counts.lock().is_empty());
    }
}
