//! CORS: which pages' scripts may read an answer. An origin counts only as a section has it, letter
//! by letter; credentials of the browser are never allowed.

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
    HeaderValue, ORIGIN,
};
use actix_web::{HttpRequest, HttpResponse};

use crate::connect::{Connectors, Section, Vendor};
use crate::http::context::{Readers, RequestContext};
use crate::http::extract::headers;

/// How long a browser remembers the answer to a preflight, in seconds.
const MAX_AGE: &str = "600";

/// Lets the page that has asked read the answer, also a refusal, if its origin is a section's; and
/// returns that section.
pub(super) fn allow<'a>(
    request: &HttpRequest,
    connector: Vendor,
    connectors: &'a Connectors,
    context: &RequestContext,
) -> Option<&'a Section> {
    let origin = headers::single(request.headers(), ORIGIN);
    let section = origin.and_then(|origin| connectors.by_origin(connector, origin));
    let origin = section.and_then(|section| section.origin.as_deref());
    let value = origin.and_then(|origin| HeaderValue::from_str(origin).ok());
    context.record().readers = Some(value.map_or(Readers::Own, Readers::Origin));
    section
}

/// Answers a preflight. It proves nothing and costs nothing: what a browser then sends is judged by
/// itself.
pub(super) fn preflight(
    section: Option<&Section>,
    methods: &'static str,
    allowed_headers: &'static str,
) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    if section.is_some() {
        response
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods))
            .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers))
            .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE));
    }
    response.finish()
}
