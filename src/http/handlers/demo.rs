//! The demo's CRM: a list of contacts, each with a button that leads to this service.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::http::pages::{CspProfile, Language, PageLayout};
use crate::http::problem::Kind;
use crate::http::redirect;
use crate::http::state::AppState;
use crate::secret::Secret;
use chathub::OperatorId;

/// The simulator's first operator, whose chats a paired browser opens.
const AGENT: (OperatorId, &str) = (OperatorId(101), "John Smith");

/// As long as the page may stay open before its invitation is used.
const INVITATION_TTL: Duration = Duration::from_hours(1);

#[derive(Template)]
#[template(path = "demo.html")]
struct Crm<'a> {
    layout: &'a PageLayout<'a>,
    kinds: &'static [Kind],
    agent: (OperatorId, &'static str),
    /// For this browser. Each time that the page is shown it is another one.
    invitation: Option<Secret>,
}

/// The contact list.
pub(crate) async fn crm(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let layout = PageLayout::in_language(Language::English, &request, &state.pages);
    let invitation = state.authenticator.invite(AGENT.0, INVITATION_TTL, None);
    let page = Crm {
        layout: &layout,
        kinds: &Kind::ALL,
        agent: AGENT,
        invitation: invitation.ok().map(|invitation| invitation.text),
    };
    layout.respond(&mut HttpResponse::Ok(), &page, CspProfile::Static)
}

/// `/` leads to the contact list.
pub(crate) async fn root() -> HttpResponse {
    redirect::to("/demo".into())
}
