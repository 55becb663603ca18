//! The settings of authentication and authorization.

use std::path::PathBuf;

use super::ConfigError;
use super::environment::Environment;
use super::links::LinkConfig;
use super::reader::{Reader, Reported, duration, on_or_off};
use super::sso::{self, SsoSettings};
use crate::access::{AuthConfig, Authenticator, Mode, Networks, PassKeySources, UnusableFile};
use crate::https_url::HttpsUrl;
use crate::secret::SecretSource;

/// The authenticator, and what the HTTP side must know beside it.
pub struct AccessConfig {
    /// Authenticates callers.
    pub authenticator: Authenticator,
    /// The header in which a proxy asserts the agent's identity; empty without single sign-on.
    pub sso_header: String,
}

impl AccessConfig {
    /// A warning, where identities are trusted without a secret.
    pub fn reliance(&self) -> Option<String> {
        self.authenticator.proxies_without_secret().map(|proxies| {
            format!(
                "SSO_PROXY_SECRET is not set: any program that can send requests from {proxies} (TRUSTED_PROXIES) can name any agent in {}, \
                 and so can a client of a proxy there that lets this header through",
                self.sso_header
            )
        })
    }
}

impl AccessConfig {
    /// `credential` is the company's credential for ChatHub, if it is configured.
    pub(super) fn read(
        reader: &mut Reader,
        env: &Environment,
        credential: Option<&SecretSource>,
    ) -> Result<Self, Reported> {
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
        let config = AuthConfig {
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
        check_modes(reader, env, &config)?;
        sso::check(reader, &config)?;
        Ok(Self {
            authenticator: authenticator(reader, config)?,
            sso_header: sso.header?.unwrap_or_default(),
        })
    }
}

/// What it takes to make links from a shell; nothing else has to be set.
pub struct SigningConfig {
    /// The address of open-chat to its callers.
    pub public_url: Option<HttpsUrl>,
    /// How a click on the link becomes a deep link.
    pub links: LinkConfig,
    /// Signs passes, and has the operator map.
    pub authenticator: Authenticator,
}

impl SigningConfig {
    /// Reads `PUBLIC_URL`, `PASS_*`, `OPERATOR_*` and the settings of deep links from the process's
    /// environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        let config = reader
            .environment(std::env::vars_os())
            .and_then(|env| Self::read(&mut reader, &env));
        reader.finish(config)
    }

    fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Reported> {
        let public_url =
            reader.read_optional("PUBLIC_URL", env.public_url.as_ref(), HttpsUrl::parse);
        let links = LinkConfig::read(reader, env);
        let auto = reader.read("OPERATOR_AUTO", env.operator_auto.as_ref(), on_or_off);
        let config = AuthConfig {
            pass_keys: pass_keys(reader, env)?,
            operator_map_file: env.operator_map_file.as_ref().map(PathBuf::from),
            operator_auto: auto?,
            ..AuthConfig::default()
        };
        Ok(Self {
            public_url: public_url?,
            links: links?,
            authenticator: authenticator(reader, config)?,
        })
    }
}

fn authenticator(reader: &mut Reader, config: AuthConfig) -> Result<Authenticator, Reported> {
    Authenticator::new(config).map_err(|files| {
        for UnusableFile { variable, problem } in files {
            reader.problem(variable, problem);
        }
        Reported
    })
}

fn modes(reader: &mut Reader, env: &Environment) -> Result<Vec<Mode>, Reported> {
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

fn pass_keys(reader: &mut Reader, env: &Environment) -> Result<Option<PassKeySources>, Reported> {
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

/// Requires all settings that a mode needs: half of them would accept every caller, or none.
fn check_modes(
    reader: &mut Reader,
    env: &Environment,
    config: &AuthConfig,
) -> Result<(), Reported> {
    let mut outcome = Ok(());
    let mut need = |mode, is_there: bool, variable: &'static str, problem: &str| {
        if config.modes.contains(&mode) && !is_there {
            outcome = Err(reader.problem(variable, problem));
        }
    };
    need(
        Mode::Pass,
        config.pass_keys.is_some(),
        "PASS_SECRET",
        "must be set for ACCESS=pass, or PASS_KEYS_FILE",
    );
    need(
        Mode::Key,
        config.api_keys_file.is_some(),
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
        !config.trusted_proxies.is_empty(),
        "TRUSTED_PROXIES",
        "must be set for ACCESS=sso: only from there the header is believed",
    );
    outcome
}
