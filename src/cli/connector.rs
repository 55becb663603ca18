//! `open-chat connector`: writes a package that is installed in a CRM or a browser.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Subcommand};

use super::output::line;
use super::{Usage, say};
use crate::config::IntegrationConfig;
use crate::integrations::{Browser, BrowserExtension, CrmOrigin, Integration, Package, Scheme};

/// The version of what is packed here is this program's.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Subcommand)]
pub(super) enum ConnectorCommand {
    /// The extension for Chromium, Chrome, Edge and Firefox: phone links of a CRM open chats
    #[command(
        after_help = "Example: PUBLIC_URL=https://chat.example open-chat connector browser-extension --crm https://crm.example --out open-chat.zip"
    )]
    BrowserExtension(ExtensionOptions),
    /// The widget for Kommo and amoCRM: a click on a phone opens the chat
    Kommo(CrmOptions),
    /// The project for HubSpot: a card with a button for each phone
    Hubspot(CrmOptions),
    /// The addons for Odoo 17 and later: a button on contacts and leads
    Odoo(CrmOptions),
    /// The source for a Salesforce org: a button on contacts, leads, accounts and cases
    Salesforce(CrmOptions),
    /// The module for SuiteCRM: a link on contacts, leads, targets and accounts
    Suitecrm(CrmOptions),
    /// The app for Zendesk: a button for each phone beside tickets and users
    Zendesk(CrmOptions),
    /// The function for Zoho CRM, which is pasted: a button on contacts
    Zoho(CrmOptions),
    /// The texts for 1C:Enterprise and BAS, which are pasted: a command on a form
    #[command(name = "1c")]
    OneC(CrmOptions),
    /// Clap's own message for a name that is not there does not say which are.
    #[command(external_subcommand)]
    Unknown(Vec<String>),
}

#[derive(Args)]
pub(super) struct ExtensionOptions {
    /// The CRM's address, such as https://crm.example; several, up to 16. Without one the extension
    /// asks its user
    #[arg(long, value_name = "ORIGIN", num_args = 1.., value_parser = CrmOrigin::parse)]
    crm: Vec<CrmOrigin>,
    /// For which browser
    #[arg(long, default_value = Browser::default().name(), value_parser = browsers())]
    browser: Browser,
    /// The links that open chats, separated by commas; all of them, where nothing is said
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = schemes())]
    schemes: Vec<Scheme>,
    /// The file to write, a ZIP archive
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
#[command(
    after_help = "What the service has to be told of it goes to the standard output: an entry for PASS_KEYS_FILE or a section for CONNECTORS_FILE."
)]
pub(super) struct CrmOptions {
    /// The file to write, a ZIP archive
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn browsers() -> impl clap::builder::TypedValueParser<Value = Browser> {
    let names = PossibleValuesParser::new(Browser::ALL.map(Browser::name));
    names.map(|name| Browser::find(&name).unwrap_or_default())
}

fn schemes() -> impl clap::builder::TypedValueParser<Value = Scheme> {
    let names = PossibleValuesParser::new(Scheme::ALL.map(Scheme::name));
    names.try_map(|name| Scheme::find(&name).ok_or("no kind of link"))
}

impl ConnectorCommand {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::BrowserExtension(options) => options.run(),
            Self::Kommo(options) => options.run(Integration::Kommo),
            Self::Hubspot(options) => options.run(Integration::Hubspot),
            Self::Odoo(options) => options.run(Integration::Odoo),
            Self::Salesforce(options) => options.run(Integration::Salesforce),
            Self::Suitecrm(options) => options.run(Integration::SuiteCrm),
            Self::Zendesk(options) => options.run(Integration::Zendesk),
            Self::Zoho(options) => options.run(Integration::Zoho),
            Self::OneC(options) => options.run(Integration::OneC),
            Self::Unknown(arguments) => Err(unknown(&arguments).into()),
        }
    }
}

fn unknown(arguments: &[String]) -> Usage {
    let name = arguments.first().map(String::as_str).unwrap_or_default();
    let names = Integration::names();
    Usage(format!(
        "There is no connector `{name}`. There are: {names}."
    ))
}

impl ExtensionOptions {
    fn run(self) -> anyhow::Result<()> {
        let config = IntegrationConfig::from_env()?;
        let crm_origins =
            CrmOrigin::distinct(self.crm).map_err(|error| Usage(format!("--crm: {error}")))?;
        let all = self.schemes.is_empty();
        let extension = BrowserExtension {
            public_url: &config.public_url,
            version: VERSION,
            crm_origins: &crm_origins,
            browser: self.browser,
            schemes: if all { &Scheme::ALL } else { &self.schemes },
        };
        write(&self.out, &extension.package()?)
    }
}

impl CrmOptions {
    fn run(self, integration: Integration) -> anyhow::Result<()> {
        let config = IntegrationConfig::from_env()?;
        let crm = integration.crm_package();
        let crm = crm.context("what a browser gets has options of its own")?;
        write(&self.out, &crm.package(&config.public_url, VERSION)?)?;
        line(crm.settings(&config.public_url)?.trim_end())
    }
}

fn write(out: &Path, package: &Package) -> anyhow::Result<()> {
    let shown = out.display();
    std::fs::write(out, &package.bytes).with_context(|| format!("{shown} cannot be written"))?;
    say(&format!("{shown}: {} bytes", package.bytes.len()));
    Ok(())
}
