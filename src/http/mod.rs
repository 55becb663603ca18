//! The HTTP side: the route table.

mod authorize;
mod context;
mod extract;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod handlers;
mod link_check;
pub mod middleware;
mod pages;
mod problem;
mod record;
mod redirect;
mod route;
mod state;
mod target;
mod token;

use std::future::ready;

use actix_web::http::Method;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, web};

pub use self::extract::body::MAX_BODY;
pub use self::extract::query::Query;
use self::handlers::{builder, demo, demo_refusals, health, links, open_chat, openapi, widget};
pub use self::link_check::check_link;
pub use self::problem::Kind;
use self::problem::Problem;
use self::route::Route;
pub use self::state::{AppState, Front, WorkerState};

/// The routes for agents and admins.
///
/// What hands out a token, a link or a cookie takes no HEAD, which would mint what no caller
/// receives.
pub fn public_routes(
    front: Front,
    has_builder: bool,
) -> impl FnOnce(&mut web::ServiceConfig) + Copy {
    move |config| {
        config
            .service(
                only(Route::OpenChat.resource(), &[Method::GET])
                    .get(open_chat::open_chat)
                    .post(open_chat::confirmed),
            )
            .service(only(Route::Links.resource(), &[Method::POST]).post(links::links))
            .service(only(Route::Widget.resource(), &[Method::GET]).get(widget::page))
            .service(only(Route::WidgetToken.resource(), &[Method::GET]).get(widget::token))
            .service(read(Route::OpenApi, openapi::document))
            .service(read(Route::OpenApiPage, openapi::page));
        if has_builder {
            config.service(read(Route::Builder, builder::builder));
        }
        match front {
            Front::Demo => {
                let refusals = Route::Demo.resource_at("/demo/refusals/{kind}");
                config
                    .service(read(Route::Root, demo::root))
                    .service(read(Route::Demo, demo::crm))
                    .service(refusals.to(demo_refusals::refusal));
            }
            Front::Builder if has_builder => {
                config.service(read(Route::Root, builder::root));
            }
            Front::Builder => {}
        }
    }
}

/// The routes for monitoring.
pub fn ops_routes(config: &mut web::ServiceConfig) {
    config
        .service(read(Route::Healthz, health::healthz))
        .service(read(Route::Readyz, health::readyz))
        .service(read(Route::Metrics, health::metrics));
}

/// Any other path.
pub fn not_found() -> actix_web::Route {
    web::to(|| ready(Err::<HttpResponse, _>(Problem::not_found())))
}

/// A resource that is only read: HEAD is answered like GET, and the server leaves the body out.
fn read<F, Args>(route: Route, handler: F) -> Resource
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    only(route.resource(), &[Method::GET, Method::HEAD])
        .get(handler.clone())
        .head(handler)
}

/// Refuses all methods but those that the resource has a handler for; `methods` is what `Allow`
/// says.
fn only(resource: Resource, methods: &'static [Method]) -> Resource {
    let refuse = move || ready(Err::<HttpResponse, _>(Problem::method_not_allowed(methods)));
    resource.default_service(web::to(refuse))
}
