//! `GET /builder/connectors/{name}`: the packages of `open-chat connector`, for those who may see
//! the link builder.

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use url::form_urlencoded;

use crate::http::authorize::check_network;
use crate::http::context::Context;
use crate::http::problem::{Detail, Kind, Problem};
use crate::http::state::AppState;
use crate::integrations::{Browser, BrowserExtension, CrmOrigin, Integration, Package, Scheme};
use chathub::HttpsUrl;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The version of what is packed here is this program's.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The package, to be saved. It holds no secret.
pub(crate) async fn package(
    name: web::Path<String>,
    request: HttpRequest,
    context: Context,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    check_network(context.client, &state).await?;
    state.limits.download(context.client).await?;
    let integration = Integration::find(&name).ok_or_else(unknown)?;
    let public_url = state.public_url.as_ref().ok_or_else(no_public_url)?;
    let asked = Asked::read(request.query_string())?;
    let packed = match integration.crm_package() {
        Some(crm) => crm.package(public_url, VERSION),
        None => asked.extension(public_url).package(),
    };
    // Nothing that a caller chooses leads there.
    Ok(packed.map_or_else(|_| HttpResponse::InternalServerError().finish(), download))
}

/// What the address asks for.
struct Asked {
    /// `crm`, once for each CRM or with several in one, a line each.
    crm_origins: Vec<CrmOrigin>,
    /// `browser`.
    browser: Browser,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Problem> {
        let values: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let of = |wanted: &'static str| {
            let pairs = values.iter().filter(move |(name, _)| name == wanted);
            pairs.flat_map(|(_, value)| value.split_ascii_whitespace())
        };
        let crm_origins = CrmOrigin::parse_all(of("crm"))
            .map_err(|error| Problem::new(Kind::ParameterInvalid, Detail::CrmOrigin(error)))?;
        // An empty value counts as absent, as a form sends it.
        let mut browsers = values.iter().filter(|(name, _)| name == "browser");
        let browser = browsers.next_back().map(|(_, browser)| &**browser);
        let browser = browser
            .filter(|browser| !browser.is_empty())
            .map_or(Some(Browser::default()), Browser::find);
        Ok(Self {
            crm_origins,
            browser: browser.ok_or_else(no_browser)?,
        })
    }

    fn extension<'a>(&'a self, public_url: &'a HttpsUrl) -> BrowserExtension<'a> {
        BrowserExtension {
            public_url,
            version: VERSION,
            crm_origins: &self.crm_origins,
            browser: self.browser,
            schemes: &Scheme::ALL,
        }
    }
}

fn download(Package { file_name, bytes }: Package) -> HttpResponse {
    let disposition = format!("attachment; filename=\"{file_name}\"");
    HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CONTENT_DISPOSITION, disposition))
        .insert_header((
            CROSS_ORIGIN_RESOURCE_POLICY,
            HeaderValue::from_static("same-origin"),
        ))
        .body(bytes)
}

fn unknown() -> Problem {
    Problem::new(Kind::NotFound, Detail::NoIntegration)
}

fn no_public_url() -> Problem {
    Problem::new(Kind::NotFound, Detail::NoPublicUrl)
}

fn no_browser() -> Problem {
    Problem::new(Kind::ParameterInvalid, Detail::NoBrowser)
}
