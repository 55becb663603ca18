//! **open-chat**: the service behind one button in a CRM, *open the chat with this client*.
//!
//! `GET /open-chat?operator=&phone=&source=` finds the operator, gets a short-lived operator token
//! from SMSBAT ChatHub, turns the phone into E.164, assembles the right deep link and answers
//! `302`.
//!
//! # The way of a click
//! Start at `http/open_chat.rs` and go down; each module knows only those above it in this list.
//!
//! | module | owns |
//! |---|---|
//! | [`invisible`] | what is not seen in a text |
//! | [`parameter`] | what a value means that a template has written |
//! | [`phone`] | text from a CRM → E.164 |
//! | [`source`] | the eight channels, and the sender of each |
//! | [`files`] | reading a regular file of a bounded length in a bounded time |
//! | [`secret`] | what must never be printed |
//! | [`unreserved`] | what stands for itself in a URL |
//! | [`printable`] | what shows as itself in a log and on a terminal |
//! | [`single_flight`] | one run of a task for any number of waiters |
//! | [`metrics`], [`telemetry`] | what the service says about itself |
//! | [`repeats`] | which errors of ChatHub are worth a line in the log |
//! | [`reload`] | files that are read again when they change |
//! | [`deep_link`] | four formats → a URL |
//! | [`operators`] | whom a link means: an alias, an id or a name |
//! | [`tokens`] | operator tokens |
//! | [`access`] | who may open whose panel |
//! | [`redis_store`] | Redis: what all replicas must agree on |
//! | [`rate_limit`] | how often is too often |
//! | [`button_url`] | the URL behind a button |
//! | [`config`] | the environment → settings |
//! | [`http`] | routes, refusals, pages |
//! | [`app`] | parts → running servers → a graceful end |
//! | [`cli`] | one file a command: the service's own, and ChatHub's administration |
//!
//! Beside them stand the crates of this workspace: [`chathub`], the client with its seven calls;
//! `chathub_simulator`, ChatHub played from its documents; and `connect_error`, why a connection
//! could not be made. They know nothing of the service.
//!
//! # Invariants
//! - What can be refused without ChatHub is refused before ChatHub is asked.
//! - The host and path of a deep link come from the configuration alone.
//! - A [`secret::Secret`] reaches the wire and the deep link, and nothing else: no log, no metric,
//!   no error, no `Debug`.

pub mod access;
pub mod app;
pub mod button_url;
pub mod cli;
pub mod config;
pub mod deep_link;
pub mod files;
pub mod http;
pub mod invisible;
pub mod metrics;
pub mod operators;
pub mod parameter;
pub mod phone;
pub mod printable;
pub mod rate_limit;
pub mod redis_store;
pub mod reload;
pub mod repeats;
pub mod secret;
pub mod single_flight;
pub mod source;
pub mod telemetry;
pub mod tokens;
pub mod unreserved;
