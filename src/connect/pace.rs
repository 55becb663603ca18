//! How fast one portal of a CRM is asked. Bitrix24 takes two requests a second from one address for
//! as long as it likes, and some fifty at once (apidocs.bitrix24.com, "REST API limits").

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::CrmFault;

/// Which request a portal is asked about. Strangers must not spend what agents need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// That of an agent, as the CRM has confirmed before.
    Proven,
    /// One that the CRM is to confirm: all of these get half of what the portal takes.
    Unproven,
    /// An installation: it comes once in a while, and from addresses that are not counted.
    Installation,
}

impl Asker {
    /// The rates that count it: the first so many.
    const fn rates(self) -> usize {
        match self {
            Self::Proven => 1,
            Self::Unproven => 2,
            Self::Installation => 3,
        }
    }
}

/// How many requests a portal gets at the same time.
const IN_FLIGHT: usize = 4;

/// So much of a rate may come at once after a pause.
const BURST: Duration = Duration::from_secs(5);

/// The time between two requests: of all, of unproven ones, of installations.
const INTERVALS: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
];

/// What one portal is asked at this time, and how fast.
pub(super) struct Pace {
    /// The latest reserved slot of each rate.
    latest: Mutex<[Instant; 3]>,
    in_flight: Semaphore,
    unproven_in_flight: Semaphore,
}

/// A request may be sent as long as this lives.
pub(super) type Turn<'a> = [Option<SemaphorePermit<'a>>; 2];

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            latest: Mutex::new([before(now); 3]),
            in_flight: Semaphore::new(IN_FLIGHT),
            unproven_in_flight: Semaphore::new(IN_FLIGHT / 2),
        }
    }

    /// Waits for a turn. One that does not come before the deadline fails at once, and delays no
    /// other request.
    pub(super) async fn turn(&self, asker: Asker, deadline: Instant) -> Result<Turn<'_>, CrmFault> {
        let wait = self.reserve(asker, Instant::now(), deadline);
        tokio::time::sleep(wait.ok_or(CrmFault::Busy)?).await;
        let unproven = match asker {
            Asker::Proven => None,
            Asker::Unproven | Asker::Installation => self.unproven_in_flight.acquire().await.ok(),
        };
        Ok([unproven, self.in_flight.acquire().await.ok()])
    }

    /// Reserves a slot, and returns the time until it comes.
    fn reserve(&self, asker: Asker, now: Instant, deadline: Instant) -> Option<Duration> {
        let mut latest = self.latest.lock();
        let slot = |(latest, interval): (&Instant, Duration)| (*latest).max(before(now)) + interval;
        let slots: Vec<_> = latest
            .iter()
            .zip(INTERVALS)
            .map(slot)
            .take(asker.rates())
            .collect();
        let turn = slots.iter().max().copied().unwrap_or(now);
        if turn > deadline {
            return None;
        }
        // A rate that could be faster is not held up by one that is slower.
        latest
            .iter_mut()
            .zip(slots)
            .for_each(|(latest, slot)| *latest = slot);
        Some(turn.saturating_duration_since(now))
    }
}

/// Where a rate begins after a pause.
fn before(now: Instant) -> Instant {
    now.checked_sub(BURST).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How many of these get a turn within this time, and when the last does.
    fn turns(pace: &Pace, asker: Asker, now: Instant, within: Duration) -> (usize, Duration) {
        let mut waits = Vec::new();
        while let Some(wait) = pace.reserve(asker, now, now + within) {
            waits.push(wait);
        }
        (waits.len(), waits.last().copied().unwrap_or_default())
    }

    #[test]
    fn a_portal_is_asked_twice_a_second() {
        let start = Instant::now() + 10 * SECOND;
        let pace = Pace::new(start);
        assert_eq!(
            turns(&pace, Asker::Proven, start, Duration::ZERO),
            (10, Duration::ZERO)
        );
        assert_eq!(
            turns(&pace, Asker::Proven, start, 3 * SECOND),
            (6, 3 * SECOND)
        );
        let later = start + 60 * SECOND;
        assert_eq!(turns(&pace, Asker::Proven, later, Duration::ZERO).0, 10);
    }

    #[test]
    fn half_of_it_is_left_for_agents_whatever_strangers_do() {
        let start = Instant::now() + 10 * SECOND;
        let pace = Pace::new(start);
        assert_eq!(
            turns(&pace, Asker::Unproven, start, 5 * SECOND),
            (10, 5 * SECOND)
        );
        assert_eq!(turns(&pace, Asker::Proven, start, 5 * SECOND).0, 10);
        // Installations take a little of what strangers have.
        let pace = Pace::new(start);
        assert_eq!(
            turns(&pace, Asker::Installation, start, 5 * SECOND),
            (2, 5 * SECOND)
        );
        assert_eq!(turns(&pace, Asker::Unproven, start, 5 * SECOND).0, 8);
    }

    #[tokio::test]
    async fn four_at_a_time_and_two_of_them_unproven() {
        let pace = Pace::new(Instant::now());
        let deadline = Instant::now() + 600 * SECOND;
        let unproven = async || pace.turn(Asker::Unproven, deadline).await.ok();
        let (first, second) = (unproven().await, unproven().await);
        assert_eq!(pace.unproven_in_flight.available_permits(), 0);
        let proven = pace.turn(Asker::Proven, deadline).await.ok();
        assert_eq!(pace.in_flight.available_permits(), 1);
        drop((first, proven));
        let third = unproven().await;
        assert_eq!(pace.in_flight.available_permits(), 2);
        drop((second, third));
        assert_eq!(pace.unproven_in_flight.available_permits(), 2);
    }
}
