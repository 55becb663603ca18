//! A request that is refused: of which kind, what happened, and when another try may succeed.
//!
//! Knows the pages that show it and no handler. Every handler and extractor fails with a
//! [`Problem`]; one middleware turns it into an answer.

mod accept;
mod conversions;
mod detail;
mod identity;
mod kind;
mod response;
mod support_link;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};

pub(crate) use self::conversions::RETRY_SOON;
pub(crate) use self::detail::Detail;
pub(crate) use self::identity::ShownIdentity;
pub use self::kind::Kind;
pub(crate) use self::response::TryAgain;
use crate::access::Denied;
use crate::http::pages::{Language, PageScript};

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    /// What happened here and what to change, for the person who set the link up.
    detail: Detail,
    /// When another try may succeed.
    retry_after: Option<Duration>,
    /// The methods that are allowed instead.
    allow: &'static [Method],
    /// The deep link without a token: the panel's own login page, for when ChatHub does not mint.
    by_hand: Option<Box<str>>,
    /// What the page runs, where a CRM shows it in place of a panel.
    script: Option<PageScript>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<Detail>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry_after: None,
            allow: &[],
            by_hand: None,
            script: None,
        }
    }

    /// No resource has this path.
    pub(crate) fn not_found() -> Self {
        Self::new(Kind::NotFound, Detail::Nothing)
    }

    /// The resource takes other methods only.
    pub(crate) fn method_not_allowed(allow: &'static [Method]) -> Self {
        Self {
            allow,
            ..Self::new(Kind::MethodNotAllowed, Detail::OtherMethod)
        }
    }

    /// Sets when another try may succeed.
    pub(crate) const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Has the page run a script, without which a CRM does not show it.
    pub(crate) const fn with_script(mut self, script: PageScript) -> Self {
        self.script = Some(script);
        self
    }

    /// Replaces what happened; the kind stays.
    pub(crate) fn explain(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// Whether the request was right, and ChatHub had no token for it.
    pub(crate) const fn is_chathubs_fault(&self) -> bool {
        self.kind.status() >= 500
    }

    /// Names the address of a client outside the allowed networks: it may be a proxy's.
    pub(crate) fn seen_from(mut self, client: IpAddr) -> Self {
        if matches!(self.detail, Detail::Denied(Denied::NetworkNotAllowed)) {
            self.detail = Detail::NetworkNotAllowed(client);
        }
        self
    }

    /// Offers a deep link without a token where the fault is ChatHub's.
    pub(crate) fn or_by_hand(mut self, link: impl FnOnce() -> String) -> Self {
        if self.is_chathubs_fault() {
            self.by_hand = Some(link().into_boxed_str());
        }
        self
    }

    /// The same in English, for callers that read no page.
    pub(crate) fn sentence(&self) -> String {
        Language::English.detail(&self.detail).into_owned()
    }

    /// Whether the same request may succeed later.
    const fn may_pass(&self) -> bool {
        self.is_chathubs_fault() || self.retry_after.is_some()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The status alone. Page or JSON, language and request id depend on the request, which actix
    /// does not pass here: `middleware::problems` finds the error in the response and renders it.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
