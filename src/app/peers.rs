//! How many connections one address holds, so that no single one has them all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

/// The connections of a port, by address. Asked once a connection, never by a request.
#[derive(Clone)]
pub(super) struct Peers {
    most: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize, RandomState>>>,
}

impl Peers {
    /// One address may hold so many.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            held: Arc::default(),
        }
    }

    /// One more connection of this address; nothing where it has as many as it may.
    pub(super) fn enter(&self, peer: IpAddr) -> Option<Place> {
        let peer = network(peer);
        let mut held = self.held();
        let count = held.entry(peer).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(held);
        Some(Place {
            peers: self.clone(),
            peer,
        })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, usize, RandomState>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection of an address, until it is dropped.
pub(super) struct Place {
    peers: Peers,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.peers.held();
        if let Some(count) = held.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.peer);
            }
        }
    }
}

/// Of an IPv6 address the network of 64 bits, which one customer has to itself, as the limits count
/// it.
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

    fn enter(peers: &Peers, address: &str) -> Option<Place> {
        peers.enter(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_its_share_and_a_network_of_64_bits_is_one() {
        let peers = Peers::new(2);
        let one = enter(&peers, "2001:db8::1").unwrap();
        let _two = enter(&peers, "2001:db8::2:3").unwrap();
        assert!(enter(&peers, "2001:db8::9").is_none());
        assert!(enter(&peers, "2001:db8:0:1::1").is_some());
        drop(one);
        let _three = enter(&peers, "2001:db8::9").unwrap();
        let _four = enter(&peers, "192.0.2.1").unwrap();
        let _five = enter(&peers, "::ffff:192.0.2.1").unwrap();
        assert!(enter(&peers, "192.0.2.1").is_none());
        assert!(enter(&peers, "192.0.2.2").is_some());
    }

    #[test]
    fn who_has_gone_leaves_nothing_behind_however_many_come_at_once() {
        let peers = Peers::new(3);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..10_000_u32 {
                        let place = peers.enter(IpAddr::V4((number % 7).into()));
                        drop(place);
                    }
                });
            }
        });
        assert!(peers.held().is_empty());
    }
}
