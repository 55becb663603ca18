//! The demo's CRM: a list of contacts, each with a button that leads to this service.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::http::pages::{CspProfile, DemoTexts, PageLayout};
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
    texts: &'static DemoTexts,
    contacts: [Contact; 8],
    /// Name and title of each kind.
    refusals: Vec<(&'static str, &'static str)>,
    agent: (OperatorId, &'static str),
    /// For this browser. Each time that the page is shown it is another one.
    invitation: Option<Secret>,
}

struct Contact {
    name: &'static str,
    phone: &'static str,
    channel: &'static str,
    href: &'static str,
}

/// All four formats, several sources, phones as messy as CRMs store them, and links as such a CRM
/// would write them. The numbers are examples.
fn contacts(texts: &DemoTexts) -> [Contact; 8] {
    [
        (
            texts.e164,
            "+380501234567",
            "Viber",
            "/open-chat?operator=101&from=Acme&phone=+380501234567&source=0",
        ),
        (
            texts.spaced,
            "+38 (050) 123-45-67",
            texts.any_by_phone,
            "/open-chat?operator=101&phone=%2B38%20(050)%20123-45-67",
        ),
        (
            texts.double_zero,
            "00380501234567",
            "Whatsapp",
            "/open-chat?operator=102&phone=00380501234567&source=whatsapp",
        ),
        (
            texts.national,
            "0501234567",
            "TelegramBot",
            "/open-chat?operator=101&phone=0501234567&source=TelegramBot",
        ),
        (
            texts.without_plus,
            "380501234567",
            texts.one_sender,
            "/open-chat?operator=102&phone=380501234567&from=Acme%20Shop",
        ),
        (
            texts.dashed,
            "050-123-45-67",
            texts.no_sender,
            "/open-chat?operator=101&phone=050-123-45-67&source=7",
        ),
        (
            texts.by_id,
            "",
            texts.chat_id,
            "/open-chat?operator=101&chat_raw_id=65a1f0c2&phone=",
        ),
        (
            texts.unfilled,
            "{{contact.phone}}",
            "Viber",
            "/open-chat?operator=101&phone={{contact.phone}}&source=0",
        ),
    ]
    .map(|(name, phone, channel, href)| Contact {
        name,
        phone,
        channel,
        href,
    })
}

/// The contact list.
pub(crate) async fn crm(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let layout = PageLayout::of_lasting(&request, &state.pages);
    let invitation = state.authenticator.invite(AGENT.0, INVITATION_TTL, None);
    let page = Crm {
        texts: layout.language.demo(),
        layout: &layout,
        contacts: contacts(layout.language.demo()),
        refusals: Kind::ALL
            .map(|kind| (kind.name(), layout.language.title(kind)))
            .into(),
        agent: AGENT,
        invitation: invitation.ok().map(|invitation| invitation.text),
    };
    layout.respond(&mut HttpResponse::Ok(), &page, CspProfile::Static)
}

/// `/` leads to the contact list.
pub(crate) async fn root() -> HttpResponse {
    redirect::to("/demo".into())
}
