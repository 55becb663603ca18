//! `open-chat operators add`: adds operators by name, and prints a button or a pass for each.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::batch::AddOutcome;
use super::batch_adder::{BATCH_SIZE, BatchAdder, Stop};
use super::interrupt::{FINISHING, Interrupt};
use super::row_outcome::RowOutcome;
use crate::cli::link::UNSIGNED;
use crate::cli::pass::{PassRequest, ttl};
use crate::cli::{
    Company, Exit, OutputFormat, Usage, organization_id, output, sanitized, with_company,
};
use crate::config::SigningConfig;
use crate::operators::name::{self, spelling};
use chathub::{OperatorId, OrganizationId};

/// The first wait after a failure, as ChatHub advises.
const FIRST_WAIT: Duration = Duration::from_secs(1);

#[derive(Args)]
#[command(
    after_help = "Example: open-chat operators add --organization 24 'Ann Lee' 'Bob Ray' --link --ttl 8h"
)]
pub(in crate::cli) struct Add {
    /// Where they will belong
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: OrganizationId,

    /// Their names; one that exists already, in any case and spelling, is skipped
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Print each new operator's button URL, signed where PASS_SECRET or a key of PASS_KEYS_FILE
    /// can sign
    #[arg(long)]
    link: bool,

    /// Print a pass for each new operator
    #[arg(long)]
    pass: bool,

    /// How long passes and signed links are good for; 10m, where nothing is said
    #[arg(long, value_parser = ttl)]
    ttl: Option<Duration>,

    #[command(flatten)]
    format: OutputFormat,
}

/// The result for a name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    name: String,
    organization_id: OrganizationId,
    /// The operator of this name, new or old.
    id: Option<OperatorId>,
    outcome: RowOutcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
}

impl Add {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let names = self.names()?;
        if self.ttl.is_some() && !self.link && !self.pass {
            return Err(Usage("`--ttl` is for `--link` and `--pass`".into()).into());
        }
        let signing = SigningConfig::from_env()?;
        // A missing key must show before the operators exist.
        self.sign(&signing, OperatorId(1))?;
        with_company(async |company| {
            let (mut lines, stop) = self.add(company, names).await?;
            for line in &mut lines {
                if let (Some(id), RowOutcome::Added) = (line.id, line.outcome) {
                    (line.link, line.pass) = self.sign(&signing, id)?;
                }
            }
            if self.link && !signing.authenticator.can_sign() {
                output::say(UNSIGNED);
            }
            self.print(&lines)?;
            let is_failed = |line: &Line| line.outcome == RowOutcome::Failed;
            Stop::exit(stop, lines.iter().any(is_failed))
        })
    }

    fn names(&self) -> anyhow::Result<Vec<String>> {
        let parse = |text: &String| {
            name::parse(text)
                .map_err(|error| Usage(format!("{error}: `{}`", sanitized(text))).into())
        };
        self.names.iter().map(parse).collect()
    }

    fn sign(
        &self,
        signing: &SigningConfig,
        operator: OperatorId,
    ) -> anyhow::Result<(Option<String>, Option<String>)> {
        let request = PassRequest::for_operator(operator.to_string(), self.ttl);
        let link = self.link.then(|| request.url(signing)).transpose()?;
        let pass = self.pass.then(|| request.pass(signing)).transpose()?;
        Ok((link, pass))
    }

    /// Adds the new names, and returns a line for each name in the order given.
    async fn add(
        &self,
        company: &Company,
        names: Vec<String>,
    ) -> anyhow::Result<(Vec<Line>, Option<Stop>)> {
        let mut ids: HashMap<String, OperatorId> = HashMap::new();
        for operator in company.operators_of(self.organization).await? {
            ids.entry(spelling(&operator.name)).or_insert(operator.id);
        }
        let mut outcomes = HashMap::new();
        let mut new = Vec::new();
        for name in &names {
            let key = spelling(name);
            if !ids.contains_key(&key) && outcomes.insert(key, None).is_none() {
                new.push(name.clone());
            }
        }
        let stop = self.send(company, &new, &mut ids, &mut outcomes).await;
        let mut given = HashSet::new();
        let lines = names.into_iter().filter_map(|name| {
            let key = spelling(&name);
            let id = ids.get(&key).copied();
            let outcome = match outcomes.get(&key) {
                None => RowOutcome::Exists,
                // Not sent.
                Some(None) => return None,
                Some(Some(outcome)) if given.insert(key) => *outcome,
                Some(Some(_)) => RowOutcome::Duplicate,
            };
            Some(Line {
                name,
                organization_id: self.organization,
                id,
                outcome,
                link: None,
                pass: None,
            })
        });
        Ok((lines.collect(), stop))
    }

    /// Sends the new names, and records the outcome of each.
    async fn send(
        &self,
        company: &Company,
        new: &[String],
        ids: &mut HashMap<String, OperatorId>,
        outcomes: &mut HashMap<String, Option<RowOutcome>>,
    ) -> Option<Stop> {
        let mut adder = BatchAdder {
            chathub: &company.chathub,
            interrupt: Interrupt::listen(|| output::say(FINISHING)),
            first_wait: FIRST_WAIT,
            say: &output::say,
        };
        for batch in new.chunks(BATCH_SIZE) {
            let (results, stop) = adder.add(self.organization, batch).await;
            for (name, outcome) in batch.iter().zip(results) {
                let outcome = match outcome {
                    AddOutcome::Added { id, .. } => {
                        ids.insert(spelling(name), id);
                        RowOutcome::Added
                    }
                    AddOutcome::Refused(_) => RowOutcome::Failed,
                    AddOutcome::Unknown => RowOutcome::Unknown,
                    AddOutcome::NotSent => continue,
                };
                outcomes.insert(spelling(name), Some(outcome));
            }
            if stop.is_some() {
                return stop;
            }
        }
        None
    }

    fn print(&self, lines: &[Line]) -> anyhow::Result<()> {
        if self.format.json {
            return output::json(&lines);
        }
        let id = |line: &Line| line.id.map(|id| id.to_string()).unwrap_or_default();
        let row = |line: &Line| [id(line), line.name.clone(), line.outcome.to_string()];
        output::table(["ID", "NAME", "OUTCOME"], lines.iter().map(row))?;
        for line in lines {
            let (id, name) = (id(line), sanitized(&line.name));
            for made in [&line.link, &line.pass].into_iter().flatten() {
                output::line(&format!("\n{id} {name}:\n{made}"))?;
            }
        }
        Ok(())
    }
}
