//! The login: credentials in, company token out, and what its answers say of the credentials.

use std::time::Instant;

use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::time::Instant as Deadline;

use super::answer;
use super::endpoint::Endpoint;
use super::error::{BadAnswer, Error, Unreachable};
use super::transport::{Authorization, Call};
use super::upstream::Upstream;
use crate::secret::Secret;

/// When to replace a token, and when it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) renew_at: Instant,
    pub(super) at: Instant,
}

/// Exchanges a login and a password for a company token. [`Error::CredentialsRejected`] is
/// ChatHub's own refusal of the two, and nothing else is.
pub(super) async fn get_token(
    upstream: &Upstream,
    login: &Secret,
    password: &Secret,
    deadline: Deadline,
) -> Result<Secret, Error> {
    let call = Call::new(Endpoint::CompanyToken)
        .json(&json!({"login": login.expose(), "password": password.expose()}));
    upstream
        .call(&call, &Authorization::None, deadline, answer::token)
        .await
        .map_err(|error| match error {
            // Web servers that have no such page, or only pages to look at.
            Error::NotFound | Error::InvalidRequest { status: 405 } => {
                Error::BadAnswer(BadAnswer::NoChatHub)
            }
            // Whether a wrong login answers 400 or 401 is not documented; 403 is ChatHub's
            // "revoked".
            Error::InvalidRequest { status: 400 } | Error::NotPermitted => {
                Error::CredentialsRejected
            }
            Error::InvalidRequest { status } => Error::Unavailable(Unreachable::Login(status)),
            other => other,
        })
}

/// A token that tells its end is renewed when a tenth of its life is left.
pub(super) fn ends(token: &Secret, chathub_now: DateTime<Utc>) -> Option<Ends> {
    let left = (answer::expiry(token)? - chathub_now).to_std().ok()?;
    let now = Instant::now();
    Some(Ends {
        renew_at: now + left.mul_f64(0.9),
        at: now.checked_add(left)?,
    })
}
