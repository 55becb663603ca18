//! What surrounds every handler, by actix's own means: the request's context, security headers,
//! metrics, the access log, and the rendering of problems.
//!
//! Knows no handler.

mod access_log;
pub(crate) mod metrics;
mod problems;
pub(crate) mod request_id;
mod track;

use actix_web::http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

pub use self::track::track;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// Sets the headers that every answer has.
///
/// Not by `DefaultHeaders`, which also looks for each of them first, and copies it: a fortieth of a
/// warm click.
pub fn set_security_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (ROBOTS, "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
