//! Exit codes and error messages: the one place where the result of a command becomes a number.

use std::process::ExitCode;

use thiserror::Error;
use tokio::runtime::Runtime;

use super::{advice, say};
use crate::config::ConfigError;
use crate::telemetry::Unexportable;

/// The codes as `--help` shows them.
pub(super) const CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration, 130 ended by Ctrl-C";

/// Wrong usage; clap's own code for it.
const USAGE: u8 = 2;

/// `EX_CONFIG` of sysexits.h: something is configured wrong.
const CONFIG: u8 = 78;

/// 128 and the number of SIGINT, by the convention of shells.
const INTERRUPTED: u8 = 130;

/// How a command ended that has printed everything itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// It succeeded.
    Done,
    /// It failed, at least in part.
    Failed,
    /// Ctrl-C.
    Interrupted,
}

/// The end of a command that succeeds or returns an error.
pub(super) const fn done((): ()) -> Exit {
    Exit::Done
}

/// What is wrong with the command line, beyond what clap checks.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// Runs a command's work. Its threads end with the process: a runtime that is dropped would wait
/// for a thread that resolves a name, for as long as the name server is silent.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    outcome
}

/// Prints the error and the advice for it, and returns the exit code.
pub(super) fn report(outcome: anyhow::Result<Exit>) -> ExitCode {
    let error = match outcome {
        Ok(Exit::Done) => return ExitCode::SUCCESS,
        Ok(Exit::Failed) => return ExitCode::FAILURE,
        Ok(Exit::Interrupted) => return ExitCode::from(INTERRUPTED),
        Err(error) => error,
    };
    say(&format!("open-chat: {}", sentence(&error)));
    let of_chathub = error.downcast_ref::<chathub::Error>();
    if let Some(kind) = of_chathub
        .map(chathub::Error::kind)
        .or(error.downcast_ref())
    {
        say(advice(kind));
    }
    if error.is::<ConfigError>() || error.is::<Unexportable>() {
        ExitCode::from(CONFIG)
    } else if error.is::<Usage>() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::FAILURE
    }
}

/// The error and its causes, less what ChatHub's client has met on the way: its own sentence says
/// what that means.
fn sentence(error: &anyhow::Error) -> String {
    let mut is_complete = false;
    let causes = error
        .chain()
        .take_while(|cause| !std::mem::replace(&mut is_complete, cause.is::<chathub::Error>()));
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
