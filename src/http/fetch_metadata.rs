//! Headers in which browsers say what a request is for (Fetch Metadata), which no page's script can
//! set. Extractors and pages both read them, and neither knows the other.

use actix_web::http::header::HeaderName;

/// What the answer will be: `document`, `iframe`, `empty`.
pub(super) const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// How it is loaded: `navigate`, `cors`.
pub(super) const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Whose page has caused it: `none` where the person at the browser has, `same-origin`,
/// `cross-site`.
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
