//! `GET /builder`: a CRM admin composes a button's URL, sees what it would do, and copies it.
//!
//! It mints no token, calls no other service, and stores nothing.

mod crms;
mod draft;
mod guide;
mod verdict;

use std::borrow::Cow;
use std::fmt::Display;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use self::crms::{Code, Crm};
use self::draft::{Draft, may_leave_operator_out, takes};
use self::guide::{Guide, Place};
use self::verdict::Verdict;
use crate::access::Mode;
use crate::http::authorize::check_network;
use crate::http::context::Context;
use crate::http::own_address;
use crate::http::pages::{
    BuilderTexts, CspProfile, ExtensionTexts, GuideTexts, HandlerTexts, Language, PageLayout,
    PageScript, fill,
};
use crate::http::problem::Problem;
use crate::http::redirect;
use crate::http::state::AppState;
use crate::source::ChatSource;

#[derive(Template)]
#[template(path = "builder.html")]
struct Page<'a> {
    layout: &'a PageLayout<'a>,
    crms: &'static [Crm],
    url_title: Cow<'static, str>,
    facts_title: Cow<'static, str>,
    /// What about it, what is known, and whether that is only likely.
    facts: [(&'static str, Option<&'static str>, bool); 5],
    draft: &'a Draft,
    access: Vec<Cow<'static, str>>,
    operator_is_optional: bool,
    template: String,
    sample: String,
    try_it: String,
    verdict: Verdict,
    guide: Guide,
    texts: &'static BuilderTexts,
    guide_texts: &'static GuideTexts,
    /// The words for what is copied.
    copying: &'static HandlerTexts,
    /// Why the URL is nothing to paste.
    cannot_be_pasted: Option<&'static str>,
    /// Where it belongs instead.
    place: Option<&'static str>,
    /// What the URL has where this CRM's own placeholder is not known.
    unknown: Unknown,
    extension: &'static ExtensionTexts,
    /// Whether the URL begins with the address that this page was asked for, for want of a better.
    has_no_public_url: bool,
}

/// What is said of stand-ins for placeholders that are not known.
struct Unknown {
    phone: Option<String>,
    chat: Option<String>,
    operator: Option<String>,
}

impl Unknown {
    fn of(draft: &Draft, template: &str, texts: &BuilderTexts) -> Self {
        let value = |name: &str| draft.crm.code.value(name);
        let say = |text, name: &str| {
            fill(text, &[("value", &value(name)), ("id", &draft.crm.id)]).into_owned()
        };
        let names_operator = template.contains(&format!("operator={}&", value("operator")));
        let phone = draft.crm.phone.placeholder();
        let has_place = draft.crm.code != Code::None;
        Self {
            phone: (has_place && phone.is_none()).then(|| say(texts.phone_unknown, "phone")),
            chat: (has_place && !draft.chat_raw_id.is_empty())
                .then(|| say(texts.chat_unknown, "chat_raw_id")),
            operator: (has_place && names_operator).then(|| say(texts.agent_unknown, "operator")),
        }
    }
}

/// The page.
pub(crate) async fn builder(
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    check_network(context.client, &state).await?;
    let layout = PageLayout::of_lasting(&request, &state.pages);
    let draft = Draft::read(request.query_string(), &state.authenticator);
    let address = own_address::of_open_chat(&request, &state);
    let sample = draft.sample();
    let template = draft.template(&state.authenticator);
    let language = layout.language;
    let texts = language.builder();
    let verdict = Verdict::of(&sample, language, &request, &state);
    let url = format!("{address}?{template}");
    let place = Place {
        public_url: state.public_url.as_ref(),
        shown: address.strip_suffix("/open-chat").unwrap_or(&address),
    };
    let guide = Guide::of(draft.crm, language, &place, &state.authenticator, &url);
    let name: &[(&str, &dyn Display)] = &[("crm", &guide.name)];
    let page = Page {
        layout: &layout,
        url_title: fill(texts.url_for, name),
        facts_title: fill(texts.facts_title, name),
        crms: Crm::all(),
        facts: facts(draft.crm, language),
        access: access_notes(&state, &draft, texts),
        operator_is_optional: may_leave_operator_out(&state.authenticator),
        unknown: Unknown::of(&draft, &template, texts),
        guide,
        texts,
        guide_texts: language.guide(),
        copying: language.handler(),
        cannot_be_pasted: cannot_be_pasted(&draft, &state, texts),
        place: place_of(draft.crm.code, texts),
        template: url,
        // Wherever the service lives, its pages live side by side.
        try_it: format!("open-chat?{sample}"),
        sample: format!("{address}?{sample}"),
        verdict,
        extension: language.extension(),
        has_no_public_url: state.public_url.is_none(),
        draft: &draft,
    };
    Ok(layout.respond(
        &mut HttpResponse::Ok(),
        &page,
        CspProfile::Script(PageScript::Builder),
    ))
}

/// `/` leads to the page.
pub(crate) async fn root() -> HttpResponse {
    redirect::to("builder".into())
}

fn facts(crm: &Crm, language: Language) -> [(&'static str, Option<&'static str>, bool); 5] {
    let texts = language.builder();
    [
        (texts.links, crm.links),
        (texts.client, crm.phone),
        (texts.agent, crm.agent),
        (texts.plus, crm.plus),
        (texts.opens, crm.opens),
    ]
    .map(|(name, fact)| (name, fact.said(language), fact.is_likely()))
}

/// Why the URL is nothing to paste, if it is not.
fn cannot_be_pasted(draft: &Draft, state: &AppState, texts: &BuilderTexts) -> Option<&'static str> {
    match draft.crm.code {
        Code::None => Some(texts.no_field),
        Code::JavaScript | Code::Python => Some(texts.in_code),
        Code::Field if draft.can_be_pasted(&state.authenticator) => None,
        Code::Field => Some(texts.pasted_is_refused),
    }
}

/// Where the URL belongs, if that is not a field.
const fn place_of(code: Code, texts: &BuilderTexts) -> Option<&'static str> {
    match code {
        Code::Field | Code::None => None,
        Code::JavaScript => Some(texts.in_javascript),
        Code::Python => Some(texts.in_python),
    }
}

/// What the access mode means for the link.
fn access_notes(state: &AppState, draft: &Draft, texts: &BuilderTexts) -> Vec<Cow<'static, str>> {
    let notes = state.authenticator.modes().iter().map(|mode| match mode {
        Mode::Open => texts.access_open.into(),
        Mode::Pass if draft.can_be_pasted(&state.authenticator) => texts.access_pasted.into(),
        Mode::Pass => {
            let pass = draft.crm.code.value("pass");
            let links = ready_links(state, texts);
            fill(texts.access_pass, &[("pass", &pass), ("links", &links)])
        }
        Mode::Sso => texts.access_sso.into(),
        Mode::Device => texts.access_device.into(),
        Mode::Key if state.public_url.is_none() => texts.access_key_alone.into(),
        Mode::Key => texts.access_key.into(),
    });
    notes.collect()
}

/// Whether a back end can also ask for a link instead of signing one.
fn ready_links(state: &AppState, texts: &BuilderTexts) -> &'static str {
    if !takes(&state.authenticator, Mode::Key) {
        texts.links_need_key
    } else if state.public_url.is_none() {
        texts.links_need_url
    } else {
        texts.or_links
    }
}
