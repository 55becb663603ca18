//! What handlers take from a request. Knows the state and problems, and no handler.

/// Makes a type an extractor whose value is ready at once, by a function of the request.
macro_rules! extractor {
    ($type:ty, $read:path) => {
        impl actix_web::FromRequest for $type {
            type Error = Problem;
            type Future = std::future::Ready<Result<Self, Problem>>;

            fn from_request(
                request: &actix_web::HttpRequest,
                _: &mut actix_web::dev::Payload,
            ) -> Self::Future {
                std::future::ready($read(request))
            }
        }
    };
}

mod body;
mod client_address;
mod confirmation;
mod credentials;
mod decode;
mod field;
pub(crate) mod headers;
pub(crate) mod host;
mod navigation;
pub(crate) mod query;
pub(crate) mod value;
mod visitor;

use actix_web::{HttpRequest, web};

pub(crate) use self::body::Body;
pub use self::body::MAX_BODY;
pub(crate) use self::client_address::{client_address, is_local};
pub(crate) use self::confirmation::Confirmation;
pub(crate) use self::credentials::{bearer, credentials, scheme, ticket};
pub(crate) use self::field::field;
pub(crate) use self::host::OwnHost;
pub(crate) use self::navigation::{
    CrmPageButton, CrmPageNavigation, CrmPageScript, Initiator, Navigation, PairButton,
    WidgetNavigation, WidgetScript, is_by_user_or_own_page, opens_own_tab,
};
pub use self::query::Query;
pub(crate) use self::visitor::Visitor;
use crate::http::problem::Problem;
use crate::http::state::AppState;

/// The state, for an extractor. Without one no route is registered.
fn state(request: &HttpRequest) -> Result<&AppState, Problem> {
    let state = request.app_data::<web::Data<AppState>>();
    state.map(|state| &***state).ok_or_else(Problem::not_found)
}
