//! `open-chat operators …`: a company's operators from a shell.

mod add;
mod assign;
mod batch;
mod batch_adder;
mod error_class;
mod ids;
mod import;
mod interrupt;
mod list;
mod row_outcome;
mod stats;
mod status;

use clap::{Subcommand, ValueEnum};

#[cfg(fuzzing)]
pub(in crate::cli) use self::import::read_rows;
use crate::cli::{Exit, done, with_company};
use chathub::OperatorStatus;

#[derive(Subcommand)]
pub(in crate::cli) enum Operators {
    /// List operators
    List(list::List),
    /// Count operators by organization and status
    Stats(stats::Stats),
    /// Add operators; names that exist already are skipped
    Add(add::Add),
    /// Add operators from a CSV file, up to hundreds of thousands; go on where an earlier run ended
    Import(import::Import),
    /// Activate, disable or delete operators
    Status(status::SetStatus),
    /// Tell which active operator a client meets: always the same one, and all equally often
    Assign(assign::Assign),
}

impl Operators {
    pub(in crate::cli) fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => with_company(async |company| list.run(company).await).map(done),
            Self::Stats(stats) => with_company(async |company| stats.run(company).await).map(done),
            Self::Add(add) => add.run(),
            Self::Import(import) => import.run(),
            Self::Status(status) => status.run(),
            Self::Assign(assign) => {
                with_company(async |company| assign.run(company).await).map(done)
            }
        }
    }
}

/// The statuses that ChatHub documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Status {
    /// Works and gets chats
    Active,
    /// Disabled for a time
    Inactive,
    /// Removed
    Deleted,
}

impl From<Status> for OperatorStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Inactive => Self::Inactive,
            Status::Deleted => Self::Deleted,
        }
    }
}
