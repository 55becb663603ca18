//! One file a resource. Handlers never import each other.

pub(super) mod health;
pub(super) mod links;
pub(super) mod open_chat;
pub(super) mod widget;
