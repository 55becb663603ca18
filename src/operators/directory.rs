//! ChatHub's directory: who works for the company, read at the start and again and again behind the
//! scenes.
//!
//! A click that brings an id never waits for it. One that brings a name waits until it has been
//! read once; from then on, whatever ChatHub's lists say or do not say, a reading is in force. What
//! of a new one is believed, `reading` decides.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use chathub::{ChatHub, ErrorKind, ListedOperator, Listing, OrganizationId, Unreachable};
use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout, timeout_at};

use super::DirectorySnapshot;
use super::reading::{Fresh, Judge, Reading, Troubles};
use super::snapshot::{Entry, List, Lists};
use super::state::{State, Unread};
use crate::repeats::Repeats;

/// So many lists are asked for at the same time: enough for a thousand organizations, too few to be
/// in the way of a click.
const AT_ONCE: usize = 4;

/// Between two tries of a first reading that is not whole: doubling up to a bound.
const FIRST_AGAIN: Duration = Duration::from_secs(1);
const LAST_AGAIN: Duration = Duration::from_secs(8);

/// No list takes longer, whatever the client's own time limits are: nothing may hold up all further
/// readings.
const LONGEST_LIST: Duration = Duration::from_mins(5);

/// While nothing is sent to ChatHub: not sooner than this.
const SHORTEST_REST: Duration = Duration::from_millis(100);

/// How the directory is kept.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Between the end of one reading and the beginning of the next.
    pub refresh: Duration,
    /// Between two requests of a refresh, so that clicks have the other part of the rate that
    /// ChatHub allows.
    pub spacing: Duration,
}

/// The directory.
pub struct Directory {
    chathub: Arc<ChatHub>,
    settings: Settings,
    /// Read by every click, without a lock.
    snapshot: ArcSwapOption<DirectorySnapshot>,
    /// How the first reading has gone so far; for those who wait for it.
    first: watch::Sender<Option<Result<(), ErrorKind>>>,
    /// When everything was read last, on both clocks: one of them stands while the machine is
    /// suspended, the other can be set back.
    read_at: Mutex<(Instant, DateTime<Utc>)>,
}

impl Directory {
    /// Nothing is read before [`Self::keep`] is run.
    pub fn new(chathub: Arc<ChatHub>, settings: Settings) -> Self {
        Self {
            chathub,
            settings,
            snapshot: ArcSwapOption::empty(),
            first: watch::Sender::default(),
            read_at: Mutex::new((Instant::now(), Utc::now())),
        }
    }

    /// The last reading; `None` as long as there is none.
    pub fn known(&self) -> Guard<Option<Arc<DirectorySnapshot>>> {
        self.snapshot.load()
    }

    /// The last reading; the first one is waited for until `deadline`. Where that has failed so
    /// far, the error is given at once.
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

    /// How long ago everything that is in force was read; the start, where it never was.
    pub fn age(&self) -> Duration {
        let (monotonic, by_day) = *self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        let by_day = (Utc::now() - by_day).to_std().unwrap_or_default();
        monotonic.elapsed().max(by_day)
    }

    /// Reads the directory, and then again and again, for ever. What is wrong is said once, and so
    /// is that all is well again. `heard` is told of each reading in which nothing was missing or
    /// odd, and when it began: who is not in it is not the company's.
    pub async fn keep(&self, heard: impl Fn(&DirectorySnapshot, Instant)) {
        let (mut judge, mut told) = (Judge::default(), State::Whole);
        let mut again = FIRST_AGAIN;
        let mut repeats = Repeats::default();
        loop {
            let began = Instant::now();
            let is_first = self.known().is_none();
            let state = match self.read().await {
                Ok(reading) => self.take_in(reading, &mut judge),
                Err(unread) => self.leave(unread),
            };
            if let Some(snapshot) = self.snapshot.load_full() {
                if is_first {
                    tracing::info!(operators = snapshot.len(), "ChatHub's directory is read");
                }
                self.first
                    .send_if_modified(|first| first.replace(Ok(())) != Some(Ok(())));
                if state.is_whole() {
                    *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) =
                        (Instant::now(), Utc::now());
                }
                if matches!(state, State::Whole) {
                    heard(&snapshot, began);
                }
            }
            if state.is_news(&mut repeats) {
                state.tell(&told);
            }
            sleep(self.wait(&state, &mut again)).await;
            told = state;
        }
    }

    /// Until the next reading; sooner, as long as there is something that has never been read.
    fn wait(&self, state: &State, again: &mut Duration) -> Duration {
        let refresh = self.settings.refresh;
        let most = match &*self.known() {
            Some(snapshot) if snapshot.is_complete() && !state.lacks_something() => return refresh,
            Some(_) => refresh,
            None => LAST_AGAIN,
        };
        let wait = (*again).min(most);
        *again = (wait * 2).max(*again);
        // An open circuit lets lists out at a moment that is known.
        state
            .rest()
            .map_or(wait, |rest| rest.min(wait).max(SHORTEST_REST))
    }

    /// Puts in force what is believed of a reading.
    fn take_in(&self, reading: Reading, judge: &mut Judge) -> State {
        let previous = self.snapshot.load_full();
        let none = Lists::new();
        let lists = previous.as_ref().map_or(&none, |snapshot| snapshot.lists());
        let believed = judge.judge(reading, lists, Instant::now());
        let is_unchanged = previous.as_ref().is_some_and(|previous| {
            previous.is_complete() == believed.is_complete
                && is_same(previous.lists(), &believed.lists)
        });
        if !is_unchanged {
            let snapshot = DirectorySnapshot::new(believed.lists, believed.is_complete);
            self.snapshot.store(Some(Arc::new(snapshot)));
        }
        if believed.troubles != Troubles::default() {
            return State::Partial(believed.troubles);
        }
        match &*self.known() {
            Some(snapshot) if snapshot.is_empty() => State::Empty,
            _ => State::Whole,
        }
    }

    /// Nothing could be read.
    fn leave(&self, unread: Unread) -> State {
        let is_first = self.known().is_none();
        let error = match unread {
            Unread::Empty => None,
            Unread::Failed(error) => Some(error),
        };
        if is_first && let Some(error) = &error {
            self.first.send_replace(Some(Err(error.clone())));
        }
        State::Unread { error, is_first }
    }

    /// Asks for the organizations, and then for the operators of each.
    async fn read(&self) -> Result<Reading, Unread> {
        let previous = self.snapshot.load_full();
        let organizations = in_time(self.chathub.list_readable_organizations())
            .await
            .map_err(Unread::Failed)?;
        let was_empty = previous
            .as_ref()
            .is_none_or(|previous| previous.lists().is_empty());
        if organizations.records.is_empty() && !was_empty {
            return Err(Unread::Empty);
        }
        let spacing = previous
            .as_ref()
            .map_or(Duration::ZERO, |_| self.settings.spacing);
        let ids: BTreeSet<_> = organizations.records.iter().map(|one| one.id).collect();
        let mut reading = Reading {
            unreadable: organizations.unreadable,
            ..Reading::default()
        };
        let mut asked = JoinSet::new();
        for organization in ids {
            if asked.len() == AT_ONCE {
                take(&mut reading, &mut asked, previous.as_deref()).await?;
            }
            sleep(spacing).await;
            let chathub = Arc::clone(&self.chathub);
            asked.spawn(async move {
                let list = in_time(chathub.list_readable_operators(organization)).await;
                (organization, list)
            });
        }
        while !asked.is_empty() {
            take(&mut reading, &mut asked, previous.as_deref()).await?;
        }
        match nothing_read(&reading) {
            Some(error) if previous.is_none() => Err(Unread::Failed(error.clone())),
            _ => Ok(reading),
        }
    }
}

/// Waits for a list, but not for ever.
async fn in_time<T>(list: impl Future<Output = Result<T, chathub::Error>>) -> Result<T, ErrorKind> {
    let list = timeout(LONGEST_LIST, list).await;
    Ok(list.map_err(|_| ErrorKind::TimedOut)??)
}

/// Takes the next list that has come into the reading. One that has not changed is kept once.
async fn take(
    reading: &mut Reading,
    asked: &mut JoinSet<(OrganizationId, Result<Listing<ListedOperator>, ErrorKind>)>,
    previous: Option<&DirectorySnapshot>,
) -> Result<(), Unread> {
    let Some(answer) = asked.join_next().await else {
        return Ok(());
    };
    let broken = Unread::Failed(ErrorKind::Unavailable(Unreachable::Broken));
    let (organization, listing) = answer.map_err(|_| broken)?;
    let fresh = listing.map(|listing| {
        let list: List = listing.records.into_iter().map(Entry::from).collect();
        let before = previous.and_then(|previous| previous.lists().get(&organization));
        Fresh {
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

/// Why no list at all could be read, where that is ChatHub's fault.
fn nothing_read(reading: &Reading) -> Option<&ErrorKind> {
    let mut lists = reading.lists.values();
    if lists.clone().any(Result::is_ok) {
        return None;
    }
    lists.find_map(|list| match list {
        Err(ErrorKind::NotFound | ErrorKind::NotPermitted) | Ok(_) => None,
        Err(error) => Some(error),
    })
}

/// Whether these are the very same lists.
fn is_same(previous: &Lists, now: &Lists) -> bool {
    previous.len() == now.len()
        && previous
            .iter()
            .zip(now)
            .all(|(previous, now)| previous.0 == now.0 && Arc::ptr_eq(previous.1, now.1))
}
