//! The environment → [`Config`]. Every variable, its default and the reason for it stand in
//! `environment`.
//!
//! envy reads the variables as texts; what they mean is read here, so that an error names its
//! variable, all errors come at once, and no error repeats a value that might be a secret.

mod access;
mod certificates;
mod chathub;
mod credentials;
mod environment;
mod limits;
mod links;
mod logs;
mod misspelt;
mod pages;
mod quotes;
mod reader;
mod server;
mod sso;
mod tokens;
mod traces;
mod widget;

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use thiserror::Error;

pub use self::access::{AccessConfig, SigningConfig};
pub use self::chathub::ChatHubConfig;
pub use self::credentials::ChatHubCredentials;
use ::chathub::ClientConfig;

use self::environment::Environment;
pub use self::links::{Confirm, Fallback, LinkConfig, SourceWithoutSender};
pub use self::logs::{LogConfig, LogPhones};
pub use self::misspelt::UnknownVariable;
pub use self::pages::{Contact, PageConfig};
pub use self::quotes::quoted_secrets;
use self::reader::{Kept, Problem, Reader, duration};
pub use self::server::ServerConfig;
pub use self::traces::TraceConfig;
pub use self::widget::WidgetConfig;
use crate::access::Mode;
use crate::operators;
use crate::rate_limit;
use crate::redis_store::{self, RedisStore};
use crate::secret::SecretSource;

/// Everything that can be set, read and found good.
pub struct Config {
    /// Where it listens.
    pub server: ServerConfig,
    /// How it reaches ChatHub.
    pub chathub: ClientConfig,
    /// The same credentials as the client has, for what watches their files.
    pub chathub_credentials: ChatHubCredentials,
    /// How a click becomes a deep link.
    pub links: LinkConfig,
    /// What the pages show of the company.
    pub pages: PageConfig,
    /// How ChatHub's directory is kept.
    pub directory: operators::Settings,
    /// How long a click takes, at most.
    pub click_budget: Duration,
    /// How operator tokens are got and kept.
    pub tokens: crate::tokens::Settings,
    /// Where all replicas share what they must agree on.
    pub redis_url: Option<SecretSource>,
    /// How long an answer of it may take. No variable sets this; tests do, on machines that are
    /// busy.
    pub redis_patience: Duration,
    /// How often is too often.
    pub limits: rate_limit::Settings,
    /// Who may open whose panel.
    pub access: AccessConfig,
    /// What the log shows.
    pub logs: LogConfig,
    /// Which clicks are traced.
    pub traces: TraceConfig,
    /// The operator panel for other pages.
    pub widget: WidgetConfig,
    /// Variables that look like settings and are none.
    pub unknown_variables: Vec<UnknownVariable>,
}

/// What is wrong with the environment: every problem, each with its variable's name.
#[derive(Debug, Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
    /// Perhaps why something must be set.
    unknown: Vec<UnknownVariable>,
}

impl ConfigError {
    /// One problem, which only a command has with the variable.
    pub(crate) fn of(variable: &'static str, what: impl Into<String>) -> Self {
        Self {
            problems: vec![Problem {
                variable: variable.into(),
                what: what.into(),
            }],
            unknown: Vec::new(),
        }
    }

    /// Each problem on its own, as `Display` has it in a line.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        self.problems
            .iter()
            .map(|Problem { variable, what }| format!("{variable}: {what}"))
    }

    /// Variables that look like settings and are none.
    pub fn unknown_variables(&self) -> &[UnknownVariable] {
        &self.unknown
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = self.unknown.iter();
        let unknown = unknown.map(|unknown| format!("{}: {}", unknown.name, unknown.what()));
        let lines: Vec<_> = self.problems().chain(unknown).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_vars(std::env::vars_os())
    }

    /// Reads these variables. Those of others are ignored, an empty one counts as unset.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        let config = reader
            .environment(vars)
            .and_then(|env| Self::read(&mut reader, &env));
        reader.finish(config)
    }

    fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Kept> {
        let server = ServerConfig::read(reader, env);
        let links = LinkConfig::read(reader, env);
        let pages = PageConfig::read(reader, env);
        let click_budget = reader.read("CLICK_BUDGET", env.click_budget.as_ref(), duration);
        let tokens = tokens::read(reader, env, click_budget);
        let redis_url = redis_url(reader, env);
        let limits = limits::read(reader, env);
        let logs = LogConfig::read(reader, env);
        let traces = TraceConfig::read(reader, env);
        let widget = WidgetConfig::read(reader, env);
        let refresh = reader.read(
            "DIRECTORY_REFRESH",
            env.directory_refresh.as_ref(),
            duration,
        );
        let chathub = chathub::read(reader, env, click_budget);
        let credential = chathub
            .as_ref()
            .map(|(_, credentials)| credentials.secret());
        let access = AccessConfig::read(reader, env, credential.ok());
        let (chathub, chathub_credentials) = chathub?;
        Ok(Self {
            server: server?,
            directory: operators::Settings {
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
            redis_url: redis_url?,
            redis_patience: redis_store::PATIENCE,
            limits: limits?,
            access: access?,
            logs: logs?,
            traces: traces?,
            widget: widget?,
            unknown_variables: std::mem::take(&mut reader.unknown),
        })
    }

    /// Why back ends get no link from `POST /links` that opens a chat, where they may ask for one.
    pub fn trouble_with_links(&self) -> Option<String> {
        let door = &self.access.authenticator;
        let has_passes = door.modes().contains(&Mode::Pass);
        let troubles = [
            (self.server.public_url.is_none(), "PUBLIC_URL is not set"),
            (
                !door.can_sign(),
                "no key can sign: PASS_SECRET is not set, and PASS_KEYS_FILE has no plain HS256 key",
            ),
            (
                !has_passes,
                "ACCESS has no `pass`, so a click on a signed link is refused",
            ),
        ];
        let troubles: Vec<_> = troubles
            .into_iter()
            .filter_map(|(is_so, trouble)| is_so.then_some(trouble))
            .collect();
        (door.takes_keys() && !troubles.is_empty()).then(|| {
            format!(
                "POST /links makes no link that opens a chat: {}",
                troubles.join("; ")
            )
        })
    }

    /// Every variable and its default as the documentation shows it; `None` where it has none.
    pub fn variables() -> Vec<(String, Option<String>)> {
        let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(Environment::default())
        else {
            return Vec::new();
        };
        fields
            .into_iter()
            .map(|(name, default)| (name.to_uppercase(), default.as_str().map(ToOwned::to_owned)))
            .collect()
    }
}

fn redis_url(reader: &mut Reader, env: &Environment) -> Result<Option<SecretSource>, Kept> {
    let source = reader.secret(
        "REDIS_URL",
        env.redis_url.clone(),
        env.redis_url_file.clone(),
    )?;
    if let Some(url) = source.as_ref().and_then(|source| source.read().ok()) {
        RedisStore::check_url(&url).map_err(|problem| reader.problem("REDIS_URL", problem))?;
    }
    Ok(source)
}
