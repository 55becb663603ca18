//! `open-chat operators import`: many operators from a file, each of them once, whatever ChatHub does meanwhile.

mod plan;
mod results;
mod rows;
mod summary;

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use self::plan::{Existing, Plan, same_name};
use self::results::{Outcome, ResultLine, Results};
use self::rows::Row;
use self::summary::Summary;
use super::adding::{Adding, CHUNK, Stop};
use super::chunk::Fate;
use super::interrupt::{FINISHING, Interrupt};
use crate::chathub::OrganizationId;
use crate::cli::company::{Company, organization_id, with_company};
use crate::cli::exit::Exit;
use crate::cli::output::Form;

/// Refusals in a row after which the fault is not with the rows.
const MOST_REFUSED: usize = 20;

#[derive(Args)]
#[command(
    after_help = "Examples: open-chat operators import operators.csv --dry-run\n          open-chat operators import names.csv --organization 24 --results done.csv\n\n\
                  The file is CSV with the header organizationId,name, or name alone with --organization.\n\
                  Started again, it goes on where it ended; no operator is added twice."
)]
pub(in crate::cli) struct Import {
    /// The CSV file
    file: PathBuf,

    /// Where all of them will belong, for a file without organizations
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: Option<OrganizationId>,

    /// Where to write what became of each row; by default beside the file, with .results.csv at the end
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,

    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,

    /// How long to wait after a first failure; then twice, four and eight times as long
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    backoff: Duration,

    #[command(flatten)]
    form: Form,
}

impl Import {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let rows = rows::read(&self.file, self.organization)?;
        let path = self.results_file();
        let (mut results, earlier) = if self.dry_run {
            (None, Results::peek(&path, &rows)?)
        } else {
            let (results, earlier) = Results::open(&path, &rows)?;
            (Some(results), earlier)
        };
        with_company(async |company| {
            let existing = existing(company, &rows).await?;
            let plan = Plan::new(&rows, &existing, &earlier);
            let mut summary = Summary::new(rows.len(), earlier, self.dry_run, &path);
            summary.note(&plan.known);
            let Some(results) = &mut results else {
                return summary.print(self.form, None);
            };
            results.write(&plan.known)?;
            let stop = self.send(company, plan, results, &mut summary).await?;
            summary.print(self.form, stop)
        })
    }

    fn results_file(&self) -> PathBuf {
        self.results.clone().unwrap_or_else(|| {
            let mut path = self.file.clone().into_os_string();
            path.push(".results.csv");
            path.into()
        })
    }

    /// Sends chunk after chunk, and writes down what became of each before the next goes out.
    async fn send(
        &self,
        company: &Company,
        plan: Plan<'_>,
        results: &mut Results,
        summary: &mut Summary,
    ) -> anyhow::Result<Option<Stop>> {
        let bar = bar(plan.to_send.values().map(Vec::len).sum());
        let say = |bar: &ProgressBar, text: &str| bar.suspend(|| eprintln!("{text}"));
        let (bar_of_interrupt, say_later) = (bar.clone(), say);
        let interrupt = Interrupt::listen(move || {
            say_later(&bar_of_interrupt, FINISHING);
        });
        let mut adding = Adding {
            chathub: &company.chathub,
            interrupt,
            first_wait: self.backoff,
            say: &|text| say(&bar, text),
        };
        let chunks = plan.to_send.iter().flat_map(|(organization, rows)| {
            rows.chunks(CHUNK).map(move |chunk| (*organization, chunk))
        });
        let mut refused_in_a_row = 0;
        for (organization, chunk) in chunks {
            if adding.interrupt.has_come() {
                return Ok(Some(Stop::Interrupted));
            }
            let names: Vec<_> = chunk.iter().map(|row| row.name.clone()).collect();
            let (fates, stop) = adding.add(organization, &names).await;
            let lines: Vec<_> = chunk.iter().zip(&fates).filter_map(result).collect();
            results.write(&lines)?;
            summary.note(&lines);
            bar.inc(lines.len() as u64);
            for line in &lines {
                let is_refused = line.outcome == Outcome::Failed;
                refused_in_a_row = if is_refused { refused_in_a_row + 1 } else { 0 };
            }
            if stop.is_some() {
                return Ok(stop);
            }
            if refused_in_a_row >= MOST_REFUSED {
                anyhow::bail!(
                    "ChatHub has refused {refused_in_a_row} rows one after another; the results file {} says with which status",
                    self.results_file().display()
                );
            }
        }
        bar.finish_and_clear();
        Ok(None)
    }
}

/// Asks for everything that exists in the organizations of these rows.
async fn existing(company: &Company, rows: &[Row]) -> anyhow::Result<Existing> {
    let organizations = company.chathub.list_organizations().await?;
    let known: HashSet<_> = organizations.iter().map(|known| known.id).collect();
    rows::check_organizations(rows, &known)?;
    let mut existing = Existing::default();
    let wanted: BTreeSet<_> = rows.iter().map(|row| row.organization).collect();
    for organization in wanted {
        existing.add(&company.operators_of(organization).await?);
    }
    Ok(existing)
}

/// The line of a row that is not left as it was.
fn result((row, fate): (&&Row, &Fate)) -> Option<ResultLine> {
    Some(match fate {
        Fate::Left => return None,
        Fate::Added { id, others } => {
            let note = same_name(others).unwrap_or_default();
            ResultLine::new(row, Outcome::Added, Some(*id), note)
        }
        Fate::Refused(status) => {
            let note = format!("ChatHub answers {status}");
            ResultLine::new(row, Outcome::Failed, None, note)
        }
        Fate::Unknown => ResultLine::new(row, Outcome::Unknown, None, String::new()),
    })
}

/// On a terminal it is drawn on standard error, elsewhere not at all.
fn bar(rows: usize) -> ProgressBar {
    let template = "{bar:40} {pos} of {len} rows, {eta} left";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(rows as u64).with_style(style)
}
