//! `POST /links`: a back end asks for a ready link.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::access::{AuthContext, MintError, NewPass, PassConstraints};
use crate::button_url;
use crate::http::authorize::{ChatHubFault, authenticate_by, authorize, limit};
use crate::http::context::Context;
use crate::http::extract::{Body, Initiator, Query, bearer, value};
use crate::http::problem::{Kind, Problem};
use crate::http::state::AppState;
use crate::http::target::{for_client, target};

/// A link lives as long as it takes to show a page and click, where the back end says nothing else.
const TTL: Duration = Duration::from_mins(10);

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
}

#[derive(Serialize)]
struct Link {
    url: String,
    expires_at: String,
}

/// API key → operator → rate limit → target → a link with a pass that fixes all of it.
pub(crate) async fn links(
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let public_url = state.public_url.as_ref().ok_or_else(not_set_up)?;
    let wanted = read(&body)?;
    let operator = match text("operator", Some(wanted.operator))? {
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
    let AuthContext { requested, .. } = auth.await?;
    let authorized = authorize(&requested, None, ChatHubFault::Refuse, &context, &state).await?;
    let selection = authorized.selection?;
    let operator = selection.operator();
    context.record().operator = operator;
    let checked = authorized.checked;
    limit(operator, checked, Initiator::Own, &context, &state).await?;
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
    let chosen = for_client(&selection, &link);
    let authenticator = &state.authenticator;
    let operator = authenticator.pass_operator(&requested, &selection, chosen);
    let (pass, ends) = authenticator
        .mint(&NewPass {
            operator: operator.unwrap_or_default(),
            constraints: query.constraints(),
            ttl: read_ttl(wanted.ttl.as_deref())?,
            one_time: wanted.once,
        })
        .map_err(|error| unsigned(&error))?;
    Ok(HttpResponse::Created().json(Link {
        url: button_url::with_pass(public_url, &pass),
        expires_at: ends.to_rfc3339_opts(SecondsFormat::Secs, true),
    }))
}

fn read(Body(body): &Body) -> Result<LinkRequest, Problem> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    serde_json::from_slice(body)
        .map_err(|error| invalid(format!("The body is not the JSON that is wanted: {error}.")))
}

fn read_ttl(text: Option<&str>) -> Result<Duration, Problem> {
    text.map_or(Ok(TTL), |text| {
        humantime::parse_duration(text)
            .ok()
            .filter(|ttl| !ttl.is_zero())
            .ok_or_else(|| invalid("`ttl` is not a duration, such as 10m.".into()))
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

fn invalid(detail: String) -> Problem {
    Problem::new(Kind::ParameterInvalid, detail)
}

fn unsigned(error: &MintError) -> Problem {
    match error {
        MintError::TooLong(_) => invalid(format!("`ttl` is too long: {error}.")),
        MintError::NoKey | MintError::Unsigned => not_set_up(),
    }
}

fn not_set_up() -> Problem {
    Problem::new(
        Kind::NotFound,
        "Links are not set up here: that takes PUBLIC_URL, API_KEYS_FILE, and PASS_SECRET or an HS256 key in PASS_KEYS_FILE.",
    )
}
