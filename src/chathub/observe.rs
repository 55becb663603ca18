//! What somebody outside may want to see of the traffic with ChatHub.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;

use super::endpoint::Endpoint;
use super::error::{Error, Unreachable};

/// How one request to ChatHub ended. The name is a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Outcome {
    /// It was carried out.
    Ok,
    /// 401 to a login, or to a profile key
    CredentialsRejected,
    /// 401 to a company token, which is replaced then
    TokenRefused,
    /// 403
    NotPermitted,
    /// 404
    NotFound,
    /// 400 and its like
    InvalidRequest,
    /// 429
    Throttled,
    /// 5xx, or no connection
    Unavailable,
    /// No answer in time
    TimedOut,
    /// An answer that makes no sense
    BadAnswer,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::CredentialsRejected,
        Self::TokenRefused,
        Self::NotPermitted,
        Self::NotFound,
        Self::InvalidRequest,
        Self::Throttled,
        Self::Unavailable,
        Self::TimedOut,
        Self::BadAnswer,
    ];

    /// `credentials-rejected`
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::CredentialsRejected => "credentials-rejected",
            Self::TokenRefused => "token-refused",
            Self::NotPermitted => "not-permitted",
            Self::NotFound => "not-found",
            Self::InvalidRequest => "invalid-request",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timeout",
            Self::BadAnswer => "bad-answer",
        }
    }

    pub(super) const fn of<T>(result: &Result<T, Error>) -> Self {
        match result {
            Ok(_) => Self::Ok,
            Err(error) => match error {
                Error::CredentialsRejected => Self::CredentialsRejected,
                Error::Unavailable(Unreachable::TokenRefused) => Self::TokenRefused,
                Error::NotPermitted | Error::Unavailable(Unreachable::Login(_)) => {
                    Self::NotPermitted
                }
                Error::NotFound => Self::NotFound,
                Error::InvalidRequest { .. } => Self::InvalidRequest,
                Error::Throttled { .. } => Self::Throttled,
                Error::Unavailable(_) | Error::Overloaded => Self::Unavailable,
                Error::TimedOut => Self::TimedOut,
                Error::BadAnswer(_) => Self::BadAnswer,
            },
        }
    }
}

/// Somebody who watches the traffic, to count it. Called on the way of each request, so it must be
/// quick.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A request that went out has ended.
    fn request_ended(&self, endpoint: Endpoint, outcome: Outcome, after: Duration);

    /// What a request tells ChatHub of the trace that it belongs to (`traceparent`); called within
    /// the request's own span.
    fn traceparent(&self) -> Option<String> {
        None
    }

    /// After a request: whether the circuit is open now, and how far ahead ChatHub's clock is.
    fn health(&self, circuit_is_open: bool, clock_skew: TimeDelta);
}

/// Nobody watches.
#[derive(Debug)]
pub(super) struct Nobody;

impl Observer for Nobody {
    fn request_ended(&self, _: Endpoint, _: Outcome, _: Duration) {}

    fn health(&self, _: bool, _: TimeDelta) {}
}
