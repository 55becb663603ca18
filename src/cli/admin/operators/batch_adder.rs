//! BatchAdder operators, each of them once, over a ChatHub that fails in the middle.
//!
//! `synchronize` adds whatever it is sent, so nothing is ever sent twice in the blind. After an
//! answer that leaves open whether anything was added, the organization's list tells, and only what
//! is missing there is sent anew.

use std::time::Duration;

use super::batch::{AddOutcome, Batch};
use super::error_class::{is_not_applied, is_permanent};
use super::interrupt::Interrupt;
use crate::chathub::{BadAnswer, ChatHub, Error, OrganizationId, Unreachable};

/// How many operators go out at once. A batch is what a broken answer leaves open, and the unit in
/// which progress is kept.
pub(super) const BATCH_SIZE: usize = 100;

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
    Failed(Error),
}

/// Adds operators to organizations.
pub(super) struct BatchAdder<'a> {
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

impl BatchAdder<'_> {
    /// Adds a batch of names, all different and none of them in the organization yet, and says what
    /// became of each.
    pub(super) async fn add(
        &mut self,
        organization: OrganizationId,
        names: &[String],
    ) -> (Vec<AddOutcome>, Option<Stop>) {
        let mut batch = Batch::new(organization, names);
        let mut parts = vec![(0..names.len()).collect::<Vec<_>>()];
        while let Some(part) = parts.pop() {
            match self.send(&mut batch, part).await {
                Ok(None) => {}
                Ok(Some(Refused { status, which })) if which.len() == 1 => {
                    batch.mark(&which, &AddOutcome::Refused(status));
                }
                // One of them is not wanted: halving finds it, and the others get through.
                Ok(Some(Refused { mut which, .. })) => {
                    parts.push(which.split_off(which.len() / 2));
                    parts.push(which);
                }
                Err(stop) => return (batch.outcomes, Some(stop)),
            }
        }
        (batch.outcomes, None)
    }

    /// Sends until everything is there, or until ChatHub refuses what is still missing.
    async fn send(
        &self,
        batch: &mut Batch<'_>,
        mut missing: Vec<usize>,
    ) -> Result<Option<Refused>, Stop> {
        while !missing.is_empty() {
            if self.interrupt.has_come() && batch.waits > 0 {
                return Err(Stop::Interrupted);
            }
            let new = batch.new_operators(&missing);
            batch.mark(&missing, &AddOutcome::Unknown);
            let answer = tokio::select! {
                answer = self.chathub.synchronize_operators(&new) => answer,
                () = self.interrupt.comes(2) => return Err(Stop::Interrupted),
            };
            match answer {
                Ok(added) if batch.is_answered_by(&added, &missing) => return Ok(None),
                Ok(_) => return self.explain(batch, missing).await,
                Err(Error::InvalidRequest { status }) => {
                    batch.mark(&missing, &AddOutcome::NotSent);
                    return Ok(Some(Refused {
                        status,
                        which: missing,
                    }));
                }
                Err(error) if is_not_applied(&error) => {
                    batch.mark(&missing, &AddOutcome::NotSent);
                    self.wait(batch, &error).await?;
                }
                Err(error) => {
                    missing = self.reconcile(batch, missing, error).await?;
                    batch.mark(&missing, &AddOutcome::NotSent);
                }
            }
        }
        Ok(None)
    }

    /// ChatHub says that it has added another number of operators than were sent. Where the list
    /// does not show them all, somebody has to look before anything is sent again.
    async fn explain(
        &self,
        batch: &mut Batch<'_>,
        sent: Vec<usize>,
    ) -> Result<Option<Refused>, Stop> {
        let error = Error::BadAnswer(BadAnswer::NotDocumented);
        let missing = self.reconcile(batch, sent, error.clone()).await?;
        if missing.is_empty() {
            return Ok(None);
        }
        Err(Stop::Failed(error))
    }

    /// Finds out by listing, and says what is missing. ChatHub may still be at it, so two lists
    /// must agree on that.
    async fn reconcile(
        &self,
        batch: &mut Batch<'_>,
        mut missing: Vec<usize>,
        mut error: Error,
    ) -> Result<Vec<usize>, Stop> {
        let mut seen = None;
        loop {
            self.wait(batch, &error).await?;
            match self.chathub.list_operators(batch.organization).await {
                Ok(operators) => {
                    let listed = operators
                        .into_iter()
                        .map(|operator| (operator.id, operator.name));
                    missing = batch.find(listed, &missing);
                    if missing.is_empty() || seen == Some(missing.len()) {
                        return Ok(missing);
                    }
                    seen = Some(missing.len());
                }
                Err(other) => error = other,
            }
        }
    }

    /// Waits before another try: as long as ChatHub says, or advises.
    async fn wait(&self, batch: &mut Batch<'_>, error: &Error) -> Result<(), Stop> {
        if is_permanent(error) || batch.waits == MOST_WAITS {
            return Err(Stop::Failed(error.clone()));
        }
        let step = ADVISED_WAITS[batch.waits.min(ADVISED_WAITS.len() - 1)];
        batch.waits += 1;
        let advised = self.first_wait * step;
        let wait = match error {
            Error::Throttled { retry_after } => retry_after.unwrap_or(advised),
            Error::Unavailable(Unreachable::CircuitOpen { retry_after }) => {
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
