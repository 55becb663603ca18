//! Whose panel a request opens. ChatHub's directory is waited for only where a name is all there
//! is, and while it has never been read.

use super::Desk;
use super::click::Click;
use super::detail::Detail;
use super::door;
use super::identity::ShownIdentity;
use super::kind::Kind;
use super::reasons::RETRY_SOON;
use super::refusal::Refusal;
use super::value;
use crate::access::{Claim, Denied};
use crate::chathub::{Error, OperatorId};
use crate::deep_link::DeepLink;
use crate::operators::Whom;

/// Whose panel may open, or why nobody's.
pub(super) async fn whom(claim: &Claim<'_>, click: &Click, desk: &Desk) -> Result<Whom, Refusal> {
    if let Some(operator) = claim.signed_parameter() {
        value::check("operator", operator)?;
    }
    let whom = desk.access.whom(claim, desk.directory.known().as_deref());
    // In boxes, because a click's own future is copied about, and almost none needs these.
    let whom = match whom {
        Err(Denied::DirectoryNeeded) => Box::pin(when_read(claim, click, desk)).await?,
        answer => answer,
    };
    match whom {
        Ok(whom) => Ok(whom),
        Err(denied) => {
            let refusal = refused(denied, claim, desk);
            Err(Box::pin(door::turn_away(refusal, click.client, desk)).await)
        }
    }
}

/// Why no operator is found; where a login leads to none, it says which login.
pub(super) fn refused(denied: Denied, claim: &Claim<'_>, desk: &Desk) -> Refusal {
    match (denied, claim.identity()) {
        (Denied::IdentityUnknown, Some(identity)) => {
            let detail = Detail::IdentityUnknown(ShownIdentity::of(identity));
            Refusal::new(Kind::IdentityUnknown, detail)
        }
        (Denied::OperatorUnknown | Denied::OperatorAmbiguous, _) => {
            blame_the_map(denied.into(), claim.said(), desk)
        }
        _ => denied.into(),
    }
}

/// Where the operator map decides on the operator, the link is not to be corrected.
fn blame_the_map(mut refusal: Refusal, said: Option<&str>, desk: &Desk) -> Refusal {
    if said.is_some_and(|said| desk.access.is_alias(said)) {
        refusal.explain(Detail::AliasAstray);
    }
    refusal
}

async fn when_read(
    claim: &Claim<'_>,
    click: &Click,
    desk: &Desk,
) -> Result<Result<Whom, Denied>, Refusal> {
    let roster = desk.directory.roster(click.deadline).await;
    let roster = roster.map_err(directory_unread)?;
    Ok(desk.access.whom(claim, Some(&roster)))
}

/// The operator whom the client meets, if there is one.
pub(super) fn for_client(whom: &Whom, link: &DeepLink<'_>) -> Option<OperatorId> {
    let phone = link.phone();
    let client = match (link, &phone) {
        (DeepLink::Chat { chat_raw_id }, _) => chat_raw_id,
        (_, Some(phone)) => phone.as_str(),
        (_, None) => "",
    };
    whom.for_client(client)
}

/// Why ChatHub has no token for an operator, who was found by what was `said`. Where it refuses
/// one, its directory may know the reason.
pub(super) async fn no_token(
    operator: OperatorId,
    said: Option<&str>,
    error: Error,
    click: &Click,
    desk: &Desk,
) -> Refusal {
    let is_refused = matches!(
        error,
        Error::NotFound | Error::NotPermitted | Error::InvalidRequest { .. }
    );
    if is_refused
        && let Ok(roster) = Box::pin(desk.directory.roster(click.deadline)).await
        && roster
            .status(operator)
            .is_some_and(|status| !status.works())
    {
        return Denied::OperatorInactive.into();
    }
    let refusal = Refusal::from(error);
    if refusal.kind == Kind::OperatorUnknown {
        return blame_the_map(refusal, said, desk);
    }
    refusal
}

fn directory_unread(error: Error) -> Refusal {
    match error {
        Error::NotFound | Error::NotPermitted | Error::InvalidRequest { .. } => {
            Refusal::new(Kind::CredentialsRejected, Detail::DirectoryUnread).retry_after(RETRY_SOON)
        }
        error => error.into(),
    }
}
