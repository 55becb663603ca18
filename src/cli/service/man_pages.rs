//! `open-chat man-pages`: writes the manual pages, for packages.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::Cli;

/// What is at the foot of each page.
const SOURCE: &str = concat!("open-chat ", env!("CARGO_PKG_VERSION"));

#[derive(Args)]
pub(in crate::cli) struct ManPages {
    /// An existing folder
    folder: PathBuf,
}

impl ManPages {
    pub(in crate::cli) fn run(&self) -> anyhow::Result<()> {
        let mut command = Cli::command()
            .version(env!("CARGO_PKG_VERSION"))
            .disable_help_subcommand(true);
        // Gives `serve` its whole name, `open-chat-serve`.
        command.build();
        write(&command, &self.folder)
            .with_context(|| format!("{} cannot be written to", self.folder.display()))
    }
}

fn write(command: &Command, folder: &Path) -> std::io::Result<()> {
    Man::new(command.clone())
        .source(SOURCE)
        .manual("open-chat")
        .generate_to(folder)?;
    let mut shown = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    shown.try_for_each(|command| write(command, folder))
}
