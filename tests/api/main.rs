//! Drives the real application over a socket, against a simulator that counts calls.

// A failed set-up should end its test at once, wherever it happens.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
// `pub` means "for the other files here".
#![allow(unreachable_pub)]
// A table of cases is one thought, however long; `ec` and `ed` are the names of algorithms.
#![allow(clippy::too_many_lines, clippy::similar_names)]

mod access;
mod administration;
mod administration_page;
mod answers;
mod builder;
mod builder_guide;
mod causes;
mod chathub;
mod checklist;
mod checklist_parts;
mod click;
mod clock;
mod commands;
mod confirm;
mod connect;
mod connect_bitrix24;
mod connect_hubspot;
mod connect_pipedrive;
mod connect_zendesk;
mod connections;
mod connector;
mod connectors_page;
mod crm_guide;
mod descriptors;
mod device;
mod device_pages;
mod directory;
mod documents;
mod doubts;
mod ending;
mod faults;
mod faulty_proxy;
mod files;
mod floods;
mod foreign;
mod guard;
mod handler;
mod harness;
mod hosts;
mod house;
mod identities;
mod import;
mod import_files;
mod inputs;
mod leaks;
mod limits;
mod links;
mod methods;
mod monitoring;
mod once;
mod operators_shell;
mod ops;
mod other_sites;
mod outages;
mod packages;
mod pages;
mod pair_command;
mod pair_links;
mod phone_links;
mod probe;
#[path = "../support/process.rs"]
mod process;
mod promises;
mod properties;
mod proxies;
mod redis;
mod redis_cluster;
mod redis_proxy;
mod redis_tls;
mod refusals;
mod serving;
mod sessions;
mod shell_links;
mod signing;
mod simulator;
mod storm;
mod text_log;
mod tickets;
mod tokens;
mod traces;
mod translations;
mod vendors;
mod widget;
