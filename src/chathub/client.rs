//! The seven calls over one private `send`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

use super::answer;
use super::endpoint::Endpoint;
use super::error::Error;
use super::session::{Credentials, Session};
use super::transport::{Call, Transport};
use super::types::{
    AddedOperator, NewOperator, Operator, OperatorId, OperatorStatus, OperatorToken, Organization,
    OrganizationId, TokenCheck,
};
use crate::https_url::HttpsUrl;
use crate::secret::Secret;

/// Where ChatHub lives, as its documents say.
pub const DEFAULT_URL: &str = "https://chatapi.smsbat.com";

/// How to reach ChatHub.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its address.
    pub url: HttpsUrl,
    /// Who we are.
    pub credentials: Credentials,
    /// How long a connection may take, 1 s by default.
    pub connect_timeout: Duration,
    /// How long one request may take, from the connection to the last byte of the answer; 2 s by default.
    pub attempt_timeout: Duration,
}

impl Settings {
    /// The default time-outs.
    pub const fn new(url: HttpsUrl, credentials: Credentials) -> Self {
        Self {
            url,
            credentials,
            connect_timeout: Duration::from_secs(1),
            attempt_timeout: Duration::from_secs(2),
        }
    }
}

/// A company's access to ChatHub. Cheap to share behind an `Arc`; logs in at the first call that needs it.
#[derive(Debug)]
pub struct ChatHub {
    transport: Transport,
    session: Session,
    /// Whether validate-token wants `{"token":…}`: the documents show both bodies, the first answer tells.
    token_in_object: AtomicBool,
}

impl ChatHub {
    /// Prepares the connections; nothing is sent yet. Fails where the machine has no usable certificate store.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            transport: Transport::new(
                &settings.url,
                settings.connect_timeout,
                settings.attempt_timeout,
            )?,
            session: Session::new(settings.credentials),
            token_in_object: AtomicBool::new(false),
        })
    }

    /// Proves the credentials: logs in, or shows the profile key once.
    pub async fn log_in(&self) -> Result<(), Error> {
        match self.session.credentials() {
            Credentials::Login { .. } => {
                self.session.authorization(&self.transport).await.map(drop)
            }
            Credentials::ProfileKey(_) => self.list_organizations().await.map(drop),
        }
    }

    /// `GET /api/company/organization`: the company's organizations.
    pub async fn list_organizations(&self) -> Result<Vec<Organization>, Error> {
        let body = self.send(Call::new(Endpoint::Organizations)).await?;
        answer::json(&body)
    }

    /// `GET /api/operator`: an organization's operators, inactive and deleted ones too.
    pub async fn list_operators(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<Operator>, Error> {
        let call = Call::new(Endpoint::Operators).query("organizationId", &organization);
        answer::json(&self.send(call).await?)
    }

    /// `POST /api/operator/synchronize`: adds operators.
    ///
    /// ChatHub does not look for their names first: the same request twice makes every operator twice. After any error but
    /// [`Error::InvalidRequest`], [`Error::NotPermitted`] and [`Error::CredentialsRejected`] it is unknown whether they were added; list them
    /// before trying again.
    pub async fn synchronize_operators(
        &self,
        operators: &[NewOperator],
    ) -> Result<Vec<AddedOperator>, Error> {
        let call = Call::new(Endpoint::Synchronize).json(&operators);
        answer::json(&self.send(call).await?)
    }

    /// `POST /api/operator/status`: activates, disables or deletes an operator.
    pub async fn set_operator_status(
        &self,
        operator: OperatorId,
        status: OperatorStatus,
    ) -> Result<(), Error> {
        let call =
            Call::new(Endpoint::OperatorStatus).json(&json!({"id": operator, "status": status}));
        self.send(call).await.map(drop)
    }

    /// `POST /api/operator/get-token`: a token that opens the panel as this operator until `expires_at`, which may be at
    /// most 24 hours ahead.
    pub async fn mint_operator_token(
        &self,
        operator: OperatorId,
        expires_at: DateTime<Utc>,
    ) -> Result<OperatorToken, Error> {
        let asked = expires_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let call =
            Call::new(Endpoint::OperatorToken).json(&json!({"id": operator, "expiresAt": asked}));
        let secret = answer::token(&self.send(call).await?)?;
        Ok(OperatorToken { secret, expires_at })
    }

    /// `POST /api/operator/validate-token`: whether the panel would take this token.
    ///
    /// ChatHub's pages show the body as a JSON string and as an object; the string is tried first, the object where that is
    /// refused, and what worked is remembered.
    pub async fn validate_operator_token(&self, token: &Secret) -> Result<TokenCheck, Error> {
        let first = self.token_in_object.load(Ordering::Relaxed);
        match self.validate(token, first).await {
            Err(Error::InvalidRequest { .. }) => {
                let check = self.validate(token, !first).await?;
                self.token_in_object.store(!first, Ordering::Relaxed);
                Ok(check)
            }
            outcome => outcome,
        }
    }

    async fn validate(&self, token: &Secret, in_object: bool) -> Result<TokenCheck, Error> {
        let call = Call::new(Endpoint::ValidateToken);
        let call = if in_object {
            call.json(&json!({"token": token.expose()}))
        } else {
            call.json(&token.expose())
        };
        answer::json(&self.send(call).await?)
    }

    /// Sends a call with the company's authorization, and renews that once where ChatHub refuses it.
    async fn send(&self, call: Call) -> Result<Vec<u8>, Error> {
        let authorization = self.session.authorization(&self.transport).await?;
        let outcome = self.transport.send(&call, &authorization).await;
        if outcome != Err(Error::CredentialsRejected) || !self.session.forget(&authorization).await
        {
            return outcome;
        }
        let renewed = self.session.authorization(&self.transport).await?;
        self.transport.send(&call, &renewed).await
    }
}
