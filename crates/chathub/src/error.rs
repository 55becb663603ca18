//! Why a call has failed.
//!
//! No message holds a URL, a header or a part of an answer: ChatHub documents no error bodies, so
//! they are not read.

use std::sync::Arc;
use std::time::Duration;

use connect_error::NoConnection;
use thiserror::Error;

use crate::endpoint::Endpoint;

/// A failed call. `Display` is that of its [`kind`](Self::kind); the source, where there is one, is
/// what the HTTP library has met, without the URL.
#[derive(Clone, Debug, Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    endpoint: Option<Endpoint>,
    source: Option<Arc<reqwest::Error>>,
}

impl Error {
    /// Why it has failed.
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// What was asked: the call's endpoint, or [`Endpoint::CompanyToken`] where the login before it
    /// has failed. `None`: the client could not be built.
    pub const fn endpoint(&self) -> Option<Endpoint> {
        self.endpoint
    }

    /// How long nothing is sent to ChatHub, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.kind.retry_after()
    }

    /// Whether the same call may succeed later, with nothing changed. This says nothing of whether
    /// it was carried out: see
    /// [`ChatHub::synchronize_operators`](crate::ChatHub::synchronize_operators).
    pub const fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }

    /// The same error of this endpoint, unless it is another's already.
    pub(crate) fn at(mut self, endpoint: Endpoint) -> Self {
        self.endpoint.get_or_insert(endpoint);
        self
    }

    pub(crate) fn map_kind(mut self, map: impl FnOnce(ErrorKind) -> ErrorKind) -> Self {
        self.kind = map(self.kind);
        self
    }

    pub(crate) fn of_http(kind: ErrorKind, error: reqwest::Error) -> Self {
        Self {
            kind,
            endpoint: None,
            source: Some(Arc::new(error.without_url())),
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self {
            kind,
            endpoint: None,
            source: None,
        }
    }
}

impl From<Error> for ErrorKind {
    fn from(error: Error) -> Self {
        error.kind
    }
}

/// Why a call has failed, by what the caller can do about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The login, the password or the profile key is wrong: correct the configuration.
    #[error("ChatHub does not accept the company's credentials")]
    CredentialsRejected,
    /// 403: these credentials may not do this.
    #[error("ChatHub does not permit this")]
    NotPermitted,
    /// 404: it does not exist.
    #[error("ChatHub does not know this")]
    NotFound,
    /// Another 4xx, such as 400: ChatHub does not accept the request as it is.
    #[error("ChatHub refuses the request with status {status}")]
    InvalidRequest {
        /// The HTTP status.
        status: u16,
    },
    /// 429: too many requests. Wait.
    #[error("ChatHub asks to slow down")]
    Throttled {
        /// How long, where ChatHub says so.
        retry_after: Option<Duration>,
    },
    /// More calls are waiting than can be sent in time at the configured rate: try again later.
    #[error("too many calls to ChatHub are waiting")]
    Overloaded,
    /// It cannot be reached, or fails on its own side: try again later.
    #[error("ChatHub is unavailable: {0}")]
    Unavailable(Unreachable),
    /// It did not answer in time: try again later.
    #[error("ChatHub does not answer in time")]
    TimedOut,
    /// It answered something that its documents do not describe.
    #[error("ChatHub's answer makes no sense: {0}")]
    BadAnswer(BadAnswer),
}

impl ErrorKind {
    /// How long nothing is sent to ChatHub, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } => *retry_after,
            Self::Unavailable(Unreachable::CircuitOpen { retry_after }) => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether the same call may succeed later, with nothing changed.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. } | Self::Overloaded | Self::Unavailable(_) | Self::TimedOut
        )
    }
}

/// Why ChatHub is unavailable.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreachable {
    /// No connection, and why.
    #[error("no connection: {0}")]
    NoConnection(NoConnection),
    /// The connection broke before the whole answer was here.
    #[error("the connection broke")]
    Broken,
    /// It answered with a status of 500 or more.
    #[error("status {0}")]
    Status(u16),
    /// It refuses the company token: that has ended, was revoked, or was ended by another login.
    #[error("it refuses the company token, which is being replaced")]
    TokenRefused,
    /// The login was answered with this status by something other than ChatHub, such as a firewall.
    #[error("the login is answered with status {0}, which says nothing of the credentials")]
    Login(u16),
    /// The circuit breaker is open: ChatHub has failed so often that nothing is sent for a while.
    #[error("it is given a rest after many failures")]
    CircuitOpen {
        /// When a request will be sent again.
        retry_after: Duration,
    },
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadAnswer {
    /// It is longer than any such answer.
    #[error("it is too long")]
    TooLong,
    /// It is not JSON of the documented shape.
    #[error("it is not the documented JSON")]
    NotDocumented,
    /// It holds nothing that can be a token.
    #[error("there is no token in it")]
    NoToken,
    /// It holds a text in place of a token: an operator token is a JWT.
    #[error("what should be a token is no JWT")]
    NoJwt,
    /// It holds a token that says itself, or of which ChatHub says, that it is another operator's.
    #[error("the token in it is for another operator")]
    OtherOperator,
    /// It holds a token that has ended.
    #[error("the token in it has ended already")]
    TokenEnded,
    /// It holds a token that ChatHub itself does not take.
    #[error("the token in it is not valid")]
    TokenNotValid,
    /// It redirects elsewhere, where no password or token may follow.
    #[error("it is a redirect")]
    Redirect,
    /// It refuses with a page for people, which ChatHub does not send: something in front of it has
    /// answered, a firewall perhaps.
    #[error("something before ChatHub has refused the request")]
    Page,
    /// It refuses a token's end by its own clock and by this machine's.
    #[error(
        "its clock and this machine's differ by more than a day, and it takes the time of neither"
    )]
    Clocks,
    /// The host answers, and is no ChatHub: the login page is not where it belongs.
    #[error("there is no ChatHub at this address")]
    NoChatHub,
}
