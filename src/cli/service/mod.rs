//! Commands that run the service or its simulator, or serve the machine that they run on.

pub(super) mod completions;
pub(super) mod demo;
pub(super) mod health;
pub(super) mod serve;
pub(super) mod simulate;
