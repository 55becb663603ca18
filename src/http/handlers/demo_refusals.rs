//! An example of each kind of refusal, as the demo's pages.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use crate::deep_link::DeepLink;
use crate::http::problem::{Detail, Kind, Problem, example};
use crate::http::state::AppState;
use crate::phone::{PhoneNumber, Region};
use crate::rate_limit::Limited;

/// `/demo/refusals/{kind}`: that refusal, with everything that it can have. An unknown kind is not
/// found by any method.
pub(crate) async fn refusal(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let kind = kind(&request)?;
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err(Problem::method_not_allowed(&[Method::GET, Method::HEAD]));
    }
    let refusal = match example(kind) {
        Detail::ChatHub(error) => Problem::from(error),
        Detail::Crm(fault) => Problem::from(fault),
        Detail::Limited(limit) => Problem::from(Limited {
            limit,
            retry_after: Duration::from_secs(7),
        }),
        detail => Problem::new(kind, detail),
    };
    Err(match PhoneNumber::parse("+380501234567", Region::UA) {
        Ok(phone) => refusal.or_by_hand(|| DeepLink::Phone { phone }.url(&state.links.panel, None)),
        Err(_) => refusal,
    })
}

fn kind(request: &HttpRequest) -> Result<Kind, Problem> {
    let name = request.match_info().get("kind").unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    kind.ok_or_else(Problem::not_found)
}
