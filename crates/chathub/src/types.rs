//! What goes over the wire, under ChatHub's own field names.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use secrecy::{ExposeSecret as _, SecretString};

/// An operator's number in ChatHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperatorId(pub u64);

impl OperatorId {
    /// Reads an id as a link names it: decimal digits without a leading zero. Anything else is a
    /// name.
    pub fn parse(text: &str) -> Option<Self> {
        number(text).map(Self)
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An organization's number in ChatHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrganizationId(pub u64);

impl OrganizationId {
    /// Reads an id: decimal digits without a leading zero.
    pub fn parse(text: &str) -> Option<Self> {
        number(text).map(Self)
    }
}

fn number(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_number.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A part of the company; operators belong to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Organization {
    /// Its number.
    pub id: OrganizationId,
    /// Its name.
    pub name: String,
}

/// A support agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Operator {
    /// Its number.
    pub id: OperatorId,
    /// The display name; at most 100 characters, and not unique.
    pub name: String,
    /// Whether the operator works.
    pub status: OperatorStatus,
    /// Where the operator belongs.
    pub organization: Organization,
}

/// Whether an operator works. ChatHub sends a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub enum OperatorStatus {
    /// 0: works and gets chats.
    Active,
    /// 1: disabled for a time.
    Inactive,
    /// 2: removed.
    Deleted,
    /// A number that ChatHub's documents do not name.
    Other(u8),
}

impl OperatorStatus {
    /// Whether a token may be asked for: of a status that the documents do not name, only ChatHub
    /// knows.
    pub const fn works(self) -> bool {
        !matches!(self, Self::Inactive | Self::Deleted)
    }
}

impl From<u8> for OperatorStatus {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Active,
            1 => Self::Inactive,
            2 => Self::Deleted,
            other => Self::Other(other),
        }
    }
}

impl From<OperatorStatus> for u8 {
    fn from(status: OperatorStatus) -> Self {
        match status {
            OperatorStatus::Active => 0,
            OperatorStatus::Inactive => 1,
            OperatorStatus::Deleted => 2,
            OperatorStatus::Other(other) => other,
        }
    }
}

impl fmt::Display for OperatorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.pad("active"),
            Self::Inactive => f.pad("inactive"),
            Self::Deleted => f.pad("deleted"),
            Self::Other(number) => write!(f, "status {number}"),
        }
    }
}

/// An operator to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NewOperator {
    /// Where the operator will belong.
    pub organization_id: OrganizationId,
    /// The display name, 1 to 100 characters.
    pub name: String,
}

impl NewOperator {
    /// An operator with this name, to be added to this organization.
    pub fn new(organization_id: OrganizationId, name: impl Into<String>) -> Self {
        Self {
            organization_id,
            name: name.into(),
        }
    }
}

/// An operator that has been added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AddedOperator {
    /// The new number.
    pub id: OperatorId,
    /// The status it starts with.
    pub status: OperatorStatus,
    /// The display name.
    pub name: String,
}

/// Opens the chat panel as one operator, until it expires.
#[derive(Clone, Debug)]
pub struct OperatorToken {
    /// The token itself.
    pub secret: SecretString,
    /// When it ends on ChatHub's clock: as asked for, or earlier where the token itself says so. It
    /// also ends the operator's session in the panel.
    pub expires_at: DateTime<Utc>,
}

impl OperatorToken {
    /// The token's text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }
}

/// What ChatHub says of an operator token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TokenCheck {
    /// Whether the panel would take it.
    pub is_valid: bool,
    /// Whose it is.
    #[serde(default)]
    pub operator_id: Option<OperatorId>,
    /// The client that it is bound to; 0 for none.
    #[serde(default)]
    pub client_id: Option<u64>,
    /// When it ends.
    #[serde(default, deserialize_with = "moment")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Why it is not valid.
    #[serde(default)]
    pub error: Option<String>,
}

impl TokenCheck {
    /// Whether ChatHub says that it is another operator's.
    pub fn is_for_another(&self, operator: OperatorId) -> bool {
        self.operator_id.is_some_and(|of| of != operator)
    }
}

/// A moment with or without its zone: .NET, which ChatHub is written in, sends either, and means
/// UTC.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| {
        DateTime::parse_from_rfc3339(&text)
            .map(|moment| moment.to_utc())
            .or_else(|_| text.parse::<NaiveDateTime>().map(|naive| naive.and_utc()))
            .ok()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_operator_reads() {
        let json = r#"[{"id":21,"name":"Ann","status":1,"organization":{"id":24,"name":"Acme"}}]"#;
        let operators: Vec<Operator> = serde_json::from_str(json).unwrap();
        assert_eq!(
            operators,
            [Operator {
                id: OperatorId(21),
                name: "Ann".into(),
                status: OperatorStatus::Inactive,
                organization: Organization {
                    id: OrganizationId(24),
                    name: "Acme".into(),
                },
            }]
        );
    }

    #[test]
    fn both_token_checks_read() {
        let good = r#"{"isValid":true,"operatorId":101,"clientId":0,"expiresAt":"2025-01-20T14:33:34.147Z","error":null}"#;
        let check: TokenCheck = serde_json::from_str(good).unwrap();
        assert!(check.is_valid);
        assert_eq!(check.operator_id, Some(OperatorId(101)));
        assert_eq!(
            check.expires_at.map(|at| at.timestamp_millis()),
            Some(1_737_383_614_147)
        );

        let bad: TokenCheck =
            serde_json::from_str(r#"{"isValid":false,"error":"Invalid token"}"#).unwrap();
        assert!(!bad.is_valid);
        assert_eq!(bad.error.as_deref(), Some("Invalid token"));
    }

    #[test]
    fn a_moment_without_a_zone_is_utc() {
        let check: TokenCheck =
            serde_json::from_str(r#"{"isValid":true,"expiresAt":"2025-01-20T14:33:34"}"#).unwrap();
        assert_eq!(
            check.expires_at.map(|at| at.timestamp()),
            Some(1_737_383_614)
        );
    }

    #[test]
    fn an_id_is_digits() {
        assert_eq!(OperatorId::parse("101"), Some(OperatorId(101)));
        for text in [
            "",
            "0",
            "0101",
            "+101",
            "101 ",
            "1e3",
            "٣",
            "99999999999999999999",
        ] {
            assert_eq!(OperatorId::parse(text), None, "{text:?}");
        }
    }
}
