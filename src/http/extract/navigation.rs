//! Tells a click from requests that are none: those must never mint a token.

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING};

use super::headers::text;
use super::visitor::Visitor;
use crate::http::fetch_metadata::{SEC_FETCH_DEST, SEC_FETCH_MODE, SEC_FETCH_SITE};
use crate::http::problem::{Detail, Kind, Problem};

/// Headers in which a browser says why it loads something.
const PURPOSES: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-purpose"),
    HeaderName::from_static("x-moz"),
];

/// Headers that no navigation has: a rule's own load ahead of a click, and a service worker's
/// script.
const NOT_NAVIGATIONS: [HeaderName; 2] = [
    HeaderName::from_static("sec-speculation-tags"),
    HeaderName::from_static("service-worker"),
];

/// What a browser says of a request's destination and mode (`Sec-Fetch-Dest`, `Sec-Fetch-Mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// Nothing: it is an old browser, no browser, or the network is crossed in the clear.
    Untold,
    /// A navigation: of a tab, or of a frame in a page.
    Navigation,
    /// A script's own request: `fetch`, `EventSource`, and a preload for them.
    Script,
    /// A part of a page, and whatever browsers come to load.
    Other,
}

/// Where a request comes from, as the browser says (`Sec-Fetch-Site`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Initiator {
    /// The agent (an address that was typed, a bookmark) or a page of this service. Also where the
    /// browser does not say: it is an old one, no browser, or the network is crossed in the clear.
    Own,
    /// A page of another site, or of a sibling host: a CRM's button, or a page that clicks by
    /// itself.
    OtherSite,
}

/// Words for loading something ahead of a click.
const AHEAD: [&str; 3] = ["prefetch", "prerender", "preview"];

/// A click: a navigation, or a script of this service's own pages.
pub(crate) struct Navigation {
    pub(crate) visitor: Visitor,
    pub(crate) initiator: Initiator,
}

extractor!(Navigation, check);

/// The widget's page opens, in a tab or in a frame, and a person looks at it.
pub(crate) struct WidgetNavigation {
    pub(crate) initiator: Initiator,
}

extractor!(WidgetNavigation, check_widget_navigation);

/// The button of the page that pairs browsers was pressed.
pub(crate) struct PairButton;

extractor!(PairButton, check_pair_button);

/// A CRM opens this service's page for it, in a frame or in a tab. What it posts comes along.
pub(crate) struct CrmPageNavigation;

extractor!(CrmPageNavigation, check_crm_page_navigation);

/// The button of a page in a CRM was pressed.
pub(crate) struct CrmPageButton;

extractor!(CrmPageButton, check_crm_page_button);

/// The script of a page in a CRM asks for its next ticket.
pub(crate) struct CrmPageScript;

extractor!(CrmPageScript, check_crm_page_script);

/// The script of the widget's page asks for its next token.
pub(crate) struct WidgetScript;

extractor!(WidgetScript, check_widget_script);

/// Refuses what is no navigation, and no script of this service's own pages. Another site's script
/// could not read the answer, and would only use up the limits of the agent who visits it.
fn check(request: &HttpRequest) -> Result<Navigation, Problem> {
    check_purpose(request)?;
    match load(request.headers()) {
        Load::Untold | Load::Navigation => {}
        Load::Script if is_by_own_page_or_untold(request.headers()) => {}
        Load::Script | Load::Other => return Err(not_a_click()),
    }
    Ok(Navigation {
        visitor: Visitor::of(request),
        initiator: initiator(request.headers()),
    })
}

/// Refuses what does not open a page, and programs that would only look at it.
fn check_widget_navigation(request: &HttpRequest) -> Result<WidgetNavigation, Problem> {
    check_purpose(request)?;
    if !matches!(load(request.headers()), Load::Untold | Load::Navigation) {
        return Err(not_a_click());
    }
    // The page has no button that an office program's user could press instead.
    if matches!(Visitor::of(request), Visitor::Crawler | Visitor::Office) {
        return Err(Problem::new(
            Kind::NotANavigation,
            "This page is an operator's chat panel; there is nothing to preview.",
        ));
    }
    Ok(WidgetNavigation {
        initiator: initiator(request.headers()),
    })
}

/// Refuses what is not the request of a script on a page of this service. Browsers say so over
/// https and on loopback. Elsewhere a page of another origin may ask, and cannot read the answer;
/// one that DNS has led to this origin could, which `OwnHost` refuses.
fn check_widget_script(request: &HttpRequest) -> Result<WidgetScript, Problem> {
    check_purpose(request)?;
    if !matches!(load(request.headers()), Load::Untold | Load::Script) {
        return Err(not_a_click());
    }
    if !is_by_own_page_or_untold(request.headers()) {
        return Err(Problem::new(
            Kind::NotANavigation,
            "Tokens are renewed by the widget's own page only.",
        ));
    }
    Ok(WidgetScript)
}

/// Whether a browser opens a page in a tab of its own, and says so: no frame, no script, and no
/// client that tells nothing.
pub(crate) fn opens_own_tab(headers: &HeaderMap) -> bool {
    says(headers, &SEC_FETCH_DEST, "document") && says(headers, &SEC_FETCH_MODE, "navigate")
}

/// Whether the person at the browser has caused a request, or a page of this service, and the
/// browser says so: not another site.
pub(crate) fn is_by_user_or_own_page(headers: &HeaderMap) -> bool {
    says(headers, &SEC_FETCH_SITE, "none") || is_by_own_page(headers)
}

/// Whether a page of this service has caused a request, and the browser says so.
fn is_by_own_page(headers: &HeaderMap) -> bool {
    says(headers, &SEC_FETCH_SITE, "same-origin")
}

fn says(headers: &HeaderMap, name: &HeaderName, expected: &str) -> bool {
    matches!(told(headers, name), Ok(Some(told)) if told == expected)
}

/// Refuses what is not the button of this service's own page for pairing, in a tab of its own. All
/// three headers must be there: under `no-referrer` the `Origin` of a form is `null`, and tells
/// nothing.
fn check_pair_button(request: &HttpRequest) -> Result<PairButton, Problem> {
    check_purpose(request)?;
    let headers = request.headers();
    if opens_own_tab(headers) && is_by_own_page(headers) {
        return Ok(PairButton);
    }
    Err(Problem::new(Kind::NotANavigation, Detail::ForeignPairing))
}

/// Refuses what does not open a page.
fn check_crm_page_navigation(request: &HttpRequest) -> Result<CrmPageNavigation, Problem> {
    check_no_load_ahead(request.headers())?;
    match load(request.headers()) {
        Load::Untold | Load::Navigation => Ok(CrmPageNavigation),
        Load::Script | Load::Other => Err(not_a_click()),
    }
}

/// Refuses what is not the button of this service's own page in a CRM's frame, which opens a tab of
/// its own.
fn check_crm_page_button(request: &HttpRequest) -> Result<CrmPageButton, Problem> {
    let headers = request.headers();
    check_no_load_ahead(headers)?;
    if opens_own_tab(headers) && is_by_own_page(headers) {
        return Ok(CrmPageButton);
    }
    Err(Problem::new(Kind::NotANavigation, Detail::ForeignCrmPage))
}

/// Refuses what is not the script of this service's own page in a CRM's frame.
fn check_crm_page_script(request: &HttpRequest) -> Result<CrmPageScript, Problem> {
    let headers = request.headers();
    check_no_load_ahead(headers)?;
    if says(headers, &SEC_FETCH_DEST, "empty") && is_by_own_page(headers) {
        return Ok(CrmPageScript);
    }
    Err(Problem::new(Kind::NotANavigation, Detail::ForeignCrmPage))
}

/// Refuses a request with a body, and one that announces a load ahead of a click.
fn check_purpose(request: &HttpRequest) -> Result<(), Problem> {
    let headers = request.headers();
    if has_body(headers) {
        return Err(Problem::new(Kind::ParameterInvalid, Detail::HasBody));
    }
    check_no_load_ahead(headers)
}

fn check_no_load_ahead(headers: &HeaderMap) -> Result<(), Problem> {
    let looks_ahead = PURPOSES
        .iter()
        .flat_map(|name| headers.get_all(name))
        .any(|purpose| {
            let purpose = String::from_utf8_lossy(purpose.as_bytes()).to_ascii_lowercase();
            AHEAD.iter().any(|word| purpose.contains(word))
        });
    let mut others = NOT_NAVIGATIONS.into_iter();
    if looks_ahead || others.any(|name| headers.contains_key(name)) {
        return Err(not_a_click());
    }
    Ok(())
}

fn not_a_click() -> Problem {
    Problem::new(Kind::NotANavigation, Detail::NotAClick)
}

fn load(headers: &HeaderMap) -> Load {
    let (Ok(destination), Ok(mode)) = (
        told(headers, &SEC_FETCH_DEST),
        told(headers, &SEC_FETCH_MODE),
    ) else {
        return Load::Other;
    };
    // `nested-navigate` was a frame's, before there were destinations.
    let is_navigation = matches!(mode, None | Some("navigate" | "nested-navigate"));
    let is_script = matches!(mode, None | Some("cors" | "no-cors" | "same-origin"));
    match destination {
        None if mode.is_none() => Load::Untold,
        Some("document" | "iframe" | "frame") | None if is_navigation => Load::Navigation,
        Some("empty") | None if is_script => Load::Script,
        _ => Load::Other,
    }
}

/// A header that cannot be relied on: it is there twice, or is no text.
struct Unclear;

/// What a header says, once.
fn told<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Unclear> {
    let mut values = headers.get_all(name);
    let value = values.next();
    if values.next().is_some() {
        return Err(Unclear);
    }
    value
        .map(|value| value.to_str().map_err(|_| Unclear))
        .transpose()
}

/// Whether a page of this service has caused a request, or nothing says who has: old browsers, and
/// networks that are crossed in the clear.
fn is_by_own_page_or_untold(headers: &HeaderMap) -> bool {
    headers
        .get_all(SEC_FETCH_SITE)
        .all(|site| site.as_bytes() == b"same-origin")
}

fn initiator(headers: &HeaderMap) -> Initiator {
    let is_own = headers
        .get_all(SEC_FETCH_SITE)
        .all(|site| matches!(site.as_bytes(), b"none" | b"same-origin"));
    if is_own {
        Initiator::Own
    } else {
        Initiator::OtherSite
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || text(headers, &CONTENT_LENGTH).is_some_and(|length| length.trim() != "0")
}
