//! The signals that the service listens for, on Unix and elsewhere.

#[cfg(not(unix))]
pub(super) use self::other::Signals;
#[cfg(unix)]
pub(super) use self::unix::Signals;

/// A signal, by what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code))]
pub(super) enum Signal {
    /// SIGTERM
    Terminate,
    /// SIGINT, Ctrl-C
    Interrupt,
    /// SIGHUP
    Reload,
}

#[cfg(unix)]
mod unix {
    use tokio::select;
    use tokio::signal::unix::{self, SignalKind, signal};

    use super::Signal;

    pub(in crate::app) struct Signals {
        terminate: unix::Signal,
        interrupt: unix::Signal,
        hang_up: unix::Signal,
    }

    impl Signals {
        pub(in crate::app) fn new() -> std::io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hang_up: signal(SignalKind::hangup())?,
            })
        }

        pub(in crate::app) async fn next(&mut self) -> Signal {
            select! {
                _ = self.terminate.recv() => Signal::Terminate,
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.hang_up.recv() => Signal::Reload,
            }
        }
    }
}

#[cfg(not(unix))]
mod other {
    use super::Signal;

    /// Ctrl-C only.
    pub(in crate::app) struct Signals;

    impl Signals {
        pub(in crate::app) fn new() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub(in crate::app) async fn next(&mut self) -> Signal {
            // Where Ctrl-C cannot be listened for, the service runs until it is killed.
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::Interrupt,
                Err(_) => std::future::pending().await,
            }
        }
    }
}
