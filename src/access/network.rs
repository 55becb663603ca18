//! Networks, and the client's address behind trusted proxies.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;

/// A list of networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// The text is not a network. `Display` names it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a network, such as 10.0.0.0/8, or an address")]
pub struct NotANetwork(String);

impl Networks {
    /// Parses `10.0.0.0/8, 2001:db8::/32, 192.0.2.7`. At least one is required, because an empty
    /// list could be read as "any".
    pub fn parse(text: &str) -> Result<Self, NotANetwork> {
        let networks: Vec<_> = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                entry
                    .parse()
                    .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from))
                    .map(canonical)
                    .map_err(|_| NotANetwork(entry.to_owned()))
            })
            .collect::<Result<_, _>>()?;
        if networks.is_empty() {
            return Err(NotANetwork(text.to_owned()));
        }
        Ok(Self(networks))
    }

    /// Whether an address is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The first one that is more than a single address.
    pub fn widest(&self) -> Option<&impl fmt::Display> {
        self.0
            .iter()
            .find(|network| network.prefix_len() < network.max_prefix_len())
    }

    /// Whether the list is empty.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Networks {
    /// `10.0.0.0/8, 192.0.2.7`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, network) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            if network.prefix_len() == network.max_prefix_len() {
                write!(f, "{comma}{}", network.addr())?;
            } else {
                write!(f, "{comma}{network}")?;
            }
        }
        Ok(())
    }
}

/// A network of IPv4 that is written as one of IPv6 (`::ffff:10.0.0.0/104`), as IPv4: addresses are
/// compared in that form, so it would contain none, and a proxy in it would pass for a client.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(written) = network else {
        return network;
    };
    let address = written.addr().to_ipv4_mapped();
    let length = written.prefix_len().checked_sub(96);
    let mapped = address.zip(length);
    mapped
        .and_then(|(address, length)| Ipv4Net::new(address, length).ok())
        .map_or(network, IpNet::V4)
}

/// The client's address: the peer's, or, behind trusted proxies, the nearest hop that is none.
/// `forwarded` are the `X-Forwarded-For` headers in their order. Each proxy appends on the right,
/// so they are read from there, and an entry that a client has forged further left is not reached.
pub fn client_address<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &Networks,
) -> IpAddr {
    let mut nearest = peer.to_canonical();
    for hop in forwarded.rev().flat_map(|header| header.rsplit(',')) {
        if !trusted.contain(nearest) {
            break;
        }
        match hop_address(hop.trim()) {
            Some(address) => nearest = address,
            // Behind a proxy that writes something else no hop can be trusted.
            None => break,
        }
    }
    nearest
}

/// `192.0.2.7`, `192.0.2.7:4711`, `[2001:db8::7]:4711`
fn hop_address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .or_else(|_| {
            text.parse()
                .map(|address: std::net::SocketAddr| address.ip())
        })
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_trusted_proxy("192.0.2.1", "10.0.0.0/8", &["203.0.113.9"], "192.0.2.1")]
    #[case::an_untrusted_peer_forwards("192.0.2.1", "10.0.0.0/8", &["203.0.113.9"], "192.0.2.1")]
    #[case::a_proxy_forwards("10.0.0.1", "10.0.0.0/8", &["203.0.113.9"], "203.0.113.9")]
    #[case::two_proxies("10.0.0.1", "10.0.0.0/8", &["203.0.113.9, 10.0.0.2"], "203.0.113.9")]
    #[case::forged_on_the_left("10.0.0.1", "10.0.0.0/8", &["127.0.0.1, 203.0.113.9"], "203.0.113.9")]
    #[case::forged_in_a_first_header("10.0.0.1", "10.0.0.0/8", &["10.9.9.9", "203.0.113.9"], "203.0.113.9")]
    #[case::all_trusted("10.0.0.1", "10.0.0.0/8", &["10.0.0.3, 10.0.0.2"], "10.0.0.3")]
    #[case::nonsense("10.0.0.1", "10.0.0.0/8", &["203.0.113.9, unknown"], "10.0.0.1")]
    #[case::no_header("10.0.0.1", "10.0.0.0/8", &[], "10.0.0.1")]
    #[case::with_a_port("10.0.0.1", "10.0.0.0/8", &["203.0.113.9:4711"], "203.0.113.9")]
    #[case::version_6("::1", "::1", &["[2001:db8::7]:4711"], "2001:db8::7")]
    #[case::version_6_without_a_port("::1", "::1", &["[2001:db8::7]"], "2001:db8::7")]
    #[case::mapped("::ffff:10.0.0.1", "10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9")]
    #[case::trusted_as_mapped("10.0.0.1", "::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9")]
    #[case::a_mapped_network("10.0.0.1", "::ffff:10.0.0.0/104", &["203.0.113.9"], "203.0.113.9")]
    #[case::all_of_version_6("10.0.0.1", "::/0", &["203.0.113.9"], "10.0.0.1")]
    fn the_nearest_untrusted_hop_is_the_client(
        #[case] peer: &str,
        #[case] trusted: &str,
        #[case] forwarded: &[&str],
        #[case] expected: &str,
    ) {
        let trusted = Networks::parse(trusted).unwrap();
        let address = client_address(peer.parse().unwrap(), forwarded.iter().copied(), &trusted);
        assert_eq!(address, expected.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn a_bad_network_is_named() {
        let error = Networks::parse("10.0.0.0/8, everywhere").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`everywhere` is not a network, such as 10.0.0.0/8, or an address"
        );
        assert_eq!(Networks::parse(","), Err(NotANetwork(",".into())));
    }

    #[rstest]
    #[case("192.0.2.7", None)]
    #[case("192.0.2.7/32,::1,2001:db8::7/128", None)]
    #[case("192.0.2.7,192.0.2.8/31", Some("192.0.2.8/31"))]
    #[case("0.0.0.0/0", Some("0.0.0.0/0"))]
    #[case("::1,fd00::/127", Some("fd00::/127"))]
    #[case("::ffff:10.0.0.0/104", Some("10.0.0.0/8"))]
    #[case("::ffff:10.0.0.1", None)]
    fn the_widest_is_more_than_one_address(#[case] text: &str, #[case] widest: Option<&str>) {
        let networks = Networks::parse(text).unwrap();
        let found = networks.widest().map(ToString::to_string);
        assert_eq!(found.as_deref(), widest);
    }

    #[test]
    fn networks_are_written_as_they_are_read() {
        let networks = Networks::parse("10.0.0.0/8,192.0.2.7,::1").unwrap();
        assert_eq!(networks.to_string(), "10.0.0.0/8, 192.0.2.7, ::1");
    }
}
