//! Where the service listens, and how it ends.

use std::net::SocketAddr;
use std::time::Duration;

use super::environment::Environment;
use super::reader::{Kept, Reader, duration};
use crate::https_url::HttpsUrl;

/// Where the service listens, and how it ends.
#[derive(Debug)]
pub struct ServerConfig {
    /// For the clicks.
    pub listen: SocketAddr,
    /// For health and metrics, where they are to be apart from the clicks.
    pub ops_listen: Option<SocketAddr>,
    /// Where the service is to its callers, for ready links.
    pub public_url: Option<HttpsUrl>,
    /// How long running requests may take to finish at the end.
    pub shutdown_timeout: Duration,
}

impl ServerConfig {
    pub(super) fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Kept> {
        let address = |text: &str| {
            text.parse()
                .map_err(|_| "not an address with a port, such as 0.0.0.0:8080")
        };
        let listen = reader.read("LISTEN", env.listen.as_ref(), address);
        let ops_listen = reader.read_optional("OPS_LISTEN", env.ops_listen.as_ref(), address);
        let public_url =
            reader.read_optional("PUBLIC_URL", env.public_url.as_ref(), HttpsUrl::parse);
        let shutdown_timeout =
            reader.read("SHUTDOWN_TIMEOUT", env.shutdown_timeout.as_ref(), duration);
        Ok(Self {
            listen: listen?,
            ops_listen: ops_listen?,
            public_url: public_url?,
            shutdown_timeout: shutdown_timeout?,
        })
    }
}
