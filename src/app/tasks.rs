//! What runs beside the servers, for as long as the service does.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use chathub::{ChatHub, ErrorKind, NoConnection, Unreachable};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::http::AppState;
use crate::operators::DirectorySnapshot;
use crate::redis_store::RedisStore;
use crate::reload::{PollOutcome, Reloadable, Report};
use crate::repeats::Repeats;
use crate::secret::{Secret, SecretSource};

/// Between two proofs of the configuration: doubling up to a bound.
const FIRST_PROOF_AGAIN: Duration = Duration::from_secs(1);
const LAST_PROOF_AGAIN: Duration = Duration::from_secs(5);

/// Before a look whether refused credentials have been corrected. ChatHub does not hear of each:
/// the client keeps wrong credentials to itself.
const REJECTED_PROOF_AGAIN: Duration = Duration::from_secs(1);

/// While nothing is sent to ChatHub: not sooner and not later than this, whatever it asks for.
const SHORTEST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(15);

/// How often the limits forget what is as good as new, and a part of the operators what is over.
const SWEEP: Duration = Duration::from_secs(1);

/// How often key, map and secret files are looked at.
const LOOK_AT_FILES: Duration = Duration::from_secs(1);

/// Before a task that has broken down begins again.
const BROKEN_AGAIN: Duration = Duration::from_secs(1);

/// A secret of ChatHub's client, which never reads a file itself.
pub(super) struct WatchedSecret {
    reloading: Reloadable<Secret>,
    shared: SecretSource,
}

impl WatchedSecret {
    /// Reads the secret for the first time. The error is a sentence without it.
    pub(super) fn load(variable: &'static str, source: SecretSource) -> Result<Self, String> {
        let shared = source.clone();
        let reloading = Reloadable::load(variable, move |files| files.secret(&source))?;
        Ok(Self { reloading, shared })
    }

    fn poll(&self) -> Report {
        let report = self.reloading.poll();
        if report.look == PollOutcome::Reloaded {
            self.shared.replace(&self.reloading.get());
        }
        report
    }
}

/// Starts them all. `look_now` has the files looked at at once, `credentials` among them.
pub(super) fn start(
    chathub: Arc<ChatHub>,
    state: &Arc<AppState>,
    credentials: Vec<WatchedSecret>,
    look_now: Arc<Notify>,
) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(prove(chathub, Arc::clone(state))),
        tokio::spawn(kept_running("directory", {
            let state = Arc::clone(state);
            move || keep_directory(Arc::clone(&state))
        })),
        tokio::spawn(look_at_files(
            Arc::clone(state),
            credentials.into(),
            look_now,
        )),
        tokio::spawn(kept_running("sweep", {
            let state = Arc::clone(state);
            move || sweep(Arc::clone(&state))
        })),
        tokio::spawn(watch_shared_store(state.shared.clone())),
    ]
}

/// Shows ChatHub the credentials until it accepts them, then calls the service ready.
async fn prove(chathub: Arc<ChatHub>, state: Arc<AppState>) {
    let mut failures = 0;
    let mut repeats = Repeats::default();
    while let Err(error) = chathub.log_in().await.map_err(ErrorKind::from) {
        if repeats.is_news(&error, Instant::now()) {
            let address = chathub.address();
            tracing::warn!(%error, address, "not ready: ChatHub has not accepted the credentials yet");
        }
        if let Some(reason) = not_ready(&error, &chathub.address()) {
            state.not_ready.store(Some(Arc::new(reason)));
        }
        tokio::time::sleep(proof_again(&error, failures)).await;
        failures += 1;
    }
    state.is_ready.store(true, Ordering::Relaxed);
    tracing::info!("ready: ChatHub has accepted the credentials");
}

/// What `/readyz` says of an error; nothing of one that only follows from those before it.
fn not_ready(error: &ErrorKind, address: &str) -> Option<String> {
    let cause = match error {
        ErrorKind::Unavailable(Unreachable::CircuitOpen { .. }) => return None,
        ErrorKind::Unavailable(Unreachable::NoConnection(NoConnection::NoSuchName)) => {
            return Some(format!(
                "ChatHub could not be reached: no such name {address}, or no name server that answers"
            ));
        }
        ErrorKind::Unavailable(Unreachable::NoConnection(cause)) => cause.to_string(),
        ErrorKind::TimedOut => "no answer in time".into(),
        error => {
            return Some(format!(
                "ChatHub has not accepted the credentials yet: {error}"
            ));
        }
    };
    Some(format!("ChatHub could not be reached: {cause} ({address})"))
}

/// How long to wait before the next proof. Where it is known when ChatHub is asked again, this is
/// the first to ask.
fn proof_again(error: &ErrorKind, failures: u32) -> Duration {
    if let Some(rest) = error.retry_after() {
        return rest.clamp(SHORTEST_REST, LONGEST_REST);
    }
    if *error == ErrorKind::CredentialsRejected {
        return REJECTED_PROOF_AGAIN;
    }
    let doubled = FIRST_PROOF_AGAIN.saturating_mul(2_u32.saturating_pow(failures));
    doubled.min(LAST_PROOF_AGAIN)
}

/// Has changed files take effect, and says so; what is wrong with one is said once.
async fn look_at_files(
    state: Arc<AppState>,
    credentials: Arc<[WatchedSecret]>,
    look_now: Arc<Notify>,
) {
    loop {
        let (shared_state, credentials) = (Arc::clone(&state), Arc::clone(&credentials));
        // A look waits a moment for the files, and understanding a long one takes its time too.
        let looks = tokio::task::spawn_blocking(move || {
            let mut reports = shared_state.authenticator.poll();
            reports.extend(credentials.iter().map(WatchedSecret::poll));
            reports.extend(shared_state.shared.as_ref().map(|shared| shared.poll()));
            reports
        });
        let reports = looks.await.unwrap_or_default();
        for Report {
            file,
            look,
            has_failed,
        } in reports
        {
            let gauge = &state.metrics.open_chat_file_reload_failed;
            gauge.with_label_values(&[file]).set(has_failed.into());
            match look {
                PollOutcome::Unchanged => {}
                PollOutcome::Reloaded => tracing::info!(file, "a changed file is in force"),
                PollOutcome::Emptied(problem) => tracing::error!(
                    file,
                    problem,
                    "a changed file is in force, and nobody is let in by it"
                ),
                PollOutcome::Failed(problem) => {
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

/// Runs a task, and begins it again where it breaks down: a defect in one round must not end all
/// further rounds without a word.
async fn kept_running<T: Future<Output = ()> + Send + 'static>(
    name: &'static str,
    task: impl Fn() -> T + Send,
) {
    loop {
        // A set, because its tasks end when it is dropped.
        let mut running = JoinSet::new();
        running.spawn(task());
        match running.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!(
                    task = name,
                    "a background task has broken down, and begins again"
                );
                tokio::time::sleep(BROKEN_AGAIN).await;
            }
            _ => return,
        }
    }
}

/// What the directory says of operators counts for their tokens too.
async fn keep_directory(state: Arc<AppState>) {
    let tokens = &state.tokens;
    let heard = |snapshot: &DirectorySnapshot, began| {
        let is_out = |operator| {
            snapshot
                .status(operator)
                .is_none_or(|status| !status.works())
        };
        tokens.directory_read(began, is_out);
    };
    state.directory.keep(heard).await;
}

async fn sweep(state: Arc<AppState>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        state.limits.sweep();
        state.tokens.sweep();
        let tasks = Handle::current().metrics().num_alive_tasks();
        let gauge = &state.metrics.open_chat_background_tasks;
        gauge.set(i64::try_from(tasks).unwrap_or(i64::MAX));
    }
}

async fn watch_shared_store(shared: Option<Arc<RedisStore>>) {
    if let Some(shared) = shared {
        shared.watch().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[tokio::test]
    async fn a_task_that_breaks_down_begins_again() {
        let rounds = Arc::new(AtomicU32::new(0));
        let task = {
            let rounds = Arc::clone(&rounds);
            move || {
                let round = rounds.fetch_add(1, Ordering::Relaxed);
                async move { assert!(round == 1, "on purpose") }
            }
        };
        kept_running("test", task).await;
        assert_eq!(rounds.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn the_next_proof_comes_when_chathub_is_asked_again() {
        let milliseconds = |error: &ErrorKind, failures| proof_again(error, failures).as_millis();
        let closed = ErrorKind::Unavailable(Unreachable::NoConnection(NoConnection::Refused));
        for (failures, expected) in [(0, 1000), (1, 2000), (2, 4000), (3, 5000), (99, 5000)] {
            assert_eq!(milliseconds(&closed, failures), expected);
        }
        for (rest, expected) in [
            (0, 100),
            (7000, 7000),
            (10_900, 10_900),
            (3_600_000, 15_000),
        ] {
            let retry_after = Duration::from_millis(rest);
            let open = ErrorKind::Unavailable(Unreachable::CircuitOpen { retry_after });
            assert_eq!(milliseconds(&open, 5), expected);
            let throttled = ErrorKind::Throttled {
                retry_after: Some(retry_after),
            };
            assert_eq!(milliseconds(&throttled, 5), expected);
        }
        assert_eq!(milliseconds(&ErrorKind::CredentialsRejected, 9), 1000);
    }
}
