//! An invitation, which pairs a browser with an operator in the name of an API key.

use std::time::Duration;

use super::Link;
use super::request::{LinkRequest, invalid};
use crate::access::{Caller, Denied, InviteError};
use crate::button_url;
use crate::http::authorize::reject;
use crate::http::context::{Outcome, RequestContext};
use crate::http::problem::{Kind, Problem};
use crate::http::state::AppState;
use crate::operators::DirectorySnapshot;
use chathub::{HttpsUrl, OperatorId};

/// It lives as long as it takes a colleague who is off today, where the back end says nothing else.
const TTL: Duration = Duration::from_hours(24);

/// Rejects an API key that may ask for links only.
pub(super) async fn check_key(
    key: Option<&str>,
    context: &RequestContext,
    state: &AppState,
) -> Result<(), Problem> {
    let access = &state.authenticator;
    if !access.accepts_devices() {
        return Err(not_set_up());
    }
    if key.is_some_and(|key| access.may_invite(key)) {
        return Ok(());
    }
    let problem = Problem::new(
        Kind::OperatorNotAllowed,
        "This API key may not invite browsers: its entry in API_KEYS_FILE needs `pair = true`.",
    );
    Err(reject(problem, context.client, state).await)
}

pub(super) fn link(
    operator: Option<OperatorId>,
    wanted: &LinkRequest,
    caller: &Caller,
    public_url: &HttpsUrl,
    context: &RequestContext,
    state: &AppState,
) -> Result<Link, Problem> {
    let operator = one_operator(operator, state)?;
    let [_, key] = caller.kind_and_name();
    let ttl = wanted.ttl(TTL)?;
    let invitation = state.authenticator.invite(operator, ttl, Some(key));
    let invitation = invitation.map_err(|error| match error {
        InviteError::Ttl => invalid(format!("`ttl` is too long: {error}.")),
        InviteError::NoKey | InviteError::Unsigned => not_set_up(),
    })?;
    context.record().outcome = Some(Outcome::Invited(invitation.id));
    let url = button_url::with_invitation(public_url, &invitation.text);
    Ok(Link::new(url.expose().into(), invitation.expires_at))
}

/// The operator, who must be one, and one that the directory has as far as it is known.
fn one_operator(operator: Option<OperatorId>, state: &AppState) -> Result<OperatorId, Problem> {
    let several =
        || invalid("A browser is paired with one operator: `auto:` leaves it open which.");
    let operator = operator.ok_or_else(several)?;
    let is_missing =
        |known: &DirectorySnapshot| known.is_complete() && known.status(operator).is_none();
    let directory = state.directory.current();
    if directory.as_deref().is_some_and(is_missing) {
        return Err(Denied::OperatorUnknown.into());
    }
    Ok(operator)
}

fn not_set_up() -> Problem {
    Problem::new(
        Kind::NotFound,
        "Invitations are not set up here: that takes `device` in ACCESS, PUBLIC_URL and DEVICE_SECRET.",
    )
}
