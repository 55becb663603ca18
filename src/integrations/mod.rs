//! What is installed in a CRM or beside it: packages with the address of this service in them, the
//! same bytes each time.
//!
//! A module an integration; what it packs is in the repository's folder `integrations/`. To users
//! they are connectors: `open-chat connector NAME` and `/builder/connectors/NAME` hand them out.
//! Knows neither the command line nor HTTP.
//!
//! The CRMs of `CONNECTORS_FILE`, which ask this service for chats, are another matter:
//! [`crate::connect`].

mod browser_extension;
mod crm_origin;
mod crm_package;
mod hubspot;
mod kommo;
mod odoo;
mod one_c;
mod package;
mod salesforce;
mod suitecrm;
mod template;
mod zendesk;
mod zoho;

pub use self::browser_extension::{Browser, BrowserExtension, Scheme};
pub use self::crm_origin::{CrmOrigin, CrmOriginError, CrmOriginFault, MAX_ORIGINS};
pub use self::crm_package::CrmPackage;
pub use self::package::{Package, PackageError};

named_enum! {
    /// What there is, by the name that commands and addresses use.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Integration {
        /// [`BrowserExtension`].
        BrowserExtension = "browser-extension",
        /// A widget for Kommo and amoCRM.
        Kommo = "kommo",
        /// A project for HubSpot.
        Hubspot = "hubspot",
        /// Addons for Odoo.
        Odoo = "odoo",
        /// Source for a Salesforce org.
        Salesforce = "salesforce",
        /// A module for SuiteCRM.
        SuiteCrm = "suitecrm",
        /// An app for Zendesk.
        Zendesk = "zendesk",
        /// A function that is pasted into Zoho CRM.
        Zoho = "zoho",
        /// Texts that are pasted into 1C:Enterprise or BAS.
        OneC = "1c",
    }
}

impl Integration {
    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// All names, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// What a CRM gets; `None` for what a browser gets, [`BrowserExtension`].
    pub const fn crm_package(self) -> Option<&'static CrmPackage> {
        match self {
            Self::BrowserExtension => None,
            Self::Kommo => Some(&kommo::PACKAGE),
            Self::Hubspot => Some(&hubspot::PACKAGE),
            Self::Odoo => Some(&odoo::PACKAGE),
            Self::Salesforce => Some(&salesforce::PACKAGE),
            Self::SuiteCrm => Some(&suitecrm::PACKAGE),
            Self::Zendesk => Some(&zendesk::PACKAGE),
            Self::Zoho => Some(&zoho::PACKAGE),
            Self::OneC => Some(&one_c::PACKAGE),
        }
    }
}
