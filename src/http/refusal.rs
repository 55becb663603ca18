//! Every "no": its kind, its status, its sentence. The one place where an error becomes an answer.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;
use serde::Serialize;

use super::answer::{html, prefers_html};
use crate::access::Denied;
use crate::chathub::{self, Unreachable};
use crate::phone::PhoneError;
use crate::rate_limit::{Limit, Limited};
use crate::source::UnknownSource;

/// How long a visitor should wait where ChatHub gives no time of its own.
const RETRY_SOON: Duration = Duration::from_secs(5);

macro_rules! kinds {
    ($($kind:ident $name:literal $status:literal $title:literal;)+) => {
        /// Why a request is refused. The name is the problem's type, the metric's label and the log's field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Kind {
            $(#[doc = $title] $kind,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: [Self; [$($status),+].len()] = [$(Self::$kind),+];

            /// `phone-invalid`
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)+ }
            }

            /// A few words, the same for every refusal of the kind.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)+ }
            }
        }
    };
}

kinds! {
    OperatorMissing     "operator-missing"     400 "The link names no operator";
    TargetMissing       "target-missing"       400 "The link names no client";
    PhoneInvalid        "phone-invalid"        400 "This is not a phone number";
    SourceInvalid       "source-invalid"       400 "This is not a chat source";
    SenderMissing       "sender-missing"       400 "The source has no sender";
    ParameterInvalid    "parameter-invalid"    400 "A parameter cannot be read";
    ParameterRepeated   "parameter-repeated"   400 "A parameter is given twice";
    PlaceholderUnfilled "placeholder-unfilled" 400 "The CRM did not fill in the link";
    PassMissing         "pass-missing"         401 "The link has no pass";
    PassInvalid         "pass-invalid"         401 "The link's pass is not valid";
    PassExpired         "pass-expired"         401 "The link's pass has ended";
    IdentityMissing     "identity-missing"     401 "Nobody is logged in";
    ApiKeyInvalid       "api-key-invalid"      401 "The API key is not valid";
    OperatorNotAllowed  "operator-not-allowed" 403 "This operator is not allowed here";
    PassMismatch        "pass-mismatch"        403 "The link contradicts its pass";
    PassUsed            "pass-used"            403 "The link has been used already";
    NetworkNotAllowed   "network-not-allowed"  403 "This network is not allowed";
    NotANavigation      "not-a-navigation"     403 "This was not a click";
    OperatorUnknown     "operator-unknown"     404 "There is no such operator";
    NotFound            "not-found"            404 "There is nothing here";
    MethodNotAllowed    "method-not-allowed"   405 "Another method is wanted";
    QueryTooLong        "query-too-long"       414 "The link is too long";
    RateLimited         "rate-limited"         429 "Too many clicks";
    ChathubBadAnswer    "chathub-bad-answer"   502 "ChatHub gave an answer that makes no sense";
    ChathubUnavailable  "chathub-unavailable"  503 "ChatHub is not available";
    ChathubThrottled    "chathub-throttled"    503 "ChatHub asks to slow down";
    CredentialsRejected "credentials-rejected" 503 "ChatHub does not accept this service's credentials";
    Overloaded          "overloaded"           503 "Too many clicks are waiting for ChatHub";
    ChathubTimeout      "chathub-timeout"      504 "ChatHub does not answer in time";
}

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

impl From<PhoneError> for Refusal {
    fn from(error: PhoneError) -> Self {
        Self::new(Kind::PhoneInvalid, error.to_string())
    }
}

impl From<UnknownSource> for Refusal {
    fn from(error: UnknownSource) -> Self {
        Self::new(Kind::SourceInvalid, error.to_string())
    }
}

/// Why somebody is not let in, in words that help those who belong here and nobody else.
impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        let (kind, detail) = match denied {
            Denied::PassMissing => (
                Kind::PassMissing,
                "The link has no `pass=`: the CRM must sign one, or the link must come from POST /links.",
            ),
            Denied::PassInvalid => (
                Kind::PassInvalid,
                "The pass is not one that this service takes: check the key and its id, the algorithm, and that `exp` is not further \
                 ahead than the key allows.",
            ),
            Denied::PassExpired => (
                Kind::PassExpired,
                "The link's time is over. Go back to the CRM, reload the page and click again.",
            ),
            Denied::PassMismatch => (
                Kind::PassMismatch,
                "The link's parameters say something else than its pass. Leave out what the pass fixes, or make them agree.",
            ),
            Denied::PassUsed => (
                Kind::PassUsed,
                "This link opens a chat once. Go back to the CRM, reload the page and click again.",
            ),
            Denied::IdentityMissing => (
                Kind::IdentityMissing,
                "The proxy in front of this service names no agent. Log in there, and try again.",
            ),
            Denied::ApiKeyInvalid => (
                Kind::ApiKeyInvalid,
                "A valid API key belongs in the header `Authorization: Bearer`.",
            ),
            Denied::OperatorMissing => (
                Kind::OperatorMissing,
                "The link does not say whose chat panel to open: add `operator=` with the operator's ChatHub id.",
            ),
            Denied::OperatorUnknown => (
                Kind::OperatorUnknown,
                "The operator that is named is no ChatHub id, which is a number such as 101, and no name of the operator map.",
            ),
            Denied::OperatorNotAllowed => (
                Kind::OperatorNotAllowed,
                "Who is calling may not open this operator's panel.",
            ),
            Denied::NetworkNotAllowed => (
                Kind::NetworkNotAllowed,
                "Chats are opened from the company's own networks only.",
            ),
        };
        Self::new(kind, detail)
    }
}

impl From<Limited> for Refusal {
    fn from(limited: Limited) -> Self {
        let detail = match limited.limit {
            Limit::Operator => {
                "This operator has opened too many chats in a short time. Wait a moment and try again."
            }
            Limit::Client => {
                "Too many chats have been opened from this network in a short time. Wait a moment and try again."
            }
            Limit::Refused => {
                "Too many attempts from this network have been refused. Wait a moment and try again."
            }
        };
        Self {
            retry_after: Some(limited.retry_after),
            ..Self::new(Kind::RateLimited, detail)
        }
    }
}

/// What a failed mint means for the click.
impl From<chathub::Error> for Refusal {
    fn from(error: chathub::Error) -> Self {
        use chathub::Error as E;
        let (kind, detail) = match &error {
            E::CredentialsRejected => (
                Kind::CredentialsRejected,
                "ChatHub does not accept the company's login, password or key. Whoever runs this service must correct it.",
            ),
            E::NotPermitted => (
                Kind::OperatorNotAllowed,
                "ChatHub does not let this company open this operator's panel: the operator may be inactive, deleted or of \
                 another company.",
            ),
            // Which of the two an unknown operator gets is not documented.
            E::NotFound | E::InvalidRequest { .. } => (
                Kind::OperatorUnknown,
                "ChatHub knows no operator with this id. Check the link's `operator`.",
            ),
            E::Throttled { .. } => (
                Kind::ChathubThrottled,
                "ChatHub asks to slow down. Wait a moment and try again.",
            ),
            E::Overloaded => (
                Kind::Overloaded,
                "More clicks are waiting for ChatHub than it can be asked for in time. Try again in a moment.",
            ),
            E::Unavailable(Unreachable::NoConnection) => (
                Kind::ChathubUnavailable,
                "ChatHub cannot be reached. Try again in a moment.",
            ),
            E::Unavailable(_) => (
                Kind::ChathubUnavailable,
                "ChatHub has a problem of its own. Try again in a moment.",
            ),
            E::TimedOut => (
                Kind::ChathubTimeout,
                "ChatHub does not answer in time. Try again in a moment.",
            ),
            E::BadAnswer(_) => (
                Kind::ChathubBadAnswer,
                "ChatHub's answer could not be understood. Try again; if it stays so, whoever runs this service should look \
                 at CHATHUB_URL.",
            ),
        };
        let mut refusal = Self::new(kind, detail);
        if kind.status() == 503 {
            let asked = match error {
                E::Throttled { retry_after } => retry_after,
                E::Unavailable(Unreachable::CircuitOpen { retry_after }) => Some(retry_after),
                _ => None,
            };
            refusal.retry_after = Some(asked.unwrap_or(RETRY_SOON));
        }
        refusal
    }
}
