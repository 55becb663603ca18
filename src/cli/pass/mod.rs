//! `open-chat pass mint` signs a pass.

mod operator;
mod request;

use clap::Subcommand;

pub(super) use self::operator::{check_operator, find_in_directory};
pub(super) use self::request::{PassRequest, ttl};
use crate::config::SigningConfig;

#[derive(Subcommand)]
pub(super) enum Pass {
    /// Sign a pass with PASS_SECRET, or the first plain HS key of PASS_KEYS_FILE
    #[command(after_help = "Example: open-chat pass mint --operator 101 --ttl 8h")]
    Mint(PassRequest),
}

impl Pass {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Mint(request) = self;
        let config = SigningConfig::from_env()?;
        let pass = request.pass(&config)?;
        check_operator(&request.operator, &config)?;
        println!("{pass}");
        Ok(())
    }
}
