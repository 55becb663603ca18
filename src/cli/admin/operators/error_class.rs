//! Classifies errors by whether ChatHub can have applied the request.

use crate::chathub::{Error, Unreachable};

/// Whether the error proves that a call without a retry, such as `synchronize`, was not applied.
pub(super) const fn is_not_applied(error: &Error) -> bool {
    is_not_applied_after_retry(error)
        || matches!(
            error,
            Error::Throttled { .. }
                | Error::Unavailable(Unreachable::NoConnection(_) | Unreachable::TokenRefused)
        )
}

/// The same for a call with one retry. The error is the second attempt's: throttling or a failed
/// connection proves nothing about the first attempt, a refusal would have met that too.
pub(super) const fn is_not_applied_after_retry(error: &Error) -> bool {
    is_permanent(error)
        || matches!(
            error,
            Error::Overloaded | Error::Unavailable(Unreachable::CircuitOpen { .. })
        )
}

/// Whether a retry would fail in the same way.
pub(super) const fn is_permanent(error: &Error) -> bool {
    matches!(
        error,
        Error::CredentialsRejected
            | Error::NotPermitted
            | Error::NotFound
            | Error::InvalidRequest { .. }
    )
}
