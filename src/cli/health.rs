//! `open-chat health`: the question of a container that has no shell and no curl.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use url::Url;

use crate::config::ServerConfig;

/// A service that needs longer is not healthy.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Args)]
#[command(after_help = "Example: open-chat health http://127.0.0.1:8080")]
pub(super) struct Health {
    /// The service's address; left out, where LISTEN and OPS_LISTEN say, on this machine
    url: Option<Url>,
}

impl Health {
    /// One GET over plain HTTP, which needs no client library: the service itself speaks no TLS.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let address = match &self.url {
            Some(url) => address_of(url)?,
            None => ServerConfig::health_address_from_env()?,
        };
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
            .with_context(|| format!("nothing answers at {address}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut status = [0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut status)?;
        match &status {
            b"HTTP/1.1 200" => Ok(()),
            other => bail!("it answers {}", String::from_utf8_lossy(other)),
        }
    }
}

fn address_of(url: &Url) -> anyhow::Result<SocketAddr> {
    ensure!(
        url.scheme() == "http",
        "the address must begin with http://"
    );
    let host = url.host_str().context("the address has no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()?
        .next()
        .context("the host has no address")
}
