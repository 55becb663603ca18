//! How the service reaches ChatHub.

use std::time::Duration;

use chathub::{ClientConfig, HttpsUrl};

use super::credentials::ChatHubCredentials;
use super::environment::Environment;
use super::reader::{Kept, Reader, duration};
use super::{ConfigError, certificates, links};
use crate::phone::Region;
use crate::secret::SecretSource;

/// How much longer a shell waits for an answer than a click does: one minute by default. A list of
/// 100,000 operators is 12 to 20 MB, which takes that long over 3 Mbit/s; nobody looks at an empty
/// tab meanwhile.
const PATIENCE: u32 = 30;

/// Longer than this nobody waits for a shell either.
const LONGEST: Duration = Duration::from_hours(1);

/// What it takes to administer ChatHub from a shell; nothing else need be set.
pub struct ChatHubConfig {
    /// How to reach it, with a shell's patience.
    pub client: ClientConfig,
    /// Whose numbers come without a country code.
    pub default_region: Region,
}

impl ChatHubConfig {
    /// Reads `CHATHUB_*` and `DEFAULT_REGION` of the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut reader = Reader::default();
        let config = reader
            .environment(std::env::vars_os())
            .and_then(|env| Self::read(&mut reader, &env));
        reader.finish(config)
    }

    fn read(reader: &mut Reader, env: &Environment) -> Result<Self, Kept> {
        let default_region = links::default_region(reader, env);
        let (mut client, _) = read(reader, env, Ok(Duration::ZERO))?;
        client.attempt_timeout = client.attempt_timeout.saturating_mul(PATIENCE).min(LONGEST);
        // A login, the call and its second attempt.
        client.call_budget = client.attempt_timeout * 3;
        Ok(Self {
            client,
            default_region: default_region?,
        })
    }
}

pub(super) fn read(
    reader: &mut Reader,
    env: &Environment,
    click_budget: Result<Duration, Kept>,
) -> Result<(ClientConfig, ChatHubCredentials), Kept> {
    let url = reader.read("CHATHUB_URL", env.chathub_url.as_ref(), HttpsUrl::parse);
    // ChatHub's client needs them whatever the URL begins with.
    let certificates = certificates::check(reader);
    let connect = reader.read(
        "CHATHUB_CONNECT_TIMEOUT",
        env.chathub_connect_timeout.as_ref(),
        duration,
    );
    let attempt = reader.read(
        "CHATHUB_ATTEMPT_TIMEOUT",
        env.chathub_attempt_timeout.as_ref(),
        duration,
    );
    let max_rate = reader.read("CHATHUB_MAX_RATE", env.chathub_max_rate.as_ref(), |text| {
        text.parse()
            .ok()
            .filter(|rate| (1..=10_000).contains(rate))
            .ok_or("not a number of requests a second, 1 to 10000")
    });
    let login = reader.secret(
        "CHATHUB_LOGIN",
        env.chathub_login.clone(),
        env.chathub_login_file.clone(),
    );
    let password = reader.secret(
        "CHATHUB_PASSWORD",
        env.chathub_password.clone(),
        env.chathub_password_file.clone(),
    );
    let key = reader.secret(
        "CHATHUB_API_KEY",
        env.chathub_api_key.clone(),
        env.chathub_api_key_file.clone(),
    );
    let credentials = credentials(reader, login?, password?, key?);
    certificates?;
    let credentials = credentials?;
    let agent = concat!("open-chat/", env!("CARGO_PKG_VERSION"));
    let mut client = ClientConfig::new(url?, credentials.clone())
        .http_client(move || reqwest::Client::builder().user_agent(agent));
    client.connect_timeout = connect?;
    client.attempt_timeout = attempt?;
    // The rest is for what surrounds the call, so that the click hears from ChatHub and not from
    // its own alarm.
    client.call_budget = click_budget?.mul_f64(0.9);
    client.max_rate = max_rate?;
    Ok((client, credentials))
}

fn credentials(
    reader: &mut Reader,
    login: Option<SecretSource>,
    password: Option<SecretSource>,
    key: Option<SecretSource>,
) -> Result<ChatHubCredentials, Kept> {
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
    Err(reader.problem(variable, problem))
}
