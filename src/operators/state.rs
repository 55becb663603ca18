//! The outcome of a reading of the directory, and its log: once for each change, with counts and
//! without names.

use std::time::{Duration, Instant};

use super::reconcile::Problems;
use crate::repeats::Repeats;
use chathub::ErrorKind;

/// The outcome of a reading.
#[derive(Debug)]
pub(super) enum ReadState {
    /// Everything was read.
    Whole,
    /// Everything was read, and there is no operator.
    Empty,
    /// A part could not be read, or was not plausible.
    Partial(Problems),
    /// ChatHub lists no organizations, and has before.
    NoOrganizations,
    /// Nothing was read.
    Unread { error: ErrorKind, is_first: bool },
}

impl ReadState {
    /// Whether everything in force was read now.
    pub(super) const fn is_whole(&self) -> bool {
        match self {
            Self::Whole | Self::Empty => true,
            Self::Partial(problems) => problems.is_whole(),
            Self::NoOrganizations | Self::Unread { .. } => false,
        }
    }

    /// Whether there may be lists that have never been read.
    pub(super) const fn may_lack_lists(&self) -> bool {
        match self {
            Self::Whole | Self::NoOrganizations | Self::Unread { .. } => false,
            Self::Empty => true,
            Self::Partial(problems) => problems.closed > 0,
        }
    }

    /// How long ChatHub is not called at all, where that is why nothing was read.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unread { error, .. } => error.retry_after(),
            _ => None,
        }
    }

    /// Whether it was not logged lately.
    pub(super) fn is_news(&self, repeats: &mut Repeats) -> bool {
        if let Self::Unread { error, .. } = self {
            return repeats.is_news(error, Instant::now());
        }
        *repeats = Repeats::default();
        true
    }

    /// Logs what has changed since the last reading.
    pub(super) fn log(&self, last: &Self) {
        match self {
            _ if self.is_same(last) => {}
            Self::Whole => tracing::info!("ChatHub's directory can be read again"),
            Self::Empty => {
                tracing::warn!("ChatHub lists no operators, so nobody is known by name");
            }
            Self::Partial(problems) => tracing::warn!(
                failed_lists = problems.failed,
                emptied_lists = problems.emptied,
                forbidden_lists = problems.closed,
                unreadable_records = problems.unreadable,
                missing_operators = problems.pending,
                "parts of ChatHub's directory cannot be read, or cannot be right: of what is known the last reading stays in force"
            ),
            Self::Unread {
                error,
                is_first: true,
            } => tracing::warn!(
                %error,
                "ChatHub's directory cannot be read, so nobody is known by name yet"
            ),
            Self::Unread { error, .. } => tracing::warn!(
                %error,
                "ChatHub's directory cannot be read, the last reading stays in force"
            ),
            Self::NoOrganizations => tracing::warn!(
                "ChatHub lists no organizations any more, the last reading stays in force"
            ),
        }
    }

    /// Whether nothing has changed. For errors [`Self::is_news`] decides.
    fn is_same(&self, last: &Self) -> bool {
        match (self, last) {
            (Self::Whole, Self::Whole)
            | (Self::Empty, Self::Empty)
            | (Self::NoOrganizations, Self::NoOrganizations) => true,
            (Self::Partial(now), Self::Partial(last)) => now == last,
            _ => false,
        }
    }
}
