//! How a reading of the directory went, and how the log tells it: once for each change, in numbers
//! and without names.

use std::time::{Duration, Instant};

use chathub::ErrorKind;

use super::reading::Troubles;
use crate::repeats::Repeats;

/// How a reading went.
#[derive(Debug)]
pub(super) enum State {
    /// Everything was read.
    Whole,
    /// Everything was read, and there are no operators.
    Empty,
    /// A part of it could not be read, or not be believed.
    Partial(Troubles),
    /// Nothing was read, for the first time yet or again; without an error, because it is empty.
    Unread {
        error: Option<ErrorKind>,
        is_first: bool,
    },
}

/// Why there is no reading.
pub(super) enum Unread {
    Failed(ErrorKind),
    /// ChatHub lists no organizations, and did before.
    Empty,
}

impl State {
    /// Whether everything that is in force was read now.
    pub(super) const fn is_whole(&self) -> bool {
        match self {
            Self::Whole | Self::Empty => true,
            Self::Partial(troubles) => troubles.is_whole(),
            Self::Unread { .. } => false,
        }
    }

    /// Whether there may be more that has never been read.
    pub(super) const fn lacks_something(&self) -> bool {
        match self {
            Self::Whole | Self::Unread { .. } => false,
            Self::Empty => true,
            Self::Partial(troubles) => troubles.closed > 0,
        }
    }

    /// How long ChatHub is not asked at all, where that is why nothing was read.
    pub(super) fn rest(&self) -> Option<Duration> {
        match self {
            Self::Unread { error, .. } => error.as_ref()?.retry_after(),
            _ => None,
        }
    }

    /// Whether the log has not heard of it lately.
    pub(super) fn is_news(&self, repeats: &mut Repeats) -> bool {
        if let Self::Unread {
            error: Some(error), ..
        } = self
        {
            return repeats.is_news(error, Instant::now());
        }
        *repeats = Repeats::default();
        true
    }

    /// Logs what has changed since the last reading.
    pub(super) fn tell(&self, last: &Self) {
        match self {
            _ if self.is_told_by(last) => {}
            Self::Whole => tracing::info!("ChatHub's directory can be read again"),
            Self::Empty => {
                tracing::warn!("ChatHub lists no operators, so nobody is known by name");
            }
            Self::Partial(troubles) => tracing::warn!(
                failed_lists = troubles.failed,
                emptied_lists = troubles.emptied,
                forbidden_lists = troubles.closed,
                unreadable_records = troubles.unreadable,
                missing_operators = troubles.doubted,
                "parts of ChatHub's directory cannot be read, or cannot be right: of what is known the last reading stays in force"
            ),
            Self::Unread {
                error: Some(error),
                is_first: true,
            } => tracing::warn!(
                %error,
                "ChatHub's directory cannot be read, so nobody is known by name yet"
            ),
            Self::Unread {
                error: Some(error), ..
            } => tracing::warn!(
                %error,
                "ChatHub's directory cannot be read, the last reading stays in force"
            ),
            Self::Unread { error: None, .. } => tracing::warn!(
                "ChatHub lists no organizations any more, the last reading stays in force"
            ),
        }
    }

    /// Whether there is nothing new in it. Of errors [`Self::is_news`] decides.
    fn is_told_by(&self, last: &Self) -> bool {
        match (self, last) {
            (Self::Whole, Self::Whole)
            | (Self::Empty, Self::Empty)
            | (Self::Unread { error: None, .. }, Self::Unread { error: None, .. }) => true,
            (Self::Partial(now), Self::Partial(last)) => now == last,
            _ => false,
        }
    }
}
