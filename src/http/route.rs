//! The names of the routes in metrics, logs and traces, and how a request's route is found.

use actix_web::dev::ServiceRequest;
use actix_web::guard::fn_guard;
use actix_web::{Resource, web};

macro_rules! routes {
    ($($route:ident $name:literal;)+) => {
        /// A route, by the name it has in metrics and logs. `Other` is any path without a resource:
        /// its name is not the path, which a caller chooses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub(super) enum Route {
            $($route,)+
        }

        impl Route {
            pub(super) const ALL: [Self; [$($name),+].len()] = [$(Self::$route),+];

            /// Also the path of its resource.
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$route => $name,)+ }
            }
        }
    };
}

routes! {
    OpenChat    "/open-chat";
    Links       "/links";
    Widget      "/widget";
    WidgetToken "/widget/token";
    Pair        "/pair";
    Handler     "/handler";
    Manifest    "/manifest.webmanifest";
    Icon192     "/icon-192.png";
    Icon512     "/icon-512.png";
    OpenApi     "/openapi.json";
    OpenApiPage "/openapi";
    Root        "/";
    Builder     "/builder";
    Integrations "/builder/connectors/{name}";
    ConnectBitrix24 "/connect/bitrix24";
    ConnectBitrix24Install "/connect/bitrix24/install";
    ConnectKommo  "/connect/kommo";
    ConnectHubspot "/connect/hubspot";
    ConnectPipedrive "/connect/pipedrive";
    ConnectZendesk "/connect/zendesk";
    ConnectOpen   "/connect/{name}/open";
    ConnectTicket "/connect/{name}/ticket";
    Demo        "/demo";
    DemoRefusal "/demo/refusals/{kind}";
    Healthz     "/healthz";
    Readyz      "/readyz";
    Metrics     "/metrics";
    Other       "other";
}

impl Route {
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

/// Whether a path is written in the one way that every program reads alike: without
/// percent-encoding, empty segments, or dots that lead elsewhere. actix finds `/metrics` for
/// `/%6detrics`, which a proxy that keeps `/metrics` inside lets through; another program takes
/// `/connect/../open-chat` for `/open-chat`.
fn is_spelled_plainly(path: &str) -> bool {
    let mut before = 0;
    path.bytes().all(|byte| {
        let pair = (std::mem::replace(&mut before, byte), byte);
        !matches!(pair, (_, b'%') | (b'/', b'/' | b'.') | (b'.', b'.'))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::is_spelled_plainly;

    #[rstest]
    #[case("/", true)]
    #[case("/open-chat", true)]
    #[case("/manifest.webmanifest", true)]
    #[case("/builder/connectors/browser-extension", true)]
    #[case("//open-chat", false)]
    #[case("/open-chat//", false)]
    #[case("/connect/../open-chat", false)]
    #[case("/connect/..", false)]
    #[case("/./open-chat", false)]
    #[case("/open-chat..", false)]
    #[case("/%2e%2e/open-chat", false)]
    #[case("/open%2Dchat", false)]
    #[case("/connect%2f..%2fopen-chat", false)]
    fn a_path_is_written_in_one_way(#[case] path: &str, #[case] is_plain: bool) {
        assert_eq!(is_spelled_plainly(path), is_plain);
    }
}
