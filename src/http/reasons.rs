//! What went wrong elsewhere, as a refusal: each error gets its kind, and a sentence for the person who can change something.

use std::time::Duration;

use super::kind::Kind;
use super::refusal::Refusal;
use crate::access::Denied;
use crate::chathub::{self, Unreachable};
use crate::phone::PhoneError;
use crate::rate_limit::{Limit, Limited};
use crate::source::UnknownSource;

/// How long a visitor should wait where ChatHub gives no time of its own.
const RETRY_SOON: Duration = Duration::from_secs(5);

impl From<PhoneError> for Refusal {
    fn from(error: PhoneError) -> Self {
        Self::new(Kind::PhoneInvalid, error.to_string())
    }
}

impl From<UnknownSource> for Refusal {
    fn from(error: UnknownSource) -> Self {
        Self::new(Kind::SourceInvalid, error.to_string())
    }
}

/// Why somebody is not let in, in words that help those who belong here and nobody else.
impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let (kind, detail) = match denied {
            Denied::PassMissing => (
                Kind::PassMissing,
                "The link has no `pass=`: the CRM must sign one, or the link must come from POST /links.",
            ),
            Denied::PassInvalid => (
                Kind::PassInvalid,
                "The pass is not one that this service takes: check the key and its id, the algorithm, and that `exp` is not further \
                 ahead than the key allows.",
            ),
            Denied::PassExpired => (
                Kind::PassExpired,
                "The link's time is over. Go back to the CRM, reload the page and click again.",
            ),
            Denied::PassMismatch => (
                Kind::PassMismatch,
                "The link's parameters say something else than its pass. Leave out what the pass fixes, or make them agree.",
            ),
            Denied::PassUsed => (
                Kind::PassUsed,
                "This link opens a chat once. Go back to the CRM, reload the page and click again.",
            ),
            Denied::IdentityMissing => (
                Kind::IdentityMissing,
                "The proxy in front of this service names no agent. Log in there, and try again.",
            ),
            Denied::ApiKeyInvalid => (
                Kind::ApiKeyInvalid,
                "A valid API key belongs in the header `Authorization: Bearer`.",
            ),
            Denied::OperatorMissing => (
                Kind::OperatorMissing,
                "The link does not say whose chat panel to open: add `operator=` with the operator's ChatHub id or name.",
            ),
            Denied::OperatorUnknown => (
                Kind::OperatorUnknown,
                "The operator that is named is neither an alias of the operator map, nor a ChatHub id, which is a number such as 101, nor \
                 the whole name of an operator of the company. A name that is new in ChatHub counts after a minute.",
            ),
            Denied::OperatorAmbiguous => (
                Kind::OperatorAmbiguous,
                "Several operators have this name. Name the operator by the ChatHub id.",
            ),
            Denied::OperatorInactive => (
                Kind::OperatorInactive,
                "The operator is inactive or deleted in ChatHub. Whoever administers ChatHub can activate the operator; that counts after \
                 a minute.",
            ),
            Denied::AutoIsOff => (
                Kind::OperatorNotAllowed,
                "The link leaves the choice of the operator open, with `auto:`, and OPERATOR_AUTO is off here.",
            ),
            // It has been read by now, or the click would have heard why not.
            Denied::DirectoryNeeded => (
                Kind::ChathubUnavailable,
                "ChatHub's operators are not known yet. Try again in a moment.",
            ),
            Denied::OperatorNotAllowed => (
                Kind::OperatorNotAllowed,
                "Who is calling may not open this operator's panel.",
            ),
            Denied::NetworkNotAllowed => (
                Kind::NetworkNotAllowed,
                "Chats are opened from the company's own networks only.",
            ),
        };
        Self::new(kind, detail)
    }
}

impl From<Limited> for Refusal {
    fn from(limited: Limited) -> Self {
        let detail = match limited.limit {
            Limit::Operator => {
                "This operator has opened too many chats in a short time. Wait a moment and try again."
            }
            Limit::Client => {
                "Too many chats have been opened from this network in a short time. Wait a moment and try again."
            }
            Limit::Refused => {
                "Too many attempts from this network have been refused. Wait a moment and try again."
            }
        };
        Self::new(Kind::RateLimited, detail).retry_after(limited.retry_after)
    }
}

/// What a failed mint means for the click.
impl From<chathub::Error> for Refusal {
    fn from(error: chathub::Error) -> Self {
        use chathub::Error as E;
        let (kind, detail) = match &error {
            E::CredentialsRejected => (
                Kind::CredentialsRejected,
                "ChatHub does not accept the company's login, password or key. Whoever runs this service must correct it.",
            ),
            E::NotPermitted => (
                Kind::OperatorNotAllowed,
                "ChatHub does not let this company open this operator's panel: the operator may be inactive, deleted or of \
                 another company.",
            ),
            // Which of the two an unknown operator gets is not documented.
            E::NotFound | E::InvalidRequest { .. } => (
                Kind::OperatorUnknown,
                "ChatHub knows no operator with this id. Check the link's `operator`.",
            ),
            E::Throttled { .. } => (
                Kind::ChathubThrottled,
                "ChatHub asks to slow down. Wait a moment and try again.",
            ),
            E::Overloaded => (
                Kind::Overloaded,
                "More clicks are waiting for ChatHub than it can be asked for in time. Try again in a moment.",
            ),
            E::Unavailable(Unreachable::NoConnection) => (
                Kind::ChathubUnavailable,
                "ChatHub cannot be reached. Try again in a moment.",
            ),
            E::Unavailable(_) => (
                Kind::ChathubUnavailable,
                "ChatHub has a problem of its own. Try again in a moment.",
            ),
            E::TimedOut => (
                Kind::ChathubTimeout,
                "ChatHub does not answer in time. Try again in a moment.",
            ),
            E::BadAnswer(_) => (
                Kind::ChathubBadAnswer,
                "ChatHub's answer could not be understood. Try again; if it stays so, whoever runs this service should look \
                 at CHATHUB_URL.",
            ),
        };
        let refusal = Self::new(kind, detail);
        if kind.status() != 503 {
            return refusal;
        }
        refusal.retry_after(match error {
            E::Throttled {
                retry_after: Some(wait),
            }
            | E::Unavailable(Unreachable::CircuitOpen { retry_after: wait }) => wait,
            _ => RETRY_SOON,
        })
    }
}
