//! Ctrl-C: the first press finishes the current request, the second ends at once.

use tokio::sync::watch;

/// The message after the first press.
pub(super) const FINISHING: &str = "Finishing what is on its way; Ctrl-C again ends at once.";

/// Counts the presses of Ctrl-C since [`Self::listen`]. Ctrl-C no longer ends the program by
/// itself.
pub(super) struct Interrupt(watch::Receiver<u8>);

impl Interrupt {
    /// Starts to listen; `first` runs after the first press.
    pub(super) fn listen(first: impl Fn() + Send + 'static) -> Self {
        let (presses, counter) = watch::channel(0_u8);
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                presses.send_modify(|times| *times = times.saturating_add(1));
                if *presses.borrow() == 1 {
                    first();
                }
            }
        });
        Self(counter)
    }

    pub(super) fn is_pressed(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Returns after this number of presses.
    pub(super) async fn pressed(&self, times: u8) {
        let mut counter = self.0.clone();
        if counter.wait_for(|presses| *presses >= times).await.is_err() {
            // The listener has ended, so no press will be counted.
            std::future::pending::<()>().await;
        }
    }
}
