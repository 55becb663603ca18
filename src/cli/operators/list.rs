//! `open-chat operators list`

use clap::Args;

use super::Status;
use crate::chathub::{Operator, OrganizationId};
use crate::cli::company::{Company, organization_id, organization_name};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Form};

#[derive(Args)]
#[command(after_help = "Example: open-chat operators list --organization 24 --status active")]
pub(in crate::cli) struct List {
    /// Only those of this organization
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: Option<OrganizationId>,

    /// Only those with this status
    #[arg(long, value_enum)]
    status: Option<Status>,

    #[command(flatten)]
    form: Form,
}

impl List {
    pub(super) async fn run(&self, company: &Company) -> anyhow::Result<Exit> {
        let mut operators = company.operators(self.organization).await?;
        if let Some(status) = self.status {
            operators.retain(|operator| operator.status == status.into());
        }
        print(&operators, self.form)?;
        Ok(Exit::Done)
    }
}

/// Prints operators, however they were found.
pub(super) fn print(operators: &[Operator], form: Form) -> anyhow::Result<()> {
    if form.json {
        return output::json(&operators);
    }
    let row = |operator: &Operator| {
        [
            operator.id.to_string(),
            operator.name.clone(),
            operator.status.to_string(),
            organization_name(&operator.organization),
        ]
    };
    output::table(
        ["ID", "NAME", "STATUS", "ORGANIZATION"],
        operators.iter().map(row),
    )
}
