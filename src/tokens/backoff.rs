//! Why and for how long ChatHub is not asked for an operator's token after a failed mint.

use std::time::{Duration, Instant};

use chathub::ErrorKind;

/// How long a refusal of an operator (not found, not permitted) is believed, and how long ChatHub
/// must go on refusing before a token that is still good is taken away.
pub(super) const REFUSAL_TTL: Duration = Duration::from_mins(1);

/// Between two attempts to refresh a token that is still good.
const REFRESH_RETRY: Duration = Duration::from_secs(10);

/// Why ChatHub is not asked for an operator, and until when.
pub(super) enum Backoff {
    /// It refused the operator, which is believed for a while.
    Refused { error: ErrorKind, until: Instant },
    /// A refresh failed, and the token is still good.
    RefreshFailed {
        retry_at: Instant,
        /// The latest refusal of the operator, and when refusals began; gone after a success.
        refused: Option<(ErrorKind, Instant)>,
    },
}

/// Whether an error says that this operator gets no token.
const fn is_refusal(error: &ErrorKind) -> bool {
    matches!(error, ErrorKind::NotFound | ErrorKind::NotPermitted)
}

impl Backoff {
    /// Believes a refusal, from now on.
    pub(super) fn refused(error: ErrorKind, now: Instant) -> Self {
        let until = now + REFUSAL_TTL;
        Self::Refused { error, until }
    }

    /// After a mint for an operator without a good token failed. `None`: the next click asks again.
    pub(super) fn after_failed_mint(error: &ErrorKind, now: Instant) -> Option<Self> {
        // An invalid request may be so because of the operator's id.
        let is_about_operator =
            is_refusal(error) || matches!(error, ErrorKind::InvalidRequest { .. });
        is_about_operator.then(|| Self::refused(error.clone(), now))
    }

    /// After a refresh failed. One refusal does not take a good token away, because it may come
    /// from a firewall, or from a ChatHub that is being deployed: only where refusals go on.
    pub(super) fn after_failed_refresh(
        error: &ErrorKind,
        before: Option<Box<Self>>,
        now: Instant,
    ) -> Self {
        let before = match before.map(|backoff| *backoff) {
            Some(Self::RefreshFailed { refused, .. }) => refused,
            _ => None,
        };
        let refused = if is_refusal(error) {
            let since = before.map_or(now, |(_, since)| since);
            Some((error.clone(), since))
        } else {
            before
        };
        match refused {
            Some((error, since)) if since + REFUSAL_TTL <= now => Self::refused(error, now),
            refused => Self::RefreshFailed {
                retry_at: now + REFRESH_RETRY,
                refused,
            },
        }
    }

    /// The error that refuses the operator at this moment, if any.
    pub(super) fn refusal(&self, now: Instant) -> Option<&ErrorKind> {
        match self {
            Self::Refused { error, until } if now < *until => Some(error),
            _ => None,
        }
    }

    /// When the refusal ends, if it is one.
    pub(super) const fn refused_until(&self) -> Option<Instant> {
        match self {
            Self::Refused { until, .. } => Some(*until),
            Self::RefreshFailed { .. } => None,
        }
    }

    /// Whether it is too early to try another refresh.
    pub(super) fn delays_refresh(&self, now: Instant) -> bool {
        matches!(self, Self::RefreshFailed { retry_at, .. } if now < *retry_at)
    }

    /// The refusal of a refresh, and when it began, where the token is still good.
    pub(super) const fn refused_refresh(&self) -> Option<&(ErrorKind, Instant)> {
        match self {
            Self::RefreshFailed { refused, .. } => refused.as_ref(),
            Self::Refused { .. } => None,
        }
    }
}
