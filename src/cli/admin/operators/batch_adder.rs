//! Adds operators, each of them once, even where ChatHub fails in the middle.
//!
//! `synchronize` adds everything that it receives, so a name is never sent twice blindly. After an
//! answer that leaves open whether operators were added, the organization's list decides, and only
//! names that are missing there are sent again.

use std::time::Duration;

use super::batch::{AddOutcome, Batch};
use super::error_class::{is_not_applied, is_permanent};
use super::interrupt::Interrupt;
use crate::cli::Exit;
use chathub::{BadAnswer, ChatHub, ErrorKind, OrganizationId, Unreachable};

/// The number of operators in a request. A failed answer leaves the outcome of one batch open, and
/// progress is saved batch by batch.
pub(super) const BATCH_SIZE: usize = 100;

/// The waits between attempts that ChatHub's general page advises, as multiples of the first; the
/// last one repeats.
const ADVISED_WAITS: [u32; 4] = [1, 2, 4, 8];

/// Waits in a row without progress before the adder gives up: about 45 s with a first wait of one
/// second.
const MAX_WAITS: usize = 8;

/// Why an add or import ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// ChatHub refuses, or has failed for too long.
    Failed(ErrorKind),
}

impl Stop {
    /// How the command ends.
    pub(super) fn exit(stop: Option<Self>, has_failed: bool) -> anyhow::Result<Exit> {
        match stop {
            Some(Self::Failed(error)) => Err(error.into()),
            Some(Self::Interrupted) => Ok(Exit::Interrupted),
            None if has_failed => Ok(Exit::Failed),
            None => Ok(Exit::Done),
        }
    }
}

/// Adds operators to organizations.
pub(super) struct BatchAdder<'a> {
    pub(super) chathub: &'a ChatHub,
    pub(super) interrupt: Interrupt,
    /// The wait after a first failure.
    pub(super) first_wait: Duration,
    /// Prints why it waits.
    pub(super) say: &'a dyn Fn(&str),
}

/// The part of a batch that ChatHub refuses.
struct Refused {
    status: u16,
    which: Vec<usize>,
}

impl BatchAdder<'_> {
    /// Adds a batch of names, all different and new to the organization. Returns the outcome of
    /// each, and why it ended early.
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
                // ChatHub refuses one of them: halving finds it, and the others are added.
                Ok(Some(Refused { mut which, .. })) => {
                    parts.push(which.split_off(which.len() / 2));
                    parts.push(which);
                }
                Err(stop) => return (batch.outcomes, Some(stop)),
            }
        }
        (batch.outcomes, None)
    }

    /// Sends until all names are added, or until ChatHub refuses the missing ones.
    async fn send(
        &self,
        batch: &mut Batch<'_>,
        mut missing: Vec<usize>,
    ) -> Result<Option<Refused>, Stop> {
        while !missing.is_empty() {
            if self.interrupt.is_pressed() && batch.waits > 0 {
                return Err(Stop::Interrupted);
            }
            let new = batch.new_operators(&missing);
            batch.mark(&missing, &AddOutcome::Unknown);
            let answer = tokio::select! {
                answer = self.chathub.synchronize_operators(&new) => answer.map_err(ErrorKind::from),
                () = self.interrupt.pressed(2) => return Err(Stop::Interrupted),
            };
            match answer {
                Ok(added) if batch.is_answered_by(&added, &missing) => return Ok(None),
                Ok(_) => return self.reconcile_mismatch(batch, missing).await,
                Err(ErrorKind::InvalidRequest { status }) => {
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

    /// ChatHub has answered with another number of operators than were sent. Where the list does
    /// not have them all, a person must look before more is sent.
    async fn reconcile_mismatch(
        &self,
        batch: &mut Batch<'_>,
        sent: Vec<usize>,
    ) -> Result<Option<Refused>, Stop> {
        let error = ErrorKind::BadAnswer(BadAnswer::NotDocumented);
        let missing = self.reconcile(batch, sent, error.clone()).await?;
        if missing.is_empty() {
            return Ok(None);
        }
        Err(Stop::Failed(error))
    }

    /// Returns the names that the organization's list lacks. ChatHub may still be adding, so two
    /// lists in a row must agree.
    async fn reconcile(
        &self,
        batch: &mut Batch<'_>,
        mut missing: Vec<usize>,
        mut error: ErrorKind,
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
                Err(other) => error = other.into(),
            }
        }
    }

    /// Waits before another attempt: as long as the error says, or ChatHub advises.
    async fn wait(&self, batch: &mut Batch<'_>, error: &ErrorKind) -> Result<(), Stop> {
        if is_permanent(error) || batch.waits == MAX_WAITS {
            return Err(Stop::Failed(error.clone()));
        }
        let step = ADVISED_WAITS[batch.waits.min(ADVISED_WAITS.len() - 1)];
        batch.waits += 1;
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
            () = self.interrupt.pressed(1) => Err(Stop::Interrupted),
        }
    }
}
