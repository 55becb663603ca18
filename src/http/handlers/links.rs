//! `POST /links`: a back end asks for a ready link, or for an invitation that pairs a browser.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::{
    AuthContext, Caller, Denied, Invitation, InviteError, MintError, NewPass, OperatorRequest,
    PassConstraints,
};
use crate::button_url;
use crate::http::authorize::{ChatHubFault, authenticate_by, authorize, limit, reject};
use crate::http::context::{Context, Outcome, RequestContext};
use crate::http::extract::{Body, Initiator, Query, bearer, value};
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::state::AppState;
use crate::http::target::{for_client, target};
use crate::operators::{DirectorySnapshot, OperatorSelection};
use chathub::{HttpsUrl, OperatorId};

/// A link lives as long as it takes to show a page and click, where the back end says nothing else.
const TTL: Duration = Duration::from_mins(10);

/// An invitation lives as long as it takes a colleague who is off today.
const INVITATION_TTL: Duration = Duration::from_hours(24);

/// Some programs put U+FEFF before all UTF-8 that they write.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a back end sends. Numbers are taken for texts, because CRMs keep ids and phones as either.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkRequest {
    operator: Value,
    phone: Option<Value>,
    source: Option<Value>,
    from: Option<Value>,
    chat_raw_id: Option<Value>,
    /// `10m`
    ttl: Option<String>,
    #[serde(default)]
    once: bool,
    /// An invitation in the place of a link.
    #[serde(default)]
    pair: bool,
}

#[derive(Serialize)]
struct Link {
    url: String,
    expires_at: String,
}

/// API key → operator → rate limit → a link with a pass that fixes the client, or an invitation.
pub(crate) async fn links(
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let public_url = state.public_url.as_ref().ok_or_else(not_set_up)?;
    let wanted = read(&body)?;
    if wanted.pair {
        wanted.check_opens_no_chat()?;
    }
    let operator = match text("operator", Some(wanted.operator.clone()))? {
        Some(operator) => value::read("operator", Cow::Owned(operator))?,
        None => None,
    };
    let key = bearer(request.headers());
    let named = operator.as_deref();
    let auth = authenticate_by(
        key,
        |access| access.authenticate_api_key(key, named),
        &context,
        &state,
    );
    let AuthContext {
        requested, caller, ..
    } = auth.await?;
    if wanted.pair {
        check_may_invite(key, &context, &state).await?;
    }
    let authorized = authorize(&requested, None, ChatHubFault::Refuse, &context, &state).await?;
    let selection = authorized.selection?;
    let operator = selection.operator();
    context.record().operator = operator;
    let checked = authorized.checked;
    limit(operator, checked, Initiator::Own, &context, &state).await?;
    let link = if wanted.pair {
        let operator = invited_operator(operator, &state)?;
        let invitation = invite(operator, &wanted, &caller, &state)?;
        context.record().outcome = Some(Outcome::Invited(invitation.id));
        let url = button_url::with_invitation(public_url, &invitation.text);
        Link::new(url.expose().into(), invitation.expires_at)
    } else {
        let authorized = (&requested, &selection);
        signed_link(wanted, authorized, public_url, &context, &state)?
    };
    Ok(HttpResponse::Created().json(link))
}

/// A link with a pass for this operator and client.
fn signed_link(
    wanted: LinkRequest,
    (requested, selection): (&OperatorRequest<'_>, &OperatorSelection),
    public_url: &HttpsUrl,
    context: &RequestContext,
    state: &AppState,
) -> Result<Link, Problem> {
    let constraints = PassConstraints {
        phone: text("phone", wanted.phone)?,
        source: text("source", wanted.source)?,
        from: text("from", wanted.from)?,
        chat_raw_id: text("chat_raw_id", wanted.chat_raw_id)?,
    };
    // What a click on the link would be refused for is refused now.
    let mut query = Query::default();
    query.bind(constraints, state.links.default_region)?;
    let link = target(&query, &state.links, &mut context.record().client)?;
    let chosen = for_client(selection, &link);
    let authenticator = &state.authenticator;
    let operator = authenticator.pass_operator(requested, selection, chosen);
    let (pass, ends) = authenticator
        .mint(&NewPass {
            operator: operator.unwrap_or_default(),
            constraints: query.constraints(),
            ttl: read_ttl(wanted.ttl.as_deref(), TTL)?,
            one_time: wanted.once,
        })
        .map_err(|error| unsigned(&error))?;
    let url = button_url::with_pass(public_url, &pass);
    Ok(Link::new(url, ends))
}

/// The one operator whose chats a browser is to open. The directory, as far as it is known, has the
/// operator.
fn invited_operator(operator: Option<OperatorId>, state: &AppState) -> Result<OperatorId, Problem> {
    let several =
        || invalid("A browser is paired with one operator: `auto:` leaves it open which.");
    let operator = operator.ok_or_else(several)?;
    let directory = state.directory.current();
    let is_missing =
        |known: &DirectorySnapshot| known.is_complete() && known.status(operator).is_none();
    if directory.as_deref().is_some_and(is_missing) {
        return Err(Denied::OperatorUnknown.into());
    }
    Ok(operator)
}

/// An invitation in the name of the API key that asks for it.
fn invite(
    operator: OperatorId,
    wanted: &LinkRequest,
    caller: &Caller,
    state: &AppState,
) -> Result<Invitation, Problem> {
    let [_, key] = caller.kind_and_name();
    let ttl = read_ttl(wanted.ttl.as_deref(), INVITATION_TTL)?;
    let invitation = state.authenticator.invite(operator, ttl, Some(key));
    invitation.map_err(|error| match error {
        InviteError::Ttl => invalid(format!("`ttl` is too long: {error}.")),
        InviteError::NoKey | InviteError::Unsigned => invitations_not_set_up(),
    })
}

/// Rejects an API key that may ask for links only.
async fn check_may_invite(
    key: Option<&str>,
    context: &RequestContext,
    state: &AppState,
) -> Result<(), Problem> {
    let access = &state.authenticator;
    if !access.accepts_devices() {
        return Err(invitations_not_set_up());
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

impl Link {
    fn new(url: String, ends: DateTime<Utc>) -> Self {
        Self {
            url,
            expires_at: ends.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

impl LinkRequest {
    /// Refuses a client beside `pair`: an invitation is for a browser, and opens no chat.
    fn check_opens_no_chat(&self) -> Result<(), Problem> {
        let client = [
            ("phone", &self.phone),
            ("source", &self.source),
            ("from", &self.from),
            ("chat_raw_id", &self.chat_raw_id),
        ];
        for (name, value) in client {
            let given = text(name, value.clone())?.map(Cow::Owned);
            let given = given.map_or(Ok(None), |given| value::read(name, given))?;
            if given.is_some() {
                return Err(invalid(format!(
                    "`{name}` has no place beside `pair`: an invitation pairs a browser with an operator, and opens no chat."
                )));
            }
        }
        Ok(())
    }
}

fn read(Body(body): &Body) -> Result<LinkRequest, Problem> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    serde_json::from_slice(body)
        .map_err(|error| invalid(format!("The body is not the JSON that is wanted: {error}.")))
}

fn read_ttl(text: Option<&str>, default: Duration) -> Result<Duration, Problem> {
    text.map_or(Ok(default), |text| {
        humantime::parse_duration(text)
            .ok()
            .filter(|ttl| !ttl.is_zero())
            .ok_or_else(|| invalid("`ttl` is not a duration, such as 10m."))
    })
}

/// A text or a whole number. Languages that have no text for nothing have `null` or `false`.
fn text(name: &str, value: Option<Value>) -> Result<Option<String>, Problem> {
    let text = match value {
        None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Number(number)) if number.is_u64() => number.to_string(),
        Some(_) => {
            return Err(invalid(format!(
                "`{name}` is neither a text nor a whole number."
            )));
        }
    };
    Ok(Some(text))
}

fn invalid(detail: impl Into<Detail>) -> Problem {
    Problem::new(Kind::ParameterInvalid, detail)
}

fn unsigned(error: &MintError) -> Problem {
    match error {
        MintError::TooLong(_) => invalid(format!("`ttl` is too long: {error}.")),
        MintError::NoKey | MintError::Unsigned => not_set_up(),
    }
}

fn invitations_not_set_up() -> Problem {
    Problem::new(
        Kind::NotFound,
        "Invitations are not set up here: that takes `device` in ACCESS, PUBLIC_URL and DEVICE_SECRET.",
    )
}

fn not_set_up() -> Problem {
    Problem::new(
        Kind::NotFound,
        "Links are not set up here: that takes PUBLIC_URL, API_KEYS_FILE, and PASS_SECRET or an HS256 key in PASS_KEYS_FILE.",
    )
}
