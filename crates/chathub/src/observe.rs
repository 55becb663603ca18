//! What a caller may observe of the traffic with ChatHub.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use tracing::Span;

use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, Unreachable};

/// How one request to ChatHub ended. The name is a metric's label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[non_exhaustive]
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

    pub(crate) fn of<T>(result: &Result<T, Error>) -> Self {
        match result.as_ref().map_err(Error::kind) {
            Ok(_) => Self::Ok,
            Err(error) => match error {
                ErrorKind::CredentialsRejected => Self::CredentialsRejected,
                ErrorKind::Unavailable(Unreachable::TokenRefused) => Self::TokenRefused,
                ErrorKind::NotPermitted | ErrorKind::Unavailable(Unreachable::Login(_)) => {
                    Self::NotPermitted
                }
                ErrorKind::NotFound => Self::NotFound,
                ErrorKind::InvalidRequest { .. } => Self::InvalidRequest,
                ErrorKind::Throttled { .. } => Self::Throttled,
                ErrorKind::Unavailable(_) | ErrorKind::Overloaded => Self::Unavailable,
                ErrorKind::TimedOut => Self::TimedOut,
                ErrorKind::BadAnswer(_) => Self::BadAnswer,
            },
        }
    }
}

/// Watches the traffic, for metrics and traces. Called on the way of each request, so it must be
/// quick. `()` watches nothing.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The span of a request that is about to be sent; its field `chathub.outcome` is recorded when
    /// the request has ended.
    fn span(&self, _: Endpoint) -> Span {
        Span::none()
    }

    /// The value of the header `traceparent`; called within the request's span.
    fn traceparent(&self) -> Option<String> {
        None
    }

    /// A request that was sent has ended.
    fn request_ended(&self, endpoint: Endpoint, outcome: Outcome, after: Duration);

    /// After a request: whether the circuit is open now, and how far ahead ChatHub's clock is.
    fn health(&self, circuit_is_open: bool, clock_skew: TimeDelta);
}

impl Observer for () {
    fn request_ended(&self, _: Endpoint, _: Outcome, _: Duration) {}

    fn health(&self, _: bool, _: TimeDelta) {}
}
