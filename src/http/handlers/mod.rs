//! One module a resource. Handlers never import each other.

pub(super) mod builder;
pub(super) mod connect;
pub(super) mod demo;
pub(super) mod demo_refusals;
pub(super) mod health;
pub(super) mod integrations;
pub(super) mod links;
pub(super) mod open_chat;
pub(super) mod openapi;
pub(super) mod pair;
pub(super) mod phone_links;
pub(super) mod widget;
