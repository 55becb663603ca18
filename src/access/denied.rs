//! The reasons for which access is denied.

/// Why access is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The request has no pass.
    PassMissing,
    /// The pass is invalid: its signature, its claims or its key.
    PassInvalid,
    /// The pass has expired.
    PassExpired,
    /// The URL contradicts the pass.
    PassMismatch,
    /// The one-time pass was already used.
    PassUsed,
    /// The proxy asserts no identity, or is not a trusted one.
    IdentityMissing,
    /// The identity that the proxy asserts leads to no operator.
    IdentityUnknown,
    /// The API key is unknown.
    ApiKeyInvalid,
    /// The browser is not paired, or the request is none that its cookie counts for.
    DeviceMissing,
    /// The browser's pairing is over: it has expired, or was ended.
    DeviceEnded,
    /// The invitation is none of this service's.
    InvitationInvalid,
    /// The invitation has expired.
    InvitationExpired,
    /// The invitation was already used.
    InvitationUsed,
    /// The CRM's token was already used.
    ConnectorTokenUsed,
    /// The request names no operator.
    OperatorMissing,
    /// There is no such operator.
    OperatorUnknown,
    /// Several operators have this name.
    OperatorAmbiguous,
    /// The operator is inactive or deleted, or none of the organization's is active.
    OperatorInactive,
    /// The request asks for any operator of an organization, and `OPERATOR_AUTO` is off.
    AutoIsOff,
    /// Only ChatHub's directory can tell, and it has not been read yet.
    DirectoryNeeded,
    /// The caller may not act for this operator.
    OperatorNotAllowed,
    /// The caller's address is outside the allowed networks.
    NetworkNotAllowed,
}
