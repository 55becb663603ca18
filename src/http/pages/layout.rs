//! What all pages share: the language, the company's name and logo, the style, and the content
//! security policy. It knows no page by name.

use std::sync::LazyLock;

use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::i18n::{Language, Words};
use crate::config::PageConfig;

/// The one style sheet. It is inlined in every page, because a page loads nothing.
pub(crate) const STYLE: &str = include_str!("style.css");

/// The one script, which only the link builder has.
pub(crate) const SCRIPT: &str = include_str!("builder.js");

static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| hash_source(STYLE));
static SCRIPT_SOURCE: LazyLock<String> = LazyLock::new(|| hash_source(SCRIPT));

/// What a page's content security policy allows beside its style.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CspProfile<'a> {
    /// Nothing.
    Static,
    /// It runs [`SCRIPT`], and its form asks for the same page again.
    Script,
    /// Its forms post to this origin alone. No other page may frame it, which prevents
    /// clickjacking.
    OwnForm,
    /// Its form posts to the page's own address, which redirects to this origin. No other page may
    /// frame it, which prevents clickjacking.
    FormRedirectsTo(&'a str),
}

/// What all pages share. A template takes it as `layout`.
pub(crate) struct PageLayout<'a> {
    pub(crate) language: Language,
    pub(crate) words: &'static Words,
    pub(crate) pages: &'a PageConfig,
}

impl<'a> PageLayout<'a> {
    /// In the visitor's language.
    pub(crate) fn of(request: &HttpRequest, pages: &'a PageConfig) -> Self {
        Self::in_language(Language::of(request), pages)
    }

    pub(crate) fn in_language(language: Language, pages: &'a PageConfig) -> Self {
        Self {
            language,
            words: language.words(),
            pages,
        }
    }

    /// Answers with a page that has this layout.
    pub(crate) fn respond(
        &self,
        response: &mut HttpResponseBuilder,
        page: &impl Template,
        profile: CspProfile<'_>,
    ) -> HttpResponse {
        response.insert_header((CONTENT_LANGUAGE, self.words.lang));
        html(response, page, policy(profile))
    }
}

/// Answers with a page, under a content security policy.
pub(crate) fn html(
    response: &mut HttpResponseBuilder,
    page: &impl Template,
    policy: String,
) -> HttpResponse {
    match page.render() {
        Ok(text) => response
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, policy))
            .body(text),
        // Rendering into a String fails only where a value's own Display does.
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Nothing is loaded from anywhere: style and script are inlined and allowed by their hash,
/// pictures are `data:`.
fn policy(profile: CspProfile<'_>) -> String {
    let style = &*STYLE_SOURCE;
    let rest = match profile {
        CspProfile::Static => "form-action 'none'".to_owned(),
        CspProfile::Script => format!(
            "form-action 'self'; script-src {}; connect-src 'self'",
            *SCRIPT_SOURCE
        ),
        CspProfile::OwnForm => "form-action 'self'; frame-ancestors 'none'".to_owned(),
        // Chromium applies the policy to a form's redirects too.
        CspProfile::FormRedirectsTo(origin) => {
            format!("form-action 'self' {origin}; frame-ancestors 'none'")
        }
    };
    format!("default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; {rest}")
}

/// A CSP hash source: `'sha256-…'`.
fn hash_source(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash.as_ref()))
}
