//! `open-chat operators assign`: which active operator a client is assigned to.

use clap::Args;

use crate::cli::{Company, OutputFormat, Usage, organization_id, output, sanitized};
use crate::operators::assigned;
use crate::phone::PhoneNumber;
use chathub::{OperatorId, OperatorStatus, OrganizationId};

#[derive(Args)]
#[command(
    after_help = "Example: open-chat operators assign --organization 24 --phone '050 123 45 67'"
)]
pub(in crate::cli) struct Assign {
    /// Whose operators take part
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: OrganizationId,

    /// The client's phone, however the CRM stores it; one without a country code is of
    /// DEFAULT_REGION
    #[arg(long, allow_hyphen_values = true)]
    phone: String,

    #[command(flatten)]
    format: OutputFormat,
}

impl Assign {
    pub(super) async fn run(&self, company: &Company) -> anyhow::Result<()> {
        let phone = PhoneNumber::parse(&self.phone, company.default_region)
            .map_err(|error| Usage(error.to_string()))?;
        let mut operators = company.operators_of(self.organization).await?;
        operators.retain(|operator| operator.status == OperatorStatus::Active);
        let ids: Vec<OperatorId> = operators.iter().map(|operator| operator.id).collect();
        let met = assigned(phone.as_str(), &ids);
        let Some(operator) = operators.iter().find(|operator| Some(operator.id) == met) else {
            anyhow::bail!(
                "organization {0} has no active operator; `open-chat operators list --organization {0}` shows those it has",
                self.organization
            );
        };
        if self.format.json {
            return output::json(operator);
        }
        output::line(&format!("{} {}", operator.id, sanitized(&operator.name)))
    }
}
