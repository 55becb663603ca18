//! Reconciles a reading of the directory with the last one, so that an implausible answer removes
//! no operators.
//!
//! - A list that could not be read or is empty changes nothing: its last version stays.
//! - No operator is removed from a list with unreadable records.
//! - Where more than half of over ten operators are missing, of one organization or of all, they
//!   stay until the same ones are missing from three readings over ten minutes.
//! - Any other missing operator is removed.
//!
//! A restart forgets all this: the first reading is accepted as it is.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::snapshot::{Entry, List, Lists};
use chathub::{ErrorKind, OperatorId, OrganizationId};

/// This many operators may be removed at once.
const FEW: usize = 10;

/// In this many readings, over this time, the same operators must be missing to be removed.
const REMOVED_AFTER: (u32, Duration) = (3, Duration::from_mins(10));

/// The answers of ChatHub to one reading.
#[derive(Default)]
pub(super) struct Reading {
    /// Each organization's list, or the error.
    pub(super) lists: BTreeMap<OrganizationId, Result<FreshList, ErrorKind>>,
    /// The number of unreadable records of organizations.
    pub(super) unreadable: usize,
}

/// A list that has been read.
pub(super) struct FreshList {
    pub(super) list: List,
    /// The number of unreadable records in it.
    pub(super) unreadable: usize,
}

/// The lists after a reading.
pub(super) struct Reconciled {
    pub(super) lists: Lists,
    /// Whether the list of each organization is known.
    pub(super) is_complete: bool,
    pub(super) problems: Problems,
}

/// What was wrong with a reading, as counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Problems {
    /// Lists that could not be read.
    pub(super) failed: usize,
    /// Lists that have become empty.
    pub(super) emptied: usize,
    /// Organizations whose operators the company has never been permitted to list.
    pub(super) closed: usize,
    /// Unreadable records.
    pub(super) unreadable: usize,
    /// Operators that are missing and not removed yet.
    pub(super) pending: usize,
}

impl Problems {
    /// Whether everything in force was read now. An unreadable record affects itself alone, and a
    /// list that was never permitted is no loss.
    pub(super) const fn is_whole(&self) -> bool {
        self.failed == 0 && self.emptied == 0 && self.pending == 0
    }
}

/// Reconciles one reading after another.
#[derive(Default)]
pub(super) struct Reconciler {
    pending: Option<PendingRemoval>,
}

/// Operators that are missing, and since when.
struct PendingRemoval {
    missing: BTreeSet<OperatorId>,
    since: Instant,
    readings: u32,
}

/// Entries that the last reading had and the new one has not, by organization.
type Missing<'a> = BTreeMap<OrganizationId, Vec<&'a Entry>>;

impl Reconciler {
    /// Reconciles a reading with the last lists.
    pub(super) fn reconcile(
        &mut self,
        reading: Reading,
        previous: &Lists,
        now: Instant,
    ) -> Reconciled {
        let mut with_unreadable = HashSet::new();
        let mut reconciled = Reconciled {
            lists: Lists::new(),
            is_complete: true,
            problems: Problems {
                unreadable: reading.unreadable,
                ..Problems::default()
            },
        };
        for (organization, list) in reading.lists {
            if list.as_ref().is_ok_and(|fresh| fresh.unreadable > 0) {
                with_unreadable.insert(organization);
            }
            reconciled.add(organization, list, previous.get(&organization));
        }
        let mut missing = missing(&reconciled.lists, previous);
        let stays_listed = |organization: &OrganizationId| {
            with_unreadable.contains(organization)
                || (reading.unreadable > 0 && !reconciled.lists.contains_key(organization))
        };
        let mut kept: Missing<'_> = missing
            .extract_if(.., |organization, _| stays_listed(organization))
            .collect();
        let is_all_empty = reconciled.lists.values().all(|list| list.is_empty());
        if is_all_empty {
            reconciled.problems.emptied += missing.len();
            kept.append(&mut missing);
        }
        let mut pending = implausible(missing, previous);
        if self.is_confirmed(&pending, reconciled.problems.failed > 0, now) {
            pending.clear();
        }
        reconciled.problems.pending = pending.values().map(Vec::len).sum();
        kept.append(&mut pending);
        reconciled.keep(kept);
        reconciled
    }

    /// Whether these operators have been missing often and long enough. A reading with failed lists
    /// in which no operator is missing neither confirms nor refutes.
    fn is_confirmed(&mut self, pending: &Missing<'_>, lists_failed: bool, now: Instant) -> bool {
        let missing: BTreeSet<_> = pending.values().flatten().map(|entry| entry.id).collect();
        if missing.is_empty() {
            if !lists_failed {
                self.pending = None;
            }
            return false;
        }
        let removal = match self.pending.take() {
            Some(pending) if pending.missing == missing => pending,
            _ => PendingRemoval {
                missing,
                since: now,
                readings: 0,
            },
        };
        let readings = removal.readings + 1;
        let (enough, long) = REMOVED_AFTER;
        let is_confirmed = readings >= enough && now.duration_since(removal.since) >= long;
        self.pending = (!is_confirmed).then_some(PendingRemoval {
            readings,
            ..removal
        });
        is_confirmed
    }
}

impl Reconciled {
    fn add(
        &mut self,
        organization: OrganizationId,
        list: Result<FreshList, ErrorKind>,
        previous: Option<&List>,
    ) {
        let list = match (list, previous) {
            (Ok(fresh), Some(previous)) if fresh.list.is_empty() && !previous.is_empty() => {
                self.problems.emptied += 1;
                Arc::clone(previous)
            }
            (Ok(fresh), _) => {
                self.problems.unreadable += fresh.unreadable;
                fresh.list
            }
            (Err(_), Some(previous)) => {
                self.problems.failed += 1;
                Arc::clone(previous)
            }
            // Deleted since it was listed, or not permitted to the company.
            (Err(ErrorKind::NotFound | ErrorKind::NotPermitted), None) => {
                self.problems.closed += 1;
                return;
            }
            (Err(_), None) => {
                self.problems.failed += 1;
                self.is_complete = false;
                return;
            }
        };
        self.lists.insert(organization, list);
    }

    /// Restores entries of the last reading.
    fn keep(&mut self, kept: Missing<'_>) {
        for (organization, entries) in kept {
            let list = self.lists.entry(organization).or_default();
            *list = list.iter().chain(entries).cloned().collect();
        }
    }
}

/// The operators of the last lists that are in no list now.
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

/// Those missing operators that are too many to be plausible, of their organization or of all.
fn implausible<'a>(missing: Missing<'a>, previous: &Lists) -> Missing<'a> {
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

    use super::*;
    use chathub::OperatorStatus::Active;
    use chathub::Unreachable;

    const SUPPORT: OrganizationId = OrganizationId(24);
    const SALES: OrganizationId = OrganizationId(6);

    fn list(ids: Range<u64>) -> List {
        let entry = |id| Entry {
            id: OperatorId(id),
            name: Some(format!("operator {id}").into()),
            written: None,
            status: Active,
        };
        ids.map(entry).collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "a list, as a reading has it")]
    fn fresh(ids: Range<u64>) -> Result<FreshList, ErrorKind> {
        Ok(FreshList {
            list: list(ids),
            unreadable: 0,
        })
    }

    fn lists<const N: usize>(lists: [(OrganizationId, Range<u64>); N]) -> Lists {
        lists.map(|(id, ids)| (id, list(ids))).into()
    }

    fn reading<const N: usize>(
        lists: [(OrganizationId, Result<FreshList, ErrorKind>); N],
    ) -> Reading {
        Reading {
            lists: lists.into(),
            unreadable: 0,
        }
    }

    /// The number of operators in force of each organization.
    fn counts(reconciled: &Reconciled) -> Vec<(u64, usize)> {
        let count = |(id, list): (&OrganizationId, &List)| (id.0, list.len());
        reconciled.lists.iter().map(count).collect()
    }

    const FAILED: Result<FreshList, ErrorKind> =
        Err(ErrorKind::Unavailable(Unreachable::Status(500)));

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
            let reconciled = Reconciler::default().reconcile(reading, &previous, Instant::now());
            assert_eq!(counts(&reconciled), [(6, 4), (24, 5)]);
            assert!(reconciled.is_complete && !reconciled.problems.is_whole());
        }
    }

    #[test]
    fn a_list_that_was_never_read_is_missing() {
        let at_the_start = |list| {
            let reading = reading([(SUPPORT, list), (SALES, fresh(20..24))]);
            Reconciler::default().reconcile(reading, &Lists::new(), Instant::now())
        };
        let failed = at_the_start(FAILED);
        assert_eq!(counts(&failed), [(6, 4)]);
        assert!(!failed.is_complete && !failed.problems.is_whole());
        let closed = at_the_start(Err(ErrorKind::NotPermitted));
        assert!(closed.is_complete && closed.problems.is_whole());
        assert_eq!(closed.problems.closed, 1);
        let empty = at_the_start(fresh(0..0));
        assert!(empty.is_complete && empty.problems == Problems::default());
    }

    /// Readings of a list of thirty that has come down to ten.
    #[test]
    fn a_great_loss_is_accepted_after_three_readings_over_ten_minutes() {
        let (mut reconciler, start) = (Reconciler::default(), Instant::now());
        let previous = lists([(SUPPORT, 100..130), (SALES, 20..22)]);
        let mut after = |minutes: u64, reading| {
            let now = start + Duration::from_mins(minutes);
            let merged = reconciler.reconcile(reading, &previous, now);
            (counts(&merged)[1].1, merged.problems.pending)
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
        assert_eq!(after(40, broken()), (30, 0), "the list has failed");
        assert_eq!(after(41, whole()), (30, 0), "all are there again");
        assert_eq!(after(42, short()), (30, 20));
        assert_eq!(after(43, short()), (30, 20));
        assert_eq!(after(44, broken()), (30, 0));
        assert_eq!(after(52, short()), (10, 0));
    }

    #[test]
    fn a_few_operators_are_removed_at_once() {
        for (before, now, in_force) in [
            (100..110, 100..101, 1),
            (100..111, 100..105, 11),
            (100..111, 105..111, 6),
            (100..130, 100..115, 15),
            (100..130, 100..114, 30),
        ] {
            let previous = lists([(SUPPORT, before), (SALES, 20..60)]);
            let reading = reading([(SUPPORT, fresh(now)), (SALES, fresh(20..60))]);
            let reconciled = Reconciler::default().reconcile(reading, &previous, Instant::now());
            assert_eq!(counts(&reconciled)[1].1, in_force);
        }
    }

    #[test]
    fn an_organization_with_few_operators_is_removed_and_one_with_many_stays() {
        let previous = lists([(SUPPORT, 100..112), (SALES, 20..30)]);
        let without_sales = reading([(SUPPORT, fresh(100..112))]);
        let reconciled = Reconciler::default().reconcile(without_sales, &previous, Instant::now());
        assert_eq!(counts(&reconciled), [(24, 12)]);
        let without_support = reading([(SALES, fresh(20..30))]);
        let reconciled =
            Reconciler::default().reconcile(without_support, &previous, Instant::now());
        assert_eq!(counts(&reconciled), [(6, 10), (24, 12)]);
        // The last organization with operators is not removed.
        let previous = lists([(SUPPORT, 100..103)]);
        let empty = reading([(SALES, fresh(0..0))]);
        let reconciled = Reconciler::default().reconcile(empty, &previous, Instant::now());
        assert_eq!(counts(&reconciled), [(6, 0), (24, 3)]);
        assert!(!reconciled.problems.is_whole());
    }

    #[test]
    fn an_operator_who_changes_the_organization_is_not_missing() {
        let previous = lists([(SUPPORT, 100..130), (SALES, 20..22)]);
        let moved = reading([(SUPPORT, fresh(100..102)), (SALES, fresh(102..130))]);
        let reconciled = Reconciler::default().reconcile(moved, &previous, Instant::now());
        assert_eq!(counts(&reconciled), [(6, 28), (24, 2)]);
        assert_eq!(reconciled.problems, Problems::default());
    }

    #[test]
    fn no_operator_is_removed_from_a_list_with_unreadable_records() {
        let previous = lists([(SUPPORT, 100..105), (SALES, 20..22)]);
        let mut partial = reading([
            (
                SUPPORT,
                Ok(FreshList {
                    list: list(100..104),
                    unreadable: 1,
                }),
            ),
            (SALES, fresh(20..21)),
        ]);
        partial.unreadable = 0;
        let reconciled = Reconciler::default().reconcile(partial, &previous, Instant::now());
        assert_eq!(counts(&reconciled), [(6, 1), (24, 5)]);
        assert!(reconciled.problems.is_whole());
        assert_eq!(reconciled.problems.unreadable, 1);
        // Nor is an organization, where their list has unreadable records.
        let mut partial = reading([(SALES, fresh(20..22))]);
        partial.unreadable = 1;
        let reconciled = Reconciler::default().reconcile(partial, &previous, Instant::now());
        assert_eq!(counts(&reconciled), [(6, 2), (24, 5)]);
    }
}
