//! Why somebody is not let in.

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No pass is shown.
    PassMissing,
    /// The pass is not good: its signature, its claims, its key.
    PassInvalid,
    /// The pass has ended.
    PassExpired,
    /// The URL says something else than the pass.
    PassMismatch,
    /// A one-time pass has been used.
    PassUsed,
    /// The proxy names nobody, or is none of ours.
    IdentityMissing,
    /// The identity that the proxy names leads to no operator.
    IdentityUnknown,
    /// The API key is none of ours.
    ApiKeyInvalid,
    /// Nobody is named whose panel should open.
    OperatorMissing,
    /// There is no such operator.
    OperatorUnknown,
    /// Several operators are called so.
    OperatorAmbiguous,
    /// The operator is inactive or deleted, or none of the organization's is active.
    OperatorInactive,
    /// Any operator of an organization is asked for, where that is not wanted.
    AutoIsOff,
    /// It takes ChatHub's directory to say, and that has not been read yet.
    DirectoryNeeded,
    /// The caller may not act for this operator.
    OperatorNotAllowed,
    /// The caller's address is outside the allowed networks.
    NetworkNotAllowed,
}
