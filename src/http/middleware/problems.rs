//! Renders a handler's or an extractor's `Problem`.

use actix_web::dev::ServiceResponse;

use crate::config::PageConfig;
use crate::http::context::{Outcome, RequestContext};
use crate::http::problem::{Problem, TryAgain};

/// Renders the problem that a response carries, if any, and notes its kind for log and metrics.
pub(super) fn render(
    response: ServiceResponse,
    context: &RequestContext,
    pages: &PageConfig,
) -> ServiceResponse {
    let error = response.response().error();
    let Some(problem) = error.and_then(|error| error.as_error::<Problem>()) else {
        return response;
    };
    let mut record = context.record();
    record.outcome = Some(Outcome::Problem(problem.kind));
    let try_again = if record.is_tried_in_crm() {
        TryAgain::InCrm
    } else {
        TryAgain::Here
    };
    drop(record);
    let request_id = context.request_id.as_str();
    let rendered = problem.respond(response.request(), request_id, try_again, pages);
    response.into_response(rendered)
}
