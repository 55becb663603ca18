//! `GET /builder`: a CRM admin composes a button's URL, sees what it would do, and copies it.
//!
//! It mints no token, calls no other service, and stores nothing.

mod crms;
mod draft;
mod guide;
mod verdict;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use self::crms::{Code, Crm, Fact};
use self::draft::{Draft, may_leave_operator_out, takes};
use self::guide::{Guide, Place};
use self::verdict::Verdict;
use crate::access::Mode;
use crate::http::authorize::check_network;
use crate::http::context::Context;
use crate::http::own_address;
use crate::http::pages::{
    CspProfile, ExtensionTexts, GuideTexts, HandlerTexts, Language, PageLayout, PageScript,
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
    facts: [(&'static str, Fact); 5],
    draft: &'a Draft,
    access: Vec<String>,
    operator_is_optional: bool,
    template: String,
    sample: String,
    try_it: String,
    verdict: Verdict,
    guide: Guide,
    guide_texts: &'static GuideTexts,
    /// The words for what is copied.
    copying: &'static HandlerTexts,
    /// Why the URL is nothing to paste.
    cannot_be_pasted: Option<&'static str>,
    /// What the URL has where this CRM's own placeholder is not known.
    unknown: Unknown,
    extension: &'static ExtensionTexts,
    /// The language of the instructions and of the part about the extension: the visitor's.
    visitor_lang: &'static str,
    /// Whether the URL begins with the address that this page was asked for, for want of a better.
    has_no_public_url: bool,
}

/// Stand-ins for placeholders that are not known.
struct Unknown {
    phone: Option<String>,
    chat: Option<String>,
    operator: Option<String>,
}

impl Unknown {
    fn of(draft: &Draft, template: &str) -> Self {
        let value = |name: &str| draft.crm.code.value(name);
        let operator = value("operator");
        let names_operator = template.contains(&format!("operator={operator}&"));
        let phone = draft.crm.phone.placeholder();
        let has_place = draft.crm.code != Code::None;
        Self {
            phone: (has_place && phone.is_none()).then(|| value("phone")),
            chat: (has_place && !draft.chat_raw_id.is_empty()).then(|| value("chat_raw_id")),
            operator: (has_place && names_operator).then_some(operator),
        }
    }
}

/// The page. It is in English, as the documentation is, and the instructions are in the visitor's
/// language too.
pub(crate) async fn builder(
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    check_network(context.client, &state).await?;
    let layout = PageLayout::in_language(Language::English, &request, &state.pages);
    let draft = Draft::read(request.query_string(), &state.authenticator);
    let address = own_address::of_open_chat(&request, &state);
    let sample = draft.sample();
    let template = draft.template(&state.authenticator);
    let verdict = Verdict::of(&sample, &request, &state);
    let visitor = Language::of(&request);
    let url = format!("{address}?{template}");
    let place = Place {
        public_url: state.public_url.as_ref(),
        shown: address.strip_suffix("/open-chat").unwrap_or(&address),
    };
    let page = Page {
        layout: &layout,
        crms: Crm::all(),
        facts: facts(draft.crm),
        access: access_notes(&state, &draft),
        operator_is_optional: may_leave_operator_out(&state.authenticator),
        unknown: Unknown::of(&draft, &template),
        guide: Guide::of(draft.crm, visitor, &place, &state.authenticator, &url),
        guide_texts: visitor.guide(),
        copying: visitor.handler(),
        cannot_be_pasted: cannot_be_pasted(&draft, &state),
        template: url,
        // Wherever the service lives, its pages live side by side.
        try_it: format!("open-chat?{sample}"),
        sample: format!("{address}?{sample}"),
        verdict,
        extension: visitor.extension(),
        visitor_lang: visitor.words().lang,
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

const fn facts(crm: &Crm) -> [(&'static str, Fact); 5] {
    [
        ("A phone in its pages", crm.links),
        ("The client's phone", crm.phone),
        ("The agent who clicks", crm.agent),
        ("A phone's +", crm.plus),
        ("The chat opens", crm.opens),
    ]
}

/// Why the URL is nothing to paste, if it is not.
fn cannot_be_pasted(draft: &Draft, state: &AppState) -> Option<&'static str> {
    match draft.crm.code {
        Code::None => Some("It has no field for a URL that was found: it is set up as above."),
        Code::JavaScript | Code::Python => {
            Some("It has no field for a URL: a programmer puts this one into code, as below.")
        }
        Code::Field if draft.can_be_pasted(&state.authenticator) => None,
        Code::Field => Some(
            "A URL that is pasted cannot sign, and ACCESS has neither `device` nor `sso`: a click on it would be refused.",
        ),
    }
}

/// What the access mode means for the link.
fn access_notes(state: &AppState, draft: &Draft) -> Vec<String> {
    let notes = state.authenticator.modes().iter().map(|mode| match mode {
        Mode::Open => "`ACCESS=open`: anyone who can reach this address may open any operator's panel. The link must name the operator.".to_owned(),
        Mode::Pass if draft.can_be_pasted(&state.authenticator) => "`ACCESS=pass`: a CRM with a button of its own signs a pass for each link. A URL that is pasted has none.".to_owned(),
        Mode::Pass => format!(
            "`ACCESS=pass`: the CRM must sign a pass for each link, in place of `{}`{}. The pass names the operator, so `operator=` can be \
             left out. Without a pass a link is refused, so trying the sample shows a refusal.",
            draft.crm.code.value("pass"),
            ready_links(state),
        ),
        Mode::Sso => "`ACCESS=sso`: a proxy logs the agent in and names them, so `operator=` can be left out. A link that names somebody else is refused.".to_owned(),
        Mode::Device => "`ACCESS=device`: a paired browser knows its operator, so `operator=` can be left out. A link that names another operator is \
             refused, and so is a click in a browser that is not paired, or in a frame.".to_owned(),
        Mode::Key if state.public_url.is_none() => "`ACCESS=key`: back ends show an API key. Until PUBLIC_URL is set, `POST /links` makes no links for them.".to_owned(),
        Mode::Key => "`ACCESS=key`: back ends show an API key and ask `POST /links` for ready links.".to_owned(),
    });
    notes.collect()
}

/// Whether a back end can also ask for a link instead of signing one.
fn ready_links(state: &AppState) -> &'static str {
    if !takes(&state.authenticator, Mode::Key) {
        " (`POST /links`, of which back ends get ready links, needs `key` in ACCESS)"
    } else if state.public_url.is_none() {
        " (`POST /links`, of which back ends get ready links, needs PUBLIC_URL)"
    } else {
        ", or its back end asks `POST /links` for a ready link"
    }
}
