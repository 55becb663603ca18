//! One request: what is known from its start, and what becomes known on its way.
//!
//! A middleware puts it into the request's extensions; handlers take it as [`Context`]. Knows no
//! handler.

use std::cell::{RefCell, RefMut};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Instant;

use actix_web::web::ReqData;

use super::middleware::request_id::RequestId;
use super::problem::Kind;
use super::route::Route;
use crate::access::Caller;
use crate::phone::PhoneNumber;
use crate::secret::Fingerprint;
use crate::source::ChatSource;
use crate::telemetry::Trace;
use crate::tokens::TokenOutcome;
use chathub::OperatorId;

/// The request's context as handlers take it.
pub(crate) type Context = ReqData<Rc<RequestContext>>;

/// What is known of a request from its start.
#[derive(Debug)]
pub(crate) struct RequestContext {
    pub(crate) route: Route,
    pub(crate) request_id: RequestId,
    /// When it came in.
    pub(crate) started: Instant,
    /// The address that it comes from, trusted proxies aside.
    pub(crate) client: IpAddr,
    /// When its answer must be out.
    pub(crate) deadline: Instant,
    pub(crate) trace: Trace,
    pub(crate) record: RefCell<RequestRecord>,
}

impl RequestContext {
    /// The record, to add to. Never hold it across an `await`: two that hold it panic.
    pub(crate) fn record(&self) -> RefMut<'_, RequestRecord> {
        self.record.borrow_mut()
    }
}

/// What became known of a request, for its log line and its metrics. What stays unknown stays
/// empty.
#[derive(Debug, Default)]
pub(crate) struct RequestRecord {
    pub(crate) caller: Option<Caller>,
    pub(crate) operator: Option<OperatorId>,
    pub(crate) client: ClientRecord,
    /// Set where a link was handed out: its format, the head of its token's hash, and where the
    /// token came from.
    pub(crate) link: Option<(u8, Fingerprint, TokenOutcome)>,
    /// Set where a widget got a token: the head of its hash, and where it came from.
    pub(crate) widget: Option<(Fingerprint, TokenOutcome)>,
    /// Set where a link without a token was handed out: why there was none.
    pub(crate) fallback: Option<Kind>,
    /// Set where a page was shown instead of the chat.
    pub(crate) page: Option<PageShown>,
    /// Set where the request was refused.
    pub(crate) problem: Option<Kind>,
}

/// What a link says of the company's client.
#[derive(Debug, Default)]
pub(crate) struct ClientRecord {
    pub(crate) phone: Option<PhoneNumber>,
    pub(crate) source: Option<ChatSource>,
}

impl RequestRecord {
    /// How the request ended, where it did not end with a problem.
    pub(crate) fn outcome(&self) -> Option<&'static str> {
        if self.link.is_some() {
            Some("redirect")
        } else if self.widget.is_some() {
            Some("widget")
        } else if self.fallback.is_some() {
            Some("fallback")
        } else {
            self.page.map(PageShown::name)
        }
    }

    /// The kind of the problem, also where the answer was a link without a token.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.problem.or(self.fallback)
    }

    /// The token that was handed out, in a link or to a widget: the head of its hash, and where it
    /// came from.
    pub(crate) fn token(&self) -> Option<(&Fingerprint, TokenOutcome)> {
        match (&self.link, &self.widget) {
            (Some((_, token, outcome)), _) | (None, Some((token, outcome))) => {
                Some((token, *outcome))
            }
            (None, None) => None,
        }
    }
}

/// A page that is shown instead of the chat, and is no problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageShown {
    /// What a link-preview crawler gets.
    Crawler,
    /// The page whose button opens the chat.
    Confirmation,
}

impl PageShown {
    const fn name(self) -> &'static str {
        match self {
            Self::Crawler => "crawler",
            Self::Confirmation => "confirmation",
        }
    }
}
