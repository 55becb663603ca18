//! Whom a link means: an alias, an id or a name → a ChatHub operator.

mod map;
mod rendezvous;

pub use map::{MapError, OperatorMap};
pub use rendezvous::assigned;
