//! Parse the command line, run it, turn the result into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use open_chat::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
