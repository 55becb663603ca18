//! What all pages share: the language, the company's name and logo, the style, the content security
//! policy, and what keeps other windows and frames away. It knows no page by name.

use std::sync::LazyLock;

use actix_web::http::header::{
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::i18n::{Language, Words};
use crate::config::PageConfig;
use crate::http::fetch_metadata::SEC_FETCH_DEST;

/// The one style sheet. It is inlined in every page, because a page loads nothing.
pub(crate) const STYLE: &str = include_str!("style.css");

/// What pages in a frame of a CRM have beside it.
pub(crate) const PANEL_STYLE: &str = include_str!("panel.css");

static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| hash_source(STYLE));
static PANEL_STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| hash_source(PANEL_STYLE));
static SCRIPT_SOURCES: LazyLock<[String; 5]> =
    LazyLock::new(|| PageScript::ALL.map(|script| hash_source(script.text())));

/// The script of a page. It is inlined like the style.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PageScript {
    Builder,
    Handler,
    Panel,
    /// The same, with the phones that Zendesk's own script says.
    Zendesk,
    /// That of the panel, which tells Pipedrive that it is there.
    Pipedrive,
}

impl PageScript {
    const ALL: [Self; 5] = [
        Self::Builder,
        Self::Handler,
        Self::Panel,
        Self::Zendesk,
        Self::Pipedrive,
    ];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Builder => include_str!("builder.js"),
            Self::Handler => include_str!("handler.js"),
            Self::Panel => include_str!("panel.js"),
            Self::Zendesk => concat!(include_str!("panel.js"), include_str!("zendesk.js")),
            Self::Pipedrive => concat!(include_str!("panel.js"), include_str!("pipedrive.js")),
        }
    }
}

/// What a page's content security policy allows beside its style. No page may frame any of them
/// but the last two, which prevents clickjacking.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CspProfile<'a> {
    /// Nothing.
    Static,
    /// It runs this script, and its form asks for the same page again.
    Script(PageScript),
    /// Its forms post to this origin alone.
    OwnForm,
    /// Its form posts to the page's own address, which redirects to this origin.
    FormRedirectsTo(&'a str),
    /// It stands in a frame of a CRM.
    InCrm(InCrm<'a>),
    /// Nothing but to be framed, because it comes in the place of what a CRM frames: it must have
    /// no button that does something.
    Framed,
    /// The same with this script, which tells the CRM that the page is there.
    FramedWith(PageScript),
}

/// What a page in a frame of a CRM may do: post to one address and ask another of this service,
/// whatever else runs in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InCrm<'a> {
    /// The origin whose pages alone may frame it.
    pub(crate) frame_ancestor: &'a str,
    pub(crate) script: PageScript,
    /// The address of the CRM's own script, which runs beside it.
    pub(crate) crm_script: Option<&'a str>,
    /// Where its buttons post to.
    pub(crate) posts_to: &'a str,
    /// The origin that this redirects to.
    pub(crate) redirects_to: &'a str,
    /// What its script asks.
    pub(crate) asks: &'a str,
}

/// What all pages share. A template takes it as `layout`.
pub(crate) struct PageLayout<'a> {
    pub(crate) language: Language,
    pub(crate) words: &'static Words,
    pub(crate) pages: &'a PageConfig,
    /// Whether a browser can install the service as an app by this page.
    pub(crate) is_app: bool,
    request: &'a HttpRequest,
}

impl<'a> PageLayout<'a> {
    /// In the visitor's language.
    pub(crate) fn of(request: &'a HttpRequest, pages: &'a PageConfig) -> Self {
        Self::in_language(Language::of(request), request, pages)
    }

    pub(crate) fn in_language(
        language: Language,
        request: &'a HttpRequest,
        pages: &'a PageConfig,
    ) -> Self {
        Self {
            language,
            words: language.words(),
            pages,
            is_app: false,
            request,
        }
    }

    /// The same for a page that links the web manifest, from beside it.
    pub(crate) fn of_app(mut self) -> Self {
        self.is_app = true;
        self
    }

    /// Answers with a page that has this layout.
    pub(crate) fn respond(
        &self,
        response: &mut HttpResponseBuilder,
        page: &impl Template,
        profile: CspProfile<'_>,
    ) -> HttpResponse {
        response.insert_header((CONTENT_LANGUAGE, self.words.lang));
        let mut policy = policy(profile);
        if self.is_app {
            // The browser shows one of the manifest's icons.
            policy = policy.replace("img-src", "img-src 'self'") + "; manifest-src 'self'";
        }
        html(self.request, response, page, policy)
    }
}

/// Answers with a page, under a content security policy. In a window of its own, no page that has
/// opened it reaches into it: not even a vendor's script in a frame of this service's own origin.
pub(crate) fn html(
    request: &HttpRequest,
    response: &mut HttpResponseBuilder,
    page: &impl Template,
    policy: String,
) -> HttpResponse {
    if !is_framed(request) {
        response.insert_header((CROSS_ORIGIN_OPENER_POLICY, "same-origin"));
    }
    match page.render() {
        Ok(text) => response
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, policy))
            .body(text),
        // Rendering into a String fails only where a value's own Display does.
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Whether the page is to stand in another page, as the browser says; there, the policy of the
/// window's own page counts.
fn is_framed(request: &HttpRequest) -> bool {
    let destination = request.headers().get(SEC_FETCH_DEST);
    destination.is_some_and(|destination| {
        matches!(
            destination.as_bytes(),
            b"iframe" | b"frame" | b"embed" | b"object" | b"fencedframe"
        )
    })
}

/// Nothing is loaded from anywhere: style and script are inlined and allowed by their hash,
/// pictures are `data:`.
fn policy(profile: CspProfile<'_>) -> String {
    let style = &*STYLE_SOURCE;
    let rest = match profile {
        CspProfile::Static | CspProfile::Framed => "form-action 'none'".to_owned(),
        CspProfile::FramedWith(script) => format!(
            "form-action 'none'; script-src {}",
            SCRIPT_SOURCES[script as usize]
        ),
        CspProfile::Script(script) => format!(
            "form-action 'self'; script-src {}; connect-src 'self'",
            SCRIPT_SOURCES[script as usize]
        ),
        CspProfile::OwnForm => "form-action 'self'".to_owned(),
        CspProfile::InCrm(page) => in_crm(page),
        // Chromium applies the policy to a form's redirects too.
        CspProfile::FormRedirectsTo(origin) => format!("form-action 'self' {origin}"),
    };
    let frames = match profile {
        CspProfile::Framed | CspProfile::FramedWith(_) => String::new(),
        CspProfile::InCrm(page) => format!("; frame-ancestors {}", page.frame_ancestor),
        _ => "; frame-ancestors 'none'".to_owned(),
    };
    let panel_style = match profile {
        CspProfile::InCrm(_) => format!(" {}", *PANEL_STYLE_SOURCE),
        _ => String::new(),
    };
    format!(
        "default-src 'none'; style-src {style}{panel_style}; img-src data:; base-uri 'none'; {rest}{frames}"
    )
}

/// Chromium compares paths before redirects, and origins alone after them.
fn in_crm(page: InCrm<'_>) -> String {
    let own = &SCRIPT_SOURCES[page.script as usize];
    let crm_script = page.crm_script.map(|script| format!(" {script}"));
    format!(
        "form-action {} {}; script-src {own}{}; connect-src {}",
        page.posts_to,
        page.redirects_to,
        crm_script.unwrap_or_default(),
        page.asks
    )
}

/// A CSP hash source: `'sha256-…'`.
fn hash_source(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash.as_ref()))
}
