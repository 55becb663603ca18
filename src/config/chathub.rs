//! How the service reaches ChatHub.

use super::environment::Environment;
use super::reader::{Reader, duration};
use crate::chathub::{Credentials, Settings};
use crate::https_url::HttpsUrl;
use crate::secret::Secret;

pub(super) fn read(reader: &mut Reader, env: Environment) -> Option<Settings> {
    let url = reader.read("CHATHUB_URL", env.chathub_url.as_ref(), HttpsUrl::parse);
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
    let login = reader.secret("CHATHUB_LOGIN", env.chathub_login, env.chathub_login_file);
    let password = reader.secret(
        "CHATHUB_PASSWORD",
        env.chathub_password,
        env.chathub_password_file,
    );
    let key = reader.secret(
        "CHATHUB_API_KEY",
        env.chathub_api_key,
        env.chathub_api_key_file,
    );
    let credentials = credentials(reader, login?, password?, key?);
    Some(Settings {
        connect_timeout: connect?,
        attempt_timeout: attempt?,
        ..Settings::new(url?, credentials?)
    })
}

fn credentials(
    reader: &mut Reader,
    login: Option<Secret>,
    password: Option<Secret>,
    key: Option<Secret>,
) -> Option<Credentials> {
    match (login, password, key) {
        (None, None, Some(key)) => return Some(Credentials::ProfileKey(key)),
        (Some(login), Some(password), None) => {
            return Some(Credentials::Login {
                login: login.expose().to_owned(),
                password,
            });
        }
        (_, _, Some(_)) => reader.problem(
            "CHATHUB_API_KEY",
            "is set beside CHATHUB_LOGIN or CHATHUB_PASSWORD; set one or the other",
        ),
        (Some(_), None, None) => {
            reader.problem("CHATHUB_PASSWORD", "must be set with CHATHUB_LOGIN")
        }
        (None, Some(_), None) => {
            reader.problem("CHATHUB_LOGIN", "must be set with CHATHUB_PASSWORD")
        }
        (None, None, None) => reader.problem(
            "CHATHUB_LOGIN",
            "must be set with CHATHUB_PASSWORD, or CHATHUB_API_KEY instead of both",
        ),
    }
    None
}
