//! `open-chat organizations list`: the company's organizations.

use clap::Subcommand;

use crate::cli::{OutputFormat, output, with_company};

#[derive(Subcommand)]
pub(in crate::cli) enum Organizations {
    /// List the company's organizations
    #[command(after_help = "Example: open-chat organizations list --json | jq '.[].id'")]
    List(OutputFormat),
}

impl Organizations {
    pub(in crate::cli) fn run(self) -> anyhow::Result<()> {
        let Self::List(format) = self;
        let mut organizations =
            with_company(async |company| Ok(company.chathub.list_organizations().await?))?;
        organizations.sort_by_key(|organization| organization.id);
        if format.json {
            return output::json(&organizations);
        }
        let row = |organization: &chathub::Organization| {
            [organization.id.to_string(), organization.name.clone()]
        };
        output::table(["ID", "NAME"], organizations.iter().map(row))
    }
}
