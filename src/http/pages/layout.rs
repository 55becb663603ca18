//! What all pages share: the language, the company's name and logo, the style, the content security
//! policy, and what keeps other windows and frames away. It knows no page by name.

use actix_web::http::header::{
    CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CROSS_ORIGIN_OPENER_POLICY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use url::form_urlencoded;

use super::csp::{CspProfile, policy};
use super::i18n::{Language, Words};
use crate::config::PageConfig;
use crate::http::fetch_metadata::SEC_FETCH_DEST;

/// The parameter that names the language of a page that people stay on.
const LANGUAGE: &str = "lang";

/// What all pages share. A template takes it as `layout`.
pub(crate) struct PageLayout<'a> {
    pub(crate) language: Language,
    pub(crate) words: &'static Words,
    pub(crate) pages: &'a PageConfig,
    /// Whether a browser can install the service as an app by this page.
    pub(crate) is_app: bool,
    /// For a page that people stay on: whether it links to itself in other languages.
    pub(crate) is_lasting: bool,
    /// The language that the page's address names.
    pub(crate) chosen: Option<Language>,
    request: &'a HttpRequest,
}

impl<'a> PageLayout<'a> {
    /// In the visitor's language.
    pub(crate) fn of(request: &'a HttpRequest, pages: &'a PageConfig) -> Self {
        let language = Language::of(request, pages.language);
        Self {
            language,
            words: language.words(),
            pages,
            is_app: false,
            is_lasting: false,
            chosen: None,
            request,
        }
    }

    /// For a page that people stay on: in the language that its address names, if it names one.
    pub(crate) fn of_lasting(request: &'a HttpRequest, pages: &'a PageConfig) -> Self {
        let layout = Self::of(request, pages);
        let chosen = parameters(request)
            .find(|(name, _)| name == LANGUAGE)
            .and_then(|(_, tag)| Language::parse(&tag));
        let language = chosen.unwrap_or(layout.language);
        Self {
            language,
            words: language.words(),
            is_lasting: true,
            chosen,
            ..layout
        }
    }

    /// The page's own address in each other language.
    pub(crate) fn translations(&self) -> Vec<(Language, String)> {
        let others = Language::ALL.into_iter();
        let others = others.filter(|language| *language != self.language);
        others
            .map(|language| {
                let mut query = form_urlencoded::Serializer::for_suffix(String::from("?"), 1);
                query.extend_pairs(parameters(self.request).filter(|(name, _)| name != LANGUAGE));
                query.append_pair(LANGUAGE, language.name());
                (language, query.finish())
            })
            .collect()
    }

    /// Another page that people stay on, in the language that they have chosen on this one.
    pub(crate) fn link(&self, page: &str) -> String {
        match self.chosen {
            Some(language) => format!("{page}?{LANGUAGE}={}", language.name()),
            None => page.to_owned(),
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
        response.insert_header((CONTENT_LANGUAGE, self.language.name()));
        let mut policy = policy(profile);
        if self.is_app {
            // The browser shows one of the manifest's icons.
            policy = policy.replace("img-src", "img-src 'self'") + "; manifest-src 'self'";
        }
        html(self.request, response, page, policy)
    }
}

/// The parameters of the page's own address.
fn parameters(request: &HttpRequest) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(request.query_string().as_bytes())
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
