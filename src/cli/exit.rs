//! Exit codes, and what is said before them: the one place where the end of a command becomes a
//! number.

use std::process::ExitCode;

use thiserror::Error;
use tokio::runtime::Runtime;

use super::advice::advice;
use super::output::say;
use crate::config::ConfigError;
use crate::telemetry::Unexportable;

/// The codes as `--help` shows them.
pub(super) const CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration, 130 ended by Ctrl-C";

/// The command line asks for something that cannot be done this way; clap's own code for that.
const USAGE: u8 = 2;

/// `EX_CONFIG` of sysexits.h: something is configured wrong.
const CONFIG: u8 = 78;

/// 128 and SIGINT's number, as shells have it.
const INTERRUPTED: u8 = 130;

/// How a command has ended, where it has said everything itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All is well.
    Done,
    /// What was asked for has not come about, or not all of it.
    Failed,
    /// Ctrl-C.
    Interrupted,
}

/// What is wrong with the command line, beyond what clap can see.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// Does a command's work. What outlives it ends with the process: a runtime that is merely dropped
/// waits for a thread that looks a name up, for as long as the name server is silent.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_background();
    outcome
}

/// Says what went wrong, and what can be done about it.
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
