//! `POST /links`: a back end asks for a ready link.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::click::Click;
use super::kind::Kind;
use super::open_chat::target;
use super::query::Query;
use super::refusal::Refusal;
use super::resolve::{for_client, resolve_operator};
use super::{AppState, door, value};
use crate::access::{AuthContext, MintError, NewPass, PassConstraints};
use crate::button_url;

/// A link lives as long as it takes to show a page and click, where the back end says nothing else.
const TTL: Duration = Duration::from_mins(10);

/// Some programs put U+FEFF before all UTF-8 that they write.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a back end sends. Numbers are taken for texts, because CRMs keep ids and phones as either.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    operator: Value,
    phone: Option<Value>,
    source: Option<Value>,
    from: Option<Value>,
    chat_raw_id: Option<Value>,
    /// `10m`
    ttl: Option<String>,
    #[serde(default)]
    once: bool,
}

#[derive(Serialize)]
struct Link {
    url: String,
    expires_at: String,
}

/// API key → operator → target → a link with a pass that fixes all of it.
pub(super) async fn links(
    request: &HttpRequest,
    body: Bytes,
    state: &AppState,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    let public_url = state.public_url.as_ref().ok_or_else(not_set_up)?;
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
    let wanted: Wanted = serde_json::from_slice(body)
        .map_err(|error| invalid(format!("The body is not the JSON that is wanted: {error}.")))?;
    let operator = match text("operator", Some(wanted.operator))? {
        Some(operator) => value::read("operator", Cow::Owned(operator))?,
        None => None,
    };
    let key = door::bearer(request.headers());
    let named = operator.as_deref();
    door::limit_guessing(key, click.client, state).await?;
    let auth = state
        .authenticator
        .check_network(click.client)
        .and_then(|()| state.authenticator.authenticate_api_key(key, named));
    let AuthContext {
        caller, requested, ..
    } = door::or_reject(auth, click.client, state).await?;
    click.caller = Some(caller);
    let selection = resolve_operator(&requested, click, state).await?;
    click.operator = selection.operator();
    door::count(click, click.operator, state).await?;
    let constraints = PassConstraints {
        phone: text("phone", wanted.phone)?,
        source: text("source", wanted.source)?,
        from: text("from", wanted.from)?,
        chat_raw_id: text("chat_raw_id", wanted.chat_raw_id)?,
    };
    // What a click on the link would be refused for is refused now.
    let mut query = Query::default();
    query.bind(constraints, state.links.default_region)?;
    let link = target(&query, &state.links, click)?;
    let chosen = for_client(&selection, &link);
    let operator = state
        .authenticator
        .pass_operator(&requested, &selection, chosen);
    let (pass, ends) = state
        .authenticator
        .mint(&NewPass {
            operator: operator.unwrap_or_default(),
            constraints: query.constraints(),
            ttl: ttl(wanted.ttl.as_deref())?,
            one_time: wanted.once,
        })
        .map_err(|error| unsigned(&error))?;
    Ok(HttpResponseBuilder::new(StatusCode::CREATED).json(Link {
        url: button_url::with_pass(public_url, &pass),
        expires_at: moment(ends),
    }))
}

fn ttl(text: Option<&str>) -> Result<Duration, Refusal> {
    text.map_or(Ok(TTL), |text| {
        humantime::parse_duration(text)
            .ok()
            .filter(|ttl| !ttl.is_zero())
            .ok_or_else(|| invalid("`ttl` is not a duration, such as 10m.".into()))
    })
}

/// A text or a whole number. Languages that have no text for nothing have `null` or `false`.
fn text(name: &str, value: Option<Value>) -> Result<Option<String>, Refusal> {
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

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn invalid(detail: String) -> Refusal {
    Refusal::new(Kind::ParameterInvalid, detail)
}

fn unsigned(error: &MintError) -> Refusal {
    match error {
        MintError::TooLong(_) => invalid(format!("`ttl` is too long: {error}.")),
        MintError::NoKey | MintError::Unsigned => not_set_up(),
    }
}

fn not_set_up() -> Refusal {
    Refusal::new(
        Kind::NotFound,
        "Links are not set up here: that takes PUBLIC_URL, API_KEYS_FILE, and PASS_SECRET or an HS256 key in PASS_KEYS_FILE.",
    )
}
