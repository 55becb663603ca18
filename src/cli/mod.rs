//! The command line: a module for each command. What several commands share stands beside them.

// A doc comment of a command is what `--help` prints, where backticks would be noise.
#![allow(clippy::doc_markdown)]

mod admin;
mod advice;
mod check;
mod company;
mod connector;
mod csv_text;
mod exit;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod link;
mod output;
mod pair;
mod pass;
mod service;
mod suggestions;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::admin::{operators, organizations, token};
use self::advice::advice;
use self::company::{Company, find_operator, organization_id, organization_name, with_company};
use self::csv_text::CsvText;
use self::exit::{Exit, Usage, block_on, done};
use self::output::{OutputFormat, listed, sanitized, say};

use self::service::{completions, demo, health, man_pages, serve, simulate};

/// The version and the commit it was built from.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("OPEN_CHAT_REVISION"),
    ")"
);

/// One button in a CRM that opens the right SMSBAT ChatHub chat.
#[derive(Parser)]
#[command(version = VERSION, about, arg_required_else_help = true, after_help = exit::CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service; everything is set in the environment
    #[command(
        after_help = "Example: ACCESS=open CHATHUB_LOGIN=acme CHATHUB_PASSWORD_FILE=/run/secrets/chathub open-chat serve"
    )]
    Serve,
    /// Try everything on this machine, with nothing to configure
    Demo(demo::Demo),
    /// Run the ChatHub simulator alone
    Simulate(simulate::Simulate),
    /// Try a new installation, step by step; say what is wrong and what to do
    Check(check::Check),
    /// Print a button's URL, signed where PASS_SECRET or a key of PASS_KEYS_FILE can sign
    #[command(
        after_help = "Example: open-chat link --operator 101 --phone +380501234567 --source viber --ttl 5m"
    )]
    Link(pass::PassRequest),
    /// Sign passes
    #[command(subcommand)]
    Pass(pass::Pass),
    /// Invite browsers to be paired with operators, for ACCESS=device
    Pair(pair::Pair),
    /// Write a package that is installed in a CRM or a browser, with PUBLIC_URL in it
    #[command(subcommand)]
    Connector(connector::ConnectorCommand),
    /// List the company's organizations
    #[command(subcommand)]
    Organizations(organizations::Organizations),
    /// List, count, add, import, activate, disable and delete operators
    #[command(subcommand)]
    Operators(operators::Operators),
    /// Mint and validate operator tokens
    #[command(subcommand)]
    Token(token::Token),
    /// Exit 0 where the service answers 200 on /healthz
    Health(health::Health),
    /// Print a shell's completions
    Completions(completions::Completions),
    /// Write the manual pages; for those who make packages
    #[command(hide = true)]
    ManPages(man_pages::ManPages),
}

impl Cli {
    /// Runs the command. `exit` owns the exit codes.
    pub fn run(self) -> ExitCode {
        disable_core_dumps();
        exit::report(match self.command {
            Command::Serve => serve::run().map(done),
            Command::Demo(demo) => demo.run().map(done),
            Command::Simulate(simulate) => simulate.run().map(done),
            Command::Check(check) => check.run(),
            Command::Link(request) => link::run(&request).map(done),
            Command::Pass(pass) => pass.run().map(done),
            Command::Pair(pair) => pair.run().map(done),
            Command::Connector(connector) => connector.run().map(done),
            Command::Organizations(organizations) => organizations.run().map(done),
            Command::Operators(operators) => operators.run(),
            Command::Token(token) => token.run(),
            Command::Health(health) => health.run().map(done),
            Command::Completions(completions) => completions.run().map(done),
            Command::ManPages(pages) => pages.run().map(done),
        })
    }
}

/// Memory has passwords, keys and agents' tokens in it, and a crash would write them to a disk. The
/// hard limit stays, so that `prlimit` can still allow a dump to one process.
#[cfg(unix)]
fn disable_core_dumps() {
    // A system that refuses is no reason not to run.
    let _ = rlimit::getrlimit(rlimit::Resource::CORE)
        .and_then(|(_, hard)| rlimit::setrlimit(rlimit::Resource::CORE, 0, hard));
}

#[cfg(not(unix))]
const fn disable_core_dumps() {}
