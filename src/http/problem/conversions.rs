//! Turns other modules' errors into refusals: each error gets its kind, and when to try again.
//! Texts are in `pages::i18n`.

use std::time::Duration;

use super::{Detail, Kind, Problem};
use crate::access::Denied;
use crate::connect::{CrmFault, Refusal, Unproven};
use crate::phone::PhoneError;
use crate::rate_limit::Limited;
use crate::source::UnknownSource;
use chathub::{self, Unreachable};

/// How long a visitor waits where ChatHub names no time.
pub(crate) const RETRY_SOON: Duration = Duration::from_secs(5);

/// How long a visitor waits at least after ChatHub has rejected the credentials.
const REJECTED_RETRY: Duration = Duration::from_mins(1);

impl From<PhoneError> for Problem {
    fn from(error: PhoneError) -> Self {
        Self::new(Kind::PhoneInvalid, Detail::Phone(error))
    }
}

impl From<UnknownSource> for Problem {
    fn from(UnknownSource: UnknownSource) -> Self {
        Self::new(Kind::SourceInvalid, Detail::Source)
    }
}

/// Why the caller is not let in.
impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let kind = match denied {
            Denied::PassMissing => Kind::PassMissing,
            Denied::PassInvalid => Kind::PassInvalid,
            Denied::PassExpired => Kind::PassExpired,
            Denied::PassMismatch => Kind::PassMismatch,
            Denied::PassUsed => Kind::PassUsed,
            Denied::IdentityMissing => Kind::IdentityMissing,
            Denied::IdentityUnknown => Kind::IdentityUnknown,
            Denied::ApiKeyInvalid => Kind::ApiKeyInvalid,
            Denied::DeviceMissing => Kind::DeviceMissing,
            Denied::DeviceEnded => Kind::DeviceEnded,
            Denied::InvitationInvalid => Kind::InvitationInvalid,
            Denied::InvitationExpired => Kind::InvitationExpired,
            Denied::InvitationUsed => Kind::InvitationUsed,
            Denied::ConnectorTokenUsed => Kind::ConnectorUnproven,
            Denied::OperatorMissing => Kind::OperatorMissing,
            Denied::OperatorUnknown => Kind::OperatorUnknown,
            Denied::OperatorAmbiguous => Kind::OperatorAmbiguous,
            Denied::OperatorInactive => Kind::OperatorInactive,
            // The directory has been read by now, but not the whole of it.
            Denied::DirectoryNeeded => Kind::ChathubUnavailable,
            Denied::AutoIsOff | Denied::OperatorNotAllowed => Kind::OperatorNotAllowed,
            Denied::NetworkNotAllowed => Kind::NetworkNotAllowed,
        };
        let refusal = Self::new(kind, Detail::Denied(denied));
        if kind == Kind::ChathubUnavailable {
            refusal.retry_after(RETRY_SOON)
        } else {
            refusal
        }
    }
}

impl From<Unproven> for Problem {
    fn from(unproven: Unproven) -> Self {
        Self::new(Kind::ConnectorUnproven, Detail::Unproven(unproven))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotListed => Self::new(Kind::PortalNotAllowed, Detail::PortalNotListed),
            Refusal::Unproven(unproven) => unproven.into(),
            Refusal::ClientHidden => Self::new(Kind::TargetMissing, Detail::ClientHidden),
            Refusal::Crm(fault) => fault.into(),
        }
    }
}

impl From<CrmFault> for Problem {
    fn from(fault: CrmFault) -> Self {
        let kind = match fault {
            CrmFault::BadAnswer => Kind::CrmBadAnswer,
            CrmFault::NoConnection(_)
            | CrmFault::Unavailable
            | CrmFault::Denied
            | CrmFault::Busy => Kind::CrmUnavailable,
            CrmFault::TimedOut => Kind::CrmTimeout,
        };
        let refusal = Self::new(kind, Detail::Crm(fault));
        if kind == Kind::CrmUnavailable {
            refusal.retry_after(RETRY_SOON)
        } else {
            refusal
        }
    }
}

impl From<Limited> for Problem {
    fn from(limited: Limited) -> Self {
        Self::new(Kind::RateLimited, Detail::Limited(limited.limit))
            .retry_after(limited.retry_after)
    }
}

/// What a failed mint means for the click.
impl From<chathub::ErrorKind> for Problem {
    fn from(error: chathub::ErrorKind) -> Self {
        use chathub::ErrorKind as E;
        let kind = match &error {
            E::CredentialsRejected => Kind::CredentialsRejected,
            E::NotPermitted => Kind::OperatorNotAllowed,
            E::NotFound | E::InvalidRequest { .. } => Kind::OperatorUnknown,
            E::Throttled { .. } => Kind::ChathubThrottled,
            E::Overloaded => Kind::Overloaded,
            E::Unavailable(_) => Kind::ChathubUnavailable,
            E::TimedOut => Kind::ChathubTimeout,
            _ => Kind::ChathubBadAnswer,
        };
        let wait = match error {
            E::Throttled {
                retry_after: Some(wait),
            }
            | E::Unavailable(Unreachable::CircuitOpen { retry_after: wait }) => wait,
            // No login is tried sooner.
            E::CredentialsRejected => REJECTED_RETRY,
            _ => RETRY_SOON,
        };
        let refusal = Self::new(kind, Detail::ChatHub(error));
        if kind.status() == 503 {
            refusal.retry_after(wait)
        } else {
            refusal
        }
    }
}
