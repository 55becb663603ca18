//! `open-chat health`: a health check for containers, which have no shell and no curl.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use reqwest::Client;
use reqwest::redirect::Policy;
use url::Url;

use crate::cli::block_on;
use crate::config::ServerConfig;

/// A service that needs longer is not healthy.
const TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Args)]
#[command(after_help = "Example: open-chat health http://127.0.0.1:8080")]
pub(in crate::cli) struct Health {
    /// The service's address; left out, where LISTEN and OPS_LISTEN say, on this machine
    #[arg(value_parser = url)]
    url: Option<Url>,
}

fn url(text: &str) -> Result<Url, &'static str> {
    Url::parse(text).map_err(|_| "not an address, such as http://127.0.0.1:8080")
}

impl Health {
    pub(in crate::cli) fn run(self) -> anyhow::Result<()> {
        let addresses = match &self.url {
            Some(url) => addresses_of(url)?,
            None => vec![ServerConfig::health_address_from_env()?],
        };
        block_on(check_any(&addresses))
    }
}

/// Succeeds where one address is healthy. A name may have addresses that the service does not
/// listen on: localhost is `::1` first on many machines.
async fn check_any(addresses: &[SocketAddr]) -> anyhow::Result<()> {
    let client = client()?;
    let mut problems = Vec::new();
    for &address in addresses {
        match check(&client, address).await {
            Ok(()) => return Ok(()),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    ensure!(!problems.is_empty(), "the host has no address");
    bail!(problems.join("; "))
}

/// The service itself speaks no TLS, so the client loads no certificates: without them, or with bad
/// ones, a service is still healthy.
fn client() -> reqwest::Result<Client> {
    Client::builder()
        .connect_timeout(TIMEOUT)
        .read_timeout(TIMEOUT)
        .no_proxy()
        .redirect(Policy::none())
        .tls_certs_only([])
        .build()
}

async fn check(client: &Client, address: SocketAddr) -> anyhow::Result<()> {
    let request = client.get(format!("http://{address}/healthz"));
    let response = request.send().await.map_err(|error| {
        let cause = root_cause(&error);
        if error.is_connect() {
            anyhow!("nothing answers at {address}: {cause}")
        } else {
            anyhow!(cause)
        }
    })?;
    let (version, status) = (response.version(), response.status().as_u16());
    ensure!(status == 200, "it answers {version:?} {status}");
    Ok(())
}

/// The errors around the last one repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    anyhow::Chain::new(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
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
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{IpAddr, Ipv4Addr, TcpListener};
    use std::thread;

    use super::*;

    /// No program listens here.
    const CLOSED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

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

    #[tokio::test]
    async fn one_healthy_address_is_enough() {
        let addresses = [CLOSED, service("200 OK")];
        assert!(check_any(&addresses).await.is_ok());
        let addresses = [service("404 Not Found"), service("200 OK")];
        assert!(check_any(&addresses).await.is_ok());
    }

    #[tokio::test]
    async fn each_address_says_why_it_is_not_healthy() {
        let addresses = [CLOSED, service("503 Unavailable")];
        let problem = check_any(&addresses).await.unwrap_err();
        assert_eq!(
            problem.to_string(),
            format!(
                "nothing answers at {CLOSED}: Connection refused (os error 111); \
                 it answers HTTP/1.1 503"
            )
        );
        let problem = check_any(&[]).await.unwrap_err();
        assert_eq!(problem.to_string(), "the host has no address");
    }
}
