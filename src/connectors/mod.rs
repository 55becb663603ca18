//! What is installed in a CRM or beside it: packages with the address of this service in them, the
//! same bytes each time.
//!
//! A module a connector. Knows neither the command line nor HTTP, which both hand these packages
//! out.

mod browser_extension;
mod crm_origin;
mod package;

pub use self::browser_extension::{Browser, BrowserExtension, Scheme};
pub use self::crm_origin::{CrmOrigin, CrmOriginError, CrmOriginFault, MAX_ORIGINS};
pub use self::package::{Package, PackageError};

named_enum! {
    /// What there is, by the name that commands and addresses use.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Connector {
        /// [`BrowserExtension`].
        BrowserExtension = "browser-extension",
    }
}

impl Connector {
    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// All names, for messages.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}
