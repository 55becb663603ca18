//! How many connections the process's file descriptors allow.
//!
//! Each connection takes one. Where a process runs out of them it can accept nobody, not even those
//! who ask for its health, and reach neither ChatHub nor Redis; so connections never get all of
//! them.

use std::num::NonZeroUsize;

use super::server::most_workers;
use crate::config::ServerConfig;

/// Kept back for ChatHub, Redis, traces, files and the log.
const OWN: usize = 96;

/// Kept back for each worker thread, for what it waits with.
const OWN_OF_A_WORKER: usize = 8;

/// As many connections as [`OPS`] may need: probes, Prometheus, a person.
const OPS: usize = 128;

/// How many connections there may be, and why not more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Asked for by `MAX_CONNECTIONS`.
    pub wanted: NonZeroUsize,
    /// On `LISTEN`.
    pub clicks: NonZeroUsize,
    /// On `OPS_LISTEN`.
    pub ops: NonZeroUsize,
    /// The descriptors that the process may have; unset where the system does not say.
    pub descriptors: Option<u64>,
}

impl Room {
    /// Raises the process's soft limit to its hard one, which needs no rights, and divides what
    /// there is.
    pub fn of(config: &ServerConfig) -> Self {
        let ports = 1 + usize::from(config.ops_listen.is_some());
        Self::within(
            config.max_connections,
            ports * most_workers(),
            raised_limit(),
        )
    }

    fn within(wanted: NonZeroUsize, workers: usize, descriptors: Option<u64>) -> Self {
        let all = descriptors.map_or(usize::MAX, |all| usize::try_from(all).unwrap_or(usize::MAX));
        let ops = (all / 32).clamp(4, OPS);
        // Where there are very few, something must come in all the same.
        let left = all.saturating_sub(OWN + OWN_OF_A_WORKER * workers + ops);
        let most = left.max(all / 4);
        let at_least_one = |most: usize| NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN);
        Self {
            wanted,
            clicks: wanted.min(at_least_one(most)),
            ops: wanted.min(at_least_one(ops)),
            descriptors,
        }
    }

    /// Whether there can be as many as were asked for.
    pub fn is_enough(&self) -> bool {
        self.clicks >= self.wanted
    }

    /// Says in the log that there are fewer than were asked for.
    pub(super) fn warn(&self) {
        if let (false, Some(descriptors)) = (self.is_enough(), self.descriptors) {
            tracing::warn!(
                wanted = self.wanted,
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
    #[case::few_wanted(10, Some(1_024), 10, 10)]
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
        let room = Room::within(wanted, 2, descriptors);
        assert_eq!((room.clicks.get(), room.ops.get()), (clicks, ops));
        assert_eq!(room.is_enough(), clicks == wanted.get());
    }
}
