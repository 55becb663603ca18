//! An example of each kind of refusal, for the demo's pages and for tests.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::access::Denied;
use crate::connect::{CrmFault, Unproven};
use crate::deep_link::DeepLink;
use crate::http::problem::{Detail, Kind, Problem, ShownIdentity};
use crate::http::state::AppState;
use crate::phone::{PhoneError, PhoneNumber, Region};
use crate::rate_limit::{Limit, Limited};
use crate::source::ChatSource;
use chathub::{BadAnswer, ErrorKind, NoConnection, Unreachable};

/// `/demo/refusals/{kind}`: that refusal, with everything that it can have. An unknown kind is not
/// found by any method.
pub(crate) async fn refusal(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let kind = kind(&request)?;
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err(Problem::method_not_allowed(&[Method::GET, Method::HEAD]));
    }
    let refusal = match example(kind) {
        Detail::ChatHub(error) => Problem::from(error),
        Detail::Crm(fault) => Problem::from(fault),
        Detail::Limited(limit) => Problem::from(Limited {
            limit,
            retry_after: Duration::from_secs(7),
        }),
        detail => Problem::new(kind, detail),
    };
    Err(match PhoneNumber::parse("+380501234567", Region::UA) {
        Ok(phone) => refusal.or_by_hand(|| DeepLink::Phone { phone }.url(&state.links.panel, None)),
        Err(_) => refusal,
    })
}

fn kind(request: &HttpRequest) -> Result<Kind, Problem> {
    let name = request.match_info().get("kind").unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    kind.ok_or_else(Problem::not_found)
}

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
