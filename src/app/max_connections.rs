//! How many connections each port may have: `MAX_CONNECTIONS`, as far as the process's file
//! descriptors allow. What one connection may do is in `connection`.
//!
//! Each connection takes one. A process without free descriptors accepts no connection, not even
//! for a health check, and reaches neither ChatHub nor Redis; so connections never get all of them.

use std::num::NonZeroUsize;

use super::server::max_workers;
use crate::config::ServerConfig;

/// Descriptors for ChatHub, Redis, traces, files and the log.
const RESERVED: usize = 96;

/// Descriptors for the event loop of each worker thread.
const RESERVED_PER_WORKER: usize = 8;

/// Connections on `OPS_LISTEN`: probes, Prometheus, a person.
const MAX_OPS: usize = 128;

/// How many connections each port may have, and what limits them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxConnections {
    /// `MAX_CONNECTIONS`.
    pub requested: NonZeroUsize,
    /// Connections on `LISTEN`.
    pub clicks: NonZeroUsize,
    /// Connections on `OPS_LISTEN`.
    pub ops: NonZeroUsize,
    /// The descriptors that the process may have; `None` where the system does not say.
    pub descriptors: Option<u64>,
}

impl MaxConnections {
    /// Raises the process's soft limit to its hard limit, which needs no privilege, and divides the
    /// descriptors.
    pub fn of(config: &ServerConfig) -> Self {
        let ports = 1 + usize::from(config.ops_listen.is_some());
        Self::within(
            config.max_connections,
            ports * max_workers(),
            raised_limit(),
        )
    }

    fn within(requested: NonZeroUsize, workers: usize, descriptors: Option<u64>) -> Self {
        let all = descriptors.map_or(usize::MAX, |all| usize::try_from(all).unwrap_or(usize::MAX));
        let ops = (all / 32).clamp(4, MAX_OPS);
        // With very few descriptors, some connections must be accepted all the same.
        let left = all.saturating_sub(RESERVED + RESERVED_PER_WORKER * workers + ops);
        let clicks = left.max(all / 4);
        let at_least_one = |count: usize| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
        Self {
            requested,
            clicks: requested.min(at_least_one(clicks)),
            ops: at_least_one(ops),
            descriptors,
        }
    }

    /// Whether clicks get all connections of `MAX_CONNECTIONS`.
    pub fn is_sufficient(&self) -> bool {
        self.clicks >= self.requested
    }

    /// Logs a warning where they do not.
    pub(super) fn warn(&self) {
        if let (false, Some(descriptors)) = (self.is_sufficient(), self.descriptors) {
            tracing::warn!(
                wanted = self.requested,
                connections = self.clicks,
                descriptors,
                "MAX_CONNECTIONS does not fit the limit on file descriptors, so there are fewer connections: raise the hard limit (LimitNOFILE, ulimits), or lower it"
            );
        }
    }
}

#[cfg(unix)]
fn raised_limit() -> Option<u64> {
    rlimit::increase_nofile_limit(u64::MAX).ok()
}

#[cfg(not(unix))]
fn raised_limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_limit(10_000, None, 10_000, 128)]
    #[case::plenty(10_000, Some(1_048_576), 10_000, 128)]
    #[case::just_enough(10_000, Some(10_240), 10_000, 128)]
    #[case::one_short(10_000, Some(10_239), 9_999, 128)]
    #[case::systemd(10_000, Some(1_024), 880, 32)]
    #[case::few_wanted(1, Some(1_024), 1, 32)]
    #[case::few_wanted_and_plenty(10, None, 10, 128)]
    #[case::few(10_000, Some(64), 16, 4)]
    #[case::hardly_any(10_000, Some(3), 1, 4)]
    #[case::infinite(1_000_000, Some(u64::MAX), 1_000_000, 128)]
    fn connections_leave_some_for_everything_else(
        #[case] wanted: usize,
        #[case] descriptors: Option<u64>,
        #[case] clicks: usize,
        #[case] ops: usize,
    ) {
        let wanted = NonZeroUsize::new(wanted).unwrap();
        let limits = MaxConnections::within(wanted, 2, descriptors);
        assert_eq!((limits.clicks.get(), limits.ops.get()), (clicks, ops));
        assert_eq!(limits.is_sufficient(), clicks == wanted.get());
    }

    /// The figures of `docs/running.md`: `OPS_LISTEN` has workers of its own.
    #[rstest]
    #[case::of_a_container(2, 1_024, 864)]
    #[case::many_cores(48, 11_000, 10_000)]
    fn connections_beside_a_port_of_health_and_metrics(
        #[case] cores: usize,
        #[case] descriptors: u64,
        #[case] clicks: usize,
    ) {
        let wanted = NonZeroUsize::new(10_000).unwrap();
        let limits = MaxConnections::within(wanted, 2 * cores, Some(descriptors));
        assert_eq!(limits.clicks.get(), clicks);
    }
}
