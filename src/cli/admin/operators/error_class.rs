//! What an error says of whether ChatHub has done what it was asked.

use crate::chathub::{Error, Unreachable};

/// Whether the error of a call that is never repeated, as `synchronize` is not, says that nothing
/// was done.
pub(super) const fn is_not_applied(error: &Error) -> bool {
    is_not_applied_after_retry(error)
        || matches!(
            error,
            Error::Throttled { .. }
                | Error::Unavailable(Unreachable::NoConnection(_) | Unreachable::TokenRefused)
        )
}

/// The same for a call that is repeated once. The error is that of the second attempt, and to be
/// told to wait then, or to find nobody there, says nothing of the first. A refusal does: the first
/// would have met it too.
pub(super) const fn is_not_applied_after_retry(error: &Error) -> bool {
    is_permanent(error)
        || matches!(
            error,
            Error::Overloaded | Error::Unavailable(Unreachable::CircuitOpen { .. })
        )
}

/// Whether the same again would fail in the same way.
pub(super) const fn is_permanent(error: &Error) -> bool {
    matches!(
        error,
        Error::CredentialsRejected
            | Error::NotPermitted
            | Error::NotFound
            | Error::InvalidRequest { .. }
    )
}
