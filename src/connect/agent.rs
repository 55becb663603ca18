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
