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
    /// The page that it comes from has been open for too long.
    #[error("the page is too old")]
    PageTooOld,
    /// It is for other phones than this.
    #[error("the phone is not the page's")]
    OtherPhone,
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
    /// It is asked as often as it allows, or says so itself.
    #[error("the CRM is asked too often")]
    Busy,
    /// It did not answer in time.
    #[error("the CRM does not answer in time")]
    TimedOut,
}
