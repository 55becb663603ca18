//! `GET /builder`: a CRM admin composes a button's URL, sees what it would do, and takes it along.
//!
//! It mints nothing, asks nobody, and keeps nothing; what is filled in goes to this service and nowhere else.

mod crms;
mod draft;

use actix_web::http::header::HOST;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::crms::{CRMS, Crm, Fact};
use self::draft::{Draft, Verdict, may_leave_operator_out, takes};
use super::click::Click;
use super::frame::{Frame, Needs};
use super::prose::Prose;
use super::refusal::Refusal;
use super::texts::Language;
use super::{Desk, door, guard, redirect};
use crate::access::Mode;
use crate::button_url;
use crate::source::ChatSource;

#[derive(Template)]
#[template(path = "builder.html")]
struct Page<'a> {
    frame: &'a Frame<'a>,
    crms: &'static [Crm],
    facts: [(&'static str, Fact); 6],
    draft: &'a Draft,
    access: Vec<Prose>,
    operator_is_optional: bool,
    template: String,
    sample: String,
    try_it: String,
    verdict: Verdict,
}

/// The page. Its admin reads English, as the documentation is in.
pub(super) async fn builder(
    request: &HttpRequest,
    desk: &Desk,
    click: &mut Click,
) -> Result<HttpResponse, Refusal> {
    let network = desk.access.check_network(click.client);
    door::or_turn_away(network, click.client, desk).await?;
    let frame = Frame::in_language(Language::English, &desk.pages);
    let draft = Draft::read(request.query_string(), &desk.access);
    let address = address(request, desk);
    let sample = draft.sample();
    let verdict = draft.verdict(&desk.access, &desk.links, click);
    // What is tried here was nobody's click, so the log shall not name it.
    (click.phone, click.source) = (None, None);
    let page = Page {
        frame: &frame,
        crms: &CRMS,
        facts: facts(draft.crm),
        access: access_notes(desk),
        operator_is_optional: may_leave_operator_out(&desk.access),
        template: format!("{address}?{}", draft.template(&desk.access)),
        // Wherever the service lives, its pages live side by side.
        try_it: format!("open-chat?{sample}"),
        sample: format!("{address}?{sample}"),
        verdict,
        draft: &draft,
    };
    Ok(frame.answer(&mut HttpResponse::Ok(), &page, Needs::Script))
}

/// `/` leads to the page.
pub(super) async fn root(
    _: &HttpRequest,
    _: &Desk,
    _: &mut Click,
) -> Result<HttpResponse, Refusal> {
    Ok(redirect::to("builder".into()))
}

const fn facts(crm: &Crm) -> [(&'static str, Fact); 6] {
    [
        ("Its button", crm.button),
        ("The client's phone", crm.phone),
        ("The agent who clicks", crm.agent),
        ("A phone's +", crm.plus),
        ("Signing a pass", crm.signs),
        ("The chat opens", crm.opens),
    ]
}

/// Where `/open-chat` is: as the configuration says, else as this very request was addressed.
fn address(request: &HttpRequest, desk: &Desk) -> String {
    if let Some(public) = &desk.public_url {
        return button_url::open_chat(public).into();
    }
    let host = guard::text(request.headers(), &HOST).filter(|host| is_host(host));
    match host {
        Some(host) => format!("{}://{host}/open-chat", door::scheme(request, desk)),
        None => "/open-chat".into(),
    }
}

/// Whether a text is a host and perhaps a port, and nothing else that a visitor could have written.
fn is_host(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}

/// What the access mode means for the link.
fn access_notes(desk: &Desk) -> Vec<Prose> {
    [
        (
            Mode::Open,
            "`ACCESS=open`: anyone who can reach this address may open any operator's panel. The link must name the operator.",
        ),
        (
            Mode::Pass,
            "`ACCESS=pass`: the CRM must sign a pass for each link, in place of `{pass}`, or its back end asks `POST /links` for a ready link. \
             The pass names the operator, so `operator=` can be left out. Without a pass a link is refused, so trying the sample \
             shows a refusal.",
        ),
        (
            Mode::Sso,
            "`ACCESS=sso`: a proxy logs the agent in and names them, so `operator=` can be left out. A link that names somebody else is refused.",
        ),
        (
            Mode::Key,
            "`ACCESS=key`: back ends show an API key and ask `POST /links` for ready links.",
        ),
    ]
    .into_iter()
    .filter(|(mode, _)| takes(&desk.access, *mode))
    .map(|(_, note)| Prose::of(note))
    .collect()
}
