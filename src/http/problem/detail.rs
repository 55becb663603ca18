//! What happened in one request and what to change, for the person who set the link up: which
//! sentence it is, not yet its words.
//!
//! Pages say it in the visitor's language, problems in English; the words are in `pages::i18n`.

use std::borrow::Cow;
use std::net::IpAddr;

use super::identity::ShownIdentity;
use chrono::{DateTime, Utc};

use crate::access::{Denied, DeviceId};
use crate::connect::{CrmFault, Unproven};
use crate::integrations::CrmOriginError;
use crate::phone::PhoneError;
use crate::rate_limit::Limit;
use crate::source::ChatSource;
use chathub;

/// One sentence, or a few.
#[derive(Clone, Debug)]
pub(crate) enum Detail {
    /// Ready words in English, for callers that are programs.
    English(Cow<'static, str>),
    /// Why the caller is not let in.
    Denied(Denied),
    /// A client at this address, outside the allowed networks.
    NetworkNotAllowed(IpAddr),
    /// A proxy has logged in an identity that belongs to no operator.
    IdentityUnknown(ShownIdentity),
    /// The operator map has the name, and what it stands for is no operator.
    AliasAstray,
    /// The service was asked for under a name that is not its own.
    HostNotAllowed,
    /// Which limit is reached.
    Limited(Limit),
    /// Why ChatHub has no token.
    ChatHub(chathub::ErrorKind),
    /// ChatHub does not list its operators for these credentials.
    DirectoryUnread,
    /// Whether a one-time pass has been used cannot be known at this moment.
    OnceUnknown,
    /// Why a text is not a phone number.
    Phone(PhoneError),
    /// Where a phone should be there is a word, without a digit.
    PhoneIsAWord,
    /// A text is not a chat source.
    Source,
    /// The link names no client.
    NoTarget,
    /// This source has no sender, neither in the link nor in the settings.
    NoSender(ChatSource),
    /// The query is over its limit.
    TooLong,
    /// A parameter is there twice.
    Repeated(&'static str),
    /// A parameter is still a template.
    Unfilled(&'static str),
    /// A parameter is still percent-encoded.
    EncodedTwice(&'static str),
    /// A parameter has a control character.
    Control(&'static str),
    /// A parameter, or a parameter's name where it is unset, is not percent-encoded.
    NotEncoded(Option<&'static str>),
    /// The same, and it is not UTF-8.
    NotUtf8(Option<&'static str>),
    /// A request to follow a link has a body.
    HasBody,
    /// Something other than a click.
    NotAClick,
    /// A confirmation that comes from another site's page.
    ForeignConfirmation,
    /// The button of the page for pairing was pressed by another page, or in a frame.
    ForeignPairing,
    /// When an invitation was used, and the device that it has made.
    InvitationUsed(DateTime<Utc>, DeviceId),
    /// A text is no origin of a CRM.
    CrmOrigin(CrmOriginError),
    /// A package is asked for that there is not.
    NoIntegration,
    /// A package is asked for a browser that there is none for.
    NoBrowser,
    /// A package needs the service's address.
    NoPublicUrl,
    /// What a CRM's request lacks to be proven.
    Unproven(Unproven),
    /// The account, portal or company of a CRM's request is not listed.
    PortalNotListed,
    /// A portal of a CRM that is not listed.
    PortalUnknown(ShownIdentity),
    /// The same, where the CRM has numbers for its portals or companies.
    NumberUnknown(u64),
    /// The CRM shows no such client to its agent.
    ClientHidden,
    /// A CRM's agent is not in the operator map.
    AgentUnknown(ShownIdentity),
    /// Why a CRM that was asked has not confirmed a request.
    Crm(CrmFault),
    /// The button of a page in a CRM was pressed by another page.
    ForeignCrmPage,
    /// No resource has this path.
    Nothing,
    /// The resource takes other methods.
    OtherMethod,
}

impl<T: Into<Cow<'static, str>>> From<T> for Detail {
    fn from(text: T) -> Self {
        Self::English(text.into())
    }
}
