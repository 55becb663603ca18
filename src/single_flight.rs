//! One run of a task for any number of waiters.
//!
//! The task has a life of its own: it goes on when whoever started it leaves, so the others still
//! get its result, and it is never run a second time on their behalf.

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::Instrument as _;

/// A task in the air. Clones wait for the same landing.
#[derive(Clone, Debug)]
pub struct SingleFlight<T>(watch::Receiver<Option<T>>);

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Starts the task on `runtime`. It belongs to the trace of whoever starts it.
    pub fn start(runtime: &Handle, task: impl Future<Output = T> + Send + 'static) -> Self {
        let (landed, flight) = watch::channel(None);
        let task = async move {
            let outcome = task.await;
            landed.send_replace(Some(outcome));
        };
        runtime.spawn(task.in_current_span());
        Self(flight)
    }

    /// Waits for the result. `None`: the task has panicked, or the runtime is shutting down.
    pub async fn wait(&mut self) -> Option<T> {
        let outcome = self.0.wait_for(Option::is_some).await.ok()?;
        outcome.clone()
    }

    /// Whether it will never land: the task has panicked, or the runtime is shutting down.
    pub fn is_lost(&self) -> bool {
        self.0.has_changed().is_err() && self.0.borrow().is_none()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_flight_outlives_its_first_waiter() {
        let (land, wait) = oneshot::channel::<u8>();
        let mut first = SingleFlight::start(&Handle::current(), async { wait.await.ok() });
        let mut second = first.clone();
        // The first waiter begins to wait, and leaves.
        let impatient = tokio::time::timeout(std::time::Duration::ZERO, first.wait()).await;
        assert!(impatient.is_err());
        drop(first);
        land.send(7).unwrap();
        assert_eq!(second.wait().await, Some(Some(7)));
    }

    #[tokio::test]
    async fn a_crash_leaves_nobody_waiting() {
        let mut flight =
            SingleFlight::<()>::start(&Handle::current(), async { panic!("on purpose") });
        assert_eq!(flight.wait().await, None);
        assert!(flight.is_lost());
    }

    #[tokio::test]
    async fn what_has_landed_or_is_in_the_air_is_not_lost() {
        let (land, wait) = oneshot::channel::<()>();
        let mut flight = SingleFlight::start(&Handle::current(), async { wait.await.is_ok() });
        assert!(!flight.is_lost());
        land.send(()).unwrap();
        assert_eq!(flight.wait().await, Some(true));
        assert!(!flight.is_lost());
    }
}
