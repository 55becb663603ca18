//! `CONNECTORS_FILE`: the installations of CRMs whose requests count, one section each.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};

use jsonwebtoken::DecodingKey;

use super::{Section, Vendor, file};
use crate::reload::{Files, Reloadable};
use crate::secret::Secret;

const VARIABLE: &str = "CONNECTORS_FILE";

/// The installations whose requests count.
#[derive(Debug, Default)]
pub struct Connectors {
    /// Portals of Bitrix24.
    pub bitrix24: Vec<Bitrix24>,
    /// Accounts of Kommo.
    pub kommo: Vec<Kommo>,
    /// Accounts of Zendesk.
    pub zendesk: Vec<Zendesk>,
    /// Portals of HubSpot.
    pub hubspot: Vec<Hubspot>,
    /// Companies of Pipedrive.
    pub pipedrive: Vec<Pipedrive>,
}

/// A portal of Bitrix24 with our local application.
#[derive(Debug)]
pub struct Bitrix24 {
    /// What all sections have. Its origin is the one that is asked.
    pub section: Section,
    /// The application's id, which the portal must confirm.
    pub client_id: String,
    /// What the portal sends with each request, where it is set.
    pub application_token: Option<Secret>,
}

/// An account of Kommo with our widget.
#[derive(Debug)]
pub struct Kommo {
    /// What all sections have.
    pub section: Section,
    /// The integration's secret key: the HS256 key of its tokens.
    pub secret: Secret,
    /// The account's number, where it is to be checked too.
    pub account_id: Option<u64>,
}

/// An account of Zendesk with our app.
pub struct Zendesk {
    /// What all sections have.
    pub section: Section,
    /// The app's public key: RS256.
    pub public_key: DecodingKey,
    /// The installation's number, where it is to be checked too.
    pub installation: Option<u64>,
}

/// A portal of HubSpot with our app.
#[derive(Debug)]
pub struct Hubspot {
    /// What all sections have. There is no origin: HubSpot's servers ask.
    pub section: Section,
    /// The portal's number.
    pub portal: u64,
    /// The app's number.
    pub app_id: u64,
    /// The app's client secret, which signs requests.
    pub client_secret: Secret,
}

/// A company of Pipedrive with our panel.
#[derive(Debug)]
pub struct Pipedrive {
    /// What all sections have. Its origin is the one that is asked.
    pub section: Section,
    /// The company's number.
    pub company: u64,
    /// The panel's JWT secret: HS256.
    pub jwt_secret: Secret,
    /// The token for Pipedrive's API.
    pub api_token: Secret,
}

impl fmt::Debug for Zendesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.section.fmt(f)
    }
}

impl Connectors {
    /// Loads the file, which may be read again later. `taken` are prefixes that other names in the
    /// operator map begin with.
    ///
    /// # Errors
    /// A sentence without a secret in it, for the person who has written the file.
    pub fn load(path: PathBuf, taken: Vec<String>) -> Result<Reloadable<Self>, String> {
        let missing = format!("the file {} has no connector", path.display());
        Reloadable::load_keys(
            VARIABLE,
            move |files| Self::read(files, &path, &taken),
            move |all| (all.sections().next().is_none()).then(|| missing.clone()),
        )
    }

    fn read(files: &mut Files, path: &Path, taken: &[String]) -> Result<Self, String> {
        let connectors = file::read(files, path)?;
        match connectors.conflict(taken) {
            Some(conflict) => Err(format!("the file {}: {conflict}", path.display())),
            None => Ok(connectors),
        }
    }

    /// What all sections have in common.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        let bitrix24 = self.bitrix24.iter().map(|portal| &portal.section);
        bitrix24
            .chain(self.kommo.iter().map(|account| &account.section))
            .chain(self.zendesk.iter().map(|account| &account.section))
            .chain(self.hubspot.iter().map(|portal| &portal.section))
            .chain(self.pipedrive.iter().map(|company| &company.section))
    }

    /// The section of an installation.
    pub fn section(&self, connector: Vendor, installation: &str) -> Option<&Section> {
        self.of(connector)
            .find(|section| section.installation == installation)
    }

    /// The section whose pages have this origin, exactly as it is written there.
    pub fn by_origin(&self, connector: Vendor, origin: &str) -> Option<&Section> {
        self.of(connector)
            .find(|section| section.origin.as_deref() == Some(origin))
    }

    fn of(&self, connector: Vendor) -> impl Iterator<Item = &Section> {
        self.sections()
            .filter(move |section| section.connector == connector)
    }

    /// What makes one agent of two: a prefix or an installation that is there twice, or what would
    /// let too many be known by e-mail addresses.
    fn conflict(&self, taken: &[String]) -> Option<String> {
        let (mut prefixes, mut places) = (HashSet::new(), HashSet::new());
        for section in self.sections() {
            let Section {
                prefix,
                connector,
                installation,
                ..
            } = section;
            let name = connector.name();
            // The operator map knows no case of A to Z.
            if !prefixes.insert(prefix.to_ascii_lowercase()) {
                return Some(format!(
                    "two sections have the prefix `{prefix}`: give each its own `prefix`"
                ));
            }
            if taken.iter().any(|taken| taken.eq_ignore_ascii_case(prefix)) {
                return Some(format!(
                    "the prefix `{prefix}` is an `operator_prefix` of PASS_KEYS_FILE: choose another `prefix`"
                ));
            }
            if !places.insert((name, installation)) {
                return Some(format!("two sections [[{name}]] are for {installation}"));
            }
            let is_wide = section.by_email && !section.operators.is_limited();
            if is_wide && self.of(*connector).nth(1).is_some() {
                return Some(format!(
                    "[[{name}]]: where there are several, `by_email` needs `operators`, the list of those that may be reached by it"
                ));
            }
        }
        None
    }
}
