//! What can go wrong with a call, by what the caller can do about it.
//!
//! No variant carries a URL, a header or a piece of an answer: ChatHub documents no error bodies,
//! so nothing is read out of them.

use std::time::Duration;

use thiserror::Error;

use connect_error::NoConnection;

/// Why a call has no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// The login, the password or the profile key is wrong: somebody has to mend the configuration.
    #[error("ChatHub does not accept the company's credentials")]
    CredentialsRejected,
    /// 403: these credentials may not do this.
    #[error("ChatHub does not permit this")]
    NotPermitted,
    /// 404: there is no such thing.
    #[error("ChatHub does not know this")]
    NotFound,
    /// 400 and its like: ChatHub does not want the request as it is.
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
    /// More calls are waiting than the configured rate lets out in time: try again later.
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

impl Error {
    /// How long nothing is sent to ChatHub, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } => *retry_after,
            Self::Unavailable(Unreachable::CircuitOpen { retry_after }) => Some(*retry_after),
            _ => None,
        }
    }
}

/// How ChatHub is unavailable.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
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
    /// The login is answered with this status by something that knows nothing of credentials, such
    /// as a firewall.
    #[error("the login is answered with status {0}, which says nothing of the credentials")]
    Login(u16),
    /// It has failed so often that nothing is sent for a while.
    #[error("it is given a rest after many failures")]
    CircuitOpen {
        /// When a request will be sent again.
        retry_after: Duration,
    },
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
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
