//! The one way to send a browser on.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;

/// `302`, which no browser caches: each click asks anew.
pub(super) fn to(location: String) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, location))
        .finish()
}
