//! How a [`Problem`] is answered: a page for a browser, problem+json (RFC 9457) for other callers.

use std::borrow::Cow;

use actix_web::http::Method;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError as _};
use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::accept::prefers_html;
use super::support_link;
use super::{Detail, Kind, Problem};
use crate::config::PageConfig;
use crate::http::pages::{Advice, CspProfile, Language, PageLayout, PageScript, Words};

/// Where another try begins, if one may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TryAgain {
    /// At the same address.
    Here,
    /// At the CRM's button, which makes another link.
    InCrm,
}

impl Problem {
    /// The whole answer, in the form that the request accepts.
    pub(crate) fn respond(
        &self,
        request: &HttpRequest,
        request_id: &str,
        try_again: TryAgain,
        pages: &PageConfig,
    ) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status_code());
        if !self.allow.is_empty() {
            let methods: Vec<_> = self.allow.iter().map(Method::as_str).collect();
            response.insert_header((ALLOW, methods.join(", ")));
        }
        if let Some(seconds) = self.wait() {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if prefers_html(request) {
            let layout = PageLayout::of(request, pages);
            self.page(&mut response, &layout, request_id, try_again)
        } else {
            self.json(&mut response, request_id)
        }
    }

    fn page(
        &self,
        response: &mut HttpResponseBuilder,
        layout: &PageLayout<'_>,
        request_id: &str,
        try_again: TryAgain,
    ) -> HttpResponse {
        let advice = layout.language.advice(self.kind, &self.detail);
        // An agent cannot wait for what only an administrator can mend.
        let is_worth_waiting = self.kind != Kind::CredentialsRejected;
        let wait = self.wait().filter(|_| is_worth_waiting);
        let support = layout.pages.support.as_ref();
        let page = Page {
            to_do: to_do(&advice, wait, layout.words),
            advice,
            now: Utc::now(),
            support_href: support_link::link(support, self.kind, request_id),
            script: self.script.map(PageScript::text),
            identity: match &self.detail {
                Detail::IdentityUnknown(identity) => Some(identity.text()),
                _ => None,
            },
            detail: layout.language.detail(&self.detail),
            detail_lang: layout.language.of_detail(&self.detail).words().lang,
            layout,
            refusal: self,
            try_again: self.may_pass().then_some(try_again),
            request_id,
        };
        let profile = self
            .script
            .map_or(CspProfile::Framed, CspProfile::FramedWith);
        layout.respond(response, &page, profile)
    }

    fn json(&self, response: &mut HttpResponseBuilder, request_id: &str) -> HttpResponse {
        response
            .content_type("application/problem+json")
            .json(ProblemJson {
                r#type: self.kind.urn(),
                title: self.kind.title(),
                status: self.kind.status(),
                detail: &Language::English.detail(&self.detail),
                request_id,
            })
    }

    /// The seconds of `Retry-After`: whole seconds, at least 1.
    fn wait(&self) -> Option<u64> {
        self.retry_after.map(|wait| {
            let begun = u64::from(wait.subsec_nanos() > 0);
            (wait.as_secs() + begun).max(1)
        })
    }
}

#[derive(Serialize)]
struct ProblemJson<'a> {
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
    refusal: &'a Problem,
    /// `None` where another try would be refused too.
    try_again: Option<TryAgain>,
    advice: Advice,
    script: Option<&'static str>,
    /// The identity that the proxy in front names, where that belongs to no operator.
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
