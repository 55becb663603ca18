//! `open-chat operators status`

use std::collections::HashSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use chathub::{ErrorKind, Operator, OperatorId, OrganizationId};
use clap::Args;

use super::certainty::is_certainly_never_done;
use super::{Status, ids, list};
use crate::cli::company::{Company, find, organization_id, organization_name, with_company};
use crate::cli::exit::{Exit, Usage};
use crate::cli::output::{Form, say, shown};

#[derive(Args)]
#[command(
    after_help = "Examples: open-chat operators status 104 'John Smith' --set inactive\n          open-chat operators status 104 --set deleted --yes\n          open-chat operators status --csv leavers.csv --set inactive"
)]
pub(in crate::cli) struct SetStatus {
    /// The operators, by id or exact name; case does not matter
    #[arg(required_unless_present = "csv", value_name = "ID-OR-NAME")]
    operators: Vec<String>,

    /// Take them from the column `id` of this CSV file, such as one of `operators list --csv`
    #[arg(long, value_name = "FILE", conflicts_with = "operators")]
    csv: Option<PathBuf>,

    /// Their new status
    #[arg(long, value_enum)]
    set: Status,

    /// PollOutcome names up in this organization alone
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: Option<OrganizationId>,

    /// Delete without asking
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    form: Form,
}

impl SetStatus {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let must_ask = self.set == Status::Deleted && !self.yes;
        if must_ask && !io::stdin().is_terminal() {
            return Err(Usage(
                "nobody is there to be asked before operators are deleted; `--yes` deletes them without asking".into(),
            )
            .into());
        }
        let named = match &self.csv {
            Some(path) => ids::read(path)?,
            None => self.operators.clone(),
        };
        with_company(async |company| {
            // All are found before the first is changed.
            let mut operators = self.find(company, &named).await?;
            if must_ask && !is_meant(&operators)? {
                eprintln!("Nothing was changed.");
                return Ok(Exit::Failed);
            }
            let outcome = self.set(company, &mut operators).await;
            list::print(&operators, self.form)?;
            outcome.map(|()| Exit::Done)
        })
    }

    async fn find(&self, company: &Company, named: &[String]) -> anyhow::Result<Vec<Operator>> {
        let all = company.operators(self.organization).await?;
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for text in named {
            let operator = find(&all, text)?;
            if seen.insert(operator.id) {
                found.push(operator.clone());
            }
        }
        Ok(found)
    }

    /// Sets them one after another, and leaves in `operators` those that were set.
    async fn set(&self, company: &Company, operators: &mut Vec<Operator>) -> anyhow::Result<()> {
        let status = self.set.into();
        for position in 0..operators.len() {
            let id = operators[position].id;
            if let Err(error) = company.chathub.set_operator_status(id, status).await {
                operators.truncate(position);
                let left = how_they_are_left(id, error.kind());
                return Err(anyhow::Error::from(error).context(left));
            }
            operators[position].status = status;
        }
        Ok(())
    }
}

/// Of the operator at which it has failed, and of those that were to follow.
fn how_they_are_left(id: OperatorId, error: &ErrorKind) -> String {
    if is_certainly_never_done(error) {
        format!("operator {id} and those named after it are as they were")
    } else {
        format!(
            "whether operator {id} was changed is not known, `open-chat operators list` shows it; those named after it are as they were"
        )
    }
}

fn is_meant(operators: &[Operator]) -> anyhow::Result<bool> {
    for operator in operators {
        say(&format!(
            "{}  {}, {}, {}",
            operator.id,
            shown(&operator.name),
            operator.status,
            organization_name(&operator.organization)
        ));
    }
    eprint!("Delete {} of them? [y/N] ", operators.len());
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
