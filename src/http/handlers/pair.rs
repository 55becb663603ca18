//! `GET /pair`: whose chats this browser opens, or will open where it was invited. `POST /pair`, of
//! the page's button: pairs the browser by the invitation in the address, or ends the pairing where
//! there is none.

use actix_web::http::header::SET_COOKIE;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::access::{Authenticator, Caller, Denied, DeviceCookie, DeviceId, OneTimeUse, Pairing};
use crate::http::authorize::one_time_use::{self, Checked};
use crate::http::authorize::{ChatHubFault, authorize, check_network, device, reject};
use crate::http::context::{Context, Outcome, RequestContext};
use crate::http::device_cookie;
use crate::http::extract::{PairButton, field};
use crate::http::pages::{CspProfile, PageLayout, PairingWords};
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::redirect;
use crate::http::state::AppState;
use crate::printable;
use chathub::OperatorId;

/// The parameter that an invitation comes in.
const INVITATION: &str = "invitation";

/// What the page shows.
enum Shown {
    /// An invitation for this operator, and the other one that the browser is paired with now.
    Invited {
        operator: NamedOperator,
        paired_now: Option<NamedOperator>,
    },
    /// A pairing.
    Paired {
        operator: NamedOperator,
        device: DeviceId,
    },
    /// A cookie that is good no more.
    Ended,
    /// No cookie.
    Unpaired,
    /// Paired browsers are not accepted here.
    Off,
}

struct NamedOperator {
    id: OperatorId,
    /// Unset where ChatHub's directory does not tell.
    name: Option<String>,
}

#[derive(Template)]
#[template(path = "pair.html")]
struct Page<'a> {
    layout: &'a PageLayout<'a>,
    words: &'static PairingWords,
    title: &'static str,
    lead: &'static str,
    shown: Shown,
}

/// The page.
pub(crate) async fn page(
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let invitation = admit(&request, &context, &state).await?;
    let cookie = device_cookie::of(&request, &state);
    let shown = if !state.authenticator.accepts_devices() {
        Shown::Off
    } else if let Some(invitation) = invitation {
        let (invitation, once) = verify(&invitation, &context, &state).await?;
        check(&invitation, &once, &context, &state).await?;
        invited(&invitation, cookie, &context, &state).await
    } else {
        paired(cookie, &context, &state).await
    };
    Ok(respond(&request, shown, &state))
}

/// Its button.
pub(crate) async fn pressed(
    _: PairButton,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let invitation = admit(&request, &context, &state).await?;
    if !state.authenticator.accepts_devices() {
        return Ok(respond(&request, Shown::Off, &state));
    }
    let cookie = match invitation {
        Some(invitation) => pair(&invitation, &context, &state).await?,
        None => unpair(device_cookie::of(&request, &state), &context, &state).await,
    };
    let mut response = redirect::after_post("/pair");
    Ok(response.insert_header((SET_COOKIE, cookie)).finish())
}

/// Network → rate limit → the invitation in the address.
async fn admit(
    request: &HttpRequest,
    context: &RequestContext,
    state: &AppState,
) -> Result<Option<String>, Problem> {
    let client = context.client;
    check_network(client, state).await?;
    state.limits.pairing(client).await?;
    field(request.query_string().as_bytes(), INVITATION)
}

/// The pairing that an invitation is for, and the invitation's single use.
async fn verify(
    invitation: &str,
    context: &RequestContext,
    state: &AppState,
) -> Result<(Pairing, OneTimeUse), Problem> {
    match state.authenticator.check_invitation(invitation.trim()) {
        Ok(pairing) => {
            let once = Authenticator::invitation_use(&pairing);
            Ok((pairing, once))
        }
        Err(denied) => Err(reject(denied, context.client, state).await),
    }
}

/// Rejects an invitation for an operator who cannot open chats, and one that was used. The log
/// names its device from now on.
async fn check<'a>(
    invitation: &Pairing,
    once: &'a OneTimeUse,
    context: &RequestContext,
    state: &AppState,
) -> Result<Checked<'a>, Problem> {
    note(invitation, context);
    if is_unknown(invitation.operator, context, state).await {
        return Err(reject(Denied::OperatorUnknown, context.client, state).await);
    }
    let requested = match state.authenticator.request_of(invitation) {
        Ok(requested) => requested,
        Err(denied) => return Err(reject(denied, context.client, state).await),
    };
    match authorize(&requested, Some(once), ChatHubFault::Refuse, context, state).await {
        Ok(authorized) => Ok(authorized.checked),
        Err(problem) => Err(dated(problem, invitation, once, context, state).await),
    }
}

/// Whether ChatHub lists operators, and not this one. It is waited for, so that the page knows who
/// works; where it lists none, an invitation does without, as a click does.
async fn is_unknown(operator: OperatorId, context: &RequestContext, state: &AppState) -> bool {
    let directory = state.directory.snapshot(context.deadline).await;
    directory.is_ok_and(|directory| {
        let is_whole = directory.is_complete() && !directory.is_empty();
        is_whole && directory.status(operator).is_none()
    })
}

/// Uses an invitation up, and returns the cookie that pairs the browser.
async fn pair(
    invitation: &str,
    context: &RequestContext,
    state: &AppState,
) -> Result<String, Problem> {
    let (invitation, once) = verify(invitation, context, state).await?;
    let checked = check(&invitation, &once, context, state).await?;
    let cookie = state.authenticator.pair(&invitation);
    let cookie = cookie.ok_or(Denied::InvitationInvalid)?;
    match one_time_use::consume(checked, context.client, context.deadline, state).await {
        Ok(in_use) => in_use.keep(),
        Err(problem) => return Err(dated(problem, &invitation, &once, context, state).await),
    }
    context.record().outcome = Some(Outcome::Paired);
    Ok(device_cookie::set(&cookie, state))
}

/// Ends the pairing of this browser, and returns what takes its cookie away.
async fn unpair(cookie: DeviceCookie<'_>, context: &RequestContext, state: &AppState) -> String {
    if let Ok(pairing) = state.authenticator.check_device(cookie) {
        note(&pairing, context);
        device::end(pairing.device, state).await;
        context.record().outcome = Some(Outcome::Unpaired);
    }
    device_cookie::clear(state)
}

/// Says when an invitation was used that was used already.
async fn dated(
    mut problem: Problem,
    invitation: &Pairing,
    once: &OneTimeUse,
    context: &RequestContext,
    state: &AppState,
) -> Problem {
    if problem.kind == Kind::InvitationUsed
        && let Some(at) = device::used_at(once, state).await
    {
        problem.explain(Detail::InvitationUsed(at, invitation.device));
        context.record().used_at = Some(at);
    }
    problem
}

async fn invited(
    invitation: &Pairing,
    cookie: DeviceCookie<'_>,
    context: &RequestContext,
    state: &AppState,
) -> Shown {
    let paired_now = match state.authenticator.check_device(cookie) {
        Ok(pairing) if pairing.operator != invitation.operator => {
            Some(named(pairing.operator, context, state).await)
        }
        _ => None,
    };
    Shown::Invited {
        operator: named(invitation.operator, context, state).await,
        paired_now,
    }
}

async fn paired(cookie: DeviceCookie<'_>, context: &RequestContext, state: &AppState) -> Shown {
    if matches!(cookie, DeviceCookie::Absent) {
        return Shown::Unpaired;
    }
    let Ok(pairing) = state.authenticator.check_device(cookie) else {
        return Shown::Ended;
    };
    note(&pairing, context);
    Shown::Paired {
        operator: named(pairing.operator, context, state).await,
        device: pairing.device,
    }
}

/// An operator with the name that ChatHub's directory has.
async fn named(operator: OperatorId, context: &RequestContext, state: &AppState) -> NamedOperator {
    let directory = state.directory.snapshot(context.deadline).await.ok();
    let name = directory
        .as_ref()
        .and_then(|directory| directory.display_name(operator));
    NamedOperator {
        id: operator,
        name: name.map(printable::one_line),
    }
}

/// Names the device and its operator in the log.
fn note(pairing: &Pairing, context: &RequestContext) {
    let mut record = context.record();
    record.caller = Some(Caller::Device(pairing.device));
    record.operator = Some(pairing.operator);
}

fn respond(request: &HttpRequest, shown: Shown, state: &AppState) -> HttpResponse {
    let layout = PageLayout::of(request, &state.pages);
    let words = layout.language.pairing_words();
    let (title, lead) = match &shown {
        Shown::Invited {
            paired_now: Some(_),
            ..
        } => (words.title_other, words.other),
        Shown::Invited { .. } => (words.title_invited, words.invited),
        Shown::Paired { .. } => (words.title_paired, words.paired),
        Shown::Ended => (words.title_ended, words.ended),
        Shown::Unpaired => (words.title_unpaired, words.unpaired),
        Shown::Off => (words.title_off, words.off),
    };
    let page = Page {
        layout: &layout,
        words,
        title,
        lead,
        shown,
    };
    layout.respond(&mut HttpResponse::Ok(), &page, CspProfile::OwnForm)
}
