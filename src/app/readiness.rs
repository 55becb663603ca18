//! Readiness: the service is ready once ChatHub has accepted its credentials.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::http::AppState;
use crate::repeats::Repeats;
use chathub::{ChatHub, ErrorKind, NoConnection, Unreachable};

/// Between two logins: doubling up to a bound.
const MIN_RETRY_DELAY: Duration = Duration::from_secs(1);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Before rejected credentials are tried again, which may have been corrected. ChatHub does not see
/// each try: the client sends wrong credentials once.
const REJECTED_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Bounds of the wait that an error asks for.
const MIN_RETRY_AFTER: Duration = Duration::from_millis(100);
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15);

/// Logs in to ChatHub until it accepts the credentials, then marks the service as ready.
pub(super) async fn verify_credentials(chathub: Arc<ChatHub>, state: Arc<AppState>) {
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
        tokio::time::sleep(retry_delay(&error, failures)).await;
        failures += 1;
    }
    state.is_ready.store(true, Ordering::Relaxed);
    tracing::info!("ready: ChatHub has accepted the credentials");
}

/// What `/readyz` says of an error; `None` for one that only follows from the errors before.
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

/// How long to wait before the next login. Where the error tells when ChatHub takes requests again,
/// the login is the first of them.
fn retry_delay(error: &ErrorKind, failures: u32) -> Duration {
    if let Some(rest) = error.retry_after() {
        return rest.clamp(MIN_RETRY_AFTER, MAX_RETRY_AFTER);
    }
    if *error == ErrorKind::CredentialsRejected {
        return REJECTED_RETRY_DELAY;
    }
    let doubled = MIN_RETRY_DELAY.saturating_mul(2_u32.saturating_pow(failures));
    doubled.min(MAX_RETRY_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_login_comes_when_chathub_takes_requests_again() {
        let milliseconds = |error: &ErrorKind, failures| retry_delay(error, failures).as_millis();
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
