//! The login: credentials → company token, and what a failure says about the credentials.

use std::time::Instant;

use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::time::Instant as Deadline;

use crate::answer;
use crate::endpoint::Endpoint;
use crate::error::{BadAnswer, Error, ErrorKind, Unreachable};
use crate::jwt;
use crate::transport::{Authorization, Call};
use crate::upstream::Upstream;
use secrecy::{ExposeSecret as _, SecretString};

/// When to replace a token, and when it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub(crate) renew_at: Instant,
    pub(crate) at: Instant,
}

/// Exchanges a login and a password for a company token. Only ChatHub's own refusal of the two is
/// [`ErrorKind::CredentialsRejected`].
pub(crate) async fn get_token(
    upstream: &Upstream,
    login: &SecretString,
    password: &SecretString,
    deadline: Deadline,
) -> Result<SecretString, Error> {
    let call = Call::new(Endpoint::CompanyToken)
        .json(&json!({"login": login.expose_secret(), "password": password.expose_secret()}));
    upstream
        .call(&call, &Authorization::None, deadline, answer::token)
        .await
        .map_err(|error| error.map_kind(verdict))
}

fn verdict(kind: ErrorKind) -> ErrorKind {
    match kind {
        // Web servers that have no such page, or only pages to look at.
        ErrorKind::NotFound | ErrorKind::InvalidRequest { status: 405 } => {
            ErrorKind::BadAnswer(BadAnswer::NoChatHub)
        }
        // Whether a wrong login answers 400 or 401 is not documented; 403 is ChatHub's
        // "revoked".
        ErrorKind::InvalidRequest { status: 400 } | ErrorKind::NotPermitted => {
            ErrorKind::CredentialsRejected
        }
        ErrorKind::InvalidRequest { status } => ErrorKind::Unavailable(Unreachable::Login(status)),
        other => other,
    }
}

/// A token that tells its end is renewed when a tenth of its life is left.
pub(crate) fn ends(token: &SecretString, chathub_now: DateTime<Utc>) -> Option<Ends> {
    let left = (jwt::expiry(token)? - chathub_now).to_std().ok()?;
    let now = Instant::now();
    Some(Ends {
        renew_at: now + left.mul_f64(0.9),
        at: now.checked_add(left)?,
    })
}
