//! Renders a handler's or an extractor's `Problem`.

use actix_web::dev::ServiceResponse;

use crate::config::PageConfig;
use crate::http::context::{Outcome, RequestContext};
use crate::http::problem::Problem;

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
    context.record().outcome = Some(Outcome::Problem(problem.kind));
    let rendered = problem.respond(response.request(), context.request_id.as_str(), pages);
    response.into_response(rendered)
}
