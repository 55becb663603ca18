//! Which errors of ChatHub are news: a ChatHub that is away for hours should not fill a log.

use std::time::{Duration, Instant};

use chathub::{ErrorKind, Unreachable};

/// An error that goes on is news again after this time.
const REMIND_AFTER: Duration = Duration::from_mins(10);

/// The errors that one caller has met in a row, and when each was news.
#[derive(Debug, Default)]
pub struct Repeats {
    told: Vec<(ErrorKind, Instant)>,
    has_told: bool,
}

impl Repeats {
    /// Whether the error is worth a line in the log: it has not been one lately, and is not merely
    /// what those before it have led to, as an open circuit is.
    pub fn is_news(&mut self, error: &ErrorKind, now: Instant) -> bool {
        self.told
            .retain(|(_, at)| now.saturating_duration_since(*at) < REMIND_AFTER);
        let is_known = self.told.iter().any(|(known, _)| is_same(known, error));
        if is_known || (is_consequence(error) && self.has_told) {
            return false;
        }
        self.told.push((error.clone(), now));
        self.has_told = true;
        true
    }
}

/// Whether an error before it has led to this one, rather than a trouble of its own.
const fn is_consequence(error: &ErrorKind) -> bool {
    matches!(
        error,
        ErrorKind::Unavailable(Unreachable::CircuitOpen { .. })
    )
}

/// The time until the next try is no difference.
fn is_same(one: &ErrorKind, other: &ErrorKind) -> bool {
    one == other
        || (is_consequence(one) && is_consequence(other))
        || matches!(
            (one, other),
            (ErrorKind::Throttled { .. }, ErrorKind::Throttled { .. })
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use chathub::NoConnection;

    const REFUSED: ErrorKind =
        ErrorKind::Unavailable(Unreachable::NoConnection(NoConnection::Refused));

    const fn open(seconds: u64) -> ErrorKind {
        let retry_after = Duration::from_secs(seconds);
        ErrorKind::Unavailable(Unreachable::CircuitOpen { retry_after })
    }

    /// An hour without ChatHub: probes fail in two ways, and between them the circuit is open.
    #[test]
    fn an_hour_of_trouble_is_a_few_lines() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let mut lines = 0;
        for second in 0..3600 {
            let now = start + Duration::from_secs(second);
            let error = match second % 11 {
                0 if second % 2 == 0 => REFUSED,
                0 => ErrorKind::TimedOut,
                rest => open(11 - rest),
            };
            lines += u32::from(repeats.is_news(&error, now));
        }
        assert_eq!(lines, 12, "two errors, six times");
    }

    #[test]
    fn another_error_is_news_at_once() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        for (error, is_news) in [
            (REFUSED, true),
            (open(9), false),
            (REFUSED, false),
            (ErrorKind::CredentialsRejected, true),
            (REFUSED, false),
        ] {
            assert_eq!(repeats.is_news(&error, now), is_news, "{error}");
        }
    }

    #[test]
    fn an_open_circuit_is_news_where_nothing_was_told_before() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        assert!(repeats.is_news(&open(9), now));
        assert!(!repeats.is_news(&open(8), now));
        assert!(repeats.is_news(&REFUSED, now));
    }
}
