//! `open-chat operators stats`: counts operators by organization and status.

use clap::Args;
use serde::Serialize;

use crate::cli::company::{Company, organization_name};
use crate::cli::exit::Exit;
use crate::cli::output::{self, OutputFormat};
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
    pub(super) async fn run(&self, company: &Company) -> anyhow::Result<Exit> {
        let mut organizations = company.chathub.list_organizations().await?;
        organizations.sort_by_key(|organization| organization.id);
        let mut lines = Vec::new();
        for organization in organizations {
            let operators = company.operators_of(organization.id).await?;
            lines.push(Line {
                count: Count::of(&operators),
                organization,
            });
        }
        if self.format.json {
            output::json(&lines)?;
        } else {
            print(&lines)?;
        }
        Ok(Exit::Done)
    }
}

impl Count {
    fn of(operators: &[Operator]) -> Self {
        let mut count = Self::default();
        for operator in operators {
            *match operator.status {
                OperatorStatus::Active => &mut count.active,
                OperatorStatus::Inactive => &mut count.inactive,
                OperatorStatus::Deleted => &mut count.deleted,
                OperatorStatus::Other(_) => &mut count.other,
            } += 1;
        }
        count.total = operators.len();
        count
    }

    fn add(&mut self, more: &Self) {
        self.active += more.active;
        self.inactive += more.inactive;
        self.deleted += more.deleted;
        self.other += more.other;
        self.total += more.total;
    }

    fn row(&self, name: String) -> [String; 6] {
        let [active, inactive, deleted, other, total] = [
            self.active,
            self.inactive,
            self.deleted,
            self.other,
            self.total,
        ]
        .map(|count| count.to_string());
        [name, active, inactive, deleted, other, total]
    }
}

fn print(lines: &[Line]) -> anyhow::Result<()> {
    let mut all = Count::default();
    for line in lines {
        all.add(&line.count);
    }
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
