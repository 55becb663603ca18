//! Signing from a shell: what `link` and `pass mint` need, without the rest of the service.

use super::access::{authenticator, pass_keys};
use super::links::LinkConfig;
use super::{ConfigError, EnvParser, Reported, on_or_off};
use crate::access::{AuthConfig, Authenticator};
use chathub::HttpsUrl;

/// The settings for links and passes from a shell; no other variable need be set.
pub struct SigningConfig {
    /// The address of the service for its callers.
    pub public_url: Option<HttpsUrl>,
    /// How a click on the link becomes a deep link.
    pub links: LinkConfig,
    /// Signs passes, and knows the operator map.
    pub authenticator: Authenticator,
}

impl SigningConfig {
    /// Reads `PUBLIC_URL`, `PASS_*`, `OPERATOR_*` and the settings of links from the process's
    /// environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        EnvParser::from_env().finish(Self::parse)
    }

    fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let public_url = parser.optional("PUBLIC_URL", HttpsUrl::parse);
        let links = LinkConfig::parse(parser);
        let auto = parser.required("OPERATOR_AUTO", on_or_off);
        let settings = AuthConfig {
            pass_keys: pass_keys(parser)?,
            operator_map_file: parser.path("OPERATOR_MAP_FILE"),
            operator_auto: auto?,
            ..AuthConfig::default()
        };
        Ok(Self {
            public_url: public_url?,
            links: links?,
            authenticator: authenticator(parser, settings)?,
        })
    }
}
