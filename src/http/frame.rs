//! What all pages share: the language, the company's name and logo, the style, and the policy that
//! keeps everything else out.

use std::sync::LazyLock;

use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::texts::{Language, Words};
use crate::config::PageConfig;

/// The one style sheet. It stands in every page, because a page loads nothing.
pub(super) const STYLE: &str = include_str!("pages/style.css");

/// The one script, which only the link builder has.
pub(super) const SCRIPT: &str = include_str!("pages/builder.js");

static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| source(STYLE));
static SCRIPT_SOURCE: LazyLock<String> = LazyLock::new(|| source(SCRIPT));

/// What a page does beside being read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Needs<'a> {
    /// Nothing.
    Nothing,
    /// It runs the script, and its form asks for the same page again.
    Script,
    /// Its form posts to the page's own address, from where it goes on to this origin. No other
    /// page may frame it, and have somebody press its button unawares.
    FormThatLeadsTo(&'a str),
}

/// What all pages share. A template takes it as `frame`.
pub(super) struct Frame<'a> {
    pub(super) language: Language,
    pub(super) words: &'static Words,
    pub(super) pages: &'a PageConfig,
}

impl<'a> Frame<'a> {
    /// In the visitor's language.
    pub(super) fn of(request: &HttpRequest, pages: &'a PageConfig) -> Self {
        Self::in_language(Language::of(request), pages)
    }

    pub(super) const fn in_language(language: Language, pages: &'a PageConfig) -> Self {
        Self {
            language,
            words: language.words(),
            pages,
        }
    }

    /// Answers with a page in this frame.
    pub(super) fn answer(
        &self,
        response: &mut HttpResponseBuilder,
        page: &impl Template,
        needs: Needs<'_>,
    ) -> HttpResponse {
        match page.render() {
            Ok(text) => response
                .content_type("text/html; charset=utf-8")
                .insert_header((CONTENT_LANGUAGE, self.words.lang))
                .insert_header((CONTENT_SECURITY_POLICY, policy(needs)))
                .body(text),
            // Rendering into a String fails only where a value's own Display does.
            Err(_) => HttpResponse::InternalServerError().finish(),
        }
    }
}

/// Nothing is loaded from anywhere: style and script stand in the page and are named by their hash,
/// pictures are `data:`.
fn policy(needs: Needs<'_>) -> String {
    let style = &*STYLE_SOURCE;
    let rest = match needs {
        Needs::Nothing => "form-action 'none'".to_owned(),
        Needs::Script => format!(
            "form-action 'self'; script-src {}; connect-src 'self'",
            *SCRIPT_SOURCE
        ),
        // Chromium holds a form's redirects against the policy too.
        Needs::FormThatLeadsTo(origin) => {
            format!("form-action 'self' {origin}; frame-ancestors 'none'")
        }
    };
    format!("default-src 'none'; style-src {style}; img-src data:; base-uri 'none'; {rest}")
}

/// A text as a policy names it: by its SHA-256.
fn source(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash.as_ref()))
}
