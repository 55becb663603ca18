//! What `open-chat connector` needs, without the rest of the service.

use super::{ConfigError, EnvParser};
use chathub::HttpsUrl;

/// The settings for packages; no other variable need be set.
pub struct IntegrationConfig {
    /// The address of the service for agents' browsers.
    pub public_url: HttpsUrl,
}

impl IntegrationConfig {
    /// Reads `PUBLIC_URL` from the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        EnvParser::from_env().finish(|parser| {
            let public_url = parser.required("PUBLIC_URL", HttpsUrl::parse)?;
            Ok(Self { public_url })
        })
    }
}
