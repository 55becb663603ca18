//! Drives the real application over a socket, against a simulator that counts calls.

// A failed set-up should end its test at once, wherever it happens.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
// `pub` means "for the other files here".
#![allow(unreachable_pub)]

mod answers;
mod chathub;
mod click;
mod commands;
mod documents;
mod faults;
mod harness;
mod house;
mod leaks;
mod ops;
#[path = "../support/process.rs"]
mod process;
mod proxy;
mod refusals;
mod simulator;
mod storm;
mod tokens;
