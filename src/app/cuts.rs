//! Connections that the service ends by itself before a request of theirs reaches the application:
//! counted, and told of without letting whoever causes them fill the log.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use prometheus::IntCounter;

use crate::metrics::{self, Metrics};

/// At most one line a reason in this time.
const ONE_LINE_IN: Duration = Duration::from_mins(1);

/// Why a connection was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Reason {
    /// Its address holds as many as one may.
    TooMany,
    /// A request's head is longer than any browser's.
    HeadTooLarge,
    /// A request's head did not come to its end in time.
    HeadTimeout,
    /// What came is no HTTP.
    Malformed,
    /// The client does not read its answer.
    WriteTimeout,
    /// All connections together make the service keep too much.
    Memory,
}

impl Reason {
    const ALL: [Self; 6] = [
        Self::TooMany,
        Self::HeadTooLarge,
        Self::HeadTimeout,
        Self::Malformed,
        Self::WriteTimeout,
        Self::Memory,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::TooMany => "too-many",
            Self::HeadTooLarge => "head-too-large",
            Self::HeadTimeout => "head-timeout",
            Self::Malformed => "malformed",
            Self::WriteTimeout => "write-timeout",
            Self::Memory => "memory",
        }
    }

    /// Whether those who run the service should do something about it.
    const fn is_for_operators(self) -> bool {
        matches!(self, Self::TooMany | Self::Memory)
    }
}

/// The counts, by reason.
pub(super) struct Cuts {
    counters: [IntCounter; Reason::ALL.len()],
    lines: [Line; Reason::ALL.len()],
    started: Instant,
}

/// When a reason may be told of again, and how often it came about meanwhile.
#[derive(Default)]
struct Line {
    not_before: AtomicU64,
    untold: AtomicU64,
}

impl Cuts {
    /// Looks the counters up, which also makes them appear at 0.
    pub(super) fn new(metrics: &Metrics) -> Self {
        let family = &metrics.open_chat_connections_cut_total;
        Self {
            counters: Reason::ALL.map(|reason| metrics::counter(family, &[reason.name()])),
            lines: Default::default(),
            started: Instant::now(),
        }
    }

    /// Counts one, and tells of it if none of its kind was told of lately. The peer is the client,
    /// or the proxy in front.
    pub(super) fn count(&self, reason: Reason, peer: Option<IpAddr>) {
        self.counters[reason as usize].inc();
        let Some(connections) = self.lines[reason as usize].due(self.started.elapsed()) else {
            return;
        };
        let peer = peer.map_or_else(
            || "unknown".to_owned(),
            |peer| peer.to_canonical().to_string(),
        );
        let reason_name = reason.name();
        if reason.is_for_operators() {
            tracing::warn!(reason = reason_name, %peer, connections, "connections are cut");
        } else {
            tracing::info!(reason = reason_name, %peer, connections, "connections are cut");
        }
    }
}

impl Line {
    /// How many a line would tell of, this one included, where it is time for one.
    fn due(&self, now: Duration) -> Option<u64> {
        let untold = self.untold.fetch_add(1, Ordering::Relaxed) + 1;
        let (now, not_before) = (now.as_secs(), self.not_before.load(Ordering::Relaxed));
        if now < not_before {
            return None;
        }
        let next = now + ONE_LINE_IN.as_secs();
        // One of those who come at the same time writes the line.
        self.not_before
            .compare_exchange(not_before, next, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        self.untold.fetch_sub(untold, Ordering::Relaxed);
        Some(untold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_minute_tells_of_all_since_the_one_before() {
        let line = Line::default();
        let due = |seconds| line.due(Duration::from_secs(seconds));
        assert_eq!(due(0), Some(1));
        assert_eq!(due(0), None);
        assert_eq!(due(59), None);
        assert_eq!(due(60), Some(3));
        assert_eq!(due(119), None);
        assert_eq!(due(500), Some(2));
    }
}
