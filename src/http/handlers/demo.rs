//! The demo's CRM: a list of contacts, each with a button that leads to this service.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::http::pages::i18n::Language;
use crate::http::pages::layout::{CspProfile, PageLayout};
use crate::http::problem::Kind;
use crate::http::redirect;
use crate::http::state::AppState;

/// A contact of the fictional CRM, with the link of its button, as such a CRM would write it.
struct Contact {
    name: &'static str,
    phone: &'static str,
    channel: &'static str,
    href: &'static str,
}

/// All four formats, several sources, phones as messy as CRMs store them. The numbers are examples.
const CONTACTS: [Contact; 8] = [
    Contact {
        name: "Olena Example",
        phone: "+380501234567",
        channel: "Viber",
        href: "/open-chat?operator=101&from=Acme&phone=+380501234567&source=0",
    },
    Contact {
        name: "Petro Sample",
        phone: "+38 (050) 123-45-67",
        channel: "any, by phone",
        href: "/open-chat?operator=101&phone=%2B38%20(050)%20123-45-67",
    },
    Contact {
        name: "Iryna Probe",
        phone: "00380501234567",
        channel: "Whatsapp",
        href: "/open-chat?operator=102&phone=00380501234567&source=whatsapp",
    },
    Contact {
        name: "Taras Muster",
        phone: "0501234567",
        channel: "TelegramBot",
        href: "/open-chat?operator=101&phone=0501234567&source=TelegramBot",
    },
    Contact {
        name: "Sofia Template",
        phone: "380501234567",
        channel: "one sender, any source",
        href: "/open-chat?operator=102&phone=380501234567&from=Acme%20Shop",
    },
    Contact {
        name: "Marko Fixture",
        phone: "050-123-45-67",
        channel: "Instagram, no sender known",
        href: "/open-chat?operator=101&phone=050-123-45-67&source=7",
    },
    Contact {
        name: "A chat in progress",
        phone: "",
        channel: "chat 65a1f0c2",
        href: "/open-chat?operator=101&chat_raw_id=65a1f0c2&phone=",
    },
    Contact {
        name: "A contact that the CRM did not fill in",
        phone: "{{contact.phone}}",
        channel: "Viber",
        href: "/open-chat?operator=101&phone={{contact.phone}}&source=0",
    },
];

#[derive(Template)]
#[template(path = "demo.html")]
struct Crm<'a> {
    layout: &'a PageLayout<'a>,
    contacts: &'static [Contact],
    kinds: &'static [Kind],
}

/// The contact list.
pub(in crate::http) async fn crm(state: web::Data<AppState>) -> HttpResponse {
    let layout = PageLayout::in_language(Language::English, &state.pages);
    let page = Crm {
        layout: &layout,
        contacts: &CONTACTS,
        kinds: &Kind::ALL,
    };
    layout.respond(&mut HttpResponse::Ok(), &page, CspProfile::Static)
}

/// `/` leads to the contact list.
pub(in crate::http) async fn root() -> HttpResponse {
    redirect::to("/demo".into())
}
