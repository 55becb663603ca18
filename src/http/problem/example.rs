//! An example of each kind of refusal, for pages and documents that show all of them.

use std::net::{IpAddr, Ipv4Addr};

use super::{Detail, Kind, ShownIdentity};
use crate::access::Denied;
use crate::connect::{CrmFault, Unproven};
use crate::phone::PhoneError;
use crate::rate_limit::Limit;
use crate::source::ChatSource;
use chathub::{BadAnswer, ErrorKind, NoConnection, Unreachable};

/// A detail that a refusal of this kind may have.
pub(crate) fn example(kind: Kind) -> Detail {
    match kind {
        Kind::OperatorMissing => Detail::Denied(Denied::OperatorMissing),
        Kind::TargetMissing => Detail::NoTarget,
        Kind::PhoneInvalid => Detail::Phone(PhoneError::EncodedTwice),
        Kind::SourceInvalid => Detail::Source,
        Kind::SenderMissing => Detail::NoSender(ChatSource::Viber),
        Kind::ParameterInvalid => Detail::NotEncoded(Some("phone")),
        Kind::ParameterRepeated => Detail::Repeated("phone"),
        Kind::PlaceholderUnfilled => Detail::Unfilled("phone"),
        Kind::PassMissing => Detail::Denied(Denied::PassMissing),
        Kind::PassInvalid => Detail::Denied(Denied::PassInvalid),
        Kind::PassExpired => Detail::Denied(Denied::PassExpired),
        Kind::IdentityMissing => Detail::Denied(Denied::IdentityMissing),
        Kind::ApiKeyInvalid => Detail::Denied(Denied::ApiKeyInvalid),
        Kind::DeviceMissing => Detail::Denied(Denied::DeviceMissing),
        Kind::DeviceEnded => Detail::Denied(Denied::DeviceEnded),
        Kind::InvitationInvalid => Detail::Denied(Denied::InvitationInvalid),
        Kind::InvitationExpired => Detail::Denied(Denied::InvitationExpired),
        Kind::ConnectorUnproven => Detail::Unproven(Unproven::Signature),
        Kind::PortalNotAllowed => Detail::PortalNotListed,
        Kind::CrmBadAnswer => Detail::Crm(CrmFault::BadAnswer),
        Kind::CrmUnavailable => Detail::Crm(CrmFault::Unavailable),
        Kind::CrmTimeout => Detail::Crm(CrmFault::TimedOut),
        Kind::OperatorNotAllowed => Detail::Denied(Denied::AutoIsOff),
        Kind::OperatorInactive => Detail::Denied(Denied::OperatorInactive),
        Kind::IdentityUnknown => Detail::IdentityUnknown(ShownIdentity::of("eve@example.com")),
        Kind::InvitationUsed => Detail::Denied(Denied::InvitationUsed),
        Kind::PassMismatch => Detail::Denied(Denied::PassMismatch),
        Kind::PassUsed => Detail::Denied(Denied::PassUsed),
        Kind::NetworkNotAllowed => {
            Detail::NetworkNotAllowed(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)))
        }
        Kind::NotANavigation => Detail::NotAClick,
        Kind::OperatorUnknown => Detail::Denied(Denied::OperatorUnknown),
        Kind::NotFound => Detail::Nothing,
        Kind::MethodNotAllowed => Detail::OtherMethod,
        Kind::OperatorAmbiguous => Detail::Denied(Denied::OperatorAmbiguous),
        Kind::QueryTooLong => Detail::TooLong,
        Kind::HostNotAllowed => Detail::HostNotAllowed,
        Kind::RateLimited => Detail::Limited(Limit::Operator),
        Kind::ChathubBadAnswer => Detail::ChatHub(ErrorKind::BadAnswer(BadAnswer::NoToken)),
        Kind::ChathubUnavailable => Detail::ChatHub(ErrorKind::Unavailable(
            Unreachable::NoConnection(NoConnection::Refused),
        )),
        Kind::ChathubThrottled => Detail::ChatHub(ErrorKind::Throttled { retry_after: None }),
        Kind::CredentialsRejected => Detail::ChatHub(ErrorKind::CredentialsRejected),
        Kind::Overloaded => Detail::ChatHub(ErrorKind::Overloaded),
        Kind::ChathubTimeout => Detail::ChatHub(ErrorKind::TimedOut),
    }
}
