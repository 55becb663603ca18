//! `open-chat operators stats`: counts operators by organization and status.

use clap::Args;
use serde::Serialize;

use crate::cli::{Company, OutputFormat, organization_name, output};
use chathub::{Operator, OperatorStatus, Organization};

#[derive(Args)]
#[command(
    after_help = "Example: open-chat operators stats --json | jq '.[] | select(.active == 0)'"
)]
pub(in crate::cli) struct Stats {
    #[command(flatten)]
    format: OutputFormat,
}

/// How many operators an organization has, by status.
#[derive(Default, Serialize)]
struct Count {
    active: usize,
    inactive: usize,
    deleted: usize,
    /// With a status that ChatHub's documents do not name.
    other: usize,
    total: usize,
}

#[derive(Serialize)]
struct Line {
    organization: Organization,
    #[serde(flatten)]
    count: Count,
}

impl Stats {
    pub(super) async fn run(&self, company: &Company) -> anyhow::Result<()> {
        let mut organizations = company.chathub.list_organizations().await?;
        organizations.sort_by_key(|organization| organization.id);
        let (mut lines, mut all) = (Vec::new(), Count::default());
        for organization in organizations {
            let operators = company.operators_of(organization.id).await?;
            let mut count = Count::default();
            count.add(&operators);
            all.add(&operators);
            lines.push(Line {
                organization,
                count,
            });
        }
        if self.format.json {
            return output::json(&lines);
        }
        print(&lines, &all)
    }
}

impl Count {
    fn add(&mut self, operators: &[Operator]) {
        for operator in operators {
            *match operator.status {
                OperatorStatus::Active => &mut self.active,
                OperatorStatus::Inactive => &mut self.inactive,
                OperatorStatus::Deleted => &mut self.deleted,
                OperatorStatus::Other(_) => &mut self.other,
            } += 1;
        }
        self.total += operators.len();
    }

    fn row(&self, name: String) -> [String; 6] {
        [
            name,
            self.active.to_string(),
            self.inactive.to_string(),
            self.deleted.to_string(),
            self.other.to_string(),
            self.total.to_string(),
        ]
    }
}

fn print(lines: &[Line], all: &Count) -> anyhow::Result<()> {
    let row = |line: &Line| line.count.row(organization_name(&line.organization));
    output::table(
        [
            "ORGANIZATION",
            "ACTIVE",
            "INACTIVE",
            "DELETED",
            "OTHER",
            "TOTAL",
        ],
        lines.iter().map(row).chain([all.row("all".into())]),
    )
}
