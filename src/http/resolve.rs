//! Whose panel a request opens. ChatHub's directory is waited for only where a name is all there
//! is, and while it has never been read.

use chathub::{ErrorKind, OperatorId};

use super::AppState;
use super::click::Click;
use super::detail::Detail;
use super::door;
use super::identity::ShownIdentity;
use super::kind::Kind;
use super::reasons::RETRY_SOON;
use super::refusal::Refusal;
use super::value;
use crate::access::{Denied, OperatorRequest};
use crate::deep_link::DeepLink;
use crate::operators::OperatorSelection;

/// Whose panel may open, or why nobody's.
pub(super) async fn resolve_operator(
    requested: &OperatorRequest<'_>,
    click: &Click,
    state: &AppState,
) -> Result<OperatorSelection, Refusal> {
    if let Some(operator) = requested.signed_parameter() {
        value::check("operator", operator)?;
    }
    let selection = state
        .authenticator
        .resolve_operator(requested, state.directory.known().as_deref());
    // In boxes, because a click's own future is copied about, and almost none needs these.
    let selection = match selection {
        Err(Denied::DirectoryNeeded) => Box::pin(when_read(requested, click, state)).await?,
        answer => answer,
    };
    match selection {
        Ok(selection) => Ok(selection),
        Err(denied) => {
            let refusal = refused(denied, requested, state);
            Err(Box::pin(door::reject(refusal, click.client, state)).await)
        }
    }
}

/// Why no operator is found; where a login leads to none, it says which login.
pub(super) fn refused(
    denied: Denied,
    requested: &OperatorRequest<'_>,
    state: &AppState,
) -> Refusal {
    match (denied, requested.identity()) {
        (Denied::IdentityUnknown, Some(identity)) => {
            let detail = Detail::IdentityUnknown(ShownIdentity::of(identity));
            Refusal::new(Kind::IdentityUnknown, detail)
        }
        (Denied::OperatorUnknown | Denied::OperatorAmbiguous, _) => {
            blame_the_map(denied.into(), requested.said(), state)
        }
        _ => denied.into(),
    }
}

/// Where the operator map decides on the operator, the link is not to be corrected.
fn blame_the_map(mut refusal: Refusal, said: Option<&str>, state: &AppState) -> Refusal {
    if said.is_some_and(|said| state.authenticator.is_alias(said)) {
        refusal.explain(Detail::AliasAstray);
    }
    refusal
}

async fn when_read(
    requested: &OperatorRequest<'_>,
    click: &Click,
    state: &AppState,
) -> Result<Result<OperatorSelection, Denied>, Refusal> {
    let snapshot = state.directory.snapshot(click.deadline).await;
    let snapshot = snapshot.map_err(directory_unread)?;
    Ok(state
        .authenticator
        .resolve_operator(requested, Some(&snapshot)))
}

/// The operator selection the client meets, if there is one.
pub(super) fn for_client(selection: &OperatorSelection, link: &DeepLink<'_>) -> Option<OperatorId> {
    let phone = link.phone();
    let client = match (link, &phone) {
        (DeepLink::Chat { chat_raw_id }, _) => chat_raw_id,
        (_, Some(phone)) => phone.as_str(),
        (_, None) => "",
    };
    selection.for_client(client)
}

/// Why ChatHub has no token for an operator, who was found by what was `said`. Where it refuses
/// one, its directory may know the reason.
pub(super) async fn no_token(
    operator: OperatorId,
    said: Option<&str>,
    error: ErrorKind,
    click: &Click,
    state: &AppState,
) -> Refusal {
    let is_refused = matches!(
        error,
        ErrorKind::NotFound | ErrorKind::NotPermitted | ErrorKind::InvalidRequest { .. }
    );
    if is_refused
        && let Ok(snapshot) = Box::pin(state.directory.snapshot(click.deadline)).await
        && snapshot
            .status(operator)
            .is_some_and(|status| !status.works())
    {
        return Denied::OperatorInactive.into();
    }
    let refusal = Refusal::from(error);
    if refusal.kind == Kind::OperatorUnknown {
        return blame_the_map(refusal, said, state);
    }
    refusal
}

fn directory_unread(error: ErrorKind) -> Refusal {
    match error {
        ErrorKind::NotFound | ErrorKind::NotPermitted | ErrorKind::InvalidRequest { .. } => {
            Refusal::new(Kind::CredentialsRejected, Detail::DirectoryUnread).retry_after(RETRY_SOON)
        }
        error => error.into(),
    }
}
