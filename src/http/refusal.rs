//! Every "no", and how it is said: a page for a browser, a problem for everyone else.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::accept::prefers_html;
use super::detail::Detail;
use super::help;
use super::kind::Kind;
use super::pages::i18n::{Advice, Language, Words};
use super::pages::layout::{CspProfile, PageLayout};
use crate::access::Denied;
use crate::config::PageConfig;

/// A request that is not granted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    /// What happened here and what to change, for the person who set the link up.
    detail: Detail,
    /// When another try may succeed.
    retry_after: Option<Duration>,
    /// The methods that are allowed instead.
    allow: &'static [Method],
    /// The deep link without a token: the panel's own login page, for when ChatHub does not mint.
    by_hand: Option<String>,
}

impl Refusal {
    pub(super) fn new(kind: Kind, detail: impl Into<Detail>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after: None,
            allow: &[],
            by_hand: None,
        }
    }

    /// Tells when another try may succeed.
    pub(super) const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says otherwise what happened.
    pub(super) fn explain(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// Another method is wanted.
    pub(super) fn method_not_allowed(allow: &'static [Method]) -> Self {
        Self {
            allow,
            ..Self::new(Kind::MethodNotAllowed, Detail::OtherMethod)
        }
    }

    /// Whether the click was right, and ChatHub had no token for it.
    pub(super) const fn is_chathubs_fault(&self) -> bool {
        self.kind.status() >= 500
    }

    /// Tells which address a client has that is not let in: it may be a proxy's.
    pub(super) fn seen_from(mut self, client: IpAddr) -> Self {
        if matches!(self.detail, Detail::Denied(Denied::NetworkNotAllowed)) {
            self.detail = Detail::NetworkNotAllowed(client);
        }
        self
    }

    /// Offers a deep link without a token where the fault is ChatHub's.
    pub(super) fn or_by_hand(mut self, link: impl FnOnce() -> String) -> Self {
        if self.is_chathubs_fault() {
            self.by_hand = Some(link());
        }
        self
    }

    /// A page for a browser, a problem (RFC 9457) for everyone else.
    pub(super) fn respond(
        &self,
        request: &HttpRequest,
        request_id: &str,
        pages: &PageConfig,
    ) -> HttpResponse {
        let status =
            StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponseBuilder::new(status);
        if !self.allow.is_empty() {
            let methods: Vec<_> = self.allow.iter().map(Method::as_str).collect();
            response.insert_header((ALLOW, methods.join(", ")));
        }
        let wait = self.wait();
        if let Some(seconds) = wait {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if prefers_html(request) {
            let layout = PageLayout::of(request, pages);
            let advice = layout.language.advice(self.kind, &self.detail);
            // Where only a person can mend it, nobody should sit and wait.
            let wait = wait.filter(|_| self.kind != Kind::CredentialsRejected);
            let page = Page {
                to_do: to_do(&advice, wait, layout.words),
                advice,
                now: Utc::now(),
                support_href: help::link(pages.support.as_ref(), self.kind, request_id),
                identity: match &self.detail {
                    Detail::IdentityUnknown(identity) => Some(identity.text()),
                    _ => None,
                },
                detail: layout.language.detail(&self.detail),
                detail_lang: layout.language.of_detail(&self.detail).words().lang,
                layout: &layout,
                refusal: self,
                request_id,
            };
            return layout.respond(&mut response, &page, CspProfile::Static);
        }
        response
            .content_type("application/problem+json")
            .json(Problem {
                r#type: self.kind.urn(),
                title: self.kind.title(),
                status: self.kind.status(),
                detail: &Language::English.detail(&self.detail),
                request_id,
            })
    }

    /// The seconds of `Retry-After`: whole ones, and never none.
    fn wait(&self) -> Option<u64> {
        self.retry_after.map(|wait| {
            let begun = u64::from(wait.subsec_nanos() > 0);
            (wait.as_secs() + begun).max(1)
        })
    }

    /// The same in English, for those who read no page.
    pub(super) fn sentence(&self) -> String {
        Language::English.detail(&self.detail).into_owned()
    }

    /// Whether it is worth another try as it is.
    const fn may_pass(&self) -> bool {
        self.is_chathubs_fault() || self.retry_after.is_some()
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct Page<'a> {
    layout: &'a PageLayout<'a>,
    refusal: &'a Refusal,
    advice: Advice,
    /// Who the visitor is to the proxy in front, where that is the trouble.
    identity: Option<&'a str>,
    detail: Cow<'a, str>,
    /// The language that the detail is in.
    detail_lang: &'static str,
    /// What the agent does next, and when.
    to_do: Cow<'static, str>,
    now: DateTime<Utc>,
    /// Where help is, with what it is about.
    support_href: Option<String>,
    request_id: &'a str,
}

/// What to do next: the time to wait in place of "a moment", where it is known.
fn to_do(advice: &Advice, wait: Option<u64>, words: &Words) -> Cow<'static, str> {
    match wait.map(|seconds| words.wait(seconds)) {
        None => advice.to_do.into(),
        Some(wait) if advice.to_do == words.wait_a_moment => wait.into(),
        Some(wait) => format!("{} {wait}", advice.to_do).into(),
    }
}
