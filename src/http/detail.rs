//! What happened in one request and what to change, for the person who set the link up: which sentence it is, not yet its words.
//!
//! Pages say it in the visitor's language, problems in English; the words are in `texts`. Each language must have all of them, or it does
//! not compile.

use std::borrow::Cow;

use super::identity::ShownIdentity;
use crate::access::Denied;
use crate::chathub;
use crate::phone::PhoneError;
use crate::rate_limit::Limit;
use crate::source::ChatSource;

/// One sentence, or a few.
#[derive(Clone, Debug)]
pub(super) enum Detail {
    /// Ready words in English, for callers that are programs.
    English(Cow<'static, str>),
    /// Why somebody is not let in.
    Denied(Denied),
    /// A proxy has logged somebody in who is no operator.
    IdentityUnknown(ShownIdentity),
    /// The operator map has the name, and what it stands for is no operator.
    AliasAstray,
    /// The service was asked for under a name that is not its own.
    HostNotAllowed,
    /// Which limit is reached.
    Limited(Limit),
    /// Why ChatHub has no token.
    ChatHub(chathub::Error),
    /// ChatHub does not list its operators for these credentials.
    DirectoryUnread,
    /// Whether a one-time pass has been used cannot be known at this moment.
    OnceUnknown,
    /// Why a text is no phone.
    Phone(PhoneError),
    /// A text is no source.
    Source,
    /// The link says no client.
    NoTarget,
    /// Nobody knows the sender of this source.
    NoSender(ChatSource),
    /// The query is over its limit.
    TooLong,
    /// A parameter is there twice.
    Repeated(&'static str),
    /// A parameter is still a template.
    Unfilled(&'static str),
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
    /// There is nothing at this address.
    Nothing,
    /// Another method is wanted.
    OtherMethod,
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::English(text.into())
    }
}

impl From<&'static str> for Detail {
    fn from(text: &'static str) -> Self {
        Self::English(text.into())
    }
}
