//! Counts and logs the connections that the service ends before a request reaches the application.
//! The log is throttled, so that a client cannot fill it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use prometheus::IntCounter;

use crate::metrics::{self, Metrics};

/// At most one log line a reason in this time.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

named_enum! {
    /// Why a connection was ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(usize)]
    pub(super) enum AbortReason {
        /// Its address has as many connections as one may have.
        TooMany = "too-many",
        /// A request's head is longer than any browser's, or has more headers.
        HeadTooLarge = "head-too-large",
        /// A request's head was not complete in time.
        HeadTimeout = "head-timeout",
        /// The request is not HTTP.
        Malformed = "malformed",
        /// The client does not read its answer.
        WriteTimeout = "write-timeout",
        /// All connections together keep too much memory.
        Memory = "memory",
    }
}

impl AbortReason {
    /// Whether the administrators of the service should act on it.
    const fn is_actionable(self) -> bool {
        matches!(self, Self::TooMany | Self::Memory)
    }
}

/// Counters and log throttles, by reason.
pub(in crate::app) struct AbortRecorder {
    counters: [IntCounter; AbortReason::ALL.len()],
    throttles: [LogThrottle; AbortReason::ALL.len()],
    started: Instant,
}

/// When a reason may be logged again, and how often it occurred meanwhile.
#[derive(Default)]
struct LogThrottle {
    not_before: AtomicU64,
    suppressed: AtomicU64,
}

impl AbortRecorder {
    /// Looks the counters up, which also makes them appear at 0.
    pub(in crate::app) fn new(metrics: &Metrics) -> Self {
        let family = &metrics.open_chat_connections_cut_total;
        Self {
            counters: AbortReason::ALL.map(|reason| metrics::counter(family, &[reason.name()])),
            throttles: Default::default(),
            started: Instant::now(),
        }
    }

    /// Counts a connection, and logs it unless its reason was logged lately. The peer is the client
    /// or the proxy in front.
    pub(super) fn record(&self, reason: AbortReason, peer: Option<IpAddr>) {
        self.counters[reason as usize].inc();
        let Some(connections) = self.throttles[reason as usize].due(self.started.elapsed()) else {
            return;
        };
        let peer = peer.map_or_else(
            || "unknown".to_owned(),
            |peer| peer.to_canonical().to_string(),
        );
        let reason_name = reason.name();
        if reason.is_actionable() {
            tracing::warn!(reason = reason_name, %peer, connections, "connections are cut");
        } else {
            tracing::info!(reason = reason_name, %peer, connections, "connections are cut");
        }
    }
}

impl LogThrottle {
    /// Returns how many connections a line stands for, this one included, where one is due.
    fn due(&self, now: Duration) -> Option<u64> {
        let suppressed = self.suppressed.fetch_add(1, Ordering::Relaxed) + 1;
        let (now, not_before) = (now.as_secs(), self.not_before.load(Ordering::Relaxed));
        if now < not_before {
            return None;
        }
        let next = now + LOG_INTERVAL.as_secs();
        // Of concurrent callers one writes the line.
        self.not_before
            .compare_exchange(not_before, next, Ordering::Relaxed, Ordering::Relaxed)
            .ok()?;
        self.suppressed.fetch_sub(suppressed, Ordering::Relaxed);
        Some(suppressed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_minute_counts_all_since_the_one_before() {
        let throttle = LogThrottle::default();
        let due = |seconds| throttle.due(Duration::from_secs(seconds));
        assert_eq!(due(0), Some(1));
        assert_eq!(due(0), None);
        assert_eq!(due(59), None);
        assert_eq!(due(60), Some(3));
        assert_eq!(due(119), None);
        assert_eq!(due(500), Some(2));
    }
}
