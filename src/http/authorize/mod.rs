//! Who may open whose panel: the steps that `/open-chat`, `/widget`, `/widget/token` and
//! `POST /links` share.
//!
//! Authenticate → authorize (which operator, and whether a one-time pass is unused) → rate limit.
//! Using a one-time pass up is `token`'s, when nothing else can go wrong. Knows no handler.

pub(crate) mod device;
pub(crate) mod one_time_use;
pub(crate) mod operator;

use std::net::IpAddr;
use std::time::Duration;

use tracing::Instrument as _;

use self::one_time_use::Checked;
use crate::access::{
    AuthContext, Authenticator, Caller, Credentials, Denied, OneTimeUse, OperatorRequest,
};
use crate::http::context::RequestContext;
use crate::http::extract::Initiator;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::operators::OperatorSelection;
use crate::rate_limit::{ForeignKey, Limited};
use chathub::OperatorId;

/// A one-time link that ends within this time may be over when a person tries it again.
const SOON: Duration = Duration::from_mins(10);

/// Rejects a client outside the allowed networks, for what takes no credentials.
pub(crate) async fn check_network(client: IpAddr, state: &AppState) -> Result<(), Problem> {
    match state.authenticator.check_network(client) {
        Ok(()) => Ok(()),
        Err(denied) => Err(reject(denied, client, state).await),
    }
}

/// Decides who is calling, by the credentials that the request shows.
pub(crate) async fn authenticate<'a>(
    shown: &Credentials<'a>,
    context: &RequestContext,
    state: &AppState,
) -> Result<AuthContext<'a>, Problem> {
    let key = state.authenticator.presented_api_key(shown);
    authenticate_by(key, |access| access.authenticate(shown), context, state).await
}

/// Decides who is calling, by what `decide` asks of the authenticator. `key` is the API key that
/// the request shows, if any: guesses are limited before one is looked at.
pub(crate) async fn authenticate_by<'a>(
    key: Option<&str>,
    decide: impl FnOnce(&Authenticator) -> Result<AuthContext<'a>, Denied>,
    context: &RequestContext,
    state: &AppState,
) -> Result<AuthContext<'a>, Problem> {
    let authenticator = &state.authenticator;
    let client = context.client;
    if let Some(key) = key.filter(|key| authenticator.is_unverified_api_key(key, client)) {
        limit_guessing(key, client, state).await?;
    }
    let auth = context.trace.step("access").in_scope(|| {
        authenticator.check_network(client)?;
        decide(authenticator)
    });
    let auth = match (auth, &state.redis) {
        // Boxed, because the future of a click is copied about, and most clicks do without this.
        (Ok(auth), Some(redis)) => Box::pin(device::check_not_ended(auth, redis)).await,
        (auth, _) => auth,
    };
    match auth {
        Ok(auth) => {
            let mut record = context.record();
            record.caller = Some(auth.caller.clone());
            let once = auth.one_time_use.as_ref();
            record.ends_soon = once.is_some_and(|once| once.expires_within(SOON));
            Ok(auth)
        }
        Err(denied) => Err(reject(denied, client, state).await),
    }
}

/// Refuses an API key without looking at it where its address has sent too many wrong ones. A new
/// key counts before it is looked at, however many come at once; one that was good from there
/// before does not.
async fn limit_guessing(key: &str, client: IpAddr, state: &AppState) -> Result<(), Problem> {
    state.limits.new_api_key(client).await?;
    state.authenticator.verify_api_key(key, client);
    Ok(())
}

/// What to do where ChatHub's directory is needed and cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatHubFault {
    /// Refuse the request.
    Refuse,
    /// Go on, and leave the fault in the authorization: there is an answer without an operator.
    Defer,
}

/// A caller who may open the panel of the selected operator.
pub(crate) struct Authorization<'a> {
    /// An error is always ChatHub's fault.
    pub(crate) selection: Result<OperatorSelection, Problem>,
    pub(crate) checked: Checked<'a>,
}

/// Decides whose panel the caller may open, and rejects a one-time pass that was already used.
pub(crate) async fn authorize<'a>(
    requested: &OperatorRequest<'_>,
    once: Option<&'a OneTimeUse>,
    on_fault: ChatHubFault,
    context: &RequestContext,
    state: &AppState,
) -> Result<Authorization<'a>, Problem> {
    let selection = operator::resolve(requested, context, state)
        .instrument(context.trace.step("operator"))
        .await;
    let selection = match selection {
        Err(problem) if on_fault == ChatHubFault::Refuse || !problem.is_chathubs_fault() => {
            return Err(problem);
        }
        selection => selection,
    };
    let checked = one_time_use::check(once, context.client, state).await?;
    Ok(Authorization { selection, checked })
}

/// Counts a request that was authorized: an agent's by operator and address; a back end's, and one
/// that another site may have made an agent's browser send, apart from those. A pass that may have
/// been used does not count for the operator.
pub(crate) async fn limit(
    operator: Option<OperatorId>,
    checked: Checked<'_>,
    initiator: Initiator,
    context: &RequestContext,
    state: &AppState,
) -> Result<(), Limited> {
    let operator = operator.filter(|_| checked.is_unused);
    let (client, limits) = (context.client, &state.limits);
    let counted = async {
        match counted_as(operator, initiator, context) {
            CountedAs::Click => limits.click(client, operator).await,
            CountedAs::BackEnd(name) => limits.back_end(client, &name, operator).await,
            CountedAs::Foreign(key) => limits.foreign(key).await,
        }
    };
    counted.instrument(context.trace.step("limit")).await
}

/// Whose quota a request takes from.
enum CountedAs {
    /// The operator's and the address's.
    Click,
    /// A back end's, by its name.
    BackEnd(String),
    /// That of clicks which other sites may have caused.
    Foreign(ForeignKey),
}

fn counted_as(
    operator: Option<OperatorId>,
    initiator: Initiator,
    context: &RequestContext,
) -> CountedAs {
    match &context.record().caller {
        Some(Caller::Key(name)) => CountedAs::BackEnd(name.clone()),
        Some(caller) if initiator == Initiator::OtherSite && caller.is_ambient() => {
            let [_, agent] = caller.kind_and_name();
            CountedAs::Foreign(ForeignKey::of(operator, agent))
        }
        _ => CountedAs::Click,
    }
}

/// Says why a caller is not let in; a caller that keeps trying is only told to wait.
pub(crate) async fn reject(
    reason: impl Into<Problem>,
    client: IpAddr,
    state: &AppState,
) -> Problem {
    match state.limits.refused(client).await {
        Ok(()) => reason.into().seen_from(client),
        Err(limited) => limited.into(),
    }
}
