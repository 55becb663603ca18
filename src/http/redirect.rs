//! How a browser is sent on.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, HttpResponseBuilder};

/// `302`, which no browser caches: each click asks anew.
pub(super) fn to(location: String) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, location))
        .finish()
}

/// `303` to where what was posted leads.
pub(super) fn posted_to(location: String) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, location))
        .finish()
}

/// `303`: what was posted is done, and the browser gets this page.
pub(super) fn after_post(location: &'static str) -> HttpResponseBuilder {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, location));
    response
}
