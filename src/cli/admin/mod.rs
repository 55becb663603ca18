//! Administration of a company in ChatHub. These commands read `CHATHUB_*` and need no service.

pub(super) mod operators;
pub(super) mod organizations;
pub(super) mod token;
