//! What surrounds every handler, by actix's own means: the request's context, security headers,
//! metrics, the access log, and the rendering of problems.
//!
//! Knows no handler.

mod access_log;
pub(crate) mod metrics;
mod problems;
pub(crate) mod request_id;
mod track;

use actix_web::http::header::{CACHE_CONTROL, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::DefaultHeaders;

pub use self::track::track;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// Headers that every answer has.
pub fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((CACHE_CONTROL, "no-store"))
        .add((REFERRER_POLICY, "no-referrer"))
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((ROBOTS, "noindex"))
}
