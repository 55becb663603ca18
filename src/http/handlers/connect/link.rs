//! One-time links for proven agents.

use std::time::Duration;

use actix_web::HttpRequest;

use super::{Admitted, Sender, admit, limit};
use crate::access::{MintError, NewPass, PassConstraints};
use crate::button_url;
use crate::connect::{Connectors, ProvenAgent};
use crate::deep_link::DeepLink;
use crate::http::authorize::one_time_use;
use crate::http::context::{ConnectorOutcome, Outcome, RequestContext};
use crate::http::extract::Query;
use crate::http::problem::{Kind, Problem};
use crate::http::state::AppState;
use crate::http::target::for_client;

/// How long a link is good that a browser follows at once.
pub(in crate::http::handlers) const LINK_TTL: Duration = Duration::from_mins(1);

/// What a CRM says of its client, read like the query of a click. There is a phone: what a click on
/// the link would be refused for is refused now.
pub(in crate::http::handlers) fn read(
    client: PassConstraints,
    state: &AppState,
) -> Result<Query<'static>, Problem> {
    let mut query = Query::default();
    // CRMs know phones only.
    let client = PassConstraints {
        chat_raw_id: None,
        ..client
    };
    query.bind(client, state.links.default_region)?;
    Ok(query)
}

/// The `source` and `from` that the address of a page in a CRM has. Whose phones it shows is the
/// CRM's to say.
pub(super) fn of_address(request: &HttpRequest) -> Result<PassConstraints, Problem> {
    let wanted = Query::parse(request.query_string())?.constraints();
    Ok(PassConstraints {
        phone: None,
        ..wanted
    })
}

/// A link that opens this client's chat once, as the operator that the agent is. `link` is what the
/// query leads to. Whatever may have been used for the proof is used up.
pub(in crate::http::handlers) async fn link_for(
    agent: &ProvenAgent,
    (query, link): (&Query<'_>, &DeepLink<'_>),
    (sender, ttl): (Sender, Duration),
    connectors: &Connectors,
    context: &RequestContext,
    state: &AppState,
) -> Result<String, Problem> {
    let admitted = admit(agent, connectors, context, state).await?;
    let operator = admitted.selection.operator();
    limit(agent, operator, sender, context, state).await?;
    let in_use =
        one_time_use::consume(admitted.checked, context.client, context.deadline, state).await?;
    let url = sign(query, link, &admitted, ttl, state)?;
    in_use.keep();
    context.record().outcome = Some(Outcome::Connector(ConnectorOutcome::Link));
    Ok(url)
}

/// Signs the pass: for this operator and client, once.
fn sign(
    query: &Query<'_>,
    link: &DeepLink<'_>,
    admitted: &Admitted<'_>,
    ttl: Duration,
    state: &AppState,
) -> Result<String, Problem> {
    let Admitted {
        requested,
        selection,
        ..
    } = admitted;
    let authenticator = &state.authenticator;
    let public_url = state.public_url.as_ref().ok_or_else(not_set_up)?;
    let chosen = for_client(selection, link);
    let operator = authenticator.pass_operator(requested, selection, chosen);
    let mut pass = NewPass {
        operator: operator.unwrap_or_default(),
        constraints: query.constraints(),
        ttl,
        one_time: true,
    };
    let signed = authenticator.mint(&pass).or_else(|error| match error {
        // The key's own limit is shorter.
        MintError::TooLong(longest) => {
            pass.ttl = longest;
            authenticator.mint(&pass)
        }
        error => Err(error),
    });
    let (pass, _) = signed.map_err(|_| not_set_up())?;
    Ok(button_url::with_pass(public_url, &pass))
}

/// The start has checked it; keys may have gone since.
pub(super) fn not_set_up() -> Problem {
    Problem::new(
        Kind::NotFound,
        "No link can be signed: that takes PUBLIC_URL, and PASS_SECRET or an HS256 key in PASS_KEYS_FILE.",
    )
}
