//! CRMs, played from their vendors' documents, for tests of the buttons in them.
//!
//! [`Simulator::start`] listens on a free port of loopback and plays all vendors, a module each. It
//! counts the calls, and fails as it is told to. It does not know the service that it calls.

pub mod bitrix24;
mod faults;
pub mod hubspot;
pub mod kommo;
pub mod pipedrive;
mod server;
pub mod zendesk;

pub use self::faults::Fault;
pub use self::server::{Received, Simulator};
