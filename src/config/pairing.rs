//! Invitations from a shell: what `pair` needs, without the rest of the service.

use super::access::{authenticator, modes};
use super::device::{self, DeviceConfig};
use super::{ConfigError, EnvParser, Reported, on_or_off};
use crate::access::{AuthConfig, Authenticator, Mode};
use chathub::HttpsUrl;

/// The settings for invitations from a shell; no other variable need be set.
pub struct PairingConfig {
    /// The address of the service for its callers.
    pub public_url: HttpsUrl,
    /// Signs invitations, and knows the operator map.
    pub authenticator: Authenticator,
}

impl PairingConfig {
    /// Reads `ACCESS`, `PUBLIC_URL`, `DEVICE_SECRET` and `OPERATOR_*` from the process's
    /// environment.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong, such as `ACCESS` without `device`: an
    /// invitation would lead to a service that pairs no browser.
    pub fn from_env() -> Result<Self, ConfigError> {
        EnvParser::from_env().finish(Self::parse)
    }

    fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let public_url = parser.optional("PUBLIC_URL", HttpsUrl::parse);
        let auto = parser.required("OPERATOR_AUTO", on_or_off);
        let device = DeviceConfig::parse(parser);
        if !modes(parser)?.contains(&Mode::Device) {
            let problem = "must have `device` in it, as for `serve`: without it the service pairs no browsers";
            return Err(parser.problem("ACCESS", problem));
        }
        let device = device?;
        let settings = AuthConfig {
            // What the other modes need is not set here.
            modes: vec![Mode::Device],
            device_secret: device.secret,
            device_ttl: device.ttl,
            operator_map_file: parser.path("OPERATOR_MAP_FILE"),
            operator_auto: auto?,
            ..AuthConfig::default()
        };
        device::check(parser, &settings)?;
        let public_url = public_url?;
        Ok(Self {
            authenticator: authenticator(parser, settings)?,
            public_url: public_url.ok_or(Reported)?,
        })
    }
}
