//! Every "no", and how it is said: a page for a browser, a problem for everyone else.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use serde::Serialize;

use super::answer::{html, prefers_html};
use super::kind::Kind;

/// A request that is not granted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    /// What happened here and what to change, for the person who set the link up.
    detail: Cow<'static, str>,
    /// What the visitor can do, where it is not plain from the detail.
    retry_after: Option<Duration>,
    /// The method that is allowed instead.
    allow: Option<&'static str>,
    /// The deep link without a token: the panel's own login page, for when ChatHub does not mint.
    by_hand: Option<String>,
}

impl Refusal {
    pub(super) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after: None,
            allow: None,
            by_hand: None,
        }
    }

    /// Tells when another try may succeed.
    pub(super) const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Another method is wanted.
    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(
                Kind::MethodNotAllowed,
                "This address takes another method: a link is opened with GET, POST /links makes one.",
            )
        }
    }

    /// Whether the click was right, and ChatHub had no token for it.
    pub(super) const fn is_chathubs_fault(&self) -> bool {
        self.kind.status() >= 500
    }

    /// Offers a deep link without a token where the fault is ChatHub's.
    pub(super) fn or_by_hand(mut self, link: impl FnOnce() -> String) -> Self {
        if self.is_chathubs_fault() {
            self.by_hand = Some(link());
        }
        self
    }

    /// A page for a browser, a problem (RFC 9457) for everyone else.
    pub(super) fn respond(&self, request: &HttpRequest, request_id: &str) -> HttpResponse {
        let status =
            StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponseBuilder::new(status);
        if let Some(method) = self.allow {
            response.insert_header((ALLOW, method));
        }
        if let Some(wait) = self.retry_after {
            response.insert_header((RETRY_AFTER, wait.as_secs_f64().ceil().max(1.0).to_string()));
        }
        if prefers_html(request) {
            return html(
                &mut response,
                &Page {
                    refusal: self,
                    request_id,
                },
            );
        }
        response
            .content_type("application/problem+json")
            .json(Problem {
                r#type: format!("urn:open-chat:problem:{}", self.kind.name()),
                title: self.kind.title(),
                status: self.kind.status(),
                detail: &self.detail,
                request_id,
            })
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
    refusal: &'a Refusal,
    request_id: &'a str,
}
