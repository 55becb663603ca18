//! What is known of one operator: the token that is kept, the mint that is on its way, and why ChatHub is not asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::held::Held;
use crate::chathub::Error;
use crate::flight::Flight;

/// How long ChatHub's "no such operator" and "not this one" are believed.
const REFUSAL_HOLDS: Duration = Duration::from_mins(1);

/// Between two tries to refresh a token that can still be handed out.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);

/// How a mint ends.
pub(super) type Minted = Result<Arc<Held>, Error>;

/// What is known of one operator.
#[derive(Default)]
pub(super) struct Place {
    /// Read by every click, without a lock.
    held: ArcSwapOption<Held>,
    work: Mutex<Work>,
}

/// What is going on for one operator.
#[derive(Default)]
pub(super) struct Work {
    pub(super) flight: Option<Flight<Minted>>,
    /// In a box, because hardly anybody has one, and there may be a hundred thousand places.
    pub(super) pause: Option<Box<Pause>>,
}

/// Why ChatHub is not asked for an operator, and until when.
pub(super) enum Pause {
    /// It has said no, which is believed for a while.
    Refused(Error, Instant),
    /// A refresh has failed, and the token is still good.
    NotRefreshed(Instant),
}

impl Place {
    /// Takes the outcome in. Says whether there is anything worth keeping: a flood of operators that nobody could be asked about must not
    /// fill the memory.
    pub(super) fn land(&self, outcome: &Minted) -> bool {
        let mut work = self.work();
        work.flight = None;
        work.pause = None;
        match outcome {
            Ok(held) => self.held.store(Some(Arc::clone(held))),
            Err(
                refused @ (Error::NotFound | Error::NotPermitted | Error::InvalidRequest { .. }),
            ) => {
                self.held.store(None);
                let until = Instant::now() + REFUSAL_HOLDS;
                work.pause = Some(Box::new(Pause::Refused(refused.clone(), until)));
            }
            Err(_) if self.held.load().is_some() => {
                let again = Instant::now() + REFRESH_AGAIN;
                work.pause = Some(Box::new(Pause::NotRefreshed(again)));
            }
            Err(_) => {}
        }
        work.pause.is_some() || self.held.load().is_some()
    }

    /// The token, if it can be handed out at this moment.
    pub(super) fn usable(&self, now: Instant) -> Option<Arc<Held>> {
        self.held.load_full().filter(|held| now < held.usable_until)
    }

    /// Until when anything is known of the operator, if at all. While a token is being minted, that is not near.
    pub(super) fn ends(&self) -> Option<Instant> {
        let work = self.work();
        let busy = work.in_the_air().map(|_| Instant::now() + REFUSAL_HOLDS);
        let refused = work.refused_until();
        let usable = self.held.load().as_ref().map(|held| held.usable_until);
        busy.max(refused).max(usable)
    }

    /// Whether nothing is known any more.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.ends().is_none_or(|end| end <= now)
    }

    /// What is going on, to look at or to change.
    pub(super) fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// A lost flight would never land, and nobody should wait for it.
    pub(super) fn in_the_air(&self) -> Option<&Flight<Minted>> {
        self.flight.as_ref().filter(|flight| !flight.is_lost())
    }

    /// Whether a refresh has failed a moment ago.
    pub(super) fn is_refresh_too_early(&self, now: Instant) -> bool {
        matches!(self.pause.as_deref(), Some(Pause::NotRefreshed(again)) if now < *again)
    }

    /// Why the operator is refused at this moment, if so.
    pub(super) fn refusal(&self, now: Instant) -> Option<&Error> {
        match self.pause.as_deref() {
            Some(Pause::Refused(error, until)) if now < *until => Some(error),
            _ => None,
        }
    }

    fn refused_until(&self) -> Option<Instant> {
        match self.pause.as_deref() {
            Some(Pause::Refused(_, until)) => Some(*until),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, Utc};
    use tokio::runtime::Handle;

    use super::*;
    use crate::chathub::{OperatorToken, Unreachable};
    use crate::secret::Secret;

    const SECOND: Duration = Duration::from_secs(1);

    const AWAY: Error = Error::Unavailable(Unreachable::NoConnection);

    /// Handed out for fifty minutes.
    fn held(now: Instant) -> Arc<Held> {
        let chathub_now = Utc::now();
        let token = OperatorToken {
            secret: Secret::new("token"),
            expires_at: chathub_now + TimeDelta::minutes(55),
        };
        let reuse = Duration::from_mins(5);
        Arc::new(Held::new(token, reuse, now, chathub_now))
    }

    fn refused_until(until: Instant) -> Place {
        let place = Place::default();
        place.work().pause = Some(Box::new(Pause::Refused(Error::NotFound, until)));
        place
    }

    #[test]
    fn a_token_is_handed_out_until_its_time() {
        let (place, now) = (Place::default(), Instant::now());
        assert!(place.land(&Ok(held(now))));
        let usable_until = now + Duration::from_mins(50);
        assert!(
            place
                .usable(usable_until.checked_sub(SECOND).unwrap())
                .is_some()
        );
        assert!(place.usable(usable_until).is_none());
        assert_eq!(place.ends(), Some(usable_until));
    }

    #[test]
    fn a_refusal_is_believed_for_a_minute_and_takes_the_token_away() {
        for refused in [
            Error::NotFound,
            Error::NotPermitted,
            Error::InvalidRequest { status: 400 },
        ] {
            let (place, now) = (Place::default(), Instant::now());
            place.land(&Ok(held(now)));
            assert!(place.land(&Err(refused.clone())));
            assert!(place.usable(now).is_none());
            let work = place.work();
            assert_eq!(work.refusal(now + 59 * SECOND), Some(&refused));
            let a_minute_later = Instant::now() + 60 * SECOND;
            assert_eq!(work.refusal(a_minute_later), None);
        }
        let until = Instant::now();
        let place = refused_until(until);
        assert_eq!(place.work().refusal(until), None, "a minute has an end");
    }

    #[test]
    fn a_refresh_that_fails_leaves_the_token_and_is_tried_again_after_ten_seconds() {
        let (place, now) = (Place::default(), Instant::now());
        place.land(&Ok(held(now)));
        assert!(!place.work().is_refresh_too_early(now));
        assert!(place.land(&Err(AWAY)));
        assert!(place.usable(now).is_some());
        let work = place.work();
        assert_eq!(work.refusal(now), None);
        assert!(work.is_refresh_too_early(now + 9 * SECOND));
        assert!(!work.is_refresh_too_early(Instant::now() + 10 * SECOND));
        drop(work);
        place.work().pause = Some(Box::new(Pause::NotRefreshed(now)));
        assert!(!place.work().is_refresh_too_early(now), "it has an end");
        assert!(place.land(&Ok(held(now))));
        assert!(place.work().pause.is_none(), "all is well again");
    }

    #[test]
    fn a_mint_that_fails_leaves_nothing() {
        let place = Place::default();
        assert!(!place.land(&Err(AWAY)));
        assert_eq!(place.ends(), None);
        assert!(place.is_over(Instant::now()));
    }

    #[test]
    fn what_is_known_ends_with_the_last_of_it() {
        let now = Instant::now();
        let place = refused_until(now + SECOND);
        assert!(!place.is_over(now) && place.is_over(now + SECOND));
        place.held.store(Some(held(now)));
        assert_eq!(place.ends(), Some(now + Duration::from_mins(50)));
        place.work().pause = Some(Box::new(Pause::NotRefreshed(now + Duration::from_hours(1))));
        assert_eq!(place.ends(), Some(now + Duration::from_mins(50)));
    }

    #[tokio::test]
    async fn who_is_being_asked_for_is_not_over_until_that_is_lost() {
        let (place, now) = (Place::default(), Instant::now());
        let flight = Flight::start(&Handle::current(), std::future::pending());
        place.work().flight = Some(flight);
        assert!(place.work().in_the_air().is_some());
        assert!(place.ends() >= Some(now + REFUSAL_HOLDS));
        assert!(place.ends() < Some(now + 2 * REFUSAL_HOLDS));
        place.land(&Ok(held(now)));
        assert!(place.work().in_the_air().is_none(), "it has landed");

        let mut lost = Flight::<Minted>::start(&Handle::current(), async { panic!("on purpose") });
        assert!(lost.landing().await.is_none());
        let place = Place::default();
        place.work().flight = Some(lost);
        assert!(place.work().in_the_air().is_none());
        assert!(place.is_over(now));
    }
}
