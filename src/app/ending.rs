//! How the service ends: first everybody who sends clicks is told, then no more are taken, then
//! those that run finish.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::select;
use tokio::sync::Notify;
use tokio::time::sleep;

use self::signals::{Signal, Signals};
use crate::http::AppState;

/// The signals, and what they set off.
pub(super) struct Ending {
    state: Arc<AppState>,
    drain_delay: Duration,
    look_now: Arc<Notify>,
    signals: Signals,
}

/// A second signal has come: nobody wants to wait any longer.
pub(super) struct Forced;

impl Ending {
    /// Listens for signals from now on. SIGHUP sets off `look_now`.
    pub(super) fn new(
        state: Arc<AppState>,
        drain_delay: Duration,
        look_now: Arc<Notify>,
    ) -> std::io::Result<Self> {
        Ok(Self {
            state,
            drain_delay,
            look_now,
            signals: Signals::new()?,
        })
    }

    /// Waits until the service is to stop taking clicks. Between SIGTERM and that moment `/readyz`
    /// fails and connections are told to close, so that a load balancer has the time to send its
    /// clicks elsewhere. Ctrl-C comes from a person, who has no load balancer.
    pub(super) async fn begins(&mut self) -> Result<(), Forced> {
        loop {
            match self.signals.next().await {
                Signal::Reload => self.look_now.notify_one(),
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
            Forced = self.is_forced() => Err(Forced),
        }
    }

    /// Waits for a second signal.
    pub(super) async fn is_forced(&mut self) -> Forced {
        while self.signals.next().await == Signal::Reload {}
        Forced
    }
}

#[cfg(unix)]
mod signals {
    use tokio::select;
    use tokio::signal::unix::{self, SignalKind, signal};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Signal {
        Terminate,
        Interrupt,
        Reload,
    }

    pub(super) struct Signals {
        terminate: unix::Signal,
        interrupt: unix::Signal,
        hang_up: unix::Signal,
    }

    impl Signals {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hang_up: signal(SignalKind::hangup())?,
            })
        }

        pub(super) async fn next(&mut self) -> Signal {
            select! {
                _ = self.terminate.recv() => Signal::Terminate,
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.hang_up.recv() => Signal::Reload,
            }
        }
    }
}

#[cfg(not(unix))]
mod signals {
    /// Only Ctrl-C is there.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[allow(dead_code)]
    pub(super) enum Signal {
        Terminate,
        Interrupt,
        Reload,
    }

    pub(super) struct Signals;

    impl Signals {
        pub(super) fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) -> Signal {
            // Where even that cannot be listened for, the service runs until it is killed.
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::Interrupt,
                Err(_) => std::future::pending().await,
            }
        }
    }
}
