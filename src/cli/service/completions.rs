//! `open-chat completions`: prints the completions of a shell.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;

#[derive(Args)]
#[command(
    after_help = "Example: open-chat completions bash > /etc/bash_completion.d/open-chat\n         open-chat completions zsh > ~/.zfunc/_open-chat"
)]
pub(in crate::cli) struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    pub(in crate::cli) fn run(&self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "open-chat", &mut script);
        Ok(std::io::stdout().write_all(&script)?)
    }
}
