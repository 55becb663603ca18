//! The graceful shutdown: load balancers see that the service is not ready, then it takes no more
//! clicks, then running requests finish.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::select;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::signals::{Signal, Signals};
use crate::http::AppState;

/// Listens for signals, and starts what they ask for.
pub(super) struct Shutdown {
    state: Arc<AppState>,
    drain_delay: Duration,
    reload_now: Arc<Notify>,
    signals: Signals,
}

/// A second signal has arrived: the service ends at once.
pub(super) struct SecondSignal;

impl Shutdown {
    /// Listens for signals from now on. SIGHUP notifies `reload_now`.
    pub(super) fn new(
        state: Arc<AppState>,
        drain_delay: Duration,
        reload_now: Arc<Notify>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            state,
            drain_delay,
            reload_now,
            signals: Signals::new()?,
        })
    }

    /// Waits until the service must stop taking clicks. During the drain delay after SIGTERM
    /// `/readyz` fails and connections are told to close, so that a load balancer has the time to
    /// send clicks elsewhere. Ctrl-C has no drain delay: it comes from a person without a load
    /// balancer.
    pub(super) async fn requested(&mut self) -> Result<(), SecondSignal> {
        loop {
            match self.signals.next().await {
                Signal::Reload => self.reload_now.notify_one(),
                Signal::Interrupt => {
                    self.state.is_draining.store(true, Ordering::Relaxed);
                    return Ok(());
                }
                Signal::Terminate => break,
            }
        }
        self.state.is_draining.store(true, Ordering::Relaxed);
        tracing::info!("draining: not ready any more, clicks are still taken");
        select! {
            () = sleep(self.drain_delay) => Ok(()),
            SecondSignal = self.second_signal() => Err(SecondSignal),
        }
    }

    /// Waits for a second signal.
    pub(super) async fn second_signal(&mut self) -> SecondSignal {
        while self.signals.next().await == Signal::Reload {}
        SecondSignal
    }
}
