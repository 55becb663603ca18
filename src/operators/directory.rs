//! ChatHub's directory: who works for the company, read at the start and again and again behind the scenes.
//!
//! A click that brings an id never waits for it. One that brings a name waits until it has been read once; from then on, while ChatHub is
//! away or slow, the last reading stays in force.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout_at};

use super::Roster;
use crate::chathub::{ChatHub, Error, Operator, OrganizationId, Repeats, Unreachable};

/// So many lists are asked for at the same time: enough for a thousand organizations, too few to be in the way of a click.
const AT_ONCE: usize = 4;

/// Between two tries of the first reading: doubling up to a bound.
const FIRST_AGAIN: Duration = Duration::from_secs(1);
const LAST_AGAIN: Duration = Duration::from_secs(8);

/// While nothing is sent to ChatHub: not sooner than this.
const SHORTEST_REST: Duration = Duration::from_millis(100);

/// How the directory is kept.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Between the end of one reading and the beginning of the next.
    pub refresh: Duration,
    /// Between two requests of a refresh, so that clicks have the other part of the rate that ChatHub allows.
    pub spacing: Duration,
}

/// The directory.
pub struct Directory {
    chathub: Arc<ChatHub>,
    settings: Settings,
    /// Read by every click, without a lock.
    roster: ArcSwapOption<Roster>,
    /// How the first reading has gone so far; for those who wait for it.
    first: watch::Sender<Option<Result<(), Error>>>,
}

impl Directory {
    /// Nothing is read before [`Self::keep`] is run.
    pub fn new(chathub: Arc<ChatHub>, settings: Settings) -> Self {
        Self {
            chathub,
            settings,
            roster: ArcSwapOption::empty(),
            first: watch::Sender::default(),
        }
    }

    /// The last reading; `None` as long as there is none.
    pub fn known(&self) -> Guard<Option<Arc<Roster>>> {
        self.roster.load()
    }

    /// The last reading; the first one is waited for until `deadline`. Where that has failed so far, the error is given at once.
    pub async fn roster(&self, deadline: Instant) -> Result<Arc<Roster>, Error> {
        let mut first = self.first.subscribe();
        let first = timeout_at(deadline.into(), first.wait_for(Option::is_some))
            .await
            .map_err(|_| Error::TimedOut)?;
        if let Ok(Some(Err(error))) = first.as_deref() {
            return Err(error.clone());
        }
        self.roster
            .load_full()
            .ok_or(Error::Unavailable(Unreachable::Broken))
    }

    /// Reads the directory, and then again and again, for ever. What fails is said once, and so is that it works again.
    pub async fn keep(&self) {
        self.read_first().await;
        let mut has_failed = false;
        loop {
            sleep(self.settings.refresh).await;
            let reading = self.read(self.settings.spacing).await;
            match &reading {
                Ok(_) if has_failed => tracing::info!("ChatHub's directory can be read again"),
                Err(error) if !has_failed => tracing::warn!(
                    %error,
                    "ChatHub's directory cannot be read, the last reading stays in force"
                ),
                _ => {}
            }
            has_failed = reading.is_err();
            if let Ok(roster) = reading {
                self.roster.store(Some(Arc::new(roster)));
            }
        }
    }

    async fn read_first(&self) {
        let mut again = FIRST_AGAIN;
        let mut repeats = Repeats::default();
        loop {
            let reading = self.read(Duration::ZERO).await;
            let outcome = reading.map(|roster| {
                tracing::info!(operators = roster.len(), "ChatHub's directory is read");
                self.roster.store(Some(Arc::new(roster)));
            });
            self.first.send_replace(Some(outcome.clone()));
            let Err(error) = outcome else {
                return;
            };
            if repeats.is_news(&error, Instant::now()) {
                tracing::warn!(%error, "ChatHub's directory cannot be read, so nobody is known by name yet");
            }
            // An open circuit lets lists out at a moment that is known.
            sleep(
                error
                    .retry_after()
                    .map_or(again, |rest| rest.min(again).max(SHORTEST_REST)),
            )
            .await;
            again = (again * 2).min(LAST_AGAIN);
        }
    }

    /// Reads every organization's list. All or nothing: a name is somebody's only where all names are known.
    async fn read(&self, spacing: Duration) -> Result<Roster, Error> {
        let mut roster = Roster::default();
        let mut lists = JoinSet::new();
        for organization in self.chathub.list_organizations().await? {
            if lists.len() == AT_ONCE {
                take_in(&mut roster, &mut lists).await?;
            }
            sleep(spacing).await;
            let (chathub, organization) = (Arc::clone(&self.chathub), organization.id);
            lists.spawn(async move {
                let operators = match chathub.list_operators(organization).await {
                    // Gone since it was listed, or not the company's to look into.
                    Err(Error::NotFound | Error::NotPermitted) => Vec::new(),
                    list => list?,
                };
                Ok((organization, operators))
            });
        }
        while !lists.is_empty() {
            take_in(&mut roster, &mut lists).await?;
        }
        Ok(roster)
    }
}

type List = Result<(OrganizationId, Vec<Operator>), Error>;

async fn take_in(roster: &mut Roster, lists: &mut JoinSet<List>) -> Result<(), Error> {
    if let Some(list) = lists.join_next().await {
        let (organization, operators) =
            list.map_err(|_| Error::Unavailable(Unreachable::Broken))??;
        roster.add(organization, operators);
    }
    Ok(())
}
