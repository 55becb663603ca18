//! Which operator a caller asks for, before it is resolved.

use super::{Denied, Scope};
use crate::operators::ResolveError;
use chathub::OperatorId;

/// The operator that a caller asks for, as a text that is still to be resolved.
#[derive(Debug)]
pub struct OperatorRequest<'a> {
    pub(super) by: ClaimedBy,
    /// The operator in the URL.
    pub(super) in_url: Option<&'a str>,
    /// The operators that the caller may ask for.
    pub(super) scope: Scope,
    /// The operator that was resolved before, where the caller may continue with that one alone.
    pub(super) pinned: Option<OperatorId>,
}

/// What decides on the operator.
#[derive(Debug)]
pub(super) enum ClaimedBy {
    /// The URL alone.
    Url,
    /// A pass. The URL must not contradict it.
    Pass {
        /// The operator claim.
        operator: String,
        /// Whether the claim may be a display name. Not where a vendor's own claim is used: its
        /// users may be able to edit that.
        by_name: bool,
    },
    /// A login. The URL must not contradict it.
    Identity(String),
    /// A paired browser. The URL must not contradict it.
    Device(OperatorId),
    /// A CRM's agent, by a name of the operator map.
    Agent(String),
}

impl<'a> OperatorRequest<'a> {
    pub(super) const fn new(by: ClaimedBy, in_url: Option<&'a str>, scope: Scope) -> Self {
        Self {
            by,
            in_url,
            scope,
            pinned: None,
        }
    }

    /// The request of a CRM's agent, proven by the CRM, who is this name in the operator map, or
    /// nothing at all: no id of ChatHub's and no display name.
    pub const fn of_agent(name: String, scope: Scope) -> Self {
        Self::new(ClaimedBy::Agent(name), None, scope)
    }

    /// The CRM's agent by name, where that decides on the operator.
    pub fn agent(&self) -> Option<&str> {
        match &self.by {
            ClaimedBy::Agent(name) => Some(name),
            _ => None,
        }
    }

    /// The operator claim of a pass whose signer may write an alias, an id or a display name. The
    /// value of a vendor's own claim is no parameter of this service.
    pub fn signed_parameter(&self) -> Option<&str> {
        match &self.by {
            ClaimedBy::Pass {
                operator,
                by_name: true,
            } => Some(operator),
            _ => None,
        }
    }

    /// The identity that a proxy asserts, where it decides on the operator.
    pub fn identity(&self) -> Option<&str> {
        match &self.by {
            ClaimedBy::Identity(identity) => Some(identity),
            _ => None,
        }
    }

    /// The text that the operator is looked up by. A paired browser's operator is looked up by
    /// nothing: it is known by id.
    pub fn identifier(&self) -> Option<&str> {
        match &self.by {
            ClaimedBy::Url => self.in_url,
            ClaimedBy::Pass { operator, .. } => Some(operator),
            ClaimedBy::Identity(identity) => Some(identity),
            ClaimedBy::Agent(name) => Some(name),
            ClaimedBy::Device(_) => None,
        }
    }

    /// The text that the operator is looked up by, where a pass or a proxy asserts it.
    pub fn into_asserted_identifier(self) -> Option<String> {
        match self.by {
            ClaimedBy::Url | ClaimedBy::Device(_) => None,
            ClaimedBy::Pass { operator, .. } => Some(operator),
            ClaimedBy::Identity(identity) | ClaimedBy::Agent(identity) => Some(identity),
        }
    }

    /// The refusal where the operator is none that the caller may ask for.
    pub(super) const fn out_of_scope(&self) -> Denied {
        match self.by {
            // The API key that has invited the browser has lost the operator since.
            ClaimedBy::Device(_) => Denied::DeviceEnded,
            _ => Denied::OperatorNotAllowed,
        }
    }

    /// The refusal where no operator is found. A caller with a list of operators gets one and the
    /// same refusal, so that it learns nothing about the other operators of the company.
    pub(super) fn denied(&self, error: ResolveError) -> Denied {
        match (error, &self.by) {
            (ResolveError::DirectoryNeeded, _) => Denied::DirectoryNeeded,
            _ if self.scope.is_limited() && self.agent().is_none() => Denied::OperatorNotAllowed,
            (ResolveError::Unknown, ClaimedBy::Identity(_) | ClaimedBy::Agent(_)) => {
                Denied::IdentityUnknown
            }
            (ResolveError::Unknown, _) => Denied::OperatorUnknown,
            (ResolveError::Ambiguous, _) => Denied::OperatorAmbiguous,
            (ResolveError::NoActiveOperator, _) => Denied::OperatorInactive,
            (ResolveError::AutoIsOff, _) => Denied::AutoIsOff,
        }
    }
}
