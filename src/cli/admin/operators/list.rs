//! `open-chat operators list`

use clap::Args;

use super::Status;
use crate::cli::{Company, OutputFormat, organization_id, organization_name, output, sanitized};
use crate::operators::name::spelling;
use chathub::{Operator, Organization, OrganizationId};

#[derive(Args)]
#[command(after_help = "Example: open-chat operators list --organization 24 --status active")]
pub(in crate::cli) struct List {
    /// Only those of this organization
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: Option<OrganizationId>,

    /// Only those with this status
    #[arg(long, value_enum)]
    status: Option<Status>,

    /// Only those with this in their name
    #[arg(long, value_name = "PART")]
    name: Option<String>,

    /// Print CSV, for a spreadsheet and for `operators status --csv`
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    #[command(flatten)]
    format: OutputFormat,
}

impl List {
    pub(super) async fn run(&self, company: &Company) -> anyhow::Result<()> {
        let mut operators = company.operators(self.organization).await?;
        if let Some(status) = self.status {
            operators.retain(|operator| operator.status == status.into());
        }
        if let Some(part) = &self.name {
            let part = spelling(part);
            operators.retain(|operator| spelling(&operator.name).contains(&part));
        }
        if self.csv {
            return print_csv(&operators);
        }
        print(&operators, self.format)
    }
}

/// Prints CSV with a byte order mark, so that Excel reads it as UTF-8.
fn print_csv(operators: &[Operator]) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "name", "status", "organizationId", "organization"])?;
    for operator in operators {
        let Organization { id, name, .. } = &operator.organization;
        let [own, status, organization] = [
            operator.id.to_string(),
            operator.status.to_string(),
            id.to_string(),
        ];
        writer.write_record(
            [&own, &operator.name, &status, &organization, name].map(|cell| sanitized(cell)),
        )?;
    }
    let text = String::from_utf8(writer.into_inner()?)?;
    output::csv(&text)
}

/// Prints operators as a table or as JSON.
pub(super) fn print(operators: &[Operator], format: OutputFormat) -> anyhow::Result<()> {
    if format.json {
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
