//! **open-chat**: the service behind one button in a CRM, *open the chat with this client*.
//!
//! `GET /open-chat?operator=&phone=&source=` finds the operator, gets a short-lived operator token
//! from SMSBAT ChatHub, turns the phone into E.164, assembles the right deep link and answers
//! `302`.
//!
//! # Code map
//! A click comes in through `app/connection` and `http/middleware`, and is answered in
//! `http/handlers/open_chat`; `docs/architecture.md` follows it. Each module knows only modules
//! above it in this list.
//!
//! | module | owns |
//! |---|---|
//! | `named_enum` | enums whose variants have names |
//! | [`language`] | the languages that pages speak |
//! | [`invisible`] | invisible characters, Unicode spaces and dashes |
//! | [`source`] | the eight channels, and the sender of each |
//! | [`phone`] | text or link from a CRM → E.164 |
//! | [`parameter`] | values that CRM templates write |
//! | [`files`] | reads a file with a limit on length and time |
//! | [`secret`] | secrets, which are never printed |
//! | [`unreserved`] | unreserved characters of URLs |
//! | [`printable`] | printable characters of logs and terminals |
//! | [`single_flight`] | one run of a task for many waiters |
//! | [`metrics`], [`telemetry`] | metrics, logs, traces |
//! | [`repeats`] | which errors of ChatHub are worth a line in the log |
//! | [`reload`] | files that are reloaded when they change |
//! | [`deep_link`] | deep links in four formats |
//! | [`operators`] | the directory: operators by alias, id or name |
//! | [`tokens`] | the cache of operator tokens |
//! | [`access`] | authentication and authorization |
//! | [`connect`] | CRMs that ask for chats, and the proof of each |
//! | [`redis_store`] | the state that replicas share |
//! | [`rate_limit`] | rate limits |
//! | [`button_url`] | the URL behind a button |
//! | [`integrations`] | packages to install in a CRM or a browser |
//! | [`config`] | the environment → [`config::Config`] |
//! | [`http`] | routes, refusals, pages |
//! | [`app`] | configuration → state → running servers → graceful shutdown |
//! | [`cli`] | the commands: service, links and passes, checklist, administration |
//!
//! Beside them stand the crates of this workspace: [`chathub`], the client with its seven calls;
//! `chathub_simulator`, ChatHub played from its documents; `crm_simulator`, the CRMs likewise, for
//! tests; and `connect_error`, why a connection could not be made. They know nothing of the
//! service.
//!
//! # Invariants
//! - Requests that can be refused without ChatHub are refused before ChatHub is called.
//! - The host and path of a deep link come from the configuration alone.
//! - A [`secret::Secret`] reaches the wire and the deep link only: no log, no metric, no error, no
//!   `Debug`.

#[macro_use]
mod named_enum;

pub mod access;
pub mod app;
pub mod button_url;
pub mod cli;
pub mod config;
pub mod connect;
pub mod deep_link;
pub mod files;
pub mod http;
pub mod integrations;
pub mod invisible;
pub mod language;
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
