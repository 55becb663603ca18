//! One module a route: each reads its request and answers. A handler never imports another.

pub(super) mod builder;
pub(super) mod demo;
pub(super) mod demo_refusals;
pub(super) mod openapi;
