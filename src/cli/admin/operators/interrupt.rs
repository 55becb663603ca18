//! Ctrl-C: once asks to come to an end, twice to end at once.

use tokio::sync::watch;

/// What is to be said the first time.
pub(super) const FINISHING: &str = "Finishing what is on its way; Ctrl-C again ends at once.";

/// How often Ctrl-C was pressed since this began to listen. It no longer ends the program by
/// itself.
pub(super) struct Interrupt(watch::Receiver<u8>);

impl Interrupt {
    /// Begins to listen; `first` runs the first time.
    pub(super) fn listen(first: impl Fn() + Send + 'static) -> Self {
        let (presses, heard) = watch::channel(0_u8);
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                presses.send_modify(|times| *times = times.saturating_add(1));
                if *presses.borrow() == 1 {
                    first();
                }
            }
        });
        Self(heard)
    }

    pub(super) fn has_come(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Comes back when it has come so often.
    pub(super) async fn comes(&self, times: u8) {
        let mut heard = self.0.clone();
        if heard.wait_for(|presses| *presses >= times).await.is_err() {
            // Nobody listens any more, so nothing will come.
            std::future::pending::<()>().await;
        }
    }
}
