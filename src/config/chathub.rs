//! ChatHub: its address, the credentials, and the timeouts of its client.

use std::time::Duration;

use super::credentials::ChatHubCredentials;
use super::{ConfigError, certificates, links};
use super::{EnvParser, Reported, Variable, duration};
use crate::phone::Region;
use crate::secret::SecretSource;
use chathub::{ClientConfig, HttpsUrl};

pub(super) const VARIABLES: &[Variable] = &[
    Variable::secret("CHATHUB_API_KEY"),
    // With two attempts and a login it still ends before the agent gives up.
    Variable::with_default("CHATHUB_ATTEMPT_TIMEOUT", "2s"),
    // A connection within a continent takes 0.1 s; what takes ten times that is broken.
    Variable::with_default("CHATHUB_CONNECT_TIMEOUT", "1s"),
    Variable::secret("CHATHUB_LOGIN"),
    // ChatHub's general page allows 50; the rest is for the company's other programs.
    Variable::with_default("CHATHUB_MAX_RATE", "40"),
    Variable::secret("CHATHUB_PASSWORD"),
    Variable::with_default("CHATHUB_URL", chathub::DEFAULT_URL),
];

/// A shell waits so many times as long for an answer as a click does: one minute by default. A list
/// of 100,000 operators is 12 to 20 MB, which takes that long over 3 Mbit/s.
const SHELL_TIMEOUT_FACTOR: u32 = 30;

/// The longest time that a shell waits for an answer.
const MAX_SHELL_TIMEOUT: Duration = Duration::from_hours(1);

/// The settings for ChatHub's administration from a shell; no other variable need be set.
pub struct ChatHubConfig {
    /// How the client reaches ChatHub, with the timeouts of a shell.
    pub client: ClientConfig,
    /// The region of numbers without a country code.
    pub default_region: Region,
}

impl ChatHubConfig {
    /// Reads `CHATHUB_*` and `DEFAULT_REGION` of the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        EnvParser::from_env().finish(Self::parse)
    }

    fn parse(parser: &mut EnvParser) -> Result<Self, Reported> {
        let default_region = links::default_region(parser);
        let (mut client, _) = parse(parser, Ok(Duration::ZERO))?;
        client.attempt_timeout = client
            .attempt_timeout
            .saturating_mul(SHELL_TIMEOUT_FACTOR)
            .min(MAX_SHELL_TIMEOUT);
        // A login, the call and its second attempt.
        client.call_budget = client.attempt_timeout * 3;
        Ok(Self {
            client,
            default_region: default_region?,
        })
    }
}

pub(super) fn parse(
    parser: &mut EnvParser,
    click_budget: Result<Duration, Reported>,
) -> Result<(ClientConfig, ChatHubCredentials), Reported> {
    let url = parser.required("CHATHUB_URL", HttpsUrl::parse);
    // ChatHub's client needs them also for a URL with http://.
    let certificates = certificates::check(parser);
    let connect = parser.required("CHATHUB_CONNECT_TIMEOUT", duration);
    let attempt = parser.required("CHATHUB_ATTEMPT_TIMEOUT", duration);
    let max_rate = parser.required("CHATHUB_MAX_RATE", |text| {
        text.parse()
            .ok()
            .filter(|rate| (1..=10_000).contains(rate))
            .ok_or("not a number of requests a second, 1 to 10000")
    });
    let login = parser.secret("CHATHUB_LOGIN");
    let password = parser.secret("CHATHUB_PASSWORD");
    let key = parser.secret("CHATHUB_API_KEY");
    let credentials = credentials(parser, login?, password?, key?);
    certificates?;
    let credentials = credentials?;
    let agent = concat!("open-chat/", env!("CARGO_PKG_VERSION"));
    let mut client = ClientConfig::new(url?, credentials.clone())
        .http_client(move || reqwest::Client::builder().user_agent(agent));
    client.connect_timeout = connect?;
    client.attempt_timeout = attempt?;
    // The rest is for the work around the call, so that a click fails with ChatHub's error and not
    // with its own timeout.
    client.call_budget = click_budget?.mul_f64(0.9);
    client.max_rate = max_rate?;
    Ok((client, credentials))
}

fn credentials(
    parser: &mut EnvParser,
    login: Option<SecretSource>,
    password: Option<SecretSource>,
    key: Option<SecretSource>,
) -> Result<ChatHubCredentials, Reported> {
    let (variable, problem) = match (login, password, key) {
        (None, None, Some(key)) => return Ok(ChatHubCredentials::ProfileKey(key)),
        (Some(login), Some(password), None) => {
            return Ok(ChatHubCredentials::Login { login, password });
        }
        (_, _, Some(_)) => (
            "CHATHUB_API_KEY",
            "is set beside CHATHUB_LOGIN or CHATHUB_PASSWORD; set one or the other",
        ),
        (Some(_), None, None) => ("CHATHUB_PASSWORD", "must be set with CHATHUB_LOGIN"),
        (None, Some(_), None) => ("CHATHUB_LOGIN", "must be set with CHATHUB_PASSWORD"),
        (None, None, None) => (
            "CHATHUB_LOGIN",
            "must be set with CHATHUB_PASSWORD, or CHATHUB_API_KEY instead of both",
        ),
    };
    Err(parser.problem(variable, problem))
}
