//! The seven calls over one private `send`; the call for operator tokens is in `minting`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tokio::time::Instant;

use crate::answer;
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::Clock;
use crate::config::ClientConfig;
use crate::connections::Connections;
use crate::endpoint::Endpoint;
use crate::error::{BadAnswer, Error, ErrorKind, Unreachable};
use crate::listing::{self, ListedOperator, ListedOrganization, Listing};
use crate::observe::Observer;
use crate::rate_limiter::RateLimiter;
use crate::retry_budget::RetryBudget;
use crate::session::Session;
use crate::transport::{Call, Transport};
use crate::types::{
    AddedOperator, NewOperator, Operator, OperatorId, OperatorStatus, Organization, OrganizationId,
    TokenCheck,
};
use crate::upstream::{Read, Upstream};
use secrecy::{ExposeSecret as _, SecretString};

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
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        Self::with_observer(config, Arc::new(()))
    }

    /// The same, with an observer of the traffic.
    pub fn with_observer(config: ClientConfig, observer: Arc<dyn Observer>) -> Result<Self, Error> {
        let connections = Connections::new(
            &config.url,
            config.http,
            config.connect_timeout,
            config.attempt_timeout,
        )?;
        Ok(Self {
            upstream: Arc::new(Upstream {
                transport: Transport::new(&config.url),
                connections,
                clock: Clock::default(),
                breaker: CircuitBreaker::default(),
                limiter: RateLimiter::new(config.max_rate, std::time::Instant::now()),
                retries: RetryBudget::new(),
                attempt_timeout: config.attempt_timeout,
                least_time: config.attempt_timeout.min(config.call_budget / 2) / 2,
                observer,
            }),
            session: Arc::new(Session::new(config.credentials, config.call_budget)),
            call_budget: config.call_budget,
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

    /// The same for one moment on this machine's two clocks.
    pub fn now_at(&self, now: std::time::Instant, wall: DateTime<Utc>) -> DateTime<Utc> {
        self.clock().at(now, wall)
    }

    /// How far ChatHub's clock is ahead of this machine's; zero as long as nothing else is known.
    pub fn clock_skew(&self) -> TimeDelta {
        self.clock().skew()
    }

    /// Proves the credentials: logs in, or shows the profile key once.
    pub async fn log_in(&self) -> Result<(), Error> {
        if self.session.uses_profile_key() {
            return self.list_readable_organizations().await.map(drop);
        }
        let deadline = Instant::now() + self.call_budget;
        self.session
            .authorize(&self.upstream, deadline)
            .await
            .map(drop)
            .map_err(|error| error.at(Endpoint::CompanyToken))
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
    /// a record cannot be read, because a program that adds operators must know all of them.
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
    /// twice. After any error but [`ErrorKind::InvalidRequest`], [`ErrorKind::NotPermitted`],
    /// [`ErrorKind::CredentialsRejected`] and [`Unreachable::TokenRefused`] it is unknown whether
    /// they were added; list them before trying again.
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
    pub async fn validate_operator_token(&self, token: &SecretString) -> Result<TokenCheck, Error> {
        let first = self.token_in_object.load(Ordering::Relaxed);
        match self.validate(token, first).await {
            Err(error) if matches!(error.kind(), ErrorKind::InvalidRequest { .. }) => {
                let check = self.validate(token, !first).await?;
                self.token_in_object.store(!first, Ordering::Relaxed);
                Ok(check)
            }
            outcome => outcome,
        }
    }

    async fn validate(&self, token: &SecretString, in_object: bool) -> Result<TokenCheck, Error> {
        let call = Call::new(Endpoint::ValidateToken);
        let call = if in_object {
            call.json(&json!({"token": token.expose_secret()}))
        } else {
            call.json(&token.expose_secret())
        };
        self.send(call, answer::json).await
    }

    /// Makes a call with the company's authorization, and renews that where ChatHub refuses it.
    pub(crate) async fn send<T>(&self, call: Call, read: Read<T>) -> Result<T, Error> {
        let deadline = Instant::now() + self.call_budget;
        let mut refusals = 0;
        loop {
            let grant = self.session.authorize(&self.upstream, deadline).await;
            let grant = grant.map_err(|error| error.at(call.endpoint))?;
            let outcome = self
                .upstream
                .call(&call, &grant.authorization, deadline, read)
                .await;
            match outcome {
                Ok(answer) => {
                    self.session.verified(&grant);
                    return Ok(answer);
                }
                Err(error)
                    if is_refusal(error.kind()) && self.session.refused(&grant, refusals) =>
                {
                    refusals += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.upstream.clock
    }
}

/// Organizations are asked for by nothing that could be missing.
fn nothing_there(error: Error) -> Error {
    error.map_kind(|kind| match kind {
        ErrorKind::NotFound => ErrorKind::BadAnswer(BadAnswer::NoChatHub),
        other => other,
    })
}

/// Whether ChatHub has refused what was shown to open the call.
const fn is_refusal(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::CredentialsRejected | ErrorKind::Unavailable(Unreachable::TokenRefused)
    )
}
