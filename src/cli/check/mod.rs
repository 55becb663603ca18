//! `open-chat check`: the checklist of a new installation. It changes nothing.

mod chathub;
mod configuration;
mod directory;
mod findings;
mod portals;
mod redis;

use clap::Args;

use self::findings::Findings;
use super::{Exit, OutputFormat, block_on};
use crate::config::Config;

#[derive(Args)]
#[command(
    after_help = "Reads the same environment as `serve`, and changes nothing. Example: open-chat check --json | jq '.checks[] | select(.outcome == \"failed\")'"
)]
pub(super) struct Check {
    #[command(flatten)]
    format: OutputFormat,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let mut findings = Findings::default();
        // Nothing is asked then, because the first look-up of a name could be the end.
        if findings.foreign_nss_modules() {
            return findings.print(self.format);
        }
        findings.doubtful_secrets();
        let config = findings.configuration(Config::from_env());
        block_on(async {
            if let Some(config) = &config {
                findings.redis(config).await;
                findings.portals(config).await;
            }
            findings.chathub(config.as_ref()).await;
            anyhow::Ok(())
        })?;
        findings.print(self.format)
    }
}
