//! Where what is known of each operator is kept: in a few hundred bytes each, bounded, and found in
//! the same time however many there are.
//!
//! A click takes part in a lock that only a new operator, or one who is forgotten, takes for
//! itself, for some nanoseconds.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use chathub::OperatorId;
use foldhash::fast::RandomState;

use super::place::TokenEntry;

/// So many parts, so that two threads seldom meet in one; fewer where there is little to keep.
const PARTS: usize = 64;

/// A part for less than this is not worth its while.
const SMALLEST: usize = 256;

/// So many are compared when one has to go: enough to find one that is not worth much, few enough
/// for the lock that it takes.
const LOOKED_AT: usize = 32;

/// The places of the operators.
pub(super) struct TokenCache {
    parts: Box<[RwLock<Part>]>,
    /// How many each part holds at most.
    room: usize,
    /// The part that is swept next.
    next: AtomicUsize,
    /// Seeded anew at each start, so that nobody can aim at one part.
    hasher: RandomState,
}

type Part = HashMap<OperatorId, Arc<TokenEntry>, RandomState>;

impl TokenCache {
    /// For `most` operators.
    pub(super) fn new(most: u64) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        let parts = (most / SMALLEST).clamp(1, PARTS);
        Self {
            parts: (0..parts).map(|_| RwLock::default()).collect(),
            room: most / parts,
            next: AtomicUsize::new(0),
            hasher: RandomState::default(),
        }
    }

    /// The operator's place, a new one where there is none.
    pub(super) fn of(&self, operator: OperatorId) -> Arc<TokenEntry> {
        let part = self.part(operator);
        if let Some(place) = read(part).get(&operator) {
            return Arc::clone(place);
        }
        let mut places = write(part);
        if places.len() >= self.room && !places.contains_key(&operator) {
            make_room(&mut places);
        }
        Arc::clone(places.entry(operator).or_default())
    }

    /// Forgets this place, if it is still the operator's.
    pub(super) fn forget(&self, operator: OperatorId, place: &Arc<TokenEntry>) {
        let mut places = write(self.part(operator));
        if places
            .get(&operator)
            .is_some_and(|kept| Arc::ptr_eq(kept, place))
        {
            places.remove(&operator);
        }
    }

    /// Looks at each of them. A part is shared meanwhile with the clicks, which only read it too.
    pub(super) fn each(&self, look: impl Fn(OperatorId, &TokenEntry)) {
        for part in &self.parts {
            for (operator, place) in &*read(part) {
                look(*operator, place);
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| read(part).len()).sum()
    }

    /// Forgets, in one part after another, the operators of whom nothing is known any more.
    pub(super) fn sweep(&self) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let part = &self.parts[turn % self.parts.len()];
        let now = Instant::now();
        // Looking at all of them takes no lock for itself.
        let over: Vec<_> = read(part)
            .iter()
            .filter(|(_, place)| place.is_over(now))
            .map(|(operator, _)| *operator)
            .collect();
        let mut places = write(part);
        for operator in over {
            if places
                .get(&operator)
                .is_some_and(|place| !is_in_use(place) && place.is_over(now))
            {
                places.remove(&operator);
            }
        }
    }

    fn part(&self, operator: OperatorId) -> &RwLock<Part> {
        let hash = self.hasher.hash_one(operator);
        let parts = self.parts.len() as u64;
        // The remainder is less than the number of parts.
        &self.parts[usize::try_from(hash % parts).unwrap_or_default()]
    }
}

/// Whether some click has it in its hands, perhaps to begin a mint.
fn is_in_use(place: &Arc<TokenEntry>) -> bool {
    Arc::strong_count(place) > 1
}

/// Forgets, of a few in no particular order, whoever's knowledge ends first: one who has left
/// before one who works, a refusal before a token.
fn make_room(places: &mut Part) {
    let first = places
        .iter()
        .take(LOOKED_AT)
        .min_by_key(|(_, place)| (is_in_use(place), place.ends()))
        .map(|(operator, _)| *operator);
    if let Some(operator) = first {
        places.remove(&operator);
    }
}

fn read(part: &RwLock<Part>) -> RwLockReadGuard<'_, Part> {
    part.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(part: &RwLock<Part>) -> RwLockWriteGuard<'_, Part> {
    part.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chathub::ErrorKind;

    use super::*;
    use crate::tokens::place::Pause;

    fn refused_until(until: Instant) -> Arc<TokenEntry> {
        let place = Arc::<TokenEntry>::default();
        place.work().pause = Some(Box::new(Pause::Refused(ErrorKind::NotFound, until)));
        place
    }

    #[test]
    fn an_operator_has_one_place() {
        let places = TokenCache::new(100_000);
        assert!(Arc::ptr_eq(
            &places.of(OperatorId(1)),
            &places.of(OperatorId(1))
        ));
        let other = places.of(OperatorId(2));
        assert_eq!(places.len(), 2);
        places.forget(OperatorId(1), &other);
        assert_eq!(places.len(), 2, "not that one");
        places.forget(OperatorId(2), &other);
        assert_eq!(places.len(), 1);
    }

    #[test]
    fn there_are_never_more_than_are_wanted() {
        for most in [1, 10, 1000, 20_000] {
            let places = TokenCache::new(most);
            for operator in 0..3 * most {
                places.of(OperatorId(operator));
            }
            let kept = places.len() as u64;
            assert!(kept <= most && kept > most / 2, "{kept} of {most}");
        }
    }

    #[test]
    fn who_ends_first_goes_first() {
        let now = Instant::now();
        let places = TokenCache::new(3);
        for (operator, seconds) in [(1, 300), (2, 100), (3, 200)] {
            let place = refused_until(now + Duration::from_secs(seconds));
            write(&places.parts[0]).insert(OperatorId(operator), place);
        }
        places.of(OperatorId(4));
        let part = read(&places.parts[0]);
        assert!(!part.contains_key(&OperatorId(2)) && part.len() == 3);
    }

    #[test]
    fn who_is_being_served_stays() {
        let later = Instant::now() + Duration::from_mins(5);
        let places = TokenCache::new(2);
        let served = places.of(OperatorId(1));
        write(&places.parts[0]).insert(OperatorId(2), refused_until(later));
        places.of(OperatorId(3));
        places.sweep();
        assert!(Arc::ptr_eq(&served, &places.of(OperatorId(1))));
    }

    #[test]
    fn what_is_over_is_swept() {
        let places = TokenCache::new(1000);
        let now = Instant::now();
        for operator in 0..90 {
            let place = places.of(OperatorId(operator));
            let until = now + Duration::from_secs(60 * (operator % 2));
            place.work().pause = Some(Box::new(Pause::Refused(ErrorKind::NotFound, until)));
        }
        for _ in 0..places.parts.len() {
            places.sweep();
        }
        assert_eq!(places.len(), 45);
    }
}
