//! The background tasks, which run for as long as the servers do.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::file_watch::{WatchedSecret, poll_files};
use super::readiness::verify_credentials;
use crate::http::AppState;
use crate::operators::DirectorySnapshot;
use crate::redis_store::RedisStore;
use chathub::ChatHub;

/// How often rate limits drop keys without recent use, and the token cache a part of its expired
/// entries.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Before a task that has panicked is restarted.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// Starts all tasks. A notification of `reload_now` polls the files at once.
pub(super) fn start(
    chathub: Arc<ChatHub>,
    state: &Arc<AppState>,
    credentials: Vec<WatchedSecret>,
    reload_now: Arc<Notify>,
) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(verify_credentials(chathub, Arc::clone(state))),
        tokio::spawn(restart_on_panic(
            "directory",
            Arc::clone(state),
            refresh_directory,
        )),
        tokio::spawn(poll_files(
            Arc::clone(state),
            credentials.into(),
            reload_now,
        )),
        tokio::spawn(restart_on_panic("sweep", Arc::clone(state), sweep)),
        tokio::spawn(watch_redis(state.redis.clone())),
    ]
}

/// Runs a task, and restarts it after a panic: a defect in one round must not silently end all
/// further rounds.
async fn restart_on_panic<S, T: Future<Output = ()> + Send + 'static>(
    name: &'static str,
    state: Arc<S>,
    task: impl Fn(Arc<S>) -> T,
) {
    loop {
        // A set, because dropping it aborts its tasks.
        let mut running = JoinSet::new();
        running.spawn(task(Arc::clone(&state)));
        match running.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!(
                    task = name,
                    "a background task has broken down, and begins again"
                );
                tokio::time::sleep(RESTART_DELAY).await;
            }
            _ => return,
        }
    }
}

/// Refreshes the directory. What it says of operators applies to their tokens too.
async fn refresh_directory(state: Arc<AppState>) {
    let tokens = &state.tokens;
    let on_refresh = |snapshot: &DirectorySnapshot, began| {
        let is_inactive = |operator| {
            snapshot
                .status(operator)
                .is_none_or(|status| !status.works())
        };
        tokens.directory_read(began, is_inactive);
    };
    state.directory.run(on_refresh).await;
}

async fn sweep(state: Arc<AppState>) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        state.limits.sweep();
        state.tokens.sweep();
        let tasks = Handle::current().metrics().num_alive_tasks();
        let gauge = &state.metrics.open_chat_background_tasks;
        gauge.set(i64::try_from(tasks).unwrap_or(i64::MAX));
    }
}

async fn watch_redis(redis: Option<Arc<RedisStore>>) {
    if let Some(redis) = redis {
        redis.monitor().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_restarted() {
        let rounds = Arc::new(AtomicU32::new(0));
        let task = |rounds: Arc<AtomicU32>| async move {
            let round = rounds.fetch_add(1, Ordering::Relaxed);
            assert!(round == 1, "on purpose");
        };
        restart_on_panic("test", Arc::clone(&rounds), task).await;
        assert_eq!(rounds.load(Ordering::Relaxed), 2);
    }
}
