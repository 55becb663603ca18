//! How the door is locked: the modes, and what each of them needs.

use std::path::PathBuf;

use thiserror::Error;

use super::network::Networks;
use super::pass_keys::PassKeySources;
use crate::secret::SecretSource;

/// A way to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A signed pass names the operator.
    Pass,
    /// A proxy in front has logged the agent in.
    Sso,
    /// A back end's API key.
    Key,
    /// Anyone who can reach the port may open any operator's panel: for a closed network.
    Open,
}

/// Why `ACCESS` cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not one of pass, sso, key, open")]
pub struct UnknownMode(String);

impl Mode {
    /// Reads `pass,sso`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, UnknownMode> {
        text.split(',')
            .map(str::trim)
            .filter(|mode| !mode.is_empty())
            .map(|mode| match mode {
                "pass" => Ok(Self::Pass),
                "sso" => Ok(Self::Sso),
                "key" => Ok(Self::Key),
                "open" => Ok(Self::Open),
                other => Err(UnknownMode(other.to_owned())),
            })
            .collect()
    }
}

/// How the door is locked.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The ways to be let in; a caller needs one of them.
    pub modes: Vec<Mode>,
    /// With [`Mode::Pass`].
    pub pass_keys: Option<PassKeySources>,
    /// With [`Mode::Key`].
    pub api_keys_file: Option<PathBuf>,
    /// With [`Mode::Sso`]: what the proxy shows beside the identity.
    pub sso_proxy_secret: Option<SecretSource>,
    /// With [`Mode::Sso`]: whether an identity that the map lacks may be an operator's display
    /// name.
    pub sso_by_name: bool,
    /// What the company shows to ChatHub: no caller has it, so what is signed with a key derived
    /// from it is the service's own. Without it there are no tickets.
    pub chathub_credential: Option<SecretSource>,
    /// Where callers may come from; anywhere, if empty.
    pub allowed_networks: Networks,
    /// The proxies whose word counts.
    pub trusted_proxies: Networks,
    /// What the CRM or the SSO calls an agent.
    pub operator_map_file: Option<PathBuf>,
    /// Whether a link may leave the choice of an organization's operator to this service.
    pub operator_auto: bool,
}

/// A setting's file cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{problem}")]
pub struct UnusableFile {
    /// The setting's variable.
    pub variable: &'static str,
    /// What is wrong, in a sentence without a secret.
    pub problem: String,
}
