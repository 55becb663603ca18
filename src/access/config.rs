//! The configuration of [`Authenticator`](super::Authenticator): the modes, and what each needs.

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::{Networks, PassKeySources};
use crate::secret::SecretSource;

/// A way to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A signed pass names the operator.
    Pass,
    /// A trusted proxy in front asserts the identity of the agent.
    Sso,
    /// A back end presents an API key.
    Key,
    /// A browser that was paired once shows the cookie that it got then.
    Device,
    /// Any client that can reach the port may open any operator's panel: for a closed network.
    Open,
}

/// Why `ACCESS` cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not one of pass, sso, key, device, open")]
pub struct UnknownMode(String);

impl Mode {
    /// Whether its callers are [ambient](super::Caller::is_ambient).
    pub const fn is_ambient(self) -> bool {
        match self {
            Self::Sso | Self::Device => true,
            Self::Pass | Self::Key | Self::Open => false,
        }
    }

    /// Parses a list such as `pass,sso`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, UnknownMode> {
        text.split(',')
            .map(str::trim)
            .filter(|mode| !mode.is_empty())
            .map(|mode| match mode {
                "pass" => Ok(Self::Pass),
                "sso" => Ok(Self::Sso),
                "key" => Ok(Self::Key),
                "device" => Ok(Self::Device),
                "open" => Ok(Self::Open),
                other => Err(UnknownMode(other.to_owned())),
            })
            .collect()
    }
}

/// How callers are authenticated, and what they may do.
#[derive(Clone, Debug, Default)]
pub struct AuthConfig {
    /// The accepted ways to authenticate; a caller needs one of them.
    pub modes: Vec<Mode>,
    /// With [`Mode::Pass`].
    pub pass_keys: Option<PassKeySources>,
    /// With [`Mode::Key`].
    pub api_keys_file: Option<PathBuf>,
    /// With [`Mode::Sso`]: the secret that the proxy presents beside the identity.
    pub sso_proxy_secret: Option<SecretSource>,
    /// With [`Mode::Sso`]: whether an identity that the operator map lacks may be a display name.
    pub sso_by_name: bool,
    /// The company's credential for ChatHub. No caller has it, so the key for tickets is derived
    /// from it. Without it there are no tickets.
    pub chathub_credential: Option<SecretSource>,
    /// With [`Mode::Device`]: the keys that sign invitations and cookies, one a line.
    pub device_secret: Option<SecretSource>,
    /// How long a paired browser's cookie lives.
    pub device_ttl: Duration,
    /// The pairings that the company has ended.
    pub devices_revoked_file: Option<PathBuf>,
    /// The networks that callers may come from; any, if empty.
    pub allowed_networks: Networks,
    /// The proxies whose headers are trusted.
    pub trusted_proxies: Networks,
    /// The CRM's or the SSO's own names for agents.
    pub operator_map_file: Option<PathBuf>,
    /// Whether a link may leave the choice of an organization's operator to this service.
    pub operator_auto: bool,
}

/// The file of a setting cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{problem}")]
pub struct UnusableFile {
    /// The setting's variable.
    pub variable: &'static str,
    /// What is wrong, in a sentence without a secret.
    pub problem: String,
}
