//! The page between a link and its chat, for links that get mailed or posted: programs follow such
//! links before people do, and none of them presses a button.
//!
//! The button posts to the page's own address, so the POST passes through everything that a click
//! passes through.

use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::click::{Click, Shown};
use super::detail::Detail;
use super::guard::Visitor;
use super::kind::Kind;
use super::pages::layout::{CspProfile, PageLayout};
use super::refusal::Refusal;
use super::{AppState, guard};
use crate::config::Confirm;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Takes GETs, and the POSTs of the page's own button.
pub(super) fn allow(request: &HttpRequest, state: &AppState) -> Result<(), Refusal> {
    let is_wanted = state.links.confirm != Confirm::Never;
    match *request.method() {
        Method::GET => Ok(()),
        Method::POST if is_wanted => match posted_by(request.headers(), state) {
            Some(Site::Ours) => Ok(()),
            Some(Site::Other) => Err(Refusal::new(
                Kind::NotANavigation,
                Detail::ForeignConfirmation,
            )),
            None => Err(Refusal::method_not_allowed(&[Method::GET])),
        },
        _ => Err(Refusal::method_not_allowed(&[Method::GET])),
    }
}

/// Whether this request gets the page and not yet the chat.
pub(super) fn is_asked(request: &HttpRequest, visitor: Visitor, state: &AppState) -> bool {
    request.method() == Method::GET
        && match state.links.confirm {
            Confirm::Never => false,
            Confirm::Crawlers => visitor != Visitor::Person,
            Confirm::Always => true,
        }
}

/// Whether this visitor gets the small page without a button: a crawler presses none, and an office
/// program opens a link before it hands it to the browser, also where no button is wanted.
pub(super) fn is_only_shown(visitor: Visitor, state: &AppState) -> bool {
    match visitor {
        Visitor::Crawler => true,
        Visitor::Office => state.links.confirm == Confirm::Never,
        Visitor::Suspect | Visitor::Person => false,
    }
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page<'a> {
    layout: &'a PageLayout<'a>,
}

/// The page with the button. It says nothing of the client, because whoever reads it first may be a
/// program.
pub(super) fn page(request: &HttpRequest, state: &AppState, click: &mut Click) -> HttpResponse {
    click.shown = Some(Shown::Confirmation);
    let layout = PageLayout::of(request, &state.pages);
    let page = Page { layout: &layout };
    let profile = CspProfile::FormRedirectsTo(state.links.panel.origin());
    layout.respond(&mut HttpResponse::Ok(), &page, profile)
}

/// Whose page has posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    Ours,
    Other,
}

/// Whose page has posted, as the browser tells: no page can make it lie. `None` where nothing
/// tells, which no browser of these years does.
fn posted_by(headers: &HeaderMap, state: &AppState) -> Option<Site> {
    let is_ours = if let Some(site) = guard::text(headers, &SEC_FETCH_SITE) {
        site == "same-origin"
    } else {
        // Left out where a network is crossed in the clear.
        is_own(guard::text(headers, &ORIGIN)?, headers, state)
    };
    Some(if is_ours { Site::Ours } else { Site::Other })
}

/// Whether an origin is this service's: the one that the request went to, or `PUBLIC_URL`'s,
/// because a proxy may have changed `Host`.
fn is_own(origin: &str, headers: &HeaderMap, state: &AppState) -> bool {
    let host = origin.split_once("://").map(|(_, host)| host);
    let public = state.public_url.as_ref().map(|url| url.as_url().origin());
    host.is_some() && host == guard::text(headers, &HOST)
        || public.is_some_and(|public| public.ascii_serialization() == origin)
}
