//! The demo's CRM: a list of contacts, each with a button that leads to this service.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::http::pages::{CspProfile, Language, PageLayout};
use crate::http::problem::Kind;
use crate::http::redirect;
use crate::http::state::AppState;

#[derive(Template)]
#[template(path = "demo.html")]
struct Crm<'a> {
    layout: &'a PageLayout<'a>,
    kinds: &'static [Kind],
}

/// The contact list.
pub(crate) async fn crm(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let layout = PageLayout::in_language(Language::English, &request, &state.pages);
    let page = Crm {
        layout: &layout,
        kinds: &Kind::ALL,
    };
    layout.respond(&mut HttpResponse::Ok(), &page, CspProfile::Static)
}

/// `/` leads to the contact list.
pub(crate) async fn root() -> HttpResponse {
    redirect::to("/demo".into())
}
