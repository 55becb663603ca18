//! The names of the routes in metrics, logs and traces, and how a request's route is found.

use actix_web::dev::ServiceRequest;
use actix_web::guard::fn_guard;
use actix_web::{Resource, web};

/// A route, by the name it has in metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Route {
    OpenChat,
    Links,
    Widget,
    WidgetToken,
    OpenApi,
    OpenApiPage,
    Root,
    Builder,
    Demo,
    Healthz,
    Readyz,
    Metrics,
    /// Any path without a resource. Its name is not the path, which a caller chooses.
    Other,
}

impl Route {
    pub(super) const ALL: [Self; 13] = [
        Self::OpenChat,
        Self::Links,
        Self::Widget,
        Self::WidgetToken,
        Self::OpenApi,
        Self::OpenApiPage,
        Self::Root,
        Self::Builder,
        Self::Demo,
        Self::Healthz,
        Self::Readyz,
        Self::Metrics,
        Self::Other,
    ];

    /// Also the path of its resource.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::OpenChat => "/open-chat",
            Self::Links => "/links",
            Self::Widget => "/widget",
            Self::WidgetToken => "/widget/token",
            Self::OpenApi => "/openapi.json",
            Self::OpenApiPage => "/openapi",
            Self::Root => "/",
            Self::Builder => "/builder",
            Self::Demo => "/demo",
            Self::Healthz => "/healthz",
            Self::Readyz => "/readyz",
            Self::Metrics => "/metrics",
            Self::Other => "other",
        }
    }

    /// Monitoring asks the ops routes every few seconds; they leave no log line and no trace.
    pub(super) const fn is_logged(self) -> bool {
        !matches!(self, Self::Healthz | Self::Readyz | Self::Metrics)
    }

    /// The route of a request that is not routed yet.
    pub(super) fn of(request: &ServiceRequest) -> Self {
        if !is_spelled_plainly(request.path()) {
            return Self::Other;
        }
        let name = request.resource_map().match_name(request.path());
        Self::ALL
            .into_iter()
            .find(|route| Some(route.name()) == name)
            .unwrap_or(Self::Other)
    }

    /// The resource at the route's path.
    pub(super) fn resource(self) -> Resource {
        self.resource_at(self.name())
    }

    /// A resource at another path that counts as this route.
    pub(super) fn resource_at(self, path: &str) -> Resource {
        web::resource(path)
            .name(self.name())
            .guard(fn_guard(|context| {
                is_spelled_plainly(context.head().uri.path())
            }))
    }
}

/// Whether a path has no percent-encoding. actix also finds `/metrics` for `/%6detrics`, which a
/// proxy that keeps `/metrics` inside lets through.
fn is_spelled_plainly(path: &str) -> bool {
    !path.contains('%')
}
