//! What makes the service an app that a browser can install: the web manifest and its icons. An
//! installed app takes phone links of other programs, too.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::SCHEMES;
use crate::http::state::AppState;

/// Drawn from `icon.svg` beside them.
const ICON_192: &[u8] = include_bytes!("../../pages/icons/icon-192.png");
const ICON_512: &[u8] = include_bytes!("../../pages/icons/icon-512.png");

/// The accent of the pages, which is the icons' ground.
const COLOUR: &str = "#5236c9";

/// The members that a browser needs to install an app: <https://www.w3.org/TR/appmanifest/>, and
/// <https://wicg.github.io/manifest-incubations/#protocol_handlers-member>.
#[derive(Serialize)]
struct Manifest<'a> {
    id: String,
    name: &'a str,
    short_name: &'a str,
    start_url: String,
    scope: String,
    display: &'static str,
    background_color: &'static str,
    theme_color: &'static str,
    icons: [Icon; 2],
    protocol_handlers: [ProtocolHandler; 2],
}

#[derive(Serialize)]
struct Icon {
    src: String,
    sizes: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    purpose: &'static str,
}

#[derive(Serialize)]
struct ProtocolHandler {
    protocol: &'static str,
    url: String,
}

/// The app's name: the company's, where it is set.
pub(super) fn name(state: &AppState) -> &str {
    state.pages.brand.as_deref().unwrap_or("ChatHub")
}

/// `GET /manifest.webmanifest`
pub(crate) async fn manifest(state: web::Data<AppState>) -> HttpResponse {
    // A manifest's paths count from the host, and the service may have a path prefix.
    let prefix = state.public_url.as_ref().map_or("", |url| {
        let path = url.as_url().path();
        path.trim_end_matches('/')
    });
    let icon = |size, sizes| Icon {
        src: format!("{prefix}/icon-{size}.png"),
        sizes,
        kind: "image/png",
        purpose: "any maskable",
    };
    let manifest = Manifest {
        id: format!("{prefix}/handler"),
        name: name(&state),
        short_name: name(&state),
        start_url: format!("{prefix}/handler"),
        scope: format!("{prefix}/"),
        display: "minimal-ui",
        background_color: COLOUR,
        theme_color: COLOUR,
        icons: [icon(192, "192x192"), icon(512, "512x512")],
        protocol_handlers: SCHEMES.map(|protocol| ProtocolHandler {
            protocol,
            url: format!("{prefix}/open-chat?phone=%s"),
        }),
    };
    HttpResponse::Ok()
        .content_type("application/manifest+json")
        .body(serde_json::to_string_pretty(&manifest).unwrap_or_default())
}

/// `GET /icon-192.png`
pub(crate) async fn icon_192() -> HttpResponse {
    icon(ICON_192)
}

/// `GET /icon-512.png`
pub(crate) async fn icon_512() -> HttpResponse {
    icon(ICON_512)
}

fn icon(picture: &'static [u8]) -> HttpResponse {
    HttpResponse::Ok().content_type("image/png").body(picture)
}
