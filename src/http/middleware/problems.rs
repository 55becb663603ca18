//! Renders a handler's or an extractor's `Problem`.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse, web};

use crate::http::context::RequestContext;
use crate::http::problem::Problem;
use crate::http::state::AppState;

/// Renders the problem that a response carries, and notes its kind for log and metrics.
pub async fn render_problems(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let response = next.call(request).await?;
    let error = response.response().error();
    let rendered = error
        .and_then(|error| error.as_error())
        .and_then(|problem| render(problem, response.request()));
    Ok(match rendered {
        Some(rendered) => response.into_response(rendered),
        None => response,
    })
}

/// `None` where no context is known, which never happens behind `track`.
fn render(problem: &Problem, request: &HttpRequest) -> Option<HttpResponse> {
    let extensions = request.extensions();
    let context = extensions.get::<Rc<RequestContext>>()?;
    let state = request.app_data::<web::Data<AppState>>()?;
    context.record().problem = Some(problem.kind);
    Some(problem.respond(request, context.request_id.as_str(), &state.pages))
}
