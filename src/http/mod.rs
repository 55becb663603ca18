//! The HTTP side: the route table.

mod authorize;
mod context;
mod device_cookie;
mod extract;
mod fetch_metadata;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod handlers;
mod link_check;
pub mod middleware;
mod own_address;
mod pages;
mod problem;
mod redirect;
mod route;
mod state;
mod target;
mod token;

use std::future::{Ready, ready};

use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, web};

pub use self::extract::{MAX_BODY, Query};
use self::handlers::{
    builder, connect, demo, demo_refusals, health, integrations, links, open_chat, openapi, pair,
    phone_links, widget,
};
pub use self::link_check::check_link;
pub use self::problem::Kind;
use self::problem::Problem;
use self::route::Route;
pub use self::state::{AppState, Front, OptionalRoutes, WorkerState};

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

/// The path of every route, with those that only some settings or the demo have.
pub fn paths() -> impl Iterator<Item = &'static str> {
    let routes = Route::ALL.into_iter();
    routes
        .filter(|route| *route != Route::Other)
        .map(Route::name)
}

/// The routes for agents and admins.
///
/// What hands out a token, a link or a cookie takes no HEAD, which would mint what no caller
/// receives.
pub fn public_routes(
    front: Front,
    has: OptionalRoutes,
) -> impl FnOnce(&mut web::ServiceConfig) + Copy {
    move |config| {
        config
            .service(
                resource(Route::OpenChat, GET, open_chat::open_chat).post(open_chat::confirmed),
            )
            .service(resource(Route::Links, POST, links::links))
            .service(resource(Route::Widget, GET, widget::page))
            .service(resource(Route::WidgetToken, GET, widget::token))
            .service(
                resource(Route::Pair, GET, pair::page)
                    .post(pair::pressed)
                    .default_service(web::to(refuse(&[Method::GET, Method::POST]))),
            )
            .service(read(Route::Handler, phone_links::page))
            .service(read(Route::Manifest, phone_links::manifest))
            .service(read(Route::Icon192, phone_links::icon_192))
            .service(read(Route::Icon512, phone_links::icon_512))
            .service(read(Route::OpenApi, openapi::document))
            .service(read(Route::OpenApiPage, openapi::page));
        if has.connectors {
            connect_routes(config);
        }
        if has.builder {
            config
                .service(read(Route::Builder, builder::builder))
                .service(read(Route::Integrations, integrations::package));
        }
        match front {
            Front::Demo => {
                let refusals = Route::DemoRefusal.resource();
                config
                    .service(read(Route::Root, demo::root))
                    .service(read(Route::Demo, demo::crm))
                    .service(refusals.to(demo_refusals::refusal));
            }
            Front::Builder if has.builder => {
                config.service(read(Route::Root, builder::root));
            }
            Front::Builder => {}
        }
    }
}

/// The routes for CRMs.
fn connect_routes(config: &mut web::ServiceConfig) {
    let open = Route::ConnectOpen.resource_at("/connect/{name:bitrix24|zendesk|pipedrive}/open");
    let ticket =
        Route::ConnectTicket.resource_at("/connect/{name:bitrix24|zendesk|pipedrive}/ticket");
    config
        .service(
            resource(Route::ConnectKommo, GET, connect::kommo::link)
                .route(web::method(Method::OPTIONS).to(connect::kommo::preflight))
                .default_service(web::to(refuse(&[Method::GET, Method::OPTIONS]))),
        )
        .service(resource(Route::ConnectHubspot, GET, connect::hubspot::link))
        .service(resource(
            Route::ConnectPipedrive,
            GET,
            connect::pipedrive::panel,
        ))
        .service(resource(
            Route::ConnectBitrix24,
            POST,
            connect::bitrix24::button,
        ))
        .service(resource(
            Route::ConnectBitrix24Install,
            POST,
            connect::bitrix24::install,
        ))
        .service(resource(Route::ConnectZendesk, POST, connect::zendesk::app))
        .service(only(open, POST, connect::tickets::open))
        .service(only(ticket, POST, connect::tickets::renew));
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
    resource(route, &[Method::GET, Method::HEAD], handler)
}

/// A resource that refuses all methods but these, and says so in `Allow`. actix's own guards of
/// methods note for each request what they would have taken.
fn resource<F, Args>(route: Route, methods: &'static [Method], handler: F) -> Resource
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    only(route.resource(), methods, handler)
}

/// The same at a path of its own.
fn only<F, Args>(resource: Resource, methods: &'static [Method], handler: F) -> Resource
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    let is_allowed = fn_guard(|context| methods.contains(&context.head().method));
    resource
        .route(web::route().guard(is_allowed).to(handler))
        .default_service(web::to(refuse(methods)))
}

/// Refuses a method, and names those that are taken.
fn refuse(
    methods: &'static [Method],
) -> impl Fn() -> Ready<Result<HttpResponse, Problem>> + Clone + 'static {
    move || ready(Err(Problem::method_not_allowed(methods)))
}
