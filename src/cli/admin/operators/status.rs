//! `open-chat operators status`: activates, disables or deletes operators.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::Args;

use super::error_class::is_not_applied_after_retry;
use super::{Status, ids, list};
use crate::cli::{
    Company, Exit, OutputFormat, Usage, find_operator, organization_id, organization_name,
    sanitized, say, with_company,
};
use chathub::{ErrorKind, Operator, OperatorId, OrganizationId};

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

    /// Look names up in this organization alone
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: Option<OrganizationId>,

    /// Delete without asking
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    format: OutputFormat,
}

impl SetStatus {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let must_ask = self.set == Status::Deleted && !self.yes;
        if must_ask && !io::stdin().is_terminal() {
            let sentence = "nobody is there to be asked before operators are deleted; `--yes` deletes them without asking";
            return Err(Usage(sentence.into()).into());
        }
        let named = match &self.csv {
            Some(path) => ids::read(path)?,
            None => self.operators.clone(),
        };
        with_company(async |company| {
            // All names are resolved before the first operator is changed.
            let mut operators = self.find(company, &named).await?;
            if must_ask && !is_confirmed(&operators)? {
                eprintln!("Nothing was changed.");
                return Ok(Exit::Failed);
            }
            let outcome = self.set(company, &mut operators).await;
            list::print(&operators, self.format)?;
            outcome.map(|()| Exit::Done)
        })
    }

    async fn find(&self, company: &Company, named: &[String]) -> anyhow::Result<Vec<Operator>> {
        let all = company.operators(self.organization).await?;
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for text in named {
            let operator = find_operator(&all, text)?;
            if seen.insert(operator.id) {
                found.push(operator.clone());
            }
        }
        Ok(found)
    }

    /// Sets the status of one operator after another. `operators` keeps those that were changed.
    async fn set(&self, company: &Company, operators: &mut Vec<Operator>) -> anyhow::Result<()> {
        let status = self.set.into();
        for position in 0..operators.len() {
            let id = operators[position].id;
            if let Err(error) = company.chathub.set_operator_status(id, status).await {
                operators.truncate(position);
                let left = state_after_failure(id, error.kind());
                return Err(anyhow::Error::from(error).context(left));
            }
            operators[position].status = status;
        }
        Ok(())
    }
}

/// What is known of the operator at which it failed, and of those after it.
fn state_after_failure(id: OperatorId, error: &ErrorKind) -> String {
    if is_not_applied_after_retry(error) {
        format!("operator {id} and those named after it are as they were")
    } else {
        format!(
            "whether operator {id} was changed is not known, `open-chat operators list` shows it; those named after it are as they were"
        )
    }
}

fn is_confirmed(operators: &[Operator]) -> anyhow::Result<bool> {
    for operator in operators {
        let Operator { id, status, .. } = operator;
        let organization = organization_name(&operator.organization);
        say(&format!(
            "{id}  {}, {status}, {organization}",
            sanitized(&operator.name)
        ));
    }
    eprint!("Delete {} of them? [y/N] ", operators.len());
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
