//! Which sentence a detail is, and what is filled into it.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use super::texts::{ChatHubTexts, CrmTexts, Exceptions, Explanation, PhoneTexts, Texts};
use crate::access::Denied;
use crate::connect::{CrmFault, Unproven};
use crate::http::problem::{Detail, ShownIdentity};
use crate::integrations::Integration;
use crate::phone::PhoneError;
use chathub::{self, BadAnswer, Unreachable};

impl Texts {
    /// The detail in this language.
    pub(super) fn detail<'a>(&self, detail: &'a Detail) -> Cow<'a, str> {
        let texts = &self.details;
        match detail {
            Detail::English(text) => Cow::Borrowed(text),
            Detail::Denied(denied) => self.denied.of(*denied).into(),
            Detail::NetworkNotAllowed(client) => {
                fill(texts.network_not_allowed, &[("client", client)])
            }
            Detail::IdentityUnknown(identity) => self.identity(identity),
            Detail::HostNotAllowed => texts.host_not_allowed.into(),
            Detail::Limited(limit) => self.limits.of(*limit).into(),
            Detail::ChatHub(error) => self.chathub.of(error).into(),
            Detail::Phone(error) => self.phone.of(*error),
            Detail::PhoneIsAWord => texts.phone_is_a_word.into(),
            Detail::Source => texts.source.into(),
            Detail::NoSender(source) => fill(texts.no_sender, &[("source", source)]),
            Detail::Repeated(name) => fill(texts.repeated, &[("name", name)]),
            Detail::Unfilled(name) => fill(texts.unfilled, &[("name", name)]),
            Detail::EncodedTwice(name) => fill(texts.encoded_twice, &[("name", name)]),
            Detail::Control(name) => fill(texts.control, &[("name", name)]),
            Detail::NotEncoded(Some(name)) => fill(texts.not_encoded, &[("name", name)]),
            Detail::NotEncoded(None) => texts.name_not_encoded.into(),
            Detail::NotUtf8(Some(name)) => fill(texts.not_utf8, &[("name", name)]),
            Detail::NotUtf8(None) => texts.name_not_utf8.into(),
            Detail::AliasAstray => texts.alias_astray.into(),
            Detail::DirectoryUnread => texts.directory_unread.into(),
            Detail::OnceUnknown => texts.once_unknown.into(),
            Detail::NoTarget => texts.no_target.into(),
            Detail::TooLong => texts.too_long.into(),
            Detail::HasBody => texts.has_body.into(),
            Detail::NotAClick => texts.not_a_click.into(),
            Detail::ForeignConfirmation => texts.foreign_confirmation.into(),
            Detail::ForeignPairing => texts.foreign_pairing.into(),
            Detail::InvitationUsed(at, device) => {
                let at = at.format(self.words.time);
                fill(texts.invitation_used, &[("at", &at), ("device", device)])
            }
            Detail::CrmOrigin(error) => {
                fill(self.crm_origins.of(error.fault), &[("origin", &error.text)])
            }
            Detail::NoIntegration => fill(
                texts.no_integration,
                &[("connectors", &Integration::names())],
            ),
            Detail::NoBrowser => texts.no_browser.into(),
            Detail::NoPublicUrl => texts.no_public_url.into(),
            Detail::Unproven(unproven) => self.unproven.of(*unproven).into(),
            Detail::PortalNotListed => texts.portal_not_listed.into(),
            Detail::PortalUnknown(portal) => {
                fill(texts.portal_unknown, &[("portal", &portal.text())])
            }
            Detail::NumberUnknown(number) => fill(texts.number_unknown, &[("number", number)]),
            Detail::ClientHidden => texts.client_hidden.into(),
            Detail::AgentUnknown(agent) => self.agent(agent),
            Detail::Crm(fault) => self.crm.of(*fault).into(),
            Detail::ForeignCrmPage => texts.foreign_crm_page.into(),
            Detail::Nothing => texts.nothing.into(),
            Detail::OtherMethod => texts.other_method.into(),
        }
    }

    fn identity(&self, identity: &ShownIdentity) -> Cow<'static, str> {
        let texts = &self.details;
        unmapped(identity, texts.identity_unknown, texts.identity_shortened)
    }

    fn agent(&self, agent: &ShownIdentity) -> Cow<'static, str> {
        let texts = &self.details;
        unmapped(agent, texts.agent_unknown, texts.agent_shortened)
    }
}

/// Who is not in the operator map, and the line for it where it can be shown.
fn unmapped(
    identity: &ShownIdentity,
    with_line: &'static str,
    shortened: &'static str,
) -> Cow<'static, str> {
    let text = identity.text();
    match identity.map_line() {
        Some(line) => fill(with_line, &[("identity", &text), ("line", &line)]),
        None => fill(shortened, &[("identity", &text)]),
    }
}

impl Exceptions {
    /// What the agent has to know and do instead of what the kind's advice says.
    pub(super) const fn of(&self, detail: &Detail) -> Option<&Explanation> {
        match detail {
            Detail::Phone(PhoneError::EncodedTwice) => Some(&self.encoded_twice),
            Detail::Phone(PhoneError::NotInLink(_) | PhoneError::UnknownLink) => {
                Some(&self.phone_link)
            }
            Detail::PhoneIsAWord => Some(&self.phone_is_a_word),
            Detail::Denied(Denied::AutoIsOff) => Some(&self.auto_is_off),
            Detail::AgentUnknown(_) => Some(&self.agent_unknown),
            Detail::ClientHidden => Some(&self.client_hidden),
            Detail::Unproven(Unproven::Scope | Unproven::NoAccess) => Some(&self.crm_not_allowed),
            Detail::Unproven(Unproven::PageTooOld) => Some(&self.page_too_old),
            Detail::DirectoryUnread => Some(&self.directory_unread),
            Detail::OnceUnknown => Some(&self.once_unknown),
            Detail::ChatHub(chathub::ErrorKind::BadAnswer(BadAnswer::Clocks)) => Some(&self.clocks),
            _ => None,
        }
    }
}

impl CrmTexts {
    const fn of(&self, fault: CrmFault) -> &'static str {
        match fault {
            CrmFault::BadAnswer => self.bad_answer,
            CrmFault::NoConnection(_) => self.no_connection,
            CrmFault::Unavailable => self.unavailable,
            CrmFault::Denied => self.denied,
            CrmFault::Busy => self.busy,
            CrmFault::TimedOut => self.timed_out,
        }
    }
}

impl ChatHubTexts {
    const fn of(&self, error: &chathub::ErrorKind) -> &'static str {
        use chathub::ErrorKind as E;
        match error {
            E::CredentialsRejected => self.credentials_rejected,
            E::NotPermitted => self.not_permitted,
            // Which of the two an unknown operator gets is not documented.
            E::NotFound | E::InvalidRequest { .. } => self.operator_unknown,
            E::Throttled { .. } => self.throttled,
            E::Overloaded => self.overloaded,
            E::Unavailable(Unreachable::NoConnection(_)) => self.no_connection,
            E::Unavailable(_) => self.unavailable,
            E::TimedOut => self.timed_out,
            E::BadAnswer(BadAnswer::Page) => self.not_chathub,
            E::BadAnswer(BadAnswer::Clocks) => self.clocks,
            _ => self.bad_answer,
        }
    }
}

impl PhoneTexts {
    fn of(&self, error: PhoneError) -> Cow<'static, str> {
        match error {
            PhoneError::EncodedTwice => self.encoded_twice.into(),
            PhoneError::Letters => self.letters.into(),
            PhoneError::TooLong => self.too_long.into(),
            PhoneError::Extension => self.extension.into(),
            PhoneError::Invalid(region) => fill(self.invalid, &[("region", &region)]),
            PhoneError::NotInLink(link) => fill(self.not_in_link, &[("link", &link)]),
            PhoneError::InvalidInLink(link, region) => fill(
                self.invalid_in_link,
                &[("link", &link), ("region", &region)],
            ),
            PhoneError::UnknownLink => self.unknown_link.into(),
        }
    }
}

/// Fills in the placeholders, `{name}`, in one pass: a value with braces in it stays as it is. One
/// without a value is left as it stands, which a test would show.
pub(crate) fn fill(text: &str, values: &[(&str, &dyn Display)]) -> Cow<'static, str> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (name, after))) = next_placeholder(rest) {
        filled.push_str(before);
        // Writing into a String cannot fail.
        let _ = match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => write!(filled, "{value}"),
            None => write!(filled, "{{{name}}}"),
        };
        rest = after;
    }
    filled.push_str(rest);
    filled.into()
}

/// What stands before the first placeholder, its name, and what stands after it.
fn next_placeholder(text: &str) -> Option<(&str, (&str, &str))> {
    let (before, rest) = text.split_once('{')?;
    Some((before, rest.split_once('}')?))
}
