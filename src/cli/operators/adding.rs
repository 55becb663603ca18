//! Adding operators, each of them once, over a ChatHub that fails in the middle.
//!
//! `synchronize` adds whatever it is sent, so nothing is ever sent twice in the blind. After an
//! answer that leaves open whether anything was added, the organization's list tells, and only what
//! is missing there is sent anew.

use std::time::Duration;

use chathub::{BadAnswer, ChatHub, ErrorKind, OrganizationId, Unreachable};

use super::certainty::{is_certainly_not_done, is_final};
use super::chunk::{Chunk, Fate};
use super::interrupt::Interrupt;

/// How many operators go out at once. A chunk is what a broken answer leaves open, and the unit in
/// which progress is kept.
pub(super) const CHUNK: usize = 100;

/// The waits between tries as ChatHub's general page advises them, in terms of the first; the last
/// one repeats.
const ADVISED_WAITS: [u32; 4] = [1, 2, 4, 8];

/// Waits in a row without anything gained before it gives up: with a first wait of a second, about
/// 45 s.
const MOST_WAITS: usize = 8;

/// Why it ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// ChatHub does not do it, or not for too long.
    Failed(ErrorKind),
}

/// Adds operators to organizations.
pub(super) struct Adding<'a> {
    pub(super) chathub: &'a ChatHub,
    pub(super) interrupt: Interrupt,
    /// How long it waits after a first failure.
    pub(super) first_wait: Duration,
    /// Where it says what it waits for.
    pub(super) say: &'a dyn Fn(&str),
}

/// What ChatHub does not take.
struct Refused {
    status: u16,
    which: Vec<usize>,
}

impl Adding<'_> {
    /// Adds a chunk of names, all different and none of them in the organization yet, and says what
    /// became of each.
    pub(super) async fn add(
        &mut self,
        organization: OrganizationId,
        names: &[String],
    ) -> (Vec<Fate>, Option<Stop>) {
        let mut chunk = Chunk::new(organization, names);
        let mut parts = vec![(0..names.len()).collect::<Vec<_>>()];
        while let Some(part) = parts.pop() {
            match self.send(&mut chunk, part).await {
                Ok(None) => {}
                Ok(Some(Refused { status, which })) if which.len() == 1 => {
                    chunk.mark(&which, &Fate::Refused(status));
                }
                // One of them is not wanted: halving finds it, and the others get through.
                Ok(Some(Refused { mut which, .. })) => {
                    parts.push(which.split_off(which.len() / 2));
                    parts.push(which);
                }
                Err(stop) => return (chunk.fates, Some(stop)),
            }
        }
        (chunk.fates, None)
    }

    /// Sends until everything is there, or until ChatHub refuses what is still missing.
    async fn send(
        &self,
        chunk: &mut Chunk<'_>,
        mut missing: Vec<usize>,
    ) -> Result<Option<Refused>, Stop> {
        while !missing.is_empty() {
            if self.interrupt.has_come() && chunk.waits > 0 {
                return Err(Stop::Interrupted);
            }
            let new = chunk.new_operators(&missing);
            chunk.mark(&missing, &Fate::Unknown);
            let answer = tokio::select! {
                answer = self.chathub.synchronize_operators(&new) => answer.map_err(ErrorKind::from),
                () = self.interrupt.comes(2) => return Err(Stop::Interrupted),
            };
            match answer {
                Ok(added) if chunk.is_answered_by(&added, &missing) => return Ok(None),
                Ok(_) => return self.explain(chunk, missing).await,
                Err(ErrorKind::InvalidRequest { status }) => {
                    chunk.mark(&missing, &Fate::Left);
                    return Ok(Some(Refused {
                        status,
                        which: missing,
                    }));
                }
                Err(error) if is_certainly_not_done(&error) => {
                    chunk.mark(&missing, &Fate::Left);
                    self.wait(chunk, &error).await?;
                }
                Err(error) => {
                    missing = self.settle(chunk, missing, error).await?;
                    chunk.mark(&missing, &Fate::Left);
                }
            }
        }
        Ok(None)
    }

    /// ChatHub says that it has added another number of operators than were sent. Where the list
    /// does not show them all, somebody has to look before anything is sent again.
    async fn explain(
        &self,
        chunk: &mut Chunk<'_>,
        sent: Vec<usize>,
    ) -> Result<Option<Refused>, Stop> {
        let error = ErrorKind::BadAnswer(BadAnswer::NotDocumented);
        let missing = self.settle(chunk, sent, error.clone()).await?;
        if missing.is_empty() {
            return Ok(None);
        }
        Err(Stop::Failed(error))
    }

    /// Finds out by listing, and says what is missing. ChatHub may still be at it, so two lists
    /// must agree on that.
    async fn settle(
        &self,
        chunk: &mut Chunk<'_>,
        mut missing: Vec<usize>,
        mut error: ErrorKind,
    ) -> Result<Vec<usize>, Stop> {
        let mut seen = None;
        loop {
            self.wait(chunk, &error).await?;
            match self.chathub.list_operators(chunk.organization).await {
                Ok(operators) => {
                    let listed = operators
                        .into_iter()
                        .map(|operator| (operator.id, operator.name));
                    missing = chunk.find(listed, &missing);
                    if missing.is_empty() || seen == Some(missing.len()) {
                        return Ok(missing);
                    }
                    seen = Some(missing.len());
                }
                Err(other) => error = other.into(),
            }
        }
    }

    /// Waits before another try: as long as ChatHub says, or advises.
    async fn wait(&self, chunk: &mut Chunk<'_>, error: &ErrorKind) -> Result<(), Stop> {
        if is_final(error) || chunk.waits == MOST_WAITS {
            return Err(Stop::Failed(error.clone()));
        }
        let step = ADVISED_WAITS[chunk.waits.min(ADVISED_WAITS.len() - 1)];
        chunk.waits += 1;
        let advised = self.first_wait * step;
        let wait = match error {
            ErrorKind::Throttled { retry_after } => retry_after.unwrap_or(advised),
            ErrorKind::Unavailable(Unreachable::CircuitOpen { retry_after }) => {
                advised.max(*retry_after)
            }
            _ => advised,
        };
        let shown = humantime::format_duration(Duration::from_millis(
            u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
        ));
        (self.say)(&format!("{error}; going on in {shown}"));
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
            () = self.interrupt.comes(1) => Err(Stop::Interrupted),
        }
    }
}
