//! Which client's chat a link opens, by what the link says of the client.

use super::context::ClientRecord;
use super::extract::Query;
use super::problem::{Detail, Kind, Problem};
use crate::config::{LinkConfig, SourceWithoutSender};
use crate::deep_link::DeepLink;
use crate::operators::OperatorSelection;
use crate::phone::{PhoneError, PhoneNumber, Region};
use crate::source::ChatSource;
use chathub::OperatorId;

/// Which chat opens: the format follows from what is known. `record` gets what was read, also where
/// the rest is refused.
pub(crate) fn target<'a>(
    query: &'a Query<'_>,
    links: &'a LinkConfig,
    record: &mut ClientRecord,
) -> Result<DeepLink<'a>, Problem> {
    let source = query.source().map(ChatSource::parse).transpose()?;
    record.source = source;
    if let Some(chat_raw_id) = query.chat_raw_id() {
        return Ok(DeepLink::Chat { chat_raw_id });
    }
    let phone = query
        .phone()
        .ok_or_else(|| Problem::new(Kind::TargetMissing, Detail::NoTarget))?;
    let (phone, by_link) = read_phone(phone, links.default_region)?;
    record.phone = Some(phone);
    let source = source.or(by_link.filter(|_| links.source_from_link));
    record.source = source;
    let sender = query
        .from()
        .or_else(|| source.and_then(|source| links.senders.of(source)));
    match (sender, source) {
        (Some(sender), Some(source)) => Ok(DeepLink::Source {
            source,
            sender,
            phone,
        }),
        (Some(sender), None) => Ok(DeepLink::Sender { sender, phone }),
        (None, Some(source)) if links.source_without_sender == SourceWithoutSender::Reject => {
            Err(Problem::new(Kind::SenderMissing, Detail::NoSender(source)))
        }
        (None, _) => Ok(DeepLink::Phone { phone }),
    }
}

/// The agent can correct a number in the client's card; a word is what CRMs write for an empty
/// field.
fn read_phone(text: &str, region: Region) -> Result<(PhoneNumber, Option<ChatSource>), Problem> {
    PhoneNumber::parse_with_source(text, region).map_err(|error| match error {
        PhoneError::Letters if !text.contains(char::is_numeric) => {
            Problem::new(Kind::PhoneInvalid, Detail::PhoneIsAWord)
        }
        error => error.into(),
    })
}

/// The selected operator; of several, the one that this client is assigned to.
pub(crate) fn for_client(selection: &OperatorSelection, link: &DeepLink<'_>) -> Option<OperatorId> {
    let phone = link.phone();
    let client = match (link, &phone) {
        (DeepLink::Chat { chat_raw_id }, _) => chat_raw_id,
        (_, Some(phone)) => phone.as_str(),
        (_, None) => "",
    };
    selection.for_client(client)
}
