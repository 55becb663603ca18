//! Faults on command.

use std::time::Duration;

/// How a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, with this body.
    Status(u16, String),
    /// A redirect of this status to another address.
    Redirect(u16, String),
    /// `200`, with a body that is not what the vendor documents.
    Garbage(String),
    /// The right answer, this much later.
    Delay(Duration),
}
