//! The click: `GET /open-chat` → 302 to the right chat. Where `CONFIRM` says so, a page comes
//! first, whose button posts to the same address.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chathub::OperatorId;
use tracing::Instrument as _;

use super::click::{Click, Shown};
use super::confirm;
use super::detail::Detail;
use super::frame::{Frame, Needs};
use super::guard::Visitor;
use super::kind::Kind;
use super::once::Checked;
use super::query::Query;
use super::refusal::Refusal;
use super::resolve::{for_client, no_token, resolve_operator};
use super::{AppState, door, guard, once, redirect};
use crate::access::{AuthContext, Denied, OneTimeUse};
use crate::config::{Fallback, LinkConfig, SourceWithoutSender};
use crate::deep_link::DeepLink;
use crate::phone::{PhoneError, PhoneNumber, Region};
use crate::source::ChatSource;

/// Guard → query → access → operator → target → rate limit → token → deep link. Everything that can
/// be refused without ChatHub is refused before ChatHub is asked, and a one-time pass is used up
/// when nothing else can go wrong here.
pub(super) async fn open_chat(
    request: &HttpRequest,
    state: &AppState,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    guard::check(request)?;
    let visitor = Visitor::of(request);
    if confirm::is_only_shown(visitor, state) {
        return Ok(nothing_to_preview(request, state, click));
    }
    let mut query = Query::parse(request.query_string())?;
    door::limit_guessing(door::api_key(request, &query, state), click.client, state).await?;
    let admitted = click
        .trace
        .step("access")
        .in_scope(|| door::authenticate(request, &query, click.client, state));
    let AuthContext {
        caller,
        requested,
        constraints,
        once,
    } = match admitted {
        Ok(auth) => auth,
        Err(denied) => return Err(Box::pin(door::reject(denied, click.client, state)).await),
    };
    click.caller = Some(caller);
    let found = resolve_operator(&requested, click, state)
        .instrument(click.trace.step("operator"))
        .await;
    let selection = match found {
        Err(refusal) if !refusal.is_chathubs_fault() => return Err(refusal),
        answer => answer,
    };
    let vouched = requested.vouched();
    let checked = once::check(once.as_ref(), click.client, state).await?;
    let link = query
        .bind(constraints, state.links.default_region)
        .and_then(|()| target(&query, &state.links, click));
    // Where the link leaves the choice, the client decides, and the click counts for whomever that
    // is.
    click.operator = match (&selection, &link) {
        (Ok(selection), Ok(link)) => for_client(selection, link),
        (Ok(selection), Err(_)) => selection.operator(),
        (Err(_), _) => None,
    };
    let asks = confirm::is_asked(request, visitor, state);
    // What only shows a page is no click yet.
    if !asks {
        let operator = click.operator.filter(|_| checked.is_unused);
        let counted = door::count(click, operator, state);
        counted.instrument(click.trace.step("limit")).await?;
    }
    let link = link?;
    if asks {
        return Ok(confirm::page(request, state, click));
    }
    if let Err(refusal) = selection {
        return without_token(refusal, &link, state, click);
    }
    let operator = click.operator.ok_or(Denied::OperatorInactive)?;
    let said = vouched.as_deref().or(query.operator());
    let once = (once.as_ref(), checked);
    open_panel((operator, said), &link, once, state, click).await
}

/// The deep link with the operator's token, or what there is without one.
async fn open_panel(
    (operator, said): (OperatorId, Option<&str>),
    link: &DeepLink<'_>,
    (once, checked): (Option<&OneTimeUse>, Checked),
    state: &AppState,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    let used_up = once::consume(once, checked, click.client, click.deadline, state);
    let in_use = match used_up.await {
        Ok(in_use) => in_use,
        Err(refusal) => return without_token(refusal, link, state, click),
    };
    let token = state.tokens.get(operator, click.deadline);
    match token.instrument(click.trace.step("token")).await {
        Ok((held, outcome)) => {
            in_use.keep();
            click.link = Some((link.format(), held.fingerprint, outcome));
            let token = held.token.expose();
            Ok(redirect::to(link.url(&state.links.panel, Some(token))))
        }
        Err(error) => {
            in_use.release().await;
            let refusal = no_token(operator, said, error, click, state).await;
            without_token(refusal, link, state, click)
        }
    }
}

/// What a right click gets while ChatHub has no token for it.
fn without_token(
    refusal: Refusal,
    link: &DeepLink<'_>,
    state: &AppState,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    let by_hand = || link.url(&state.links.panel, None);
    if refusal.is_chathubs_fault() && state.links.fallback == Fallback::Login {
        click.fallback = Some(refusal.kind);
        return Ok(redirect::to(by_hand()));
    }
    Err(refusal.or_by_hand(by_hand))
}

/// What a program gets that only looks: no chat, and no refusal that its owner would wonder about.
#[derive(Template)]
#[template(path = "crawler.html")]
struct CrawlerPage<'a> {
    frame: &'a Frame<'a>,
}

fn nothing_to_preview(request: &HttpRequest, state: &AppState, click: &mut Click) -> HttpResponse {
    click.shown = Some(Shown::Crawler);
    let frame = Frame::of(request, &state.pages);
    let page = CrawlerPage { frame: &frame };
    frame.answer(&mut HttpResponse::Ok(), &page, Needs::Nothing)
}

/// The agent can correct a number in the client's card; a word is what CRMs write for an empty
/// field.
fn read_phone(text: &str, region: Region) -> Result<PhoneNumber, Refusal> {
    PhoneNumber::parse(text, region).map_err(|error| match error {
        PhoneError::Letters if !text.contains(char::is_numeric) => {
            Refusal::new(Kind::PhoneInvalid, Detail::PhoneIsAWord)
        }
        error => error.into(),
    })
}

/// Which chat opens: the format follows from what is known.
pub(super) fn target<'a>(
    query: &'a Query<'_>,
    links: &'a LinkConfig,
    click: &mut Click,
) -> Result<DeepLink<'a>, Refusal> {
    let source = query.source().map(ChatSource::parse).transpose()?;
    click.source = source;
    if let Some(chat_raw_id) = query.chat_raw_id() {
        return Ok(DeepLink::Chat { chat_raw_id });
    }
    let phone = query
        .phone()
        .ok_or_else(|| Refusal::new(Kind::TargetMissing, Detail::NoTarget))?;
    let phone = *click.phone.insert(read_phone(phone, links.default_region)?);
    let sender = query
        .from()
        .or_else(|| source.and_then(|source| links.senders.of(source)));
    match (sender, source) {
        (Some(sender), Some(source)) => Ok(DeepLink::Source {
            source,
            sender,
            phone,
        }),
        (Some(sender), None) => Ok(DeepLink::Sender { sender, phone }),
        (None, Some(source)) if links.source_without_sender == SourceWithoutSender::Reject => {
            Err(Refusal::new(Kind::SenderMissing, Detail::NoSender(source)))
        }
        (None, _) => Ok(DeepLink::Phone { phone }),
    }
}
