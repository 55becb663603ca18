//! The page between a link and its chat, for links that get mailed or posted: programs follow such
//! links before people do, and none of them presses a button.
//!
//! The button posts to the page's own address, so the POST passes through everything that a click
//! passes through.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::config::Confirm;
use crate::http::context::{Outcome, RequestContext};
use crate::http::extract::Visitor;
use crate::http::pages::{CspProfile, PageLayout};
use crate::http::state::AppState;
use crate::rate_limit::{Limit, Limited};

/// Whether this request gets the page and not yet the chat.
pub(super) fn is_asked(request: &HttpRequest, visitor: Visitor, state: &AppState) -> bool {
    request.method() == Method::GET
        && match state.links.confirm {
            Confirm::Never => false,
            Confirm::Crawlers => visitor != Visitor::Person,
            Confirm::Always => true,
        }
}

/// Whether a click gets the page because it is over the limit for clicks that other sites may have
/// caused. The agent's own press of the button counts by operator and address, as ever.
pub(super) fn is_asked_instead(counted: Result<(), Limited>) -> Result<bool, Limited> {
    match counted {
        Err(limited) if limited.limit != Limit::Foreign => Err(limited),
        counted => Ok(counted.is_err()),
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

/// The page with the button. It says nothing of the client: its first reader may be a program.
pub(super) fn page(
    request: &HttpRequest,
    context: &RequestContext,
    state: &AppState,
) -> HttpResponse {
    context.record().outcome = Some(Outcome::Confirmation);
    let layout = PageLayout::of(request, &state.pages);
    let page = Page { layout: &layout };
    let needs = CspProfile::FormRedirectsTo(state.links.panel.origin());
    layout.respond(&mut HttpResponse::Ok(), &page, needs)
}

#[derive(Template)]
#[template(path = "crawler.html")]
struct CrawlerPage<'a> {
    layout: &'a PageLayout<'a>,
}

/// What a link-preview crawler gets: no chat, and no refusal that the program's owner would wonder
/// about.
pub(super) fn crawler_page(
    request: &HttpRequest,
    context: &RequestContext,
    state: &AppState,
) -> HttpResponse {
    context.record().outcome = Some(Outcome::Crawler);
    let layout = PageLayout::of(request, &state.pages);
    let page = CrawlerPage { layout: &layout };
    layout.respond(&mut HttpResponse::Ok(), &page, CspProfile::Static)
}
