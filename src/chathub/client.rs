//! The calls over one private `send`; the one for operator tokens is in `minting`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::Instant;

use super::answer;
use super::clock::Clock;
use super::connections::Connections;
use super::credentials::Credentials;
use super::endpoint::Endpoint;
use super::error::{BadAnswer, Error, Unreachable};
use super::gate::Gate;
use super::listing::{self, ListedOperator, ListedOrganization, Listing};
use super::observe::{Nobody, Observer};
use super::pace::Pace;
use super::retry_budget::RetryBudget;
use super::session::Session;
use super::transport::{Call, Transport};
use super::types::{
    AddedOperator, NewOperator, Operator, OperatorId, OperatorStatus, Organization, OrganizationId,
    TokenCheck,
};
use super::upstream::{Read, Upstream};
use crate::https_url::HttpsUrl;
use crate::secret::Secret;

/// Where ChatHub lives, as its documents say.
pub const DEFAULT_URL: &str = "https://chatapi.smsbat.com";

/// How to reach ChatHub, and how much to ask of it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its address.
    pub url: HttpsUrl,
    /// Who we are.
    pub credentials: Credentials,
    /// How long a connection may take, 1 s by default.
    pub connect_timeout: Duration,
    /// How long one request may take, from the connection to the last byte of the answer; 2 s by
    /// default.
    pub attempt_timeout: Duration,
    /// How long a call may take with everything: waiting for its turn, a login before it, a second
    /// attempt; 5 s by default.
    pub call_budget: Duration,
    /// Requests a second, 40 by default. ChatHub's general page allows 50.
    pub max_rate: u32,
}

impl Settings {
    /// The defaults.
    pub const fn new(url: HttpsUrl, credentials: Credentials) -> Self {
        Self {
            url,
            credentials,
            connect_timeout: Duration::from_secs(1),
            attempt_timeout: Duration::from_secs(2),
            call_budget: Duration::from_secs(5),
            max_rate: 40,
        }
    }
}

/// A company's access to ChatHub. Cheap to share behind an `Arc`; logs in at the first call that
/// needs it.
///
/// Calls must be made within a Tokio runtime.
#[derive(Debug)]
pub struct ChatHub {
    upstream: Arc<Upstream>,
    session: Arc<Session>,
    call_budget: Duration,
    /// Whether validate-token wants `{"token":…}`: the documents show both bodies, the first answer
    /// tells.
    token_in_object: AtomicBool,
}

impl ChatHub {
    /// Prepares the connections; nothing is sent yet. Fails where the machine has no usable
    /// certificate store.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Self::observed_by(settings, Arc::new(Nobody))
    }

    /// The same, with somebody who watches the traffic.
    pub fn observed_by(settings: Settings, observer: Arc<dyn Observer>) -> Result<Self, Error> {
        Ok(Self {
            upstream: Arc::new(Upstream {
                transport: Transport::new(&settings.url),
                connections: Connections::new(&settings.url, settings.connect_timeout)?,
                clock: Clock::default(),
                gate: Gate::default(),
                pace: Pace::new(settings.max_rate, std::time::Instant::now()),
                retries: RetryBudget::new(),
                attempt_timeout: settings.attempt_timeout,
                least_time: settings.attempt_timeout.min(settings.call_budget / 2) / 2,
                observer,
            }),
            session: Arc::new(Session::new(settings.credentials, settings.call_budget)),
            call_budget: settings.call_budget,
            token_in_object: AtomicBool::new(false),
        })
    }

    /// Host and port of ChatHub.
    pub fn address(&self) -> String {
        self.upstream.transport.address()
    }

    /// The time on ChatHub's clock, as far as its answers have told it.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock().now()
    }

    /// How far ChatHub's clock is ahead of this machine's; zero as long as nothing else is known.
    pub fn clock_skew(&self) -> TimeDelta {
        self.clock().skew()
    }

    /// Proves the credentials: logs in, or shows the profile key once.
    pub async fn log_in(&self) -> Result<(), Error> {
        if self.session.is_by_key() {
            return self.list_readable_organizations().await.map(drop);
        }
        let deadline = Instant::now() + self.call_budget;
        self.session
            .admitted(&self.upstream, deadline)
            .await
            .map(drop)
    }

    /// `GET /api/company/organization`: the company's organizations.
    pub async fn list_organizations(&self) -> Result<Vec<Organization>, Error> {
        let call = Call::new(Endpoint::Organizations);
        self.send(call, answer::json).await.map_err(nothing_there)
    }

    /// The same, as far as it can be read: a record that is none is left out and counted.
    pub async fn list_readable_organizations(&self) -> Result<Listing<ListedOrganization>, Error> {
        let call = Call::new(Endpoint::Organizations);
        self.send(call, listing::read).await.map_err(nothing_there)
    }

    /// `GET /api/operator`: an organization's operators, inactive and deleted ones too. Fails where
    /// a record cannot be read: whoever adds operators must know of all that there are.
    pub async fn list_operators(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<Operator>, Error> {
        let call = Call::new(Endpoint::Operators).query("organizationId", &organization);
        self.send(call, answer::json).await
    }

    /// The same, as far as it can be read: a record that is none is left out and counted.
    pub async fn list_readable_operators(
        &self,
        organization: OrganizationId,
    ) -> Result<Listing<ListedOperator>, Error> {
        let call = Call::new(Endpoint::Operators).query("organizationId", &organization);
        self.send(call, listing::read).await
    }

    /// `POST /api/operator/synchronize`: adds operators.
    ///
    /// ChatHub does not look for their names first: the same request twice makes every operator
    /// twice. After any error but [`Error::InvalidRequest`], [`Error::NotPermitted`],
    /// [`Error::CredentialsRejected`] and [`Unreachable::TokenRefused`] it is unknown whether they
    /// were added; list them before trying again.
    pub async fn synchronize_operators(
        &self,
        operators: &[NewOperator],
    ) -> Result<Vec<AddedOperator>, Error> {
        let call = Call::new(Endpoint::Synchronize).json(&operators);
        self.send(call, answer::json).await
    }

    /// `POST /api/operator/status`: activates, disables or deletes an operator.
    pub async fn set_operator_status(
        &self,
        operator: OperatorId,
        status: OperatorStatus,
    ) -> Result<(), Error> {
        let call =
            Call::new(Endpoint::OperatorStatus).json(&json!({"id": operator, "status": status}));
        self.send(call, |_| Ok(())).await
    }

    /// `POST /api/operator/validate-token`: whether the panel would take this token.
    ///
    /// ChatHub's pages show the body as a JSON string and as an object; the string is tried first,
    /// the object where that is refused, and what worked is remembered.
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
        self.send(call, answer::json).await
    }

    /// Makes a call with the company's authorization, and renews that where ChatHub refuses it.
    pub(super) async fn send<T>(&self, call: Call, read: Read<T>) -> Result<T, Error> {
        let deadline = Instant::now() + self.call_budget;
        let mut refusals = 0;
        loop {
            let admitted = self.session.admitted(&self.upstream, deadline).await?;
            let outcome = self
                .upstream
                .call(&call, &admitted.authorization, deadline, read)
                .await;
            match outcome {
                Ok(answer) => {
                    self.session.proven(&admitted);
                    return Ok(answer);
                }
                Err(Error::CredentialsRejected | Error::Unavailable(Unreachable::TokenRefused))
                    if self.session.refused(&admitted, refusals) =>
                {
                    refusals += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.upstream.clock
    }
}

/// Organizations are asked for by nothing that could be missing.
fn nothing_there(error: Error) -> Error {
    match error {
        Error::NotFound => Error::BadAnswer(BadAnswer::NoChatHub),
        other => other,
    }
}
