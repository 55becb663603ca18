//! One request: what is known from its start, and what becomes known on its way.
//!
//! A middleware puts it into the request's extensions; handlers take it as [`Context`]. Knows no
//! handler.

use std::cell::{RefCell, RefMut};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Instant;

use actix_web::http::header::HeaderValue;
use actix_web::web::ReqData;
use chrono::{DateTime, Utc};

use super::middleware::request_id::RequestId;
use super::problem::Kind;
use super::route::Route;
use crate::access::{Caller, DeviceId};
use crate::connect::Vendor;
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
    pub(crate) outcome: Option<Outcome>,
    /// Whether a paired browser gets its next cookie.
    pub(crate) is_renewed: bool,
    /// The CRM that has asked, whatever came of it.
    pub(crate) connector: Option<Vendor>,
    /// The installation of that CRM, once it is proven.
    pub(crate) installation: Option<String>,
    /// Whose scripts may read the answer; `None` where that is no question.
    pub(crate) readers: Option<Readers>,
    /// When an invitation that is refused was used.
    pub(crate) used_at: Option<DateTime<Utc>>,
    /// Whether the link is a one-time link that ends soon, as CRMs get one for each click.
    pub(crate) ends_soon: bool,
}

impl RequestRecord {
    /// Whether another try has to begin with the CRM's button: this address takes no other try, or
    /// the link that led here is over by then.
    pub(crate) const fn is_tried_in_crm(&self) -> bool {
        self.connector.is_some() || self.ends_soon
    }
}

/// Whose scripts may read an answer (CORS).
#[derive(Clone, Debug)]
pub(crate) enum Readers {
    /// Those of pages of this origin.
    Origin(HeaderValue),
    /// This time, no other site's; an answer to another origin may differ.
    Own,
}

named_enum! {
    /// What a CRM's request has got. The name is a metric's label.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(usize)]
    pub(crate) enum ConnectorOutcome {
        /// A one-time link.
        Link = "link",
        /// A page with buttons.
        Page = "page",
        /// The page's next ticket.
        Ticket = "ticket",
        /// Its buttons, which were put into the CRM.
        Installed = "installed",
        /// Nothing: it was refused.
        Refused = "refused",
    }
}

/// What a link says of the company's client.
#[derive(Debug, Default)]
pub(crate) struct ClientRecord {
    pub(crate) phone: Option<PhoneNumber>,
    pub(crate) source: Option<ChatSource>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// A link was handed out: its format, the head of its token's hash, and where the token came
    /// from.
    Redirect(u8, Fingerprint, TokenOutcome),
    /// A widget got a token: the head of its hash, and where it came from.
    Widget(Fingerprint, TokenOutcome),
    /// A link without a token was handed out, because there was none.
    Fallback(Kind),
    /// A link-preview crawler got a page instead of the chat.
    Crawler,
    /// The page was shown whose button opens the chat.
    Confirmation,
    /// An invitation was handed out, which makes this device of a browser.
    Invited(DeviceId),
    /// A browser was paired.
    Paired,
    /// The pairing of a browser was ended on the page.
    Unpaired,
    /// A CRM has got what it asked for.
    Connector(ConnectorOutcome),
    /// The request was refused.
    Problem(Kind),
}

impl Outcome {
    /// The name in logs; a problem goes by its kind alone.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Redirect(..) => Some("redirect"),
            Self::Widget(..) => Some("widget"),
            Self::Fallback(_) => Some("fallback"),
            Self::Crawler => Some("crawler"),
            Self::Confirmation => Some("confirmation"),
            Self::Invited(_) => Some("invited"),
            Self::Paired => Some("paired"),
            Self::Unpaired => Some("unpaired"),
            Self::Connector(_) => Some("connector"),
            Self::Problem(_) => None,
        }
    }

    /// The kind of the problem, also where the answer was a link without a token.
    pub(crate) const fn kind(self) -> Option<Kind> {
        match self {
            Self::Fallback(kind) | Self::Problem(kind) => Some(kind),
            _ => None,
        }
    }

    /// The device that an invitation is for.
    pub(crate) const fn device(self) -> Option<DeviceId> {
        match self {
            Self::Invited(device) => Some(device),
            _ => None,
        }
    }

    /// The format of the link.
    pub(crate) const fn format(self) -> Option<u8> {
        match self {
            Self::Redirect(format, ..) => Some(format),
            _ => None,
        }
    }

    /// The token that was handed out: the head of its hash, and where it came from.
    pub(crate) const fn token(self) -> Option<(Fingerprint, TokenOutcome)> {
        match self {
            Self::Redirect(_, token, outcome) | Self::Widget(token, outcome) => {
                Some((token, outcome))
            }
            _ => None,
        }
    }
}
