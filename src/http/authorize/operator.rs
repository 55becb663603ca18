//! Which operator a request asks for. ChatHub's directory is waited for only where a display name
//! is all there is, and while it has never been read.

use super::reject;
use crate::access::{Denied, OperatorRequest};
use crate::http::context::RequestContext;
use crate::http::extract::value;
use crate::http::problem::{Detail, Kind, Problem, RETRY_SOON, ShownIdentity};
use crate::http::state::AppState;
use crate::operators::OperatorSelection;
use chathub::ErrorKind;

/// The operator that is asked for, or why there is none.
pub(super) async fn resolve(
    requested: &OperatorRequest<'_>,
    context: &RequestContext,
    state: &AppState,
) -> Result<OperatorSelection, Problem> {
    if let Some(operator) = requested.signed_parameter() {
        value::check("operator", operator)?;
    }
    let selection = state
        .authenticator
        .resolve_operator(requested, state.directory.current().as_deref());
    let selection = match selection {
        Err(Denied::DirectoryNeeded) => with_directory(requested, context, state).await?,
        answer => answer,
    };
    match selection {
        Ok(selection) => Ok(selection),
        Err(denied) => {
            let problem = unresolved(denied, requested, state);
            Err(reject(problem, context.client, state).await)
        }
    }
}

/// Why no operator is found; where an identity leads to none, it says which.
pub(crate) fn unresolved(
    denied: Denied,
    requested: &OperatorRequest<'_>,
    state: &AppState,
) -> Problem {
    match (denied, requested.identity()) {
        (Denied::IdentityUnknown, Some(identity)) => {
            let detail = Detail::IdentityUnknown(ShownIdentity::of(identity));
            Problem::new(Kind::IdentityUnknown, detail)
        }
        (Denied::IdentityUnknown, None) => {
            let agent = ShownIdentity::of(requested.agent().unwrap_or_default());
            Problem::new(Kind::IdentityUnknown, Detail::AgentUnknown(agent))
        }
        (Denied::OperatorUnknown | Denied::OperatorAmbiguous, _) => {
            blame_the_map(denied.into(), requested.identifier(), state)
        }
        _ => denied.into(),
    }
}

/// Where the operator map decides on the operator, the map is to be corrected and not the link.
pub(crate) fn blame_the_map(mut problem: Problem, said: Option<&str>, state: &AppState) -> Problem {
    if said.is_some_and(|said| state.authenticator.is_alias(said)) {
        problem.explain(Detail::AliasAstray);
    }
    problem
}

/// The same, once the directory has been read.
async fn with_directory(
    requested: &OperatorRequest<'_>,
    context: &RequestContext,
    state: &AppState,
) -> Result<Result<OperatorSelection, Denied>, Problem> {
    let snapshot = state.directory.snapshot(context.deadline).await;
    let snapshot = snapshot.map_err(directory_unread)?;
    Ok(state
        .authenticator
        .resolve_operator(requested, Some(&snapshot)))
}

fn directory_unread(error: ErrorKind) -> Problem {
    match error {
        ErrorKind::NotFound | ErrorKind::NotPermitted | ErrorKind::InvalidRequest { .. } => {
            Problem::new(Kind::CredentialsRejected, Detail::DirectoryUnread).retry_after(RETRY_SOON)
        }
        error => error.into(),
    }
}
