//! A real Chromium, driven as an agent would.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
#![allow(unreachable_pub)]

mod bitrix24;
mod browser;
mod builder;
mod confirm;
mod demo;
mod djangocrm;
mod extension;
mod handler;
mod hubspot;
mod kommo;
mod openapi;
mod pair;
mod pipedrive;
#[allow(dead_code, reason = "shared with the api tests, which need more of it")]
#[path = "../support/process.rs"]
mod process;
mod refusals;
mod services;
mod site;
mod strangers;
mod widget;
mod zendesk;
