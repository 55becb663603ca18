//! An agent whose CRM has vouched for the request.

use chrono::{DateTime, Utc};

use super::{Section, Vendor};
use crate::access::{Authenticator, Caller, OneTimeUse, OperatorRequest};

/// An agent of a CRM, as the CRM has proven.
#[derive(Debug)]
pub struct ProvenAgent {
    /// The CRM.
    pub connector: Vendor,
    /// Which installation of it: the [`Section::installation`] whose secret has proven the agent.
    pub installation: String,
    /// The agent's id in that installation.
    pub vendor_user_id: u64,
    /// The agent's e-mail address, where the CRM has proven it too. It counts only where the
    /// section has `by_email`.
    pub email: Option<String>,
    /// When the CRM has proven the agent. No ticket outlives it by more than 12 hours.
    pub proven_at: DateTime<Utc>,
    /// Set where the proof may be used once only, for this request's phone or at all.
    pub one_time_use: Option<OneTimeUse>,
}

impl ProvenAgent {
    /// The agent in logs.
    pub fn caller(&self) -> Caller {
        let id = self.vendor_user_id.to_string();
        Caller::Agent(self.connector.caller_kind(), id)
    }

    /// The name under which rate limits count what this agent does: user 17 of one installation is
    /// never user 17 of another.
    pub fn limit_key(&self) -> String {
        let connector = self.connector.name();
        format!("{connector} {} {}", self.installation, self.vendor_user_id)
    }

    /// Which operator the agent asks for: by id behind the section's prefix in the operator map; by
    /// e-mail address only with `by_email`, and where the map does not have the id.
    pub fn operator_request(
        &self,
        section: &Section,
        authenticator: &Authenticator,
    ) -> OperatorRequest<'static> {
        let by_id = format!("{}{}", section.prefix, self.vendor_user_id);
        // Without an @ it could be an alias that stands for something else.
        let email = self.email.as_ref().filter(|email| email.contains('@'));
        let by_email = email.filter(|email| {
            section.by_email && !authenticator.is_alias(&by_id) && authenticator.is_alias(email)
        });
        let name = by_email.map_or(by_id, Clone::clone);
        OperatorRequest::of_agent(name, section.operators.clone())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::access::{AuthConfig, Scope};
    use crate::secret::Secret;

    /// Ann is in the map by id, Bob by e-mail address, and `7` is a word for something else.
    const MAP: &str =
        "\"kommo-5\" = 101\n\"ann@example.com\" = 102\n\"bob@example.com\" = 103\n\"7\" = 104\n";

    fn authenticator() -> Authenticator {
        let name = format!("open-chat-agents-{}", fastrand::u64(..));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, MAP).unwrap();
        let authenticator = Authenticator::new(AuthConfig {
            operator_map_file: Some(path.clone()),
            ..AuthConfig::default()
        });
        std::fs::remove_file(&path).unwrap();
        authenticator.unwrap()
    }

    fn section(by_email: bool) -> Section {
        Section {
            connector: Vendor::Kommo,
            installation: "acme.kommo.com".into(),
            origin: None,
            prefix: "kommo-".into(),
            by_email,
            operators: Scope::default(),
            vouching: Secret::new("canary-0123456789"),
        }
    }

    #[test]
    fn limits_tell_agents_of_two_installations_apart() {
        let of = |installation: &str| ProvenAgent {
            connector: Vendor::Kommo,
            installation: installation.into(),
            vendor_user_id: 5,
            email: None,
            proven_at: Utc::now(),
            one_time_use: None,
        };
        assert_eq!(of("a.kommo.com").limit_key(), "kommo a.kommo.com 5");
        assert_eq!(of("b.kommo.com").limit_key(), "kommo b.kommo.com 5");
    }

    #[rstest]
    #[case::by_id(5, Some("ann@example.com"), true, "kommo-5")]
    #[case::by_address(6, Some("bob@example.com"), true, "bob@example.com")]
    #[case::by_address_only_where_allowed(6, Some("bob@example.com"), false, "kommo-6")]
    #[case::an_unknown_address(6, Some("eve@example.com"), true, "kommo-6")]
    #[case::no_address(7, Some("7"), true, "kommo-7")]
    #[case::without_one(7, None, true, "kommo-7")]
    fn an_agent_is_who_the_map_says(
        #[case] vendor_user_id: u64,
        #[case] email: Option<&str>,
        #[case] by_email: bool,
        #[case] expected: &str,
    ) {
        let agent = ProvenAgent {
            connector: Vendor::Kommo,
            installation: "acme.kommo.com".into(),
            vendor_user_id,
            email: email.map(ToOwned::to_owned),
            proven_at: Utc::now(),
            one_time_use: None,
        };
        let requested = agent.operator_request(&section(by_email), &authenticator());
        assert_eq!(requested.agent(), Some(expected));
    }
}
