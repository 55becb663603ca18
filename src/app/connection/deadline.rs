//! One timer for every timeout of a connection.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// How long a connection has once its deadline has passed. Where the whole process was stopped, the
/// client's bytes are in the socket, and the event loop must read them before the deadline counts.
const GRACE: Duration = Duration::from_millis(200);

/// The time by which something must have happened.
///
/// The deadline moves with each request, the runtime's timer does not. A timer that fires too early
/// is set again: that costs a kept connection a wake-up now and then, and a request only a look at
/// the clock.
pub(super) struct Deadline {
    sleep: Pin<Box<Sleep>>,
    due: Option<Instant>,
    /// The timer is set, and will wake the connection's task.
    is_armed: bool,
    is_in_grace: bool,
}

impl Deadline {
    /// Must be called within a Tokio runtime. The timer wakes no task before the first call of
    /// [`Self::is_expired`] or [`Self::set`].
    pub(super) fn new(after: Duration) -> Self {
        let due = Instant::now() + after;
        Self {
            sleep: Box::pin(tokio::time::sleep_until(due)),
            due: Some(due),
            is_armed: false,
            is_in_grace: false,
        }
    }

    /// Sets the deadline to `after` from now, and replaces the one before.
    pub(super) fn set(&mut self, after: Duration, cx: &mut Context<'_>) {
        let due = Instant::now() + after;
        self.due = Some(due);
        self.is_in_grace = false;
        let is_early_enough = self.sleep.deadline() <= due && !self.sleep.is_elapsed();
        if !(self.is_armed && is_early_enough) {
            self.arm(due, cx);
        }
    }

    /// The same, unless the deadline is earlier already.
    pub(super) fn shorten(&mut self, after: Duration, cx: &mut Context<'_>) {
        if self.due.is_none_or(|due| due > Instant::now() + after) {
            self.set(after, cx);
        }
    }

    /// Removes the deadline.
    pub(super) const fn clear(&mut self) {
        self.due = None;
    }

    /// Whether the deadline has passed. If not, the task is woken when it passes.
    pub(super) fn is_expired(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(due) = self.due else {
            return false;
        };
        if Instant::now() < due {
            if !self.is_armed || self.sleep.is_elapsed() {
                self.arm(due, cx);
            }
            return false;
        }
        if self.is_in_grace {
            return true;
        }
        self.set(GRACE, cx);
        self.is_in_grace = true;
        false
    }

    fn arm(&mut self, due: Instant, cx: &mut Context<'_>) {
        self.sleep.as_mut().reset(due);
        // Only a polled timer wakes the task.
        self.is_armed = self.sleep.as_mut().poll(cx).is_pending();
        if !self.is_armed {
            // It has fired meanwhile.
            cx.waker().wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    const SHORT: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_hours(1);

    /// Waits until the deadline passes, woken by its timer alone: at least for this time, and for
    /// much less than [`LONG`].
    async fn assert_expires_after(deadline: &mut Deadline, at_least: Duration) {
        let begun = Instant::now();
        let over = poll_fn(|cx| {
            if deadline.is_expired(cx) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        let in_time = tokio::time::timeout(LONG / 10, over).await;
        assert!(in_time.is_ok(), "the timer was lost");
        assert!(begun.elapsed() >= at_least);
    }

    async fn with(deadline: &mut Deadline, change: impl Fn(&mut Deadline, &mut Context<'_>)) {
        poll_fn(|cx| {
            change(deadline, cx);
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn it_expires_when_it_was_last_set_to() {
        let mut deadline = Deadline::new(SHORT);
        assert_expires_after(&mut deadline, SHORT).await;
        for after in [SHORT, SHORT * 3, SHORT * 2] {
            with(&mut deadline, |deadline, cx| {
                deadline.set(LONG, cx);
                deadline.set(after, cx);
            })
            .await;
            assert_expires_after(&mut deadline, after).await;
        }
    }

    #[tokio::test]
    async fn it_is_shortened_but_not_lengthened() {
        let mut deadline = Deadline::new(SHORT);
        with(&mut deadline, |deadline, cx| deadline.shorten(LONG, cx)).await;
        assert_expires_after(&mut deadline, SHORT).await;
        let mut deadline = Deadline::new(LONG);
        with(&mut deadline, |deadline, cx| deadline.shorten(SHORT, cx)).await;
        assert_expires_after(&mut deadline, SHORT).await;
    }

    #[tokio::test]
    async fn it_works_after_its_timer_has_fired_unneeded() {
        let mut deadline = Deadline::new(SHORT);
        with(&mut deadline, |deadline, cx| {
            assert!(!deadline.is_expired(cx));
            deadline.clear();
        })
        .await;
        tokio::time::sleep(SHORT * 2).await;
        with(&mut deadline, |deadline, cx| {
            assert!(!deadline.is_expired(cx));
            deadline.set(SHORT * 2, cx);
        })
        .await;
        assert_expires_after(&mut deadline, SHORT * 2).await;
    }

    #[tokio::test]
    async fn a_timer_that_fires_too_early_is_set_again() {
        let mut deadline = Deadline::new(SHORT);
        with(&mut deadline, |deadline, cx| {
            assert!(!deadline.is_expired(cx));
            deadline.set(SHORT * 3, cx);
        })
        .await;
        assert_expires_after(&mut deadline, SHORT * 3).await;
    }
}
