//! Access control: who may open whose panel.

use super::device::{self, DeviceConfig};
use super::{EnvParser, Reported, Variable, duration, on_or_off, sso};
use crate::access::{AuthConfig, Authenticator, Mode, Networks, PassKeySources, UnusableFile};
use crate::secret::SecretSource;

pub(super) const VARIABLES: &[Variable] = &[
    // No default: an open service must be a decision.
    Variable::without_default("ACCESS"),
    Variable::without_default("ALLOWED_NETWORKS"),
    Variable::without_default("API_KEYS_FILE"),
    // With it, a caller that may open any panel gets one without naming its operator.
    Variable::with_default("OPERATOR_AUTO", "off"),
    Variable::without_default("OPERATOR_MAP_FILE"),
    Variable::without_default("PASS_KEYS_FILE"),
    // A working day, for passes in a CRM field; links made for one click live for minutes.
    Variable::with_default("PASS_MAX_TTL", "24h"),
    Variable::secret("PASS_SECRET"),
    // Empty: any client that reaches the port could write the header.
    Variable::without_default("TRUSTED_PROXIES"),
];

/// The authenticator, and what HTTP handlers must know of it.
pub struct AccessConfig {
    /// Decides who may open whose panel.
    pub authenticator: Authenticator,
    /// The header in which a proxy names the agent; empty where none does.
    pub sso_header: String,
}

impl AccessConfig {
    /// What access depends on where an identity is trusted without a secret.
    pub fn reliance(&self) -> Option<String> {
        self.authenticator.proxies_without_secret().map(|proxies| {
            format!(
                "SSO_PROXY_SECRET is not set: any program that can send requests from {proxies} (TRUSTED_PROXIES) can name any agent in {}, \
                 and so can a client of a proxy there that lets this header through",
                self.sso_header
            )
        })
    }

    /// `credential` is what the company sends to ChatHub, where that is set.
    pub(super) fn parse(
        parser: &mut EnvParser,
        credential: Option<&SecretSource>,
    ) -> Result<Self, Reported> {
        let modes = modes(parser);
        let pass_keys = pass_keys(parser);
        let sso_header = parser.optional("SSO_HEADER", sso::header);
        let sso_proxy_secret = parser.secret("SSO_PROXY_SECRET");
        let sso_by_name = parser.required("SSO_BY_NAME", on_or_off);
        let mut networks = |variable| {
            parser
                .optional(variable, Networks::parse)
                .map(Option::unwrap_or_default)
        };
        let allowed_networks = networks("ALLOWED_NETWORKS");
        let trusted_proxies = networks("TRUSTED_PROXIES");
        let auto = parser.required("OPERATOR_AUTO", on_or_off);
        let device = DeviceConfig::parse(parser);
        let device = device?;
        let settings = AuthConfig {
            modes: modes?,
            pass_keys: pass_keys?,
            api_keys_file: parser.path("API_KEYS_FILE"),
            sso_proxy_secret: sso_proxy_secret?,
            sso_by_name: sso_by_name?,
            chathub_credential: credential.cloned(),
            device_secret: device.secret,
            device_ttl: device.ttl,
            devices_revoked_file: device.revoked_file,
            allowed_networks: allowed_networks?,
            trusted_proxies: trusted_proxies?,
            operator_map_file: parser.path("OPERATOR_MAP_FILE"),
            operator_auto: auto?,
        };
        check_modes(parser, &settings)?;
        sso::check(parser, &settings)?;
        device::check(parser, &settings)?;
        Ok(Self {
            authenticator: authenticator(parser, settings)?,
            sso_header: sso_header?.unwrap_or_default(),
        })
    }
}

pub(super) fn authenticator(
    parser: &mut EnvParser,
    settings: AuthConfig,
) -> Result<Authenticator, Reported> {
    Authenticator::new(settings).map_err(|files| {
        for UnusableFile { variable, problem } in files {
            parser.problem(variable, problem);
        }
        Reported
    })
}

pub(super) fn modes(parser: &mut EnvParser) -> Result<Vec<Mode>, Reported> {
    let modes = parser.optional("ACCESS", Mode::parse_list)?;
    modes.filter(|modes| !modes.is_empty()).ok_or_else(|| {
        parser.problem(
            "ACCESS",
            "must be set: it says who may open whose panel. `pass`, `sso`, `device` and `key` lock the door, alone or as a list; \
             `open` lets anyone who can reach the port open any operator's panel, which suits a closed network only",
        )
    })
}

pub(super) fn pass_keys(parser: &mut EnvParser) -> Result<Option<PassKeySources>, Reported> {
    let secret = parser.secret("PASS_SECRET");
    let max_ttl = parser.required("PASS_MAX_TTL", duration);
    let sources = PassKeySources {
        secret: secret?,
        file: parser.path("PASS_KEYS_FILE"),
        max_ttl: max_ttl?,
    };
    let has_any = sources.secret.is_some() || sources.file.is_some();
    Ok(has_any.then_some(sources))
}

/// Checks that each mode has the settings that it needs.
fn check_modes(parser: &mut EnvParser, settings: &AuthConfig) -> Result<(), Reported> {
    let has_sso_header = parser.text("SSO_HEADER").is_some();
    let mut outcome = Ok(());
    let mut need = |mode, is_there: bool, variable: &'static str, problem: &str| {
        if settings.modes.contains(&mode) && !is_there {
            outcome = Err(parser.problem(variable, problem));
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
        has_sso_header,
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
