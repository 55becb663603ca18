//! The click: `GET /open-chat` → 302 to the right chat. Where `CONFIRM` says so, a page comes
//! first, whose button posts to the same address.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
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
use super::whom::{for_client, no_token, whom};
use super::{Desk, door, guard, once, redirect};
use crate::access::{Admission, Denied, Once};
use crate::chathub::OperatorId;
use crate::config::{Fallback, LinkConfig, SourceWithoutSender};
use crate::deep_link::DeepLink;
use crate::phone::{PhoneError, PhoneNumber, Region};
use crate::source::ChatSource;

/// Guard → query → access → operator → target → rate limit → token → deep link. Everything that can
/// be refused without ChatHub is refused before ChatHub is asked, and a one-time pass is used up
/// when nothing else can go wrong here.
pub(super) async fn open_chat(
    request: &HttpRequest,
    desk: &Desk,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    guard::check(request)?;
    let visitor = Visitor::of(request);
    if confirm::is_only_shown(visitor, desk) {
        return Ok(nothing_to_preview(request, desk, click));
    }
    let mut query = Query::parse(request.query_string())?;
    door::limit_guessing(door::api_key(request, &query, desk), click.client, desk).await?;
    let admitted = click
        .trace
        .step("access")
        .in_scope(|| door::admit(request, &query, click.client, desk));
    let Admission {
        caller,
        claim,
        bound,
        once,
    } = match admitted {
        Ok(admission) => admission,
        Err(denied) => return Err(Box::pin(door::turn_away(denied, click.client, desk)).await),
    };
    click.caller = Some(caller);
    let found = whom(&claim, click, desk)
        .instrument(click.trace.step("operator"))
        .await;
    let whom = match found {
        Err(refusal) if !refusal.is_chathubs_fault() => return Err(refusal),
        answer => answer,
    };
    let vouched = claim.vouched();
    let checked = once::check(once.as_ref(), click.client, desk).await?;
    let link = query
        .bind(bound, desk.links.default_region)
        .and_then(|()| target(&query, &desk.links, click));
    // Where the link leaves the choice, the client decides, and the click counts for whomever that
    // is.
    click.operator = match (&whom, &link) {
        (Ok(whom), Ok(link)) => for_client(whom, link),
        (Ok(whom), Err(_)) => whom.operator(),
        (Err(_), _) => None,
    };
    let asks = confirm::is_asked(request, visitor, desk);
    // What only shows a page is no click yet.
    if !asks {
        let operator = click.operator.filter(|_| checked.is_unused);
        let counted = door::count(click, operator, desk);
        counted.instrument(click.trace.step("limit")).await?;
    }
    let link = link?;
    if asks {
        return Ok(confirm::page(request, desk, click));
    }
    if let Err(refusal) = whom {
        return without_token(refusal, &link, desk, click);
    }
    let operator = click.operator.ok_or(Denied::OperatorInactive)?;
    let said = vouched.as_deref().or(query.operator());
    let once = (once.as_ref(), checked);
    open_panel((operator, said), &link, once, desk, click).await
}

/// The deep link with the operator's token, or what there is without one.
async fn open_panel(
    (operator, said): (OperatorId, Option<&str>),
    link: &DeepLink<'_>,
    (once, checked): (Option<&Once>, Checked),
    desk: &Desk,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    let used_up = once::use_up(once, checked, click.client, click.deadline, desk);
    let in_use = match used_up.await {
        Ok(in_use) => in_use,
        Err(refusal) => return without_token(refusal, link, desk, click),
    };
    let token = desk.tokens.get(operator, click.deadline);
    match token.instrument(click.trace.step("token")).await {
        Ok((held, outcome)) => {
            in_use.keep();
            click.link = Some((link.format(), held.fingerprint, outcome));
            let token = held.token.secret.expose();
            Ok(redirect::to(link.url(&desk.links.panel, Some(token))))
        }
        Err(error) => {
            in_use.give_back().await;
            let refusal = no_token(operator, said, error, click, desk).await;
            without_token(refusal, link, desk, click)
        }
    }
}

/// What a right click gets while ChatHub has no token for it.
fn without_token(
    refusal: Refusal,
    link: &DeepLink<'_>,
    desk: &Desk,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    let by_hand = || link.url(&desk.links.panel, None);
    if refusal.is_chathubs_fault() && desk.links.fallback == Fallback::Login {
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

fn nothing_to_preview(request: &HttpRequest, desk: &Desk, click: &mut Click) -> HttpResponse {
    click.shown = Some(Shown::Crawler);
    let frame = Frame::of(request, &desk.pages);
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
