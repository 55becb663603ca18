//! `open-chat simulate`: the ChatHub simulator alone.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;

use crate::simulator::{Rules, Simulator};

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
        tokio::runtime::Runtime::new()?.block_on(async {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            let simulator = Simulator::start_on(address, self.rules)?;
            println!("ChatHub is simulated at {}", simulator.url());
            tokio::signal::ctrl_c().await?;
            Ok(())
        })
    }
}
