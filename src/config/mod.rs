//! Parses the environment into a [`Config`]: a module and a struct for each concern.
//!
//! An error names its variable, all errors come at once, and no error repeats a value that might be
//! a secret.

mod access;
mod certificates;
mod chathub;
mod connect;
mod credentials;
mod device;
mod doubtful_secrets;
mod error;
mod integration;
mod limits;
mod links;
mod logs;
mod pages;
mod pairing;
mod parser;
mod redis;
mod server;
mod signing;
mod sso;
mod tokens;
mod traces;
mod unknown_variables;
mod variables;
mod widget;

use std::ffi::OsString;
use std::time::Duration;

pub use self::access::AccessConfig;
pub use self::chathub::ChatHubConfig;
pub use self::credentials::ChatHubCredentials;
pub use self::doubtful_secrets::doubtful_secrets;
pub use self::error::ConfigError;
pub use self::integration::IntegrationConfig;
pub use self::links::{Confirm, Fallback, LinkConfig, SourceWithoutSender};
pub use self::logs::{LogConfig, LogPhones};
pub use self::pages::{Contact, PageConfig};
pub use self::pairing::PairingConfig;
use self::parser::{EnvParser, Reported, duration, duration_or_zero, on_or_off};
pub use self::redis::RedisConfig;
pub use self::server::ServerConfig;
pub use self::signing::SigningConfig;
pub use self::traces::TraceConfig;
pub use self::unknown_variables::UnknownVariable;
use self::variables::Variable;
pub use self::widget::WidgetConfig;
use crate::access::Mode;
use crate::connect::Connectors;
use crate::operators::DirectoryConfig;
use crate::rate_limit::RateLimitConfig;
use crate::reload::Reloadable;
use crate::tokens::TokenConfig;
use ::chathub::ClientConfig;

const VARIABLES: &[Variable] = &[
    // Longer than this an agent does not look at an empty tab.
    Variable::with_default("CLICK_BUDGET", "5s"),
    // What changes in ChatHub counts after a minute, as ChatHub's own refusals do.
    Variable::with_default("DIRECTORY_REFRESH", "60s"),
];

/// The configuration of the service, parsed and checked.
pub struct Config {
    /// The ports, and the shutdown.
    pub server: ServerConfig,
    /// How the client reaches ChatHub.
    pub chathub: ClientConfig,
    /// The same credentials as the client has, for what watches their files.
    pub chathub_credentials: ChatHubCredentials,
    /// How a click becomes a deep link.
    pub links: LinkConfig,
    /// What the pages show of the company.
    pub pages: PageConfig,
    /// How often ChatHub's directory is read.
    pub directory: DirectoryConfig,
    /// The longest time of a click.
    pub click_budget: Duration,
    /// How operator tokens are minted and cached.
    pub tokens: TokenConfig,
    /// What all replicas share.
    pub redis: RedisConfig,
    /// The rate limits.
    pub limits: RateLimitConfig,
    /// Who may open whose panel.
    pub access: AccessConfig,
    /// The CRMs whose buttons ask this service; `None` without `CONNECTORS_FILE`.
    pub connectors: Option<Reloadable<Connectors>>,
    /// What the log shows.
    pub logs: LogConfig,
    /// Which requests are traced.
    pub traces: TraceConfig,
    /// The operator panel for other pages.
    pub widget: WidgetConfig,
    /// Variables that look like settings and are none.
    pub unknown_variables: Vec<UnknownVariable>,
}

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(std::env::vars_os())
    }

    /// Reads these variables. Those of other programs are ignored, a blank one counts as unset.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        EnvParser::from_vars(vars).finish(Self::parse)
    }

    /// Parses everything before the first `?`, so that all problems are reported at once.
    fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let server = ServerConfig::parse(parser);
        let links = LinkConfig::parse(parser);
        let pages = PageConfig::parse(parser);
        let click_budget = parser.required("CLICK_BUDGET", duration);
        let tokens = tokens::parse(parser, click_budget);
        let redis = RedisConfig::parse(parser);
        let limits = limits::parse(parser);
        let logs = LogConfig::parse(parser);
        let traces = TraceConfig::parse(parser);
        let widget = WidgetConfig::parse(parser);
        let refresh = parser.required("DIRECTORY_REFRESH", duration);
        let chathub = chathub::parse(parser, click_budget);
        let credential = chathub.as_ref().ok().map(|(_, known)| known.secret());
        let access = AccessConfig::parse(parser, credential);
        let connectors = access.as_ref().map(|access| connect::parse(parser, access));
        if let (Ok(access), Ok(redis)) = (&access, &redis) {
            device::check_redis(parser, access, redis)?;
        }
        let (chathub, chathub_credentials) = chathub?;
        Ok(Self {
            server: server?,
            directory: DirectoryConfig {
                refresh: refresh?,
                // Half of the rate is left for clicks.
                spacing: Duration::from_secs(2) / chathub.max_rate,
            },
            chathub,
            chathub_credentials,
            click_budget: click_budget?,
            links: links?,
            pages: pages?,
            tokens: tokens?,
            redis: redis?,
            limits: limits?,
            connectors: connectors.map_or(Ok(None), |connectors| connectors)?,
            access: access?,
            logs: logs?,
            traces: traces?,
            widget: widget?,
            unknown_variables: std::mem::take(&mut parser.unknown),
        })
    }

    /// Why `POST /links` makes no link that opens a chat, where API keys may ask for links.
    pub fn trouble_with_links(&self) -> Option<String> {
        let authenticator = &self.access.authenticator;
        let troubles = [
            self.server.public_url.is_none().then_some("PUBLIC_URL is not set"),
            (!authenticator.can_sign()).then_some(
                "no key can sign: PASS_SECRET is not set, and PASS_KEYS_FILE has no plain HS256 key",
            ),
            (!authenticator.modes().contains(&Mode::Pass))
                .then_some("ACCESS has no `pass`, so a click on a signed link is refused"),
        ];
        let troubles: Vec<_> = troubles.into_iter().flatten().collect();
        if troubles.is_empty() || !authenticator.accepts_api_keys() {
            return None;
        }
        let troubles = troubles.join("; ");
        Some(format!(
            "POST /links makes no link that opens a chat: {troubles}"
        ))
    }

    /// What lives beside this service at its address, where CRMs show its pages.
    pub fn connectors_below_a_path(&self) -> Option<&'static str> {
        let public_url = self.server.public_url.as_ref();
        let has_path = public_url.is_some_and(|url| url.as_url().path() != "/");
        (has_path && self.connectors.is_some()).then_some(
            "PUBLIC_URL has a path: whatever else lives at its host may press the buttons of this service's pages in a CRM",
        )
    }

    /// What "good once" means for invitations, where replicas share nothing.
    pub fn invitations_without_redis(&self) -> Option<&'static str> {
        let is_alone = self.access.authenticator.accepts_devices() && self.redis.url.is_none();
        is_alone.then_some(
            "REDIS_URL is not set: an invitation to pair a browser is good once in each replica, and again after a restart; \
             all browsers that it pairs are one device, which ends in DEVICES_REVOKED_FILE",
        )
    }

    /// What "once" means for what CRMs prove, where replicas share nothing.
    pub fn proofs_without_redis(&self) -> Option<&'static str> {
        let is_alone = self.connectors.is_some() && self.redis.url.is_none();
        is_alone.then_some(
            "REDIS_URL is not set: what a CRM proves for one use, and the link that it gets, are good once in each replica, and again after a restart",
        )
    }

    /// Every variable and its default as the documentation shows it; `None` where it has none.
    pub fn variables() -> Vec<(String, Option<String>)> {
        variables::documented()
    }
}
