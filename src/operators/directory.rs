//! ChatHub's directory of the company's operators, read at the start and then refreshed in the
//! background.
//!
//! A click with an id never waits for it. A click with a name waits until it has been read once;
//! from then on a snapshot is in force, whatever ChatHub answers. How a new reading changes it is
//! decided in `reconcile`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, timeout_at};

use super::DirectorySnapshot;
use super::reconcile::{FreshList, Problems, Reading, Reconciler};
use super::snapshot::{Entry, List, Lists};
use super::state::ReadState;
use crate::repeats::Repeats;
use chathub::{self, ChatHub, ErrorKind, ListedOperator, Listing, OrganizationId, Unreachable};

/// The number of concurrent requests for lists: enough for a thousand organizations, too few to
/// delay a click.
const CONCURRENCY: usize = 4;

/// Between two attempts to complete the first reading: doubled up to a bound.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(8);

/// The timeout of a list, whatever the client's own timeouts are: nothing may block all further
/// readings.
const LIST_TIMEOUT: Duration = Duration::from_mins(5);

/// The minimum wait while the circuit is open.
const MIN_RETRY_AFTER: Duration = Duration::from_millis(100);

/// How the directory is refreshed.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryConfig {
    /// Between the end of one reading and the beginning of the next.
    pub refresh: Duration,
    /// Between two requests of a refresh, so that clicks get the rest of the rate that ChatHub
    /// permits.
    pub spacing: Duration,
}

/// The directory.
pub struct Directory {
    chathub: Arc<ChatHub>,
    config: DirectoryConfig,
    /// Read by each click, without a lock.
    snapshot: ArcSwapOption<DirectorySnapshot>,
    /// The outcome of the first reading so far, for the clicks that wait for it.
    first: watch::Sender<Option<Result<(), ErrorKind>>>,
    /// When everything was read last, on both clocks: one stands still while the machine is
    /// suspended, the other can be set back.
    read_at: Mutex<(Instant, DateTime<Utc>)>,
}

impl Directory {
    /// Nothing is read before [`Self::run`] runs.
    pub fn new(chathub: Arc<ChatHub>, config: DirectoryConfig) -> Self {
        Self {
            chathub,
            config,
            snapshot: ArcSwapOption::empty(),
            first: watch::Sender::default(),
            read_at: Mutex::new((Instant::now(), Utc::now())),
        }
    }

    /// The snapshot in force; `None` until there is one.
    pub fn current(&self) -> Guard<Option<Arc<DirectorySnapshot>>> {
        self.snapshot.load()
    }

    /// The snapshot in force; waits for the first one until `deadline`. Where the first reading has
    /// failed so far, returns the error at once.
    pub async fn snapshot(&self, deadline: Instant) -> Result<Arc<DirectorySnapshot>, ErrorKind> {
        let mut first = self.first.subscribe();
        let first = timeout_at(deadline.into(), first.wait_for(Option::is_some))
            .await
            .map_err(|_| ErrorKind::TimedOut)?;
        if let Ok(Some(Err(error))) = first.as_deref() {
            return Err(error.clone());
        }
        self.snapshot
            .load_full()
            .ok_or(ErrorKind::Unavailable(Unreachable::Broken))
    }

    /// The time since everything in force was read, or since the start.
    pub fn age(&self) -> Duration {
        let (monotonic, wall_clock) = *self.read_at.lock();
        let wall_clock = (Utc::now() - wall_clock).to_std().unwrap_or_default();
        monotonic.elapsed().max(wall_clock)
    }

    /// Reads the directory again and again; never returns. Problems are logged once, and so is
    /// recovery. `on_complete` gets each complete reading and when it began: an operator that is
    /// not in it is not the company's.
    pub async fn run(&self, on_complete: impl Fn(&DirectorySnapshot, Instant)) {
        let (mut reconciler, mut logged) = (Reconciler::default(), ReadState::Whole);
        let mut retry = FIRST_RETRY;
        let mut repeats = Repeats::default();
        loop {
            let began = Instant::now();
            let is_first = self.current().is_none();
            let state = match self.read().await {
                Ok(Some(reading)) => self.apply(reading, &mut reconciler),
                Ok(None) => ReadState::NoOrganizations,
                Err(error) => self.keep_last(error),
            };
            if let Some(snapshot) = self.snapshot.load_full() {
                if is_first {
                    tracing::info!(operators = snapshot.len(), "ChatHub's directory is read");
                }
                self.note_read(&state);
                if matches!(state, ReadState::Whole) {
                    on_complete(&snapshot, began);
                }
            }
            if state.is_news(&mut repeats) {
                state.log(&logged);
            }
            sleep(self.wait(&state, &mut retry)).await;
            logged = state;
        }
    }

    /// Wakes the clicks that wait for the first snapshot, and sets the age.
    fn note_read(&self, state: &ReadState) {
        self.first
            .send_if_modified(|first| first.replace(Ok(())) != Some(Ok(())));
        if state.is_whole() {
            *self.read_at.lock() = (Instant::now(), Utc::now());
        }
    }

    /// Until the next reading; shorter, as long as there are lists that were never read.
    fn wait(&self, state: &ReadState, retry: &mut Duration) -> Duration {
        let refresh = self.config.refresh;
        let most = match &*self.current() {
            Some(snapshot) if snapshot.is_complete() && !state.may_lack_lists() => return refresh,
            Some(_) => refresh,
            None => LAST_RETRY,
        };
        let wait = (*retry).min(most);
        *retry = (wait * 2).max(*retry);
        // An open circuit admits requests for lists at a known time.
        state
            .retry_after()
            .map_or(wait, |after| after.min(wait).max(MIN_RETRY_AFTER))
    }

    /// Reconciles a reading with the lists in force, and puts the result in force.
    fn apply(&self, reading: Reading, reconciler: &mut Reconciler) -> ReadState {
        let previous = self.snapshot.load_full();
        let none = Lists::new();
        let lists = previous.as_ref().map_or(&none, |snapshot| snapshot.lists());
        let merged = reconciler.reconcile(reading, lists, Instant::now());
        let is_unchanged = previous.as_ref().is_some_and(|previous| {
            previous.is_complete() == merged.is_complete && *previous.lists() == merged.lists
        });
        if !is_unchanged {
            let snapshot = DirectorySnapshot::new(merged.lists, merged.is_complete);
            self.snapshot.store(Some(Arc::new(snapshot)));
        }
        if merged.problems != Problems::default() {
            return ReadState::Partial(merged.problems);
        }
        match &*self.current() {
            Some(snapshot) if snapshot.is_empty() => ReadState::Empty,
            _ => ReadState::Whole,
        }
    }

    /// Leaves the last snapshot in force, because nothing was read.
    fn keep_last(&self, error: ErrorKind) -> ReadState {
        let is_first = self.current().is_none();
        if is_first {
            self.first.send_replace(Some(Err(error.clone())));
        }
        ReadState::Unread { error, is_first }
    }

    /// Lists the organizations, and then the operators of each. `None`: there are no organizations
    /// any more.
    async fn read(&self) -> Result<Option<Reading>, ErrorKind> {
        let previous = self.snapshot.load_full();
        let organizations = with_timeout(self.chathub.list_readable_organizations()).await?;
        let was_empty = previous
            .as_ref()
            .is_none_or(|previous| previous.lists().is_empty());
        if organizations.records.is_empty() && !was_empty {
            return Ok(None);
        }
        let spacing = previous
            .as_ref()
            .map_or(Duration::ZERO, |_| self.config.spacing);
        let ids: BTreeSet<_> = organizations.records.iter().map(|one| one.id).collect();
        let mut reading = Reading {
            unreadable: organizations.unreadable,
            ..Reading::default()
        };
        let mut requests = JoinSet::new();
        for organization in ids {
            if requests.len() == CONCURRENCY {
                add_next(&mut reading, &mut requests, previous.as_deref()).await?;
            }
            sleep(spacing).await;
            let chathub = Arc::clone(&self.chathub);
            requests.spawn(async move {
                let list = with_timeout(chathub.list_readable_operators(organization)).await;
                (organization, list)
            });
        }
        while !requests.is_empty() {
            add_next(&mut reading, &mut requests, previous.as_deref()).await?;
        }
        match total_failure(&reading) {
            Some(error) if previous.is_none() => Err(error.clone()),
            _ => Ok(Some(reading)),
        }
    }
}

/// Waits for a list, with a timeout.
async fn with_timeout<T>(
    list: impl Future<Output = Result<T, chathub::Error>>,
) -> Result<T, ErrorKind> {
    let list = timeout(LIST_TIMEOUT, list).await;
    Ok(list.map_err(|_| ErrorKind::TimedOut)??)
}

/// Adds the next list to the reading. A list that has not changed is shared with the last snapshot.
async fn add_next(
    reading: &mut Reading,
    requests: &mut JoinSet<(OrganizationId, Result<Listing<ListedOperator>, ErrorKind>)>,
    previous: Option<&DirectorySnapshot>,
) -> Result<(), ErrorKind> {
    let Some(answer) = requests.join_next().await else {
        return Ok(());
    };
    let broken = ErrorKind::Unavailable(Unreachable::Broken);
    let (organization, listing) = answer.map_err(|_| broken)?;
    let fresh = listing.map(|listing| {
        let list: List = listing.records.into_iter().map(Entry::from).collect();
        let before = previous.and_then(|previous| previous.lists().get(&organization));
        FreshList {
            list: before
                .filter(|before| **before == list)
                .cloned()
                .unwrap_or(list),
            unreadable: listing.unreadable,
        }
    });
    reading.lists.insert(organization, fresh);
    Ok(())
}

/// Why no list at all could be read, where ChatHub has failed.
fn total_failure(reading: &Reading) -> Option<&ErrorKind> {
    let mut lists = reading.lists.values();
    if lists.clone().any(Result::is_ok) {
        return None;
    }
    lists.find_map(|list| match list {
        Err(ErrorKind::NotFound | ErrorKind::NotPermitted) | Ok(_) => None,
        Err(error) => Some(error),
    })
}
