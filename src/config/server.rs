//! Where the service listens, for how many, and how it ends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use chathub::HttpsUrl;

use super::ConfigError;
use super::environment::Environment;
use super::reader::{Kept, Reader, duration, duration_or_zero};

/// Where the service listens, for how many, and how it ends.
#[derive(Debug)]
pub struct ServerConfig {
    /// For the clicks.
    pub listen: SocketAddr,
    /// How many connections a port may have at once.
    pub max_connections: NonZeroUsize,
    /// For health and metrics, where they are to be apart from the clicks.
    pub ops_listen: Option<SocketAddr>,
    /// Where the service is to its callers, for ready links.
    pub public_url: Option<HttpsUrl>,
    /// How long clicks are still taken once the service is told to end.
    pub drain_delay: Duration,
    /// How long running requests may take to finish at the end.
    pub shutdown_timeout: Duration,
}

impl ServerConfig {
    /// Where `/healthz` of a service with this process's environment is asked for, from the same
    /// machine.
    pub fn health_address_from_env() -> Result<SocketAddr, ConfigError> {
        let mut reader = Reader::default();
        let address = reader.environment(std::env::vars_os()).and_then(|env| {
            let listen = reader.read("LISTEN", env.listen.as_ref(), address);
            let ops = reader.read_optional("OPS_LISTEN", env.ops_listen.as_ref(), address);
            Ok(ops?.unwrap_or(listen?))
        });
        let mut address = reader.finish(address)?;
        match address.ip() {
            // It listens everywhere, so it does here.
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(address)
    }

    /// Whether health and metrics are for whoever reaches the clicks' port, from other machines
    /// too.
    pub fn shows_ops_routes(&self) -> bool {
        shows_ops_routes(self.listen, self.ops_listen)
    }

    pub(super) fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Kept> {
        let listen = reader.read("LISTEN", env.listen.as_ref(), address);
        let max_connections =
            reader.read("MAX_CONNECTIONS", env.max_connections.as_ref(), |text| {
                text.parse()
                    .ok()
                    .filter(|max: &NonZeroUsize| max.get() <= 1_000_000)
                    .ok_or("not a number of connections, 1 to 1000000")
            });
        let ops_listen = reader.read_optional("OPS_LISTEN", env.ops_listen.as_ref(), address);
        let public_url =
            reader.read_optional("PUBLIC_URL", env.public_url.as_ref(), HttpsUrl::parse);
        let drain_delay = reader.read("DRAIN_DELAY", env.drain_delay.as_ref(), duration_or_zero);
        let shutdown_timeout =
            reader.read("SHUTDOWN_TIMEOUT", env.shutdown_timeout.as_ref(), duration);
        Ok(Self {
            listen: listen?,
            max_connections: max_connections?,
            ops_listen: ops_listen?,
            public_url: public_url?,
            drain_delay: drain_delay?,
            shutdown_timeout: shutdown_timeout?,
        })
    }
}

fn shows_ops_routes(listen: SocketAddr, ops_listen: Option<SocketAddr>) -> bool {
    ops_listen.is_none() && !listen.ip().to_canonical().is_loopback()
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "not an address with a port, such as 0.0.0.0:8080")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_shown(listen: &str, ops_listen: Option<&str>) -> bool {
        let address = |text: &str| text.parse().unwrap();
        shows_ops_routes(address(listen), ops_listen.map(address))
    }

    #[test]
    fn metrics_are_for_everyone_where_they_share_a_port_that_others_reach() {
        for listen in [
            "0.0.0.0:8080",
            "[::]:8080",
            "192.0.2.1:80",
            "[::ffff:192.0.2.1]:80",
        ] {
            assert!(is_shown(listen, None), "{listen}");
            assert!(!is_shown(listen, Some("0.0.0.0:9090")), "{listen}");
        }
        for listen in ["127.0.0.1:8080", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
            assert!(!is_shown(listen, None), "{listen}");
        }
    }
}
