//! Where the service listens, for how many, and how it ends.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use super::ConfigError;
use super::environment::Environment;
use super::reader::{Kept, Reader, duration, duration_or_zero};
use crate::https_url::HttpsUrl;

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
    /// Where `/healthz` of a service with this process's environment is asked for, from the same machine.
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

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "not an address with a port, such as 0.0.0.0:8080")
}
