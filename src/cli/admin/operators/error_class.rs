//! Classifies errors by whether ChatHub can have applied the request.

use chathub::{ErrorKind, Unreachable};

/// Whether the error proves that a call without a retry, such as `synchronize`, was not applied.
pub(super) const fn is_not_applied(error: &ErrorKind) -> bool {
    is_not_applied_after_retry(error)
        || matches!(
            error,
            ErrorKind::Throttled { .. }
                | ErrorKind::Unavailable(Unreachable::NoConnection(_) | Unreachable::TokenRefused)
        )
}

/// The same for a call with one retry. The error is the second attempt's: throttling or a failed
/// connection proves nothing about the first attempt, a refusal would have met that too.
pub(super) const fn is_not_applied_after_retry(error: &ErrorKind) -> bool {
    is_permanent(error)
        || matches!(
            error,
            ErrorKind::Overloaded | ErrorKind::Unavailable(Unreachable::CircuitOpen { .. })
        )
}

/// Whether a retry would fail in the same way.
pub(super) const fn is_permanent(error: &ErrorKind) -> bool {
    matches!(
        error,
        ErrorKind::CredentialsRejected
            | ErrorKind::NotPermitted
            | ErrorKind::NotFound
            | ErrorKind::InvalidRequest { .. }
    )
}
