//! The POST of the confirmation page's button.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

use super::{headers, state};
use crate::access::Mode;
use crate::config::Confirm;
use crate::http::fetch_metadata::SEC_FETCH_SITE;
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::state::AppState;

/// The button of this service's own confirmation page was pressed.
pub(crate) struct Confirmation;

extractor!(Confirmation, check);

fn check(request: &HttpRequest) -> Result<Confirmation, Problem> {
    let (headers, state) = (request.headers(), state(request)?);
    let has_button = state.links.confirm != Confirm::Never || has_ambient_callers(state);
    match is_from_own_page(headers, state).filter(|_| has_button) {
        Some(true) => Ok(Confirmation),
        Some(false) => Err(Problem::new(
            Kind::NotANavigation,
            Detail::ForeignConfirmation,
        )),
        None => Err(Problem::method_not_allowed(&[Method::GET])),
    }
}

/// Whether the page may come whatever `CONFIRM` says: where other sites can cause too many clicks.
fn has_ambient_callers(state: &AppState) -> bool {
    let modes = state.authenticator.modes();
    modes.iter().copied().any(Mode::is_ambient)
}

/// Whether a page of this service has posted, as the browser tells: no page can make it lie. `None`
/// where nothing tells; today's browsers always do.
fn is_from_own_page(headers: &HeaderMap, state: &AppState) -> Option<bool> {
    if let Some(site) = headers::text(headers, &SEC_FETCH_SITE) {
        return Some(site == "same-origin");
    }
    // Left out where a network is crossed in the clear.
    let origin = headers::text(headers, &ORIGIN)?;
    Some(is_own(origin, headers, state))
}

/// Whether an origin is this service's: the one that the request went to, or `PUBLIC_URL`'s,
/// because a proxy may have changed `Host`.
fn is_own(origin: &str, headers: &HeaderMap, state: &AppState) -> bool {
    let host = origin.split_once("://").map(|(_, host)| host);
    let public = state.public_url.as_ref().map(|url| url.as_url().origin());
    host.is_some() && host == headers::text(headers, &HOST)
        || public.is_some_and(|public| public.ascii_serialization() == origin)
}
