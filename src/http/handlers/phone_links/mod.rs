//! `GET /handler`: lets this browser open chats from phone links, and has the policies that let a
//! company's browsers do so.
//!
//! It mints no token and stores nothing: the browser remembers what it is allowed.

mod app;
mod policies;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

pub(crate) use self::app::{icon_192, icon_512, manifest};
use self::policies::Policies;
use crate::access::{Authenticator, Mode};
use crate::http::authorize::check_network;
use crate::http::context::Context;
use crate::http::own_address;
use crate::http::pages::{CspProfile, HandlerTexts, PageLayout, PageScript};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::invisible;

/// The schemes that browsers let a page handle, and CRMs write.
const SCHEMES: [&str; 2] = ["tel", "sms"];

/// The longest operator that is read, in characters.
const MAX_OPERATOR: usize = 100;

#[derive(Template)]
#[template(path = "handler.html")]
struct Page<'a> {
    layout: &'a PageLayout<'a>,
    texts: &'static HandlerTexts,
    agent: KnownAgent,
    /// The operator that the link names. Only where anyone may open any operator's panel.
    operator: String,
    /// What the browser asks for at a click; it puts the phone link in the place of `%s`.
    url: String,
    /// The address of this page.
    own: String,
    policies: Policies,
    has_no_public_url: bool,
}

/// By what the service knows whose chats a phone link opens, which says nothing of the agent.
#[derive(Clone, Copy)]
struct KnownAgent {
    by_device: bool,
    by_login: bool,
    /// By nothing, but the link may name any operator.
    by_link: bool,
}

impl KnownAgent {
    fn of(access: &Authenticator) -> Self {
        let takes = |mode| access.modes().contains(&mode);
        Self {
            by_device: takes(Mode::Device),
            by_login: takes(Mode::Sso),
            by_link: takes(Mode::Open),
        }
    }

    const fn is_unknown(self) -> bool {
        !self.by_device && !self.by_login && !self.by_link
    }
}

/// The page, in the visitor's language.
pub(crate) async fn page(
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    check_network(context.client, &state).await?;
    let layout = PageLayout::of(&request, &state.pages).of_app();
    let agent = KnownAgent::of(&state.authenticator);
    let operator = named_operator(request.query_string()).filter(|_| agent.by_link);
    let address = own_address::of_open_chat(&request, &state);
    let url = handler_url(&address, operator.as_deref());
    let page = Page {
        texts: layout.language.handler(),
        agent,
        operator: operator.unwrap_or_default(),
        policies: Policies::of(&url, app::name(&state)),
        own: format!("{}handler", address.trim_end_matches("open-chat")),
        url,
        has_no_public_url: state.public_url.is_none(),
        layout: &layout,
    };
    let profile = CspProfile::Script(PageScript::Handler);
    Ok(layout.respond(&mut HttpResponse::Ok(), &page, profile))
}

/// What the page's own form asks for.
fn named_operator(query: &str) -> Option<String> {
    let mut values = form_urlencoded::parse(query.as_bytes());
    let (_, value) = values.find(|(name, _)| name == "operator")?;
    let value: String = invisible::trim(&value).chars().take(MAX_OPERATOR).collect();
    (!value.is_empty()).then_some(value)
}

fn handler_url(address: &str, operator: Option<&str>) -> String {
    match operator {
        Some(operator) => {
            let operator: String = form_urlencoded::byte_serialize(operator.as_bytes()).collect();
            format!("{address}?operator={operator}&phone=%s")
        }
        None => format!("{address}?phone=%s"),
    }
}
