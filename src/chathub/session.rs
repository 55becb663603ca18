//! The company token: who the company is to ChatHub.
//!
//! Owns the credentials and what they were last exchanged for. A profile key needs no exchange.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Mutex;

use super::answer;
use super::endpoint::Endpoint;
use super::error::{BadAnswer, Error};
use super::transport::{Authorization, Call, Transport};
use crate::secret::Secret;

/// How a company shows who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A login and a password, exchanged for a company token.
    Login {
        /// The company's login.
        login: String,
        /// Its password.
        password: Secret,
    },
    /// The key that ChatHub's dashboard shows under Profile.
    ProfileKey(Secret),
}

/// The company's standing with ChatHub: logged in once, for all callers.
#[derive(Debug)]
pub(super) struct Session {
    credentials: Credentials,
    token: Mutex<Option<Arc<Authorization>>>,
}

impl Session {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            token: Mutex::new(None),
        }
    }

    pub(super) const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What opens the next call. Logs in where nobody has yet; callers who come meanwhile wait for that one login.
    pub(super) async fn authorization(
        &self,
        transport: &Transport,
    ) -> Result<Arc<Authorization>, Error> {
        let mut token = self.token.lock().await;
        if let Some(authorization) = &*token {
            return Ok(Arc::clone(authorization));
        }
        let authorization = Arc::new(match &self.credentials {
            Credentials::ProfileKey(key) => Authorization::ProfileKey(key.clone()),
            Credentials::Login { login, password } => {
                Authorization::Bearer(log_in(transport, login, password).await?)
            }
        });
        Ok(Arc::clone(token.insert(authorization)))
    }

    /// Forgets a token that ChatHub has refused, unless somebody has renewed it meanwhile. Says whether another try is of
    /// any use: a profile key stays what it is.
    pub(super) async fn forget(&self, refused: &Arc<Authorization>) -> bool {
        let mut token = self.token.lock().await;
        if token
            .as_ref()
            .is_some_and(|held| Arc::ptr_eq(held, refused))
        {
            *token = None;
        }
        matches!(self.credentials, Credentials::Login { .. })
    }
}

async fn log_in(transport: &Transport, login: &str, password: &Secret) -> Result<Secret, Error> {
    let call = Call::new(Endpoint::CompanyToken)
        .json(&json!({"login": login, "password": password.expose()}));
    let body = transport
        .send(&call, &Authorization::None)
        .await
        .map_err(|error| match error {
            // Whether a wrong login answers 400 or 401 is not documented.
            Error::InvalidRequest { .. } | Error::NotPermitted => Error::CredentialsRejected,
            Error::NotFound => Error::BadAnswer(BadAnswer::NoChatHub),
            other => other,
        })?;
    answer::token(&body)
}
