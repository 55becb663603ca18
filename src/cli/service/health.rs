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
pub(in crate::cli) struct Health {
    /// The service's address; left out, where LISTEN and OPS_LISTEN say, on this machine
    url: Option<Url>,
}

impl Health {
    pub(in crate::cli) fn run(self) -> anyhow::Result<()> {
        match &self.url {
            Some(url) => ask_any(&addresses_of(url)?),
            None => ask(ServerConfig::health_address_from_env()?),
        }
    }
}

/// A name may have addresses that the service does not listen on: localhost is `::1` first on many
/// machines.
fn ask_any(addresses: &[SocketAddr]) -> anyhow::Result<()> {
    let mut problems = Vec::new();
    for &address in addresses {
        match ask(address) {
            Ok(()) => return Ok(()),
            Err(problem) => problems.push(format!("{problem:#}")),
        }
    }
    ensure!(!problems.is_empty(), "the host has no address");
    bail!(problems.join("; "))
}

/// One GET over plain HTTP, which needs no client library: the service itself speaks no TLS.
fn ask(address: SocketAddr) -> anyhow::Result<()> {
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

fn addresses_of(url: &Url) -> anyhow::Result<Vec<SocketAddr>> {
    ensure!(
        url.scheme() == "http",
        "the address must begin with http://"
    );
    let host = url.host_str().context("the address has no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    Ok((host.trim_matches(['[', ']']), port)
        .to_socket_addrs()?
        .collect())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::net::{IpAddr, Ipv4Addr, TcpListener};
    use std::thread;

    use super::*;

    /// Where nobody listens.
    const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

    /// Answers one request with this status.
    fn service(status: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            write!(stream, "HTTP/1.1 {status}\r\n\r\n").unwrap();
        });
        address
    }

    #[test]
    fn one_address_that_answers_is_enough() {
        assert!(ask_any(&[NOBODY, service("200 OK")]).is_ok());
        assert!(ask_any(&[service("404 Not Found"), service("200 OK")]).is_ok());
    }

    #[test]
    fn what_each_address_says_is_told_where_none_is_healthy() {
        let problem = ask_any(&[NOBODY, service("503 Unavailable")]).unwrap_err();
        let text = problem.to_string();
        assert!(
            text.starts_with(&format!("nothing answers at {NOBODY}")),
            "{text}"
        );
        assert!(text.ends_with("; it answers HTTP/1.1 503"), "{text}");
        let problem = ask_any(&[]).unwrap_err();
        assert_eq!(problem.to_string(), "the host has no address");
    }
}
