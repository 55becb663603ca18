//! Watches the files of keys, maps and secrets: a changed file takes effect without a restart.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::config::ChatHubCredentials;
use crate::http::AppState;
use crate::reload::{PollOutcome, Reloadable, Report};
use crate::secret::{Secret, SecretSource};

const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A secret of the ChatHub client, which reads no file itself.
pub(super) struct WatchedSecret {
    reloadable: Reloadable<Secret>,
    shared: SecretSource,
}

impl WatchedSecret {
    /// Reads the files of ChatHub's credentials for the first time, and shares the secrets with the
    /// client. The error names the variable, not the secret.
    pub(super) fn load_all(credentials: &ChatHubCredentials) -> anyhow::Result<Vec<Self>> {
        match credentials {
            ChatHubCredentials::Login { login, password } => Ok(vec![
                Self::load("CHATHUB_LOGIN", login)?,
                Self::load("CHATHUB_PASSWORD", password)?,
            ]),
            ChatHubCredentials::ProfileKey(key) => Ok(vec![Self::load("CHATHUB_API_KEY", key)?]),
        }
    }

    fn load(variable: &'static str, source: &SecretSource) -> anyhow::Result<Self> {
        let (shared, source) = (source.clone(), source.clone());
        let reloadable = Reloadable::load(variable, move |files| files.secret(&source))
            .map_err(|problem| anyhow!("{variable}: {problem}"))?;
        Ok(Self { reloadable, shared })
    }

    fn poll(&self) -> Report {
        let report = self.reloadable.poll();
        if report.outcome == PollOutcome::Reloaded {
            self.shared.replace(&self.reloadable.get());
        }
        report
    }
}

/// Polls the files every second, and at once when `reload_now` is notified.
pub(super) async fn poll_files(
    state: Arc<AppState>,
    credentials: Arc<[WatchedSecret]>,
    reload_now: Arc<Notify>,
) {
    loop {
        let (polled, credentials) = (Arc::clone(&state), Arc::clone(&credentials));
        // Reading waits a moment for slow files, and parsing a long one takes its time too.
        let polls = spawn_blocking(move || poll_all(&polled, &credentials));
        for report in polls.await.unwrap_or_default() {
            record(&state, report);
        }
        // Notified or not, it is time for the next poll.
        let _ = timeout(POLL_INTERVAL, reload_now.notified()).await;
    }
}

fn poll_all(state: &AppState, credentials: &[WatchedSecret]) -> Vec<Report> {
    let mut reports = state.authenticator.poll();
    reports.extend(credentials.iter().map(WatchedSecret::poll));
    reports.extend(state.connectors.as_ref().map(Reloadable::poll));
    reports.extend(state.redis.as_ref().map(|redis| redis.poll()));
    reports
}

/// Logs what changed, and sets the gauge of failed reloads.
fn record(state: &AppState, report: Report) {
    let file = report.file;
    let gauge = &state.metrics.open_chat_file_reload_failed;
    gauge
        .with_label_values(&[file])
        .set(report.has_failed.into());
    match report.outcome {
        PollOutcome::Unchanged => {}
        PollOutcome::Reloaded => tracing::info!(file, "a changed file is in force"),
        PollOutcome::Emptied(problem) => tracing::error!(
            file,
            problem,
            "a changed file is in force, and nobody is let in by it"
        ),
        PollOutcome::Failed(problem) => tracing::error!(
            file,
            problem,
            "a changed file cannot be used, the one before it stays in force"
        ),
    }
}
