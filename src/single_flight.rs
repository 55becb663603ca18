//! One run of a task for any number of waiters.
//!
//! By hand, because the task survives its leader: it is spawned, so it goes on when the caller that
//! started it is cancelled, and the other waiters get its result without a second run.

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::Instrument as _;

/// A task in flight. Clones wait for the same result.
#[derive(Clone, Debug)]
pub struct SingleFlight<T>(watch::Receiver<Option<T>>);

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// Spawns the task on `runtime`, in the caller's span.
    pub fn start(runtime: &Handle, task: impl Future<Output = T> + Send + 'static) -> Self {
        let (sender, receiver) = watch::channel(None);
        let task = async move {
            let result = task.await;
            sender.send_replace(Some(result));
        };
        runtime.spawn(task.in_current_span());
        Self(receiver)
    }

    /// Waits for the result. `None`: the task panicked, or the runtime is shutting down.
    pub async fn wait(&mut self) -> Option<T> {
        let result = self.0.wait_for(Option::is_some).await.ok()?;
        result.clone()
    }

    /// Whether there will be no result: the task panicked, or the runtime is shutting down.
    pub fn is_lost(&self) -> bool {
        self.0.has_changed().is_err() && self.0.borrow().is_none()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_task_survives_its_first_waiter() {
        let (complete, completed) = oneshot::channel::<u8>();
        let mut first = SingleFlight::start(&Handle::current(), async { completed.await.ok() });
        let mut second = first.clone();
        // The first waiter starts to wait, and is cancelled.
        let cancelled = tokio::time::timeout(std::time::Duration::ZERO, first.wait()).await;
        assert!(cancelled.is_err());
        drop(first);
        complete.send(7).unwrap();
        assert_eq!(second.wait().await, Some(Some(7)));
    }

    #[tokio::test]
    async fn a_panic_ends_the_wait() {
        let mut flight =
            SingleFlight::<()>::start(&Handle::current(), async { panic!("on purpose") });
        assert_eq!(flight.wait().await, None);
        assert!(flight.is_lost());
    }

    #[tokio::test]
    async fn a_task_that_runs_or_has_completed_is_not_lost() {
        let (complete, completed) = oneshot::channel::<()>();
        let mut flight = SingleFlight::start(&Handle::current(), async { completed.await.is_ok() });
        assert!(!flight.is_lost());
        complete.send(()).unwrap();
        assert_eq!(flight.wait().await, Some(true));
        assert!(!flight.is_lost());
    }
}
