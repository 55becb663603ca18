//! CRMs whose buttons ask this service for a chat: which ones (`CONNECTORS_FILE`), and the proof of
//! each, that this is a request of one of them, for one of its agents.
//!
//! A vendor is a file: what its request shows goes in as plain data, and a [`ProvenAgent`] or a
//! [`Refusal`] comes out. A CRM that must be asked itself is asked by `client`. Knows nothing of
//! the HTTP that is answered, nor of what the agent gets.

mod agent;
pub mod bitrix24;
mod client;
mod config;
mod file;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod hubspot;
mod kommo;
mod pace;
pub mod pipedrive;
mod refusal;
mod section;
mod ticket;
mod token;
mod verdicts;
mod zendesk;

pub use self::agent::ProvenAgent;
pub use self::client::CrmClient;
pub use self::config::{Bitrix24, Connectors, Hubspot, Kommo, Pipedrive, Zendesk};
pub use self::hubspot::HubspotRequest;
pub use self::refusal::{CrmFault, Refusal, Unproven};
pub use self::section::Section;
pub use self::ticket::Ticket;

named_enum! {
    /// A CRM with a connector. The name is in paths, in a metric's label and in `CONNECTORS_FILE`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(usize)]
    pub enum Vendor {
        /// Bitrix24: a local application.
        Bitrix24 = "bitrix24",
        /// Kommo, once amoCRM: a widget.
        Kommo = "kommo",
        /// Zendesk: an app in the sidebar.
        Zendesk = "zendesk",
        /// HubSpot: a card.
        Hubspot = "hubspot",
        /// Pipedrive: a panel.
        Pipedrive = "pipedrive",
    }
}

impl Vendor {
    /// The vendor of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }

    /// What an agent's id stands behind in logs: `kommo:`.
    pub const fn caller_kind(self) -> &'static str {
        match self {
            Self::Bitrix24 => "bitrix24:",
            Self::Kommo => "kommo:",
            Self::Zendesk => "zendesk:",
            Self::Hubspot => "hubspot:",
            Self::Pipedrive => "pipedrive:",
        }
    }

    /// What stands before an agent's id in the operator map, where the section says nothing else.
    const fn default_prefix(self) -> &'static str {
        match self {
            Self::Bitrix24 => "bitrix24-",
            Self::Kommo => "kommo-",
            Self::Zendesk => "zendesk-",
            Self::Hubspot => "hubspot-",
            Self::Pipedrive => "pipedrive-",
        }
    }
}
