//! Who may open whose panel.

use std::path::PathBuf;

use chathub::HttpsUrl;

use super::ConfigError;
use super::environment::Environment;
use super::links::LinkConfig;
use super::reader::{Kept, Reader, duration, on_or_off};
use super::sso::{self, SsoSettings};
use crate::access::{Authenticator, Mode, Networks, PassKeySources, Settings, UnusableFile};
use crate::secret::SecretSource;

/// The door, and what the HTTP side must know of it.
pub struct AccessConfig {
    /// The door.
    pub authenticator: Authenticator,
    /// The header in which a proxy names the agent; empty where none does.
    pub sso_header: String,
}

impl AccessConfig {
    /// What the lock relies on, where an identity is believed without a secret.
    pub fn reliance(&self) -> Option<String> {
        self.authenticator.relies_on().map(|proxies| {
            format!(
                "SSO_PROXY_SECRET is not set: any program that can send requests from {proxies} (TRUSTED_PROXIES) can name any agent in {}, \
                 and so can a client of a proxy there that lets this header through",
                self.sso_header
            )
        })
    }
}

impl AccessConfig {
    /// `credential` is what the company shows to ChatHub, where that is set up.
    pub(super) fn read(
        reader: &mut Reader,
        env: &Environment,
        credential: Option<&SecretSource>,
    ) -> Result<Self, Kept> {
        let modes = modes(reader, env);
        let pass_keys = pass_keys(reader, env);
        let sso = SsoSettings::read(reader, env);
        let mut networks = |variable, text: &Option<String>| {
            reader
                .read_optional(variable, text.as_ref(), Networks::parse)
                .map(Option::unwrap_or_default)
        };
        let allowed_networks = networks("ALLOWED_NETWORKS", &env.allowed_networks);
        let trusted_proxies = networks("TRUSTED_PROXIES", &env.trusted_proxies);
        let auto = reader.read("OPERATOR_AUTO", env.operator_auto.as_ref(), on_or_off);
        let settings = Settings {
            modes: modes?,
            pass_keys: pass_keys?,
            api_keys_file: env.api_keys_file.as_ref().map(PathBuf::from),
            sso_proxy_secret: sso.secret?,
            sso_by_name: sso.by_name?,
            chathub_credential: credential.cloned(),
            allowed_networks: allowed_networks?,
            trusted_proxies: trusted_proxies?,
            operator_map_file: env.operator_map_file.as_ref().map(PathBuf::from),
            operator_auto: auto?,
        };
        check_modes(reader, env, &settings)?;
        sso::check(reader, &settings)?;
        Ok(Self {
            authenticator: access(reader, settings)?,
            sso_header: sso.header?.unwrap_or_default(),
        })
    }
}

/// What it takes to make links from a shell; nothing else need be set.
pub struct SigningConfig {
    /// Where open-chat is to its callers.
    pub public_url: Option<HttpsUrl>,
    /// How a click on the link becomes a deep link.
    pub links: LinkConfig,
    /// What signs, and the operator map.
    pub authenticator: Authenticator,
}

impl SigningConfig {
    /// Reads `PUBLIC_URL`, `PASS_*`, `OPERATOR_*` and what a click's link is made by of the
    /// process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        let config = reader
            .environment(std::env::vars_os())
            .and_then(|env| Self::read(&mut reader, &env));
        reader.finish(config)
    }

    fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Kept> {
        let public_url =
            reader.read_optional("PUBLIC_URL", env.public_url.as_ref(), HttpsUrl::parse);
        let links = LinkConfig::read(reader, env);
        let auto = reader.read("OPERATOR_AUTO", env.operator_auto.as_ref(), on_or_off);
        let settings = Settings {
            pass_keys: pass_keys(reader, env)?,
            operator_map_file: env.operator_map_file.as_ref().map(PathBuf::from),
            operator_auto: auto?,
            ..Settings::default()
        };
        Ok(Self {
            public_url: public_url?,
            links: links?,
            authenticator: access(reader, settings)?,
        })
    }
}

fn access(reader: &mut Reader, settings: Settings) -> Result<Authenticator, Kept> {
    Authenticator::new(settings).map_err(|files| {
        for UnusableFile { variable, problem } in files {
            reader.problem(variable, problem);
        }
        Kept
    })
}

fn modes(reader: &mut Reader, env: &Environment) -> Result<Vec<Mode>, Kept> {
    let modes = reader.read_optional("ACCESS", env.access.as_ref(), Mode::parse_list)?;
    match modes {
        Some(modes) if !modes.is_empty() => Ok(modes),
        _ => Err(reader.problem(
            "ACCESS",
            "must be set: it says who may open whose panel. `pass`, `sso` and `key` lock the door, alone or as a list; \
             `open` lets anyone who can reach the port open any operator's panel, which suits a closed network only",
        )),
    }
}

fn pass_keys(reader: &mut Reader, env: &Environment) -> Result<Option<PassKeySources>, Kept> {
    let secret = reader.secret(
        "PASS_SECRET",
        env.pass_secret.clone(),
        env.pass_secret_file.clone(),
    );
    let max_ttl = reader.read("PASS_MAX_TTL", env.pass_max_ttl.as_ref(), duration);
    let sources = PassKeySources {
        secret: secret?,
        file: env.pass_keys_file.as_ref().map(PathBuf::from),
        max_ttl: max_ttl?,
    };
    let has_any = sources.secret.is_some() || sources.file.is_some();
    Ok(has_any.then_some(sources))
}

/// A mode that is set half would be no lock, or no door.
fn check_modes(reader: &mut Reader, env: &Environment, settings: &Settings) -> Result<(), Kept> {
    let mut outcome = Ok(());
    let mut need = |mode, is_there: bool, variable: &'static str, problem: &str| {
        if settings.modes.contains(&mode) && !is_there {
            outcome = Err(reader.problem(variable, problem));
        }
    };
    need(
        Mode::Pass,
        settings.pass_keys.is_some(),
        "PASS_SECRET",
        "must be set for ACCESS=pass, or PASS_KEYS_FILE",
    );
    need(
        Mode::Key,
        settings.api_keys_file.is_some(),
        "API_KEYS_FILE",
        "must be set for ACCESS=key",
    );
    need(
        Mode::Sso,
        env.sso_header.is_some(),
        "SSO_HEADER",
        "must be set for ACCESS=sso: the header in which the proxy names the agent",
    );
    need(
        Mode::Sso,
        !settings.trusted_proxies.is_empty(),
        "TRUSTED_PROXIES",
        "must be set for ACCESS=sso: only from there the header is believed",
    );
    outcome
}
