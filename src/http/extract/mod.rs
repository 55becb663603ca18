//! What handlers take from a request. Knows the state and problems, and no handler.

/// Makes a type an extractor whose value is ready at once, by a function of the request.
macro_rules! extractor {
    ($type:ty, $read:expr) => {
        impl actix_web::FromRequest for $type {
            type Error = Problem;
            type Future = std::future::Ready<Result<Self, Problem>>;

            fn from_request(
                request: &actix_web::HttpRequest,
                _: &mut actix_web::dev::Payload,
            ) -> Self::Future {
                let read: fn(&actix_web::HttpRequest) -> Result<Self, Problem> = $read;
                std::future::ready(read(request))
            }
        }
    };
}

pub(crate) mod body;
pub(crate) mod client_address;
pub(crate) mod confirmation;
pub(crate) mod credentials;
mod decode;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod navigation;
pub(crate) mod query;
pub(crate) mod value;
pub(crate) mod visitor;

use actix_web::{HttpRequest, web};

use super::problem::Problem;
use super::state::AppState;

/// The state, for an extractor. Without one no route is registered.
fn state(request: &HttpRequest) -> Result<&AppState, Problem> {
    let state = request.app_data::<web::Data<AppState>>();
    state.map(|state| &***state).ok_or_else(Problem::not_found)
}
