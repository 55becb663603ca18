//! `open-chat operators import`: adds many operators from a file, each of them once, even where
//! ChatHub fails meanwhile.

mod plan;
mod results;
mod rows;
mod sender;
mod summary;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use self::plan::{Existing, Plan};
use self::results::Results;
use self::rows::Row;
#[cfg(fuzzing)]
pub(in crate::cli) use self::rows::fields as read_rows;
use self::sender::Sender;
use self::summary::Summary;
use crate::cli::admin::operators::batch_adder::Stop;
use crate::cli::csv_text::STDIN;
use crate::cli::{Company, CsvText, Exit, OutputFormat, Usage, organization_id, with_company};
use crate::operators::name::spelling;
use chathub::OrganizationId;

#[derive(Args)]
#[command(
    after_help = "Examples: open-chat operators import operators.csv --dry-run\n          open-chat operators import names.csv --organization 24 --results done.csv\n\n\
                  The file is CSV with the header organizationId,name, or name alone with --organization.\n\
                  Started again, it goes on where it ended; no operator is added twice."
)]
pub(in crate::cli) struct Import {
    /// The CSV file; `-` reads standard input, and takes --results
    file: PathBuf,

    /// Where all of them will belong, for a file without organizations
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: Option<OrganizationId>,

    /// Where to write what became of each row; by default beside the file, with .results.csv at the
    /// end
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,

    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,

    /// How long to wait after a first failure; then twice, four and eight times as long
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    backoff: Duration,

    #[command(flatten)]
    format: OutputFormat,
}

impl Import {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let path = self.results_file()?;
        let text = CsvText::read(&self.file)?;
        let rows = rows::read(&text, self.organization)?;
        let earlier = Results::peek(&path, &rows)?;
        with_company(async |company| {
            let existing = existing(company, &rows).await?;
            if self.dry_run {
                let plan = Plan::new(&rows, &existing, &earlier);
                let mut summary = Summary::new(rows.len(), earlier, true, &path);
                summary.note(&plan.known);
                return summary.print(self.format, None);
            }
            // After all checks: a refused import leaves no file behind. Another run may have
            // written to the file meanwhile, so its outcomes are read again.
            let (mut results, earlier) = Results::open(&path, &rows, text.separator)?;
            let plan = Plan::new(&rows, &existing, &earlier);
            let mut summary = Summary::new(rows.len(), earlier, false, &path);
            let sent = self.send(company, plan, &mut results, &mut summary).await;
            results.end();
            summary.print(self.format, sent?)
        })
    }

    async fn send(
        &self,
        company: &Company,
        plan: Plan<'_>,
        results: &mut Results,
        summary: &mut Summary,
    ) -> anyhow::Result<Option<Stop>> {
        summary.note(&plan.known);
        results.write(&plan.known)?;
        Sender::new(results, summary, &plan)
            .run(&company.chathub, plan, self.backoff)
            .await
    }

    fn results_file(&self) -> anyhow::Result<PathBuf> {
        match &self.results {
            Some(path) => Ok(path.clone()),
            None if self.file == Path::new(STDIN) && !self.dry_run => {
                let sentence = "rows that come by standard input need `--results FILE`: where to write what becomes of them";
                Err(Usage(sentence.into()).into())
            }
            None => Ok(self.file.with_added_extension("results.csv")),
        }
    }
}

/// Lists the operators that exist in the organizations of these rows.
async fn existing(company: &Company, rows: &[Row]) -> anyhow::Result<Existing> {
    let organizations = company.chathub.list_organizations().await?;
    let known: HashSet<_> = organizations.iter().map(|known| known.id).collect();
    rows::check_organizations(rows, &known)?;
    let mut existing = Existing::default();
    let wanted: BTreeSet<_> = rows.iter().map(|row| row.organization).collect();
    for organization in wanted {
        for operator in company.operators_of(organization).await? {
            let key = (operator.organization.id, spelling(&operator.name));
            existing.entry(key).or_default().push(operator);
        }
    }
    Ok(existing)
}
