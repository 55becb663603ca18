//! The ports, the limit on connections, and the times of the shutdown.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use super::{ConfigError, EnvParser, Reported, Variable, duration, duration_or_zero};
use chathub::HttpsUrl;

pub(super) const VARIABLES: &[Variable] = &[
    Variable::with_default("LISTEN", "0.0.0.0:8080"),
    // Far more than a company's agents keep open. It bounds memory and files against a client that
    // opens as many as it can.
    Variable::with_default("MAX_CONNECTIONS", "10000"),
    Variable::without_default("OPS_LISTEN"),
    Variable::without_default("PUBLIC_URL"),
    // Load balancers ask `/readyz` every second or two, and Kubernetes' endpoints take another to
    // get around.
    Variable::with_default("DRAIN_DELAY", "5s"),
    // Longer than any click takes, shorter than Kubernetes' grace period (30 s).
    Variable::with_default("SHUTDOWN_TIMEOUT", "20s"),
];

/// The ports, the limit on connections, and the times of the shutdown.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The port of the clicks.
    pub listen: SocketAddr,
    /// How many connections a port may have at once.
    pub max_connections: NonZeroUsize,
    /// The port of health and metrics, where they have one of their own.
    pub ops_listen: Option<SocketAddr>,
    /// The address of the service for its callers, for ready links.
    pub public_url: Option<HttpsUrl>,
    /// How long clicks are still taken after SIGTERM.
    pub drain_delay: Duration,
    /// How long running requests may take to finish at the shutdown.
    pub shutdown_timeout: Duration,
}

impl ServerConfig {
    /// Where a service with this process's environment answers `/healthz` on the same machine.
    pub fn health_address_from_env() -> Result<SocketAddr, ConfigError> {
        let mut address = EnvParser::from_env().finish(|parser| {
            let listen = parser.required("LISTEN", address);
            parser.optional("OPS_LISTEN", address)?.map_or(listen, Ok)
        })?;
        match address.ip() {
            // It listens on every address, so also on loopback.
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(address)
    }

    /// Whether other machines that reach the port of the clicks also reach health and metrics.
    pub fn shows_ops_routes(&self) -> bool {
        self.ops_listen.is_none() && !self.listen.ip().to_canonical().is_loopback()
    }

    pub(super) fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let listen = parser.required("LISTEN", address);
        let max_connections = parser.required("MAX_CONNECTIONS", |text| {
            text.parse()
                .ok()
                .filter(|max: &NonZeroUsize| max.get() <= 1_000_000)
                .ok_or("not a number of connections, 1 to 1000000")
        });
        let ops_listen = parser.optional("OPS_LISTEN", address);
        let public_url = parser.optional("PUBLIC_URL", HttpsUrl::parse);
        let drain_delay = parser.required("DRAIN_DELAY", duration_or_zero);
        let shutdown_timeout = parser.required("SHUTDOWN_TIMEOUT", duration);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn is_shown(listen: &str, ops_listen: Option<&str>) -> bool {
        let variables = [("LISTEN", Some(listen)), ("OPS_LISTEN", ops_listen)];
        let set = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), value?.into())));
        let config = ServerConfig::parse(&mut EnvParser::from_vars(set));
        config.unwrap().shows_ops_routes()
    }

    #[test]
    fn metrics_are_public_where_they_share_a_port_that_other_machines_reach() {
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
