//! The record that a button is on, and the phones in it.

use serde::Deserialize;
use serde_json::Value;

use super::Refusal;
use super::batch::{Answers, Batch};
use crate::connect::CrmFault;
use crate::connect::token::Id;

/// A kind of record of the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Contact,
    Lead,
    Deal,
    Company,
}

/// Where buttons are: in a record's card, and in the menu of a list's line.
pub(super) const PLACEMENTS: [(&str, Kind); 8] = [
    ("CRM_CONTACT_DETAIL_TOOLBAR", Kind::Contact),
    ("CRM_LEAD_DETAIL_TOOLBAR", Kind::Lead),
    ("CRM_DEAL_DETAIL_TOOLBAR", Kind::Deal),
    ("CRM_COMPANY_DETAIL_TOOLBAR", Kind::Company),
    ("CRM_CONTACT_LIST_MENU", Kind::Contact),
    ("CRM_LEAD_LIST_MENU", Kind::Lead),
    ("CRM_DEAL_LIST_MENU", Kind::Deal),
    ("CRM_COMPANY_LIST_MENU", Kind::Company),
];

impl Kind {
    const fn method(self) -> &'static str {
        match self {
            Self::Contact => "crm.contact.get",
            Self::Lead => "crm.lead.get",
            Self::Deal => "crm.deal.get",
            Self::Company => "crm.company.get",
        }
    }

    /// Whether the client is a contact or a company that the record only names. A lead of a known
    /// client has its phones there too.
    const fn is_linked(self) -> bool {
        matches!(self, Self::Deal | Self::Lead)
    }
}

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    kind: Kind,
    id: u64,
}

#[derive(Deserialize)]
struct Options {
    #[serde(rename = "ID")]
    id: Id,
}

/// The names of the answers that have phones. That of the record itself comes first, because the
/// others refer to it, and questions are asked in this order.
const ANSWERS: [&str; 3] = ["client", "client_contact", "client_company"];

impl Record {
    /// The record of a placement that we have bound. What a caller could write into a question is
    /// its id alone, which is a number.
    pub(super) fn of(placement: Option<&str>, options: Option<&str>) -> Option<Self> {
        let mut known = PLACEMENTS.into_iter();
        let (_, kind) = known.find(|(name, _)| Some(*name) == placement)?;
        let options: Options = serde_json::from_str(options?).ok()?;
        let id = options.id.0;
        Some(Self { kind, id })
    }

    /// Asks for the record, and for what it names.
    pub(super) fn ask_into(self, batch: &mut Batch) {
        let [client, contact, company] = ANSWERS;
        batch.ask(client, self.kind.method(), &[("ID", &self.id.to_string())]);
        if self.kind.is_linked() {
            batch.ask_linked(contact, Kind::Contact.method(), client, "CONTACT_ID");
            batch.ask_linked(company, Kind::Company.method(), client, "COMPANY_ID");
        }
    }
}

impl Answers {
    /// The phones of a record that was asked for, as the portal shows them to this agent.
    pub(super) fn phones(&self) -> Result<Vec<String>, Refusal> {
        if self.of(ANSWERS[0]).is_none() {
            return Err(match self.no_answer(ANSWERS[0]) {
                // `Not found` and `Access denied` have no code of their own here.
                Refusal::Crm(CrmFault::BadAnswer | CrmFault::Denied) => Refusal::ClientHidden,
                refusal => refusal,
            });
        }
        let shown = ANSWERS.into_iter().filter_map(|name| self.of(name));
        Ok(shown.flat_map(phones).map(ToOwned::to_owned).collect())
    }
}

/// `PHONE: [{"VALUE": "+380…"}]`, where a record has one.
fn phones(record: &Value) -> impl Iterator<Item = &str> {
    let all = record.get("PHONE").and_then(Value::as_array);
    let values = all.into_iter().flatten().map(|phone| phone.get("VALUE"));
    values.flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("CRM_DEAL_DETAIL_TOOLBAR", r#"{"ID":"8061","URI":"\/crm\/"}"#, Some((Kind::Deal, 8061)))]
    #[case("CRM_CONTACT_LIST_MENU", r#"{"ID":7}"#, Some((Kind::Contact, 7)))]
    #[case::another_place("CRM_QUOTE_DETAIL_TOOLBAR", r#"{"ID":"7"}"#, None)]
    #[case::in_another_case("crm_deal_detail_toolbar", r#"{"ID":"7"}"#, None)]
    #[case::injected("CRM_DEAL_DETAIL_TOOLBAR", r#"{"ID":"7&auth=x"}"#, None)]
    #[case::a_reference("CRM_DEAL_DETAIL_TOOLBAR", r#"{"ID":"$result[me][ID]"}"#, None)]
    #[case::negative("CRM_DEAL_DETAIL_TOOLBAR", r#"{"ID":-7}"#, None)]
    #[case::none("CRM_DEAL_DETAIL_TOOLBAR", r#"{"ID":"0"}"#, None)]
    #[case::twice("CRM_DEAL_DETAIL_TOOLBAR", r#"{"ID":"7","ID":"8"}"#, None)]
    #[case::of_another_kind("CRM_DEAL_DETAIL_TOOLBAR", r#"{"ENTITY_ID":"7"}"#, None)]
    #[case::empty("CRM_DEAL_DETAIL_TOOLBAR", "", None)]
    #[case::an_array("CRM_DEAL_DETAIL_TOOLBAR", "[]", None)]
    fn a_record_is_of_a_known_place_and_has_a_number(
        #[case] placement: &str,
        #[case] options: &str,
        #[case] expected: Option<(Kind, u64)>,
    ) {
        let record = Record::of(Some(placement), Some(options));
        assert_eq!(record.map(|record| (record.kind, record.id)), expected);
    }
}
