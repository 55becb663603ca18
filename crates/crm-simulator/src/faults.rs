//! Faults on command.

use std::time::Duration;

/// How a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, with this body.
    Status(u16, String),
    /// `302` to another address.
    Redirect(String),
    /// `200`, with a body that is not what the vendor documents.
    Garbage(String),
    /// The right answer, this much later.
    Delay(Duration),
}
