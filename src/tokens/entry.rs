//! What is known about one operator: its token, the mint in flight, and the backoff after a
//! failure.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwapOption;
use parking_lot::{Mutex, MutexGuard};

use super::backoff::{Backoff, REFUSAL_TTL};
use super::cached_token::CachedToken;
use super::moment::Moment;
use crate::single_flight::SingleFlight;
use chathub::ErrorKind;

/// The result of a mint.
pub(super) type MintResult = Result<Arc<CachedToken>, ErrorKind>;

/// What is known about one operator.
#[derive(Default)]
pub(super) struct TokenEntry {
    /// Every click reads it, without a lock.
    token: ArcSwapOption<CachedToken>,
    state: Mutex<EntryState>,
}

/// The mint in flight, and the backoff after a failure.
#[derive(Default)]
pub(super) struct EntryState {
    pub(super) mint: Option<SingleFlight<MintResult>>,
    /// Boxed, because few of 100,000 entries have one.
    pub(super) backoff: Option<Box<Backoff>>,
}

impl TokenEntry {
    /// Records how a mint ended. Returns whether there is anything to keep: a flood of operators
    /// that ChatHub cannot be asked about must not fill the memory.
    pub(super) fn complete(&self, result: &MintResult, now: Moment) -> bool {
        let mut state = self.state();
        state.mint = None;
        let before = state.backoff.take();
        let backoff = match result {
            Ok(token) => {
                self.token.store(Some(Arc::clone(token)));
                None
            }
            Err(error) if self.usable(now).is_some() => {
                Some(Backoff::after_failed_refresh(error, before, now.monotonic))
            }
            Err(error) => Backoff::after_failed_mint(error, now.monotonic),
        };
        if let Some(backoff) = backoff {
            self.back_off(&mut state, backoff);
        }
        state.backoff.is_some() || self.token.load().is_some()
    }

    /// A refusal that is believed takes the token away.
    fn back_off(&self, state: &mut EntryState, backoff: Backoff) {
        if matches!(backoff, Backoff::Refused { .. }) {
            self.token.store(None);
        }
        state.backoff = Some(Box::new(backoff));
    }

    /// Believes at once that ChatHub refuses to refresh the token, if it has done so since before
    /// `moment`: takes the token away.
    pub(super) fn believe_refusal_before(
        &self,
        moment: Instant,
        is_confirmed: impl FnOnce() -> bool,
    ) {
        let mut state = self.state();
        let refused = state.backoff.as_deref().and_then(Backoff::refused_refresh);
        if let Some((error, since)) = refused
            && *since <= moment
            && is_confirmed()
        {
            let refused = Backoff::refused(error.clone(), Instant::now());
            self.back_off(&mut state, refused);
        }
    }

    /// The token, if it can be handed out at this moment.
    pub(super) fn usable(&self, now: Moment) -> Option<Arc<CachedToken>> {
        self.token
            .load_full()
            .filter(|token| !token.usable_until.has_passed(now))
    }

    /// Whether nothing is known about the operator any more.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires().is_none_or(|end| end <= now)
    }

    /// Until when something is known about the operator, if anything is. With a mint in flight that
    /// is not soon.
    fn expires(&self) -> Option<Instant> {
        let state = self.state();
        let minting = state.in_flight().map(|_| Instant::now() + REFUSAL_TTL);
        let refused = state.backoff.as_deref().and_then(Backoff::refused_until);
        let token = self.token.load();
        let usable = token.as_ref().map(|token| token.usable_until.monotonic);
        minting.max(refused).max(usable)
    }

    /// Locks the state, to read or to change it.
    pub(super) fn state(&self) -> MutexGuard<'_, EntryState> {
        self.state.lock()
    }
}

impl EntryState {
    /// The mint in flight. One that is lost would never end, so it does not count.
    pub(super) fn in_flight(&self) -> Option<&SingleFlight<MintResult>> {
        self.mint.as_ref().filter(|mint| !mint.is_lost())
    }

    /// Whether a token that is still good may be refreshed at this moment.
    pub(super) fn may_refresh(&self, now: Instant) -> bool {
        let backs_off = |backoff: &Backoff| backoff.delays_refresh(now);
        self.in_flight().is_none() && !self.backoff.as_deref().is_some_and(backs_off)
    }

    /// Why ChatHub refuses the operator at this moment, if it does.
    pub(super) fn refusal(&self, now: Instant) -> Option<&ErrorKind> {
        self.backoff.as_deref()?.refusal(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{TimeDelta, Utc};
    use tokio::runtime::Handle;

    use super::*;
    use chathub::{NoConnection, OperatorToken, Unreachable};

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
    fn token(now: Moment) -> Arc<CachedToken> {
        let token = OperatorToken {
            secret: "token".into(),
            expires_at: now.chathub + TimeDelta::minutes(55),
        };
        Arc::new(CachedToken::new(token, Duration::from_mins(5), now))
    }

    fn refused_until(until: Instant) -> TokenEntry {
        let entry = TokenEntry::default();
        let error = ErrorKind::NotFound;
        entry.state().backoff = Some(Box::new(Backoff::Refused { error, until }));
        entry
    }

    #[test]
    fn a_token_is_handed_out_until_its_time() {
        let (entry, now) = (TokenEntry::default(), now());
        assert!(entry.complete(&Ok(token(now)), now));
        let minutes = |minutes| now.after(Duration::from_mins(minutes));
        assert!(entry.usable(minutes(49)).is_some());
        assert!(entry.usable(minutes(50)).is_none());
        assert_eq!(entry.expires(), Some(minutes(50).monotonic));
    }

    #[test]
    fn a_refusal_is_believed_for_a_minute() {
        for refused in [
            ErrorKind::NotFound,
            ErrorKind::NotPermitted,
            ErrorKind::InvalidRequest { status: 400 },
        ] {
            let (entry, now) = (TokenEntry::default(), now());
            assert!(entry.complete(&Err(refused.clone()), now));
            assert!(entry.usable(now).is_none());
            let state = entry.state();
            assert_eq!(state.refusal(now.monotonic + 59 * SECOND), Some(&refused));
            assert_eq!(state.refusal(now.monotonic + 60 * SECOND), None);
        }
        let until = Instant::now();
        let entry = refused_until(until);
        assert_eq!(
            entry.state().refusal(until),
            None,
            "the end is not included"
        );
    }

    /// Takes results of refreshes, each with the seconds since the token was minted. Returns after
    /// how many seconds the token is gone, if it ever is.
    fn gone_after(outcomes: &[(u64, MintResult)]) -> Option<u64> {
        let (entry, start) = (TokenEntry::default(), now());
        entry.complete(&Ok(token(start)), start);
        outcomes.iter().find_map(|(seconds, outcome)| {
            let now = start.after(Duration::from_secs(*seconds));
            entry.complete(outcome, now);
            let state = entry.state();
            match entry.usable(now) {
                Some(_) => assert_eq!(state.refusal(now.monotonic), None),
                None => assert!(state.refusal(now.monotonic).is_some()),
            }
            drop(state);
            entry.usable(now).is_none().then_some(*seconds)
        })
    }

    #[test]
    fn a_good_token_outlives_refusals_for_a_minute() {
        let no = || Err(ErrorKind::NotPermitted);
        let other_no = || Err(ErrorKind::NotFound);
        let away = || Err(AWAY);
        let invalid = || Err(ErrorKind::InvalidRequest { status: 400 });
        let yes = || Ok(token(now()));
        assert_eq!(gone_after(&[(300, no()), (310, no()), (359, no())]), None);
        let lasting = [(300, no()), (330, other_no()), (360, no())];
        assert_eq!(gone_after(&lasting), Some(360));
        let with_gaps = [(300, no()), (330, away()), (361, no())];
        assert_eq!(gone_after(&with_gaps), Some(361));
        let interrupted = [(300, no()), (330, yes()), (361, no()), (400, no())];
        assert_eq!(gone_after(&interrupted), None);
        // An invalid request says nothing about the operator, however long it lasts.
        let never: Vec<_> = (0..60).map(|n| (300 + 10 * n, invalid())).collect();
        assert_eq!(gone_after(&never), None);
        let never: Vec<_> = (0..60).map(|n| (300 + 10 * n, away())).collect();
        assert_eq!(gone_after(&never), None);
    }

    #[test]
    fn a_refusal_is_believed_at_once_if_the_directory_agrees() {
        let (entry, start) = (TokenEntry::default(), now());
        entry.complete(&Ok(token(start)), start);
        let believe_before = |moment| entry.believe_refusal_before(moment, || true);
        let moment = start.monotonic;
        believe_before(moment);
        entry.complete(&Err(AWAY), start);
        believe_before(moment);
        assert!(entry.usable(start).is_some(), "nothing was refused");
        entry.complete(&Err(ErrorKind::NotFound), start);
        believe_before(moment.checked_sub(SECOND).unwrap());
        entry.believe_refusal_before(moment, || false);
        assert!(entry.usable(start).is_some());
        believe_before(moment);
        assert!(entry.usable(start).is_none());
        assert_eq!(
            entry.state().refusal(start.monotonic),
            Some(&ErrorKind::NotFound)
        );
    }

    /// The token has expired by another clock, so there is none to keep.
    #[test]
    fn after_a_suspension_a_refusal_is_no_failed_refresh() {
        let (entry, start) = (TokenEntry::default(), now());
        entry.complete(&Ok(token(start)), start);
        let suspended = Moment {
            monotonic: start.monotonic + SECOND,
            wall: start.wall + TimeDelta::hours(2),
            chathub: start.chathub,
        };
        assert!(entry.usable(suspended).is_none());
        entry.complete(&Err(ErrorKind::NotPermitted), suspended);
        let refusal = entry.state().refusal(suspended.monotonic).cloned();
        assert_eq!(refusal, Some(ErrorKind::NotPermitted));
        assert!(entry.usable(start).is_none());
    }

    #[test]
    fn a_failed_refresh_keeps_the_token_and_is_retried_after_ten_seconds() {
        for failure in [
            AWAY,
            ErrorKind::NotFound,
            ErrorKind::InvalidRequest { status: 400 },
        ] {
            let (entry, now) = (TokenEntry::default(), now());
            entry.complete(&Ok(token(now)), now);
            assert!(entry.state().may_refresh(now.monotonic));
            assert!(entry.complete(&Err(failure), now));
            assert!(entry.usable(now).is_some());
            let state = entry.state();
            assert_eq!(state.refusal(now.monotonic), None);
            assert!(!state.may_refresh(now.monotonic + 9 * SECOND));
            assert!(state.may_refresh(now.monotonic + 10 * SECOND));
            drop(state);
            assert!(entry.complete(&Ok(token(now)), now));
            assert!(entry.state().backoff.is_none(), "all is well again");
        }
    }

    #[test]
    fn a_failed_mint_leaves_nothing() {
        let entry = TokenEntry::default();
        assert!(!entry.complete(&Err(AWAY), now()));
        assert_eq!(entry.expires(), None);
        assert!(entry.is_expired(Instant::now()));
    }

    #[test]
    fn an_entry_expires_with_the_last_of_its_parts() {
        let now = now();
        let entry = refused_until(now.monotonic + SECOND);
        assert!(!entry.is_expired(now.monotonic) && entry.is_expired(now.monotonic + SECOND));
        entry.token.store(Some(token(now)));
        let end = now.monotonic + Duration::from_mins(50);
        assert_eq!(entry.expires(), Some(end));
        entry.state().backoff = Some(Box::new(Backoff::RefreshFailed {
            retry_at: now.monotonic + Duration::from_hours(1),
            refused: None,
        }));
        assert_eq!(entry.expires(), Some(end));
    }

    #[tokio::test]
    async fn an_entry_with_a_mint_in_flight_does_not_expire_unless_it_is_lost() {
        let (entry, now) = (TokenEntry::default(), now());
        let mint = SingleFlight::start(&Handle::current(), std::future::pending());
        entry.state().mint = Some(mint);
        assert!(entry.state().in_flight().is_some());
        assert!(entry.expires() >= Some(now.monotonic + REFUSAL_TTL));
        entry.complete(&Ok(token(now)), now);
        assert!(entry.state().in_flight().is_none(), "it has completed");

        let mut lost =
            SingleFlight::<MintResult>::start(&Handle::current(), async { panic!("on purpose") });
        assert!(lost.wait().await.is_none());
        let entry = TokenEntry::default();
        entry.state().mint = Some(lost);
        assert!(entry.state().in_flight().is_none());
        assert!(entry.is_expired(now.monotonic));
    }
}
