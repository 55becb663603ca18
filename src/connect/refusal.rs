//! Why a CRM's request is refused.

use chathub::NoConnection;
use thiserror::Error;

/// Why a CRM's request is refused, by who can do something about it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// The request's account, portal or company is none of `CONNECTORS_FILE`.
    #[error("the account is not listed")]
    NotListed,
    /// The request does not prove that the CRM has sent it for this agent.
    #[error("the request is not proven")]
    Unproven(#[from] Unproven),
    /// The CRM does not show the client to this agent, or has none of this number.
    #[error("the client is hidden")]
    ClientHidden,
    /// The CRM that was asked has not said whether the request is right.
    #[error(transparent)]
    Crm(#[from] CrmFault),
}

impl Refusal {
    /// Whether it may be an attempt to get in. The CRM's own trouble is none, nor is a proven agent
    /// whose application or client is not open to them.
    pub const fn is_attempt(self) -> bool {
        match self {
            Self::NotListed => true,
            Self::Unproven(unproven) => !matches!(unproven, Unproven::Scope | Unproven::NoAccess),
            Self::ClientHidden | Self::Crm(_) => false,
        }
    }
}

/// What a request lacks to be proven.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unproven {
    /// It shows no proof at all.
    #[error("there is no proof")]
    Missing,
    /// What it shows is signed by another secret, or is no proof of this kind.
    #[error("the signature is wrong")]
    Signature,
    /// Its time is over.
    #[error("the proof has expired")]
    Expired,
    /// Its times lie ahead, or are further apart than a proof's may be.
    #[error("the times are wrong")]
    Times,
    /// It is for another service than this.
    #[error("the proof is for another service")]
    Audience,
    /// It belongs to another account, portal, company or application than the request or the
    /// section says.
    #[error("the proof is another account's")]
    Account,
    /// It does not say who the agent is, or lacks something else that a proof has.
    #[error("something is missing in the proof")]
    Incomplete,
    /// HubSpot's parameters are not there once each, at the end of the query.
    #[error("what HubSpot appends is not there, or not only once")]
    Appended,
    /// The page that it comes from has been open for too long.
    #[error("the page is too old")]
    PageTooOld,
    /// It is for other phones than this.
    #[error("the phone is not the page's")]
    OtherPhone,
    /// It does not show the secret that the CRM gives to our application alone.
    #[error("the application's token is wrong")]
    ApplicationToken,
    /// The CRM does not take the agent's token.
    #[error("the CRM rejects the token")]
    TokenRejected,
    /// The CRM has given the agent's token to another application than ours.
    #[error("the token is another application's")]
    OtherApplication,
    /// The CRM does not let this agent use our application, or not for this.
    #[error("the agent may not use the application")]
    NoAccess,
    /// Our application may not ask the CRM for what it needs.
    #[error("the application lacks a scope")]
    Scope,
    /// It is from no place where we have put a button, or names no record.
    #[error("the place is unknown")]
    Placement,
    /// The application was made with a page, and so the CRM waits for that page's script.
    #[error("the application is not a script only")]
    NotScriptOnly,
}

/// Why a CRM that was asked about a request has not confirmed it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CrmFault {
    /// It gave an answer that could not be understood.
    #[error("the CRM's answer makes no sense")]
    BadAnswer,
    /// It cannot be reached.
    #[error("no connection: {0}")]
    NoConnection(NoConnection),
    /// It has a problem of its own.
    #[error("the CRM has a problem")]
    Unavailable,
    /// It gives our application no access to its API.
    #[error("the CRM denies access to its API")]
    Denied,
    /// It is asked as often as it allows, or says so itself.
    #[error("the CRM is asked too often")]
    Busy,
    /// It did not answer in time.
    #[error("the CRM does not answer in time")]
    TimedOut,
}
