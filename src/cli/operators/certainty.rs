//! What an error says of whether ChatHub has done what it was asked.

use chathub::{ErrorKind, Unreachable};

/// Whether the error of a call that is never repeated, as `synchronize` is not, says that nothing
/// was done.
pub(super) const fn is_certainly_not_done(error: &ErrorKind) -> bool {
    is_certainly_never_done(error)
        || matches!(
            error,
            ErrorKind::Throttled { .. }
                | ErrorKind::Unavailable(Unreachable::NoConnection(_) | Unreachable::TokenRefused)
        )
}

/// The same for a call that is repeated once. The error is that of the second attempt, and to be
/// told to wait then, or to find nobody there, says nothing of the first. A refusal does: the first
/// would have met it too.
pub(super) const fn is_certainly_never_done(error: &ErrorKind) -> bool {
    is_final(error)
        || matches!(
            error,
            ErrorKind::Overloaded | ErrorKind::Unavailable(Unreachable::CircuitOpen { .. })
        )
}

/// Whether the same again would fail in the same way.
pub(super) const fn is_final(error: &ErrorKind) -> bool {
    matches!(
        error,
        ErrorKind::CredentialsRejected
            | ErrorKind::NotPermitted
            | ErrorKind::NotFound
            | ErrorKind::InvalidRequest { .. }
    )
}
