//! The operator's token, for a request that was authorized. Uses a one-time pass up, and releases
//! it where ChatHub has no token.

use std::sync::Arc;

use tracing::Instrument as _;

use super::authorize::one_time_use::{self, Checked};
use super::authorize::operator::blame_the_map;
use super::context::RequestContext;
use super::problem::{Kind, Problem};
use super::state::AppState;
use crate::access::Denied;
use crate::tokens::{CachedToken, TokenOutcome};
use chathub::{ErrorKind, OperatorId};

/// A token, and where it came from. `said` is what the operator was found by.
pub(crate) async fn operator_token(
    (operator, said): (OperatorId, Option<&str>),
    checked: Checked<'_>,
    context: &RequestContext,
    state: &AppState,
) -> Result<(Arc<CachedToken>, TokenOutcome), Problem> {
    let (client, deadline) = (context.client, context.deadline);
    let in_use = one_time_use::consume(checked, client, deadline, state).await?;
    let token = state.tokens.get(operator, deadline);
    match token.instrument(context.trace.step("token")).await {
        Ok(token) => {
            in_use.keep();
            Ok(token)
        }
        Err(error) => {
            in_use.release().await;
            Err(no_token(operator, said, error, context, state).await)
        }
    }
}

/// Why ChatHub has no token for this operator. Where it refuses one, its directory may know the
/// reason.
async fn no_token(
    operator: OperatorId,
    said: Option<&str>,
    error: ErrorKind,
    context: &RequestContext,
    state: &AppState,
) -> Problem {
    let is_refused = matches!(
        error,
        ErrorKind::NotFound | ErrorKind::NotPermitted | ErrorKind::InvalidRequest { .. }
    );
    if is_refused
        && let Ok(snapshot) = state.directory.snapshot(context.deadline).await
        && snapshot
            .status(operator)
            .is_some_and(|status| !status.works())
    {
        return Denied::OperatorInactive.into();
    }
    let problem = Problem::from(error);
    if problem.kind == Kind::OperatorUnknown {
        return blame_the_map(problem, said, state);
    }
    problem
}
