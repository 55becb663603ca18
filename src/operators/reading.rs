//! What of a reading is believed: each list that could be read, less what cannot be true.
//!
//! - A list that could not be read, and one that is empty, changes nothing: what it said last
//!   holds.
//! - Where a list has records that cannot be read, nobody is gone from it.
//! - Where more than half of over ten operators are gone, of one organization or of all, they stay
//!   until the same ones are missing from three readings over ten minutes.
//! - Whoever else is missing is gone.
//!
//! A restart forgets all this: the first reading is believed as it is.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chathub::{ErrorKind, OperatorId, OrganizationId};
use foldhash::fast::RandomState;

use super::snapshot::{Entry, List, Lists};

/// So many operators may be gone at once without a doubt.
const FEW: usize = 10;

/// So often, and over such a time, the same operators must be missing.
const BELIEVED_AFTER: (u32, Duration) = (3, Duration::from_mins(10));

/// What ChatHub has listed at one moment.
#[derive(Default)]
pub(super) struct Reading {
    /// Each organization's list, or why there is none.
    pub(super) lists: BTreeMap<OrganizationId, Result<Fresh, ErrorKind>>,
    /// Records of organizations that cannot be read.
    pub(super) unreadable: usize,
}

/// A list that has been read.
pub(super) struct Fresh {
    pub(super) list: List,
    /// Records in it that cannot be read.
    pub(super) unreadable: usize,
}

/// A reading, as far as it is believed.
pub(super) struct Believed {
    pub(super) lists: Lists,
    /// Whether something is known of each organization.
    pub(super) is_complete: bool,
    pub(super) troubles: Troubles,
}

/// What was wrong with a reading, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Troubles {
    /// Lists that could not be read.
    pub(super) failed: usize,
    /// Lists that are empty and were not.
    pub(super) emptied: usize,
    /// Organizations whose operators have never been the company's to list.
    pub(super) closed: usize,
    /// Records that cannot be read.
    pub(super) unreadable: usize,
    /// Operators who are missing, and not believed to be gone.
    pub(super) doubted: usize,
}

impl Troubles {
    /// Whether everything in force has been read now. An odd record costs itself alone, and what
    /// has never been open is no loss.
    pub(super) const fn is_whole(&self) -> bool {
        self.failed == 0 && self.emptied == 0 && self.doubted == 0
    }
}

/// Decides what is believed.
#[derive(Default)]
pub(super) struct Judge {
    doubt: Option<Doubt>,
}

/// Operators who are missing, and since when.
struct Doubt {
    missing: BTreeSet<OperatorId>,
    since: Instant,
    readings: u32,
}

/// Entries that the last reading had and the new one has not, by organization.
type Missing<'a> = BTreeMap<OrganizationId, Vec<&'a Entry>>;

impl Judge {
    /// Holds a reading against the last one.
    pub(super) fn judge(&mut self, reading: Reading, previous: &Lists, now: Instant) -> Believed {
        let mut with_odd_records = HashSet::new();
        let mut believed = Believed {
            lists: Lists::new(),
            is_complete: true,
            troubles: Troubles {
                unreadable: reading.unreadable,
                ..Troubles::default()
            },
        };
        for (organization, list) in reading.lists {
            if list.as_ref().is_ok_and(|fresh| fresh.unreadable > 0) {
                with_odd_records.insert(organization);
            }
            believed.take_in(organization, list, previous.get(&organization));
        }
        let mut missing = missing(&believed.lists, previous);
        let stays_listed = |organization: &OrganizationId| {
            with_odd_records.contains(organization)
                || (reading.unreadable > 0 && !believed.lists.contains_key(organization))
        };
        let mut kept: Missing<'_> = missing
            .extract_if(.., |organization, _| stays_listed(organization))
            .collect();
        let nothing_is_left = believed.lists.values().all(|list| list.is_empty());
        if nothing_is_left {
            believed.troubles.emptied += missing.len();
            kept.append(&mut missing);
        }
        let mut doubted = doubtful(missing, previous);
        if self.is_confirmed(&doubted, believed.troubles.failed > 0, now) {
            doubted.clear();
        }
        believed.troubles.doubted = doubted.values().map(Vec::len).sum();
        kept.append(&mut doubted);
        believed.keep(kept);
        believed
    }

    /// Whether these operators have been missing often and long enough. A reading in which lists
    /// have failed, and nobody is missing, says nothing either way.
    fn is_confirmed(&mut self, doubted: &Missing<'_>, lists_failed: bool, now: Instant) -> bool {
        let missing: BTreeSet<_> = doubted.values().flatten().map(|entry| entry.id).collect();
        if missing.is_empty() {
            if !lists_failed {
                self.doubt = None;
            }
            return false;
        }
        let doubt = match self.doubt.take() {
            Some(doubt) if doubt.missing == missing => doubt,
            _ => Doubt {
                missing,
                since: now,
                readings: 0,
            },
        };
        let readings = doubt.readings + 1;
        let (enough, long) = BELIEVED_AFTER;
        let is_confirmed = readings >= enough && now.duration_since(doubt.since) >= long;
        self.doubt = (!is_confirmed).then_some(Doubt { readings, ..doubt });
        is_confirmed
    }
}

impl Believed {
    fn take_in(
        &mut self,
        organization: OrganizationId,
        list: Result<Fresh, ErrorKind>,
        previous: Option<&List>,
    ) {
        let list = match (list, previous) {
            (Ok(fresh), Some(previous)) if fresh.list.is_empty() && !previous.is_empty() => {
                self.troubles.emptied += 1;
                Arc::clone(previous)
            }
            (Ok(fresh), _) => {
                self.troubles.unreadable += fresh.unreadable;
                fresh.list
            }
            (Err(_), Some(previous)) => {
                self.troubles.failed += 1;
                Arc::clone(previous)
            }
            // Gone since it was listed, or not the company's to look into.
            (Err(ErrorKind::NotFound | ErrorKind::NotPermitted), None) => {
                self.troubles.closed += 1;
                return;
            }
            (Err(_), None) => {
                self.troubles.failed += 1;
                self.is_complete = false;
                return;
            }
        };
        self.lists.insert(organization, list);
    }

    /// Puts entries of the last reading back.
    fn keep(&mut self, kept: Missing<'_>) {
        for (organization, entries) in kept {
            let list = self.lists.entry(organization).or_default();
            *list = list.iter().chain(entries).cloned().collect();
        }
    }
}

/// Who was listed last, and is listed nowhere now.
fn missing<'a>(lists: &Lists, previous: &'a Lists) -> Missing<'a> {
    let is_changed = |(organization, list): &(&OrganizationId, &List)| {
        let now = lists.get(organization);
        now.is_none_or(|now| !Arc::ptr_eq(now, list))
    };
    if !previous.iter().any(|list| is_changed(&list)) {
        return Missing::new();
    }
    let listed: HashSet<OperatorId, RandomState> = lists
        .values()
        .flat_map(|list| list.iter())
        .map(|entry| entry.id)
        .collect();
    previous
        .iter()
        .filter(is_changed)
        .map(|(organization, list)| {
            let gone = list.iter().filter(|entry| !listed.contains(&entry.id));
            (*organization, gone.collect::<Vec<_>>())
        })
        .filter(|(_, gone)| !gone.is_empty())
        .collect()
}

/// Those of the missing who are too many to be gone, of their organization or of all.
fn doubtful<'a>(missing: Missing<'a>, previous: &Lists) -> Missing<'a> {
    let too_many = |gone: usize, of: usize| of > FEW && gone * 2 > of;
    let gone = missing.values().map(Vec::len).sum();
    let all = previous.values().map(|list| list.len()).sum();
    if too_many(gone, all) {
        return missing;
    }
    missing
        .into_iter()
        .filter(|(organization, gone)| {
            let all = previous.get(organization).map_or(0, |list| list.len());
            too_many(gone.len(), all)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use chathub::OperatorStatus::Active;
    use chathub::Unreachable;

    use super::*;

    const SUPPORT: OrganizationId = OrganizationId(24);
    const SALES: OrganizationId = OrganizationId(6);

    fn list(ids: Range<u64>) -> List {
        let entry = |id| Entry {
            id: OperatorId(id),
            name: Some(format!("operator {id}").into()),
            status: Active,
        };
        ids.map(entry).collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "a list, as a reading has it")]
    fn fresh(ids: Range<u64>) -> Result<Fresh, ErrorKind> {
        Ok(Fresh {
            list: list(ids),
            unreadable: 0,
        })
    }

    fn lists<const N: usize>(lists: [(OrganizationId, Range<u64>); N]) -> Lists {
        lists.map(|(id, ids)| (id, list(ids))).into()
    }

    fn reading<const N: usize>(lists: [(OrganizationId, Result<Fresh, ErrorKind>); N]) -> Reading {
        Reading {
            lists: lists.into(),
            unreadable: 0,
        }
    }

    /// Of each organization how many are in force.
    fn counts(believed: &Believed) -> Vec<(u64, usize)> {
        let count = |(id, list): (&OrganizationId, &List)| (id.0, list.len());
        believed.lists.iter().map(count).collect()
    }

    const FAILED: Result<Fresh, ErrorKind> = Err(ErrorKind::Unavailable(Unreachable::Status(500)));

    #[test]
    fn a_list_that_is_missing_or_empty_changes_nothing() {
        let previous = lists([(SUPPORT, 100..105), (SALES, 20..22)]);
        for broken in [
            FAILED,
            Err(ErrorKind::NotPermitted),
            Err(ErrorKind::NotFound),
            fresh(0..0),
        ] {
            let reading = reading([(SUPPORT, broken), (SALES, fresh(20..24))]);
            let believed = Judge::default().judge(reading, &previous, Instant::now());
            assert_eq!(counts(&believed), [(6, 4), (24, 5)]);
            assert!(believed.is_complete && !believed.troubles.is_whole());
        }
    }

    #[test]
    fn what_has_never_been_known_is_missed() {
        let at_the_start = |list| {
            let reading = reading([(SUPPORT, list), (SALES, fresh(20..24))]);
            Judge::default().judge(reading, &Lists::new(), Instant::now())
        };
        let failed = at_the_start(FAILED);
        assert_eq!(counts(&failed), [(6, 4)]);
        assert!(!failed.is_complete && !failed.troubles.is_whole());
        let closed = at_the_start(Err(ErrorKind::NotPermitted));
        assert!(closed.is_complete && closed.troubles.is_whole());
        assert_eq!(closed.troubles.closed, 1);
        let empty = at_the_start(fresh(0..0));
        assert!(empty.is_complete && empty.troubles == Troubles::default());
    }

    /// Readings of a list of thirty that has come down to ten.
    #[test]
    fn a_great_loss_is_believed_after_three_readings_over_ten_minutes() {
        let (mut judge, start) = (Judge::default(), Instant::now());
        let previous = lists([(SUPPORT, 100..130), (SALES, 20..22)]);
        let mut after = |minutes: u64, reading| {
            let now = start + Duration::from_mins(minutes);
            let believed = judge.judge(reading, &previous, now);
            (counts(&believed)[1].1, believed.troubles.doubted)
        };
        let short = || reading([(SUPPORT, fresh(100..110)), (SALES, fresh(20..22))]);
        let other = || reading([(SUPPORT, fresh(120..130)), (SALES, fresh(20..22))]);
        let broken = || reading([(SUPPORT, FAILED), (SALES, fresh(20..22))]);
        let whole = || reading([(SUPPORT, fresh(100..130)), (SALES, fresh(20..22))]);
        assert_eq!(after(0, short()), (30, 20));
        assert_eq!(after(11, short()), (30, 20), "twice");
        assert_eq!(after(12, other()), (30, 20), "others are missing");
        assert_eq!(after(30, short()), (30, 20), "from the beginning");
        assert_eq!(after(35, short()), (30, 20));
        assert_eq!(after(39, short()), (30, 20), "three times, in nine minutes");
        assert_eq!(after(40, broken()), (30, 0), "no reading at all");
        assert_eq!(after(41, whole()), (30, 0), "all are there again");
        assert_eq!(after(42, short()), (30, 20));
        assert_eq!(after(43, short()), (30, 20));
        assert_eq!(after(44, broken()), (30, 0));
        assert_eq!(after(52, short()), (10, 0));
    }

    #[test]
    fn few_may_go_at_once() {
        for (before, now, in_force) in [
            (100..110, 100..101, 1),
            (100..111, 100..105, 11),
            (100..111, 105..111, 6),
            (100..130, 100..115, 15),
            (100..130, 100..114, 30),
        ] {
            let previous = lists([(SUPPORT, before), (SALES, 20..60)]);
            let reading = reading([(SUPPORT, fresh(now)), (SALES, fresh(20..60))]);
            let believed = Judge::default().judge(reading, &previous, Instant::now());
            assert_eq!(counts(&believed)[1].1, in_force);
        }
    }

    #[test]
    fn an_organization_goes_with_few_operators_and_stays_with_many() {
        let previous = lists([(SUPPORT, 100..112), (SALES, 20..30)]);
        let without_sales = reading([(SUPPORT, fresh(100..112))]);
        let believed = Judge::default().judge(without_sales, &previous, Instant::now());
        assert_eq!(counts(&believed), [(24, 12)]);
        let without_support = reading([(SALES, fresh(20..30))]);
        let believed = Judge::default().judge(without_support, &previous, Instant::now());
        assert_eq!(counts(&believed), [(6, 10), (24, 12)]);
        // The last one that has anybody does not go.
        let previous = lists([(SUPPORT, 100..103)]);
        let empty = reading([(SALES, fresh(0..0))]);
        let believed = Judge::default().judge(empty, &previous, Instant::now());
        assert_eq!(counts(&believed), [(6, 0), (24, 3)]);
        assert!(!believed.troubles.is_whole());
    }

    #[test]
    fn who_changes_the_organization_is_not_missing() {
        let previous = lists([(SUPPORT, 100..130), (SALES, 20..22)]);
        let moved = reading([(SUPPORT, fresh(100..102)), (SALES, fresh(102..130))]);
        let believed = Judge::default().judge(moved, &previous, Instant::now());
        assert_eq!(counts(&believed), [(6, 28), (24, 2)]);
        assert_eq!(believed.troubles, Troubles::default());
    }

    #[test]
    fn nobody_is_gone_from_a_list_with_odd_records() {
        let previous = lists([(SUPPORT, 100..105), (SALES, 20..22)]);
        let mut odd = reading([
            (
                SUPPORT,
                Ok(Fresh {
                    list: list(100..104),
                    unreadable: 1,
                }),
            ),
            (SALES, fresh(20..21)),
        ]);
        odd.unreadable = 0;
        let believed = Judge::default().judge(odd, &previous, Instant::now());
        assert_eq!(counts(&believed), [(6, 1), (24, 5)]);
        assert!(believed.troubles.is_whole());
        assert_eq!(believed.troubles.unreadable, 1);
        // Nor are the organizations of a list that has some.
        let mut odd = reading([(SALES, fresh(20..22))]);
        odd.unreadable = 1;
        let believed = Judge::default().judge(odd, &previous, Instant::now());
        assert_eq!(counts(&believed), [(6, 2), (24, 5)]);
    }
}
