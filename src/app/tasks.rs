//! What runs beside the servers, for as long as the service does.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::chathub::{self, ChatHub};
use crate::http::Desk;
use crate::reload::{Look, Reloading, Report};
use crate::secret::{Secret, SecretSource};
use crate::shared_store::SharedStore;

/// Between two proofs of the configuration: doubling up to a bound.
const FIRST_PROOF_AGAIN: Duration = Duration::from_secs(1);
const LAST_PROOF_AGAIN: Duration = Duration::from_secs(10);

/// Whether refused credentials have been corrected. ChatHub does not hear of each look: the client keeps wrong credentials to itself.
const REJECTED_PROOF_AGAIN: Duration = Duration::from_secs(1);

/// How often the limits forget what is as good as new, and a part of the operators what is over.
const SWEEP: Duration = Duration::from_secs(1);

/// How often key, map and secret files are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(1);

/// A secret of ChatHub's client, which never reads a file itself.
pub(super) struct WatchedSecret {
    reloading: Reloading<Secret>,
    shared: SecretSource,
}

impl WatchedSecret {
    /// Reads the secret for the first time. The error is a sentence without it.
    pub(super) fn load(variable: &'static str, source: SecretSource) -> Result<Self, String> {
        let shared = source.clone();
        let reloading = Reloading::load(variable, move |files| files.secret(&source))?;
        Ok(Self { reloading, shared })
    }

    fn look(&self) -> Report {
        let report = self.reloading.look();
        if report.look == Look::Reloaded {
            self.shared.replace(&self.reloading.get());
        }
        report
    }
}

/// Starts them all. `look_now` has the files looked at at once, `credentials` among them.
pub(super) fn start(
    chathub: Arc<ChatHub>,
    desk: &Arc<Desk>,
    credentials: Vec<WatchedSecret>,
    look_now: Arc<Notify>,
) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(prove(chathub, Arc::clone(desk))),
        tokio::spawn(keep_directory(Arc::clone(desk))),
        tokio::spawn(look_at_files(
            Arc::clone(desk),
            credentials.into(),
            look_now,
        )),
        tokio::spawn(sweep(Arc::clone(desk))),
        tokio::spawn(watch_shared_store(desk.shared.clone())),
    ]
}

/// Shows ChatHub the credentials until it accepts them, then calls the service ready.
async fn prove(chathub: Arc<ChatHub>, desk: Arc<Desk>) {
    let mut wait = FIRST_PROOF_AGAIN;
    let mut told = None;
    while let Err(error) = chathub.log_in().await {
        if told.as_ref() != Some(&error) {
            tracing::warn!(%error, "not ready: ChatHub has not accepted the credentials yet");
        }
        if error == chathub::Error::CredentialsRejected {
            tokio::time::sleep(REJECTED_PROOF_AGAIN).await;
        } else {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LAST_PROOF_AGAIN);
        }
        told = Some(error);
    }
    desk.is_ready.store(true, Ordering::Relaxed);
    tracing::info!("ready: ChatHub has accepted the credentials");
}

/// Has changed files take effect, and says so; what is wrong with one is said once.
async fn look_at_files(desk: Arc<Desk>, credentials: Arc<[WatchedSecret]>, look_now: Arc<Notify>) {
    loop {
        let (at_desk, credentials) = (Arc::clone(&desk), Arc::clone(&credentials));
        // A look waits a moment for the files, and understanding a long one takes its time too.
        let looks = tokio::task::spawn_blocking(move || {
            let mut reports = at_desk.access.look();
            reports.extend(credentials.iter().map(WatchedSecret::look));
            reports.extend(at_desk.shared.as_ref().map(|shared| shared.look()));
            reports
        });
        let reports = looks.await.unwrap_or_default();
        for Report {
            file,
            look,
            has_failed,
        } in reports
        {
            let gauge = &desk.metrics.open_chat_file_reload_failed;
            gauge.with_label_values(&[file]).set(has_failed.into());
            match look {
                Look::Unchanged => {}
                Look::Reloaded => tracing::info!(file, "a changed file is in force"),
                Look::Emptied(problem) => tracing::error!(
                    file,
                    problem,
                    "a changed file is in force, and nobody is let in by it"
                ),
                Look::Failed(problem) => {
                    tracing::error!(
                        file,
                        problem,
                        "a changed file cannot be used, the one before it stays in force"
                    );
                }
            }
        }
        // Called or not, it is time to look.
        let _ = timeout(LOOK_AT_FILES, look_now.notified()).await;
    }
}

async fn keep_directory(desk: Arc<Desk>) {
    desk.directory.keep().await;
}

async fn sweep(desk: Arc<Desk>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        desk.limits.sweep();
        desk.tokens.sweep();
        let tasks = Handle::current().metrics().num_alive_tasks();
        let gauge = &desk.metrics.open_chat_background_tasks;
        gauge.set(i64::try_from(tasks).unwrap_or(i64::MAX));
    }
}

async fn watch_shared_store(shared: Option<Arc<SharedStore>>) {
    if let Some(shared) = shared {
        shared.watch().await;
    }
}
