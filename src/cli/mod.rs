//! The command line: one file a command.

// A doc comment of a command is what `--help` prints, where backticks would be noise.
#![allow(clippy::doc_markdown)]

mod demo;
mod health;
mod pass;
mod serve;
mod simulate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ConfigError;

/// `EX_CONFIG` of sysexits.h: something is configured wrong.
const EXIT_CONFIG: u8 = 78;

/// One button in a CRM that opens the right SMSBAT ChatHub chat.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service; everything is set in the environment
    Serve,
    /// Try everything on this machine, with nothing to configure
    Demo(demo::Demo),
    /// Run the ChatHub simulator alone
    Simulate(simulate::Simulate),
    /// Print a button's URL, signed where PASS_SECRET or PASS_KEYS_FILE is set
    Link(pass::Wanted),
    /// Sign passes
    #[command(subcommand)]
    Pass(pass::Pass),
    /// Exit 0 where the service answers 200 on /healthz
    Health(health::Health),
}

impl Cli {
    /// Carries the command out. Exit code 78: the configuration is wrong; 1: anything else.
    pub fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Serve => serve::run(),
            Command::Demo(demo) => demo.run(),
            Command::Simulate(simulate) => simulate.run(),
            Command::Link(wanted) => pass::link(&wanted),
            Command::Pass(pass) => pass.run(),
            Command::Health(health) => health.run(),
        };
        let Err(error) = outcome else {
            return ExitCode::SUCCESS;
        };
        eprintln!("open-chat: {error:#}");
        if error.is::<ConfigError>() {
            ExitCode::from(EXIT_CONFIG)
        } else {
            ExitCode::FAILURE
        }
    }
}
