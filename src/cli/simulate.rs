//! `open-chat simulate`: the ChatHub simulator alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use chathub_simulator::{Rules, Simulator};
use clap::Args;
#[cfg(unix)]
use tokio::select;
use tokio::signal::ctrl_c;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};

use super::exit::block_on;

#[derive(Args)]
#[command(after_help = "Example: open-chat simulate --operators 100 --latency 20ms")]
pub(super) struct Simulate {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 9000)]
    port: u16,

    #[command(flatten)]
    rules: Rules,
}

impl Simulate {
    pub(super) fn run(self) -> anyhow::Result<()> {
        block_on(async {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let exports = exports(&self.rules);
            let simulator = Simulator::start_on(address, self.rules)?;
            let end = end()?;
            let url = simulator.url();
            println!("ChatHub is simulated at {url}");
            println!("For the shell of the other commands:");
            println!("export CHATHUB_URL={url} {exports}");
            Ok(end.await?)
        })
    }
}

/// The login, for a shell. A password that somebody has chosen is printed nowhere.
fn exports(rules: &Rules) -> String {
    let login = quoted(&rules.login);
    if rules.password == Rules::default().password {
        format!("CHATHUB_LOGIN={login} CHATHUB_PASSWORD={}", rules.password)
    } else {
        format!("CHATHUB_LOGIN={login} CHATHUB_PASSWORD= # as --password has it")
    }
}

/// As a shell reads it.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// When somebody ends it. As the first process of a container it must listen for SIGTERM: there the
/// kernel does nothing by itself.
#[cfg(unix)]
fn end() -> io::Result<impl Future<Output = io::Result<()>>> {
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        select! {
            _ = terminate.recv() => Ok(()),
            pressed = ctrl_c() => pressed,
        }
    })
}

#[cfg(not(unix))]
fn end() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(ctrl_c())
}
