//! A link with a pass, which fixes the operator and the client.

use std::time::Duration;

use super::Link;
use super::request::{LinkRequest, invalid};
use crate::access::{MintError, NewPass, OperatorRequest};
use crate::button_url;
use crate::http::context::RequestContext;
use crate::http::extract::Query;
use crate::http::problem::{Kind, Problem};
use crate::http::state::AppState;
use crate::http::target::{for_client, target};
use crate::operators::OperatorSelection;
use chathub::HttpsUrl;

/// A link lives as long as it takes to show a page and click, where the back end says nothing else.
const TTL: Duration = Duration::from_mins(10);

pub(super) fn link(
    wanted: &LinkRequest,
    (requested, selection): (&OperatorRequest<'_>, &OperatorSelection),
    public_url: &HttpsUrl,
    context: &RequestContext,
    state: &AppState,
) -> Result<Link, Problem> {
    // What a click on the link would be refused for is refused now.
    let mut query = Query::default();
    query.bind(wanted.constraints()?, state.links.default_region)?;
    let link = target(&query, &state.links, &mut context.record().client)?;
    let chosen = for_client(selection, &link);
    let authenticator = &state.authenticator;
    let operator = authenticator.pass_operator(requested, selection, chosen);
    let (pass, ends) = authenticator
        .mint(&NewPass {
            operator: operator.unwrap_or_default(),
            constraints: query.constraints(),
            ttl: wanted.ttl(TTL)?,
            one_time: wanted.once,
        })
        .map_err(|error| unsigned(&error))?;
    Ok(Link::new(button_url::with_pass(public_url, &pass), ends))
}

fn unsigned(error: &MintError) -> Problem {
    match error {
        MintError::TooLong(_) => invalid(format!("`ttl` is too long: {error}.")),
        MintError::NoKey | MintError::Unsigned => not_set_up(),
    }
}

pub(super) fn not_set_up() -> Problem {
    Problem::new(
        Kind::NotFound,
        "Links are not set up here: that takes PUBLIC_URL, API_KEYS_FILE, and PASS_SECRET or an HS256 key in PASS_KEYS_FILE.",
    )
}
