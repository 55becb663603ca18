//! `POST /links`: a back end asks for a ready link, or for an invitation that pairs a browser.

mod invitation;
mod request;
mod signed;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

pub(crate) use self::request::LinkRequest;
use crate::access::AuthContext;
use crate::http::authorize::{ChatHubFault, authenticate_by, authorize, limit};
use crate::http::context::Context;
use crate::http::extract::{Body, Initiator, bearer};
use crate::http::problem::Problem;
use crate::http::state::AppState;

/// What a back end gets.
#[derive(Serialize)]
struct Link {
    url: String,
    expires_at: String,
}

impl Link {
    fn new(url: String, ends: DateTime<Utc>) -> Self {
        Self {
            url,
            expires_at: ends.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

/// API key → operator → rate limit → a link with a pass that fixes the client, or an invitation.
pub(crate) async fn links(
    body: Body,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let public_url = state.public_url.as_ref().ok_or_else(signed::not_set_up)?;
    let wanted = LinkRequest::read(&body)?;
    let operator = wanted.operator()?;
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
        invitation::check_key(key, &context, &state).await?;
    }
    let authorized = authorize(&requested, None, ChatHubFault::Refuse, &context, &state).await?;
    let selection = authorized.selection?;
    let operator = selection.operator();
    context.record().operator = operator;
    let checked = authorized.checked;
    limit(operator, checked, Initiator::Own, &context, &state).await?;
    let link = if wanted.pair {
        invitation::link(operator, &wanted, &caller, public_url, &context, &state)?
    } else {
        let authorized = (&requested, &selection);
        signed::link(&wanted, authorized, public_url, &context, &state)?
    };
    Ok(HttpResponse::Created().json(link))
}
