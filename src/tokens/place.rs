//! What is known of one operator: the token that is kept, the mint that is on its way, and why
//! ChatHub is not asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use chathub::ErrorKind;

use super::held::CachedToken;
use super::moment::Moment;
use crate::single_flight::SingleFlight;

/// How long ChatHub's "no such operator" and "not this one" are believed, and how long it must say
/// so before it takes a token away that is still good.
const REFUSAL_HOLDS: Duration = Duration::from_mins(1);

/// Between two tries to refresh a token that can still be handed out.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);

/// How a mint ends.
pub(super) type Minted = Result<Arc<CachedToken>, ErrorKind>;

/// What is known of one operator.
#[derive(Default)]
pub(super) struct TokenEntry {
    /// Read by every click, without a lock.
    held: ArcSwapOption<CachedToken>,
    work: Mutex<Work>,
}

/// What is going on for one operator.
#[derive(Default)]
pub(super) struct Work {
    pub(super) flight: Option<SingleFlight<Minted>>,
    /// In a box, because hardly anybody has one, and there may be a hundred thousand places.
    pub(super) pause: Option<Box<Pause>>,
}

/// Why ChatHub is not asked for an operator, and until when.
pub(super) enum Pause {
    /// It has said no, which is believed for a while.
    Refused(ErrorKind, Instant),
    /// A refresh has failed, and the token is still good.
    NotRefreshed {
        again: Instant,
        /// ChatHub has said no to it, first at this moment, and yes never since.
        refused: Option<(ErrorKind, Instant)>,
    },
}

/// What ChatHub may mean by an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It has nothing to do with this operator.
    None,
    /// A request that it does not want: for all that is known, it may be the operator's id.
    Perhaps,
    /// This operator gets no token.
    No,
}

impl Verdict {
    const fn of(error: &ErrorKind) -> Self {
        match error {
            ErrorKind::NotFound | ErrorKind::NotPermitted => Self::No,
            ErrorKind::InvalidRequest { .. } => Self::Perhaps,
            _ => Self::None,
        }
    }
}

impl TokenEntry {
    /// Takes the outcome in. Says whether there is anything worth keeping: a flood of operators
    /// that nobody could be asked about must not fill the memory.
    pub(super) fn complete(&self, outcome: &Minted, now: Moment) -> bool {
        let mut work = self.work();
        work.flight = None;
        let before = work.pause.take();
        match outcome {
            Ok(held) => self.held.store(Some(Arc::clone(held))),
            Err(error) if self.usable(now).is_some() => {
                self.not_refreshed(&mut work, before, error, now.monotonic);
            }
            Err(error) if Verdict::of(error) != Verdict::None => {
                self.refuse(&mut work, error.clone(), now.monotonic);
            }
            Err(_) => {}
        }
        work.pause.is_some() || self.held.load().is_some()
    }

    /// A token that is still good is not taken away by one "no", which may come from a firewall, or
    /// from a ChatHub that is being deployed: only where that goes on.
    fn not_refreshed(
        &self,
        work: &mut Work,
        before: Option<Box<Pause>>,
        error: &ErrorKind,
        now: Instant,
    ) {
        let before = match before.map(|pause| *pause) {
            Some(Pause::NotRefreshed { refused, .. }) => refused,
            _ => None,
        };
        let refused = match (Verdict::of(error), before) {
            (Verdict::No, Some((_, since))) => Some((error.clone(), since)),
            (Verdict::No, None) => Some((error.clone(), now)),
            (_, before) => before,
        };
        match refused {
            Some((error, since))
                if Verdict::of(&error) == Verdict::No && since + REFUSAL_HOLDS <= now =>
            {
                self.refuse(work, error, now);
            }
            refused => {
                let again = now + REFRESH_AGAIN;
                work.pause = Some(Box::new(Pause::NotRefreshed { again, refused }));
            }
        }
    }

    fn refuse(&self, work: &mut Work, error: ErrorKind, now: Instant) {
        self.held.store(None);
        let until = now + REFUSAL_HOLDS;
        work.pause = Some(Box::new(Pause::Refused(error, until)));
    }

    /// Whether ChatHub has refused to refresh the token before this moment, and goes on.
    pub(super) fn is_refused_since(&self, moment: Instant) -> bool {
        matches!(
            self.work().pause.as_deref(),
            Some(Pause::NotRefreshed { refused: Some((_, since)), .. }) if *since <= moment
        )
    }

    /// Believes that refusal, if there still is one, and takes the token away.
    pub(super) fn believe(&self) {
        let mut work = self.work();
        if let Some(Pause::NotRefreshed {
            refused: Some((error, _)),
            ..
        }) = work.pause.as_deref()
        {
            let error = error.clone();
            self.refuse(&mut work, error, Instant::now());
        }
    }

    /// The token, if it can be handed out at this moment.
    pub(super) fn usable(&self, now: Moment) -> Option<Arc<CachedToken>> {
        self.held
            .load_full()
            .filter(|held| !held.usable_until.is_over(now))
    }

    /// Until when anything is known of the operator, if at all. While a token is being minted, that
    /// is not near.
    pub(super) fn ends(&self) -> Option<Instant> {
        let work = self.work();
        let busy = work.in_flight().map(|_| Instant::now() + REFUSAL_HOLDS);
        let refused = work.refused_until();
        let held = self.held.load();
        let usable = held.as_ref().map(|held| held.usable_until.monotonic);
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
    pub(super) fn in_flight(&self) -> Option<&SingleFlight<Minted>> {
        self.flight.as_ref().filter(|flight| !flight.is_lost())
    }

    /// Whether a refresh has failed a moment ago.
    pub(super) fn is_refresh_too_early(&self, now: Instant) -> bool {
        matches!(
            self.pause.as_deref(),
            Some(Pause::NotRefreshed { again, .. }) if now < *again
        )
    }

    /// Why the operator is refused at this moment, if so.
    pub(super) fn refusal(&self, now: Instant) -> Option<&ErrorKind> {
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
    use chathub::{NoConnection, OperatorToken, Unreachable};
    use chrono::{TimeDelta, Utc};
    use tokio::runtime::Handle;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    const AWAY: ErrorKind =
        ErrorKind::Unavailable(Unreachable::NoConnection(NoConnection::Refused));

    fn now() -> Moment {
        Moment {
            monotonic: Instant::now(),
            wall: Utc::now(),
            chathub: Utc::now(),
        }
    }

    /// Handed out for fifty minutes.
    fn held(now: Moment) -> Arc<CachedToken> {
        let token = OperatorToken {
            secret: "token".into(),
            expires_at: now.chathub + TimeDelta::minutes(55),
        };
        Arc::new(CachedToken::new(token, Duration::from_mins(5), now))
    }

    fn refused_until(until: Instant) -> TokenEntry {
        let place = TokenEntry::default();
        place.work().pause = Some(Box::new(Pause::Refused(ErrorKind::NotFound, until)));
        place
    }

    #[test]
    fn a_token_is_handed_out_until_its_time() {
        let (place, now) = (TokenEntry::default(), now());
        assert!(place.complete(&Ok(held(now)), now));
        let minutes = |minutes| now.after(Duration::from_mins(minutes));
        assert!(place.usable(minutes(49)).is_some());
        assert!(place.usable(minutes(50)).is_none());
        assert_eq!(place.ends(), Some(minutes(50).monotonic));
    }

    #[test]
    fn a_refusal_is_believed_for_a_minute() {
        for refused in [
            ErrorKind::NotFound,
            ErrorKind::NotPermitted,
            ErrorKind::InvalidRequest { status: 400 },
        ] {
            let (place, now) = (TokenEntry::default(), now());
            assert!(place.complete(&Err(refused.clone()), now));
            assert!(place.usable(now).is_none());
            let work = place.work();
            assert_eq!(work.refusal(now.monotonic + 59 * SECOND), Some(&refused));
            assert_eq!(work.refusal(now.monotonic + 60 * SECOND), None);
        }
        let until = Instant::now();
        let place = refused_until(until);
        assert_eq!(place.work().refusal(until), None, "a minute has an end");
    }

    /// Outcomes of refreshes, each so many seconds after the token was made: how many seconds after
    /// that it is gone, if at all.
    fn gone_after(outcomes: &[(u64, Minted)]) -> Option<u64> {
        let (place, start) = (TokenEntry::default(), now());
        place.complete(&Ok(held(start)), start);
        outcomes.iter().find_map(|(seconds, outcome)| {
            let now = start.after(Duration::from_secs(*seconds));
            place.complete(outcome, now);
            let work = place.work();
            match place.usable(now) {
                Some(_) => assert_eq!(work.refusal(now.monotonic), None),
                None => assert!(work.refusal(now.monotonic).is_some()),
            }
            drop(work);
            place.usable(now).is_none().then_some(*seconds)
        })
    }

    #[test]
    fn a_token_that_is_good_outlives_refusals_for_a_minute() {
        let no = || Err(ErrorKind::NotPermitted);
        let other_no = || Err(ErrorKind::NotFound);
        let away = || Err(AWAY);
        let not_wanted = || Err(ErrorKind::InvalidRequest { status: 400 });
        let yes = || Ok(held(now()));
        assert_eq!(gone_after(&[(300, no()), (310, no()), (359, no())]), None);
        let lasting = [(300, no()), (330, other_no()), (360, no())];
        assert_eq!(gone_after(&lasting), Some(360));
        let with_gaps = [(300, no()), (330, away()), (361, no())];
        assert_eq!(gone_after(&with_gaps), Some(361));
        let interrupted = [(300, no()), (330, yes()), (361, no()), (400, no())];
        assert_eq!(gone_after(&interrupted), None);
        // What is not wanted is nothing about the operator, however long it lasts.
        let never: Vec<_> = (0..60).map(|n| (300 + 10 * n, not_wanted())).collect();
        assert_eq!(gone_after(&never), None);
        let never: Vec<_> = (0..60).map(|n| (300 + 10 * n, away())).collect();
        assert_eq!(gone_after(&never), None);
    }

    #[test]
    fn a_refusal_is_believed_at_once_where_the_directory_agrees() {
        let (place, start) = (TokenEntry::default(), now());
        place.complete(&Ok(held(start)), start);
        place.believe();
        assert!(place.usable(start).is_some(), "nothing was refused");
        place.complete(&Err(AWAY), start);
        assert!(!place.is_refused_since(start.monotonic));
        place.complete(&Err(ErrorKind::NotFound), start);
        assert!(!place.is_refused_since(start.monotonic.checked_sub(SECOND).unwrap()));
        assert!(place.is_refused_since(start.monotonic));
        place.believe();
        assert!(place.usable(start).is_none());
        assert_eq!(
            place.work().refusal(start.monotonic),
            Some(&ErrorKind::NotFound)
        );
    }

    /// It has ended by the other clock, so there is nothing to be kept, and the next click asks.
    #[test]
    fn a_token_that_has_ended_does_not_make_a_refusal_a_failed_refresh() {
        let (place, start) = (TokenEntry::default(), now());
        place.complete(&Ok(held(start)), start);
        let suspended = Moment {
            monotonic: start.monotonic + SECOND,
            wall: start.wall + TimeDelta::hours(2),
            chathub: start.chathub,
        };
        assert!(place.usable(suspended).is_none());
        place.complete(&Err(ErrorKind::NotPermitted), suspended);
        let refusal = place.work().refusal(suspended.monotonic).cloned();
        assert_eq!(refusal, Some(ErrorKind::NotPermitted));
        assert!(place.usable(start).is_none());
    }

    #[test]
    fn a_refresh_that_fails_leaves_the_token_and_is_tried_again_after_ten_seconds() {
        for failure in [
            AWAY,
            ErrorKind::NotFound,
            ErrorKind::InvalidRequest { status: 400 },
        ] {
            let (place, now) = (TokenEntry::default(), now());
            place.complete(&Ok(held(now)), now);
            assert!(!place.work().is_refresh_too_early(now.monotonic));
            assert!(place.complete(&Err(failure), now));
            assert!(place.usable(now).is_some());
            let work = place.work();
            assert_eq!(work.refusal(now.monotonic), None);
            assert!(work.is_refresh_too_early(now.monotonic + 9 * SECOND));
            assert!(!work.is_refresh_too_early(now.monotonic + 10 * SECOND));
            drop(work);
            assert!(place.complete(&Ok(held(now)), now));
            assert!(place.work().pause.is_none(), "all is well again");
        }
    }

    #[test]
    fn a_mint_that_fails_leaves_nothing() {
        let place = TokenEntry::default();
        assert!(!place.complete(&Err(AWAY), now()));
        assert_eq!(place.ends(), None);
        assert!(place.is_over(Instant::now()));
    }

    #[test]
    fn what_is_known_ends_with_the_last_of_it() {
        let now = now();
        let place = refused_until(now.monotonic + SECOND);
        assert!(!place.is_over(now.monotonic) && place.is_over(now.monotonic + SECOND));
        place.held.store(Some(held(now)));
        let end = now.monotonic + Duration::from_mins(50);
        assert_eq!(place.ends(), Some(end));
        place.work().pause = Some(Box::new(Pause::NotRefreshed {
            again: now.monotonic + Duration::from_hours(1),
            refused: None,
        }));
        assert_eq!(place.ends(), Some(end));
    }

    #[tokio::test]
    async fn who_is_being_asked_for_is_not_over_until_that_is_lost() {
        let (place, now) = (TokenEntry::default(), now());
        let flight = SingleFlight::start(&Handle::current(), std::future::pending());
        place.work().flight = Some(flight);
        assert!(place.work().in_flight().is_some());
        assert!(place.ends() >= Some(now.monotonic + REFUSAL_HOLDS));
        place.complete(&Ok(held(now)), now);
        assert!(place.work().in_flight().is_none(), "it has landed");

        let mut lost =
            SingleFlight::<Minted>::start(&Handle::current(), async { panic!("on purpose") });
        assert!(lost.wait().await.is_none());
        let place = TokenEntry::default();
        place.work().flight = Some(lost);
        assert!(place.work().in_flight().is_none());
        assert!(place.is_over(now.monotonic));
    }
}
