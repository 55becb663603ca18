//! Commands that run the service or its simulator, and what a machine needs around them.

pub(super) mod completions;
pub(super) mod demo;
pub(super) mod health;
pub(super) mod man_pages;
pub(super) mod serve;
pub(super) mod simulate;
