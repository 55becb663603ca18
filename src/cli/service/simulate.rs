//! `open-chat simulate`: the ChatHub simulator alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use clap::Args;
use tokio::signal::ctrl_c;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::block_on;
use chathub_simulator::{Rules, Simulator};

#[derive(Args)]
#[command(after_help = "Example: open-chat simulate --operators 100 --latency 20ms")]
pub(in crate::cli) struct Simulate {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 9000)]
    port: u16,

    #[command(flatten)]
    rules: Rules,
}

impl Simulate {
    pub(in crate::cli) fn run(self) -> anyhow::Result<()> {
        block_on(async {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let exports = exports(&self.rules);
            let simulator = Simulator::start_on(address, self.rules)
                .with_context(|| format!("cannot listen on {address}"))?;
            let end = end()?;
            let url = simulator.url();
            println!("ChatHub is simulated at {url}");
            println!("For the shell of the other commands:");
            println!("export CHATHUB_URL={url} {exports}");
            Ok(end.await?)
        })
    }
}

/// The login for a shell. A password from the command line is never printed.
fn exports(rules: &Rules) -> String {
    let login = quoted(&rules.login);
    if rules.password == Rules::default().password {
        format!("CHATHUB_LOGIN={login} CHATHUB_PASSWORD={}", rules.password)
    } else {
        format!("CHATHUB_LOGIN={login} CHATHUB_PASSWORD= # as --password has it")
    }
}

/// Quotes a text for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Waits for SIGTERM or Ctrl-C. The kernel does not end the first process of a container by
/// SIGTERM, so the simulator listens for it.
#[cfg(unix)]
fn end() -> io::Result<impl Future<Output = io::Result<()>>> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            pressed = ctrl_c() => pressed,
        }
    })
}

#[cfg(not(unix))]
fn end() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(ctrl_c())
}
