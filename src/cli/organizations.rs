//! `open-chat organizations list`

use clap::Subcommand;

use super::company::with_company;
use super::exit::Exit;
use super::output::{self, Form};

#[derive(Subcommand)]
pub(super) enum Organizations {
    /// List the company's organizations
    #[command(after_help = "Example: open-chat organizations list --json | jq '.[].id'")]
    List(Form),
}

impl Organizations {
    pub(super) fn run(self) -> anyhow::Result<Exit> {
        let Self::List(form) = self;
        let mut organizations =
            with_company(async |company| Ok(company.chathub.list_organizations().await?))?;
        organizations.sort_by_key(|organization| organization.id);
        if form.json {
            output::json(&organizations)?;
        } else {
            let row = |organization: &chathub::Organization| {
                [organization.id.to_string(), organization.name.clone()]
            };
            output::table(["ID", "NAME"], organizations.iter().map(row))?;
        }
        Ok(Exit::Done)
    }
}
