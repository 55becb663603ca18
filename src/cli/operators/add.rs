//! `open-chat operators add`: onboarding in one go, from a name to a button.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::adding::{Adding, CHUNK, Stop};
use super::chunk::Fate;
use super::interrupt::{FINISHING, Interrupt};
use crate::chathub::{OperatorId, OrganizationId};
use crate::cli::company::{Company, organization_id, with_company};
use crate::cli::exit::{Exit, Usage};
use crate::cli::output::{self, Form, shown};
use crate::cli::pass::Wanted;
use crate::config::SigningConfig;
use crate::operators::name::{self, folded};

/// As ChatHub advises.
const FIRST_WAIT: Duration = Duration::from_secs(1);

#[derive(Args)]
#[command(
    after_help = "Example: open-chat operators add --organization 24 'Ann Lee' 'Bob Ray' --link --ttl 8h"
)]
pub(in crate::cli) struct Add {
    /// Where they will belong
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: OrganizationId,

    /// Their names; one that exists already in any case is skipped
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Print each new operator's button URL, signed where PASS_SECRET or PASS_KEYS_FILE is set
    #[arg(long)]
    link: bool,

    /// Print a pass for each new operator
    #[arg(long)]
    pass: bool,

    /// How long passes and signed links are good for
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    ttl: Duration,

    #[command(flatten)]
    form: Form,
}

/// What became of a name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    name: String,
    organization_id: OrganizationId,
    /// The operator of this name, new or old.
    id: Option<OperatorId>,
    /// `added`, `exists`, `duplicate`, `failed` or `unknown`, as in an import's results.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
}

impl Add {
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let names = self.names()?;
        let signing = SigningConfig::from_env()?;
        // What cannot be signed should not be found out when the operators are there already.
        self.sign(&signing, OperatorId(1))?;
        with_company(async |company| {
            let (mut lines, stop) = self.add(company, names).await?;
            for line in &mut lines {
                if let (Some(id), "added") = (line.id, line.outcome) {
                    (line.link, line.pass) = self.sign(&signing, id)?;
                }
            }
            self.print(&lines)?;
            match stop {
                Some(Stop::Failed(error)) => Err(error.into()),
                Some(Stop::Interrupted) => Ok(Exit::Interrupted),
                None if lines.iter().any(|line| line.outcome == "failed") => Ok(Exit::Failed),
                None => Ok(Exit::Done),
            }
        })
    }

    fn names(&self) -> anyhow::Result<Vec<String>> {
        let parse = |text: &String| {
            name::parse(text).map_err(|error| Usage(format!("{error}: `{}`", shown(text))).into())
        };
        self.names.iter().map(parse).collect()
    }

    fn sign(
        &self,
        signing: &SigningConfig,
        operator: OperatorId,
    ) -> anyhow::Result<(Option<String>, Option<String>)> {
        let wanted = Wanted::for_operator(operator.to_string(), self.ttl);
        let link = self.link.then(|| wanted.url(signing)).transpose()?;
        let pass = self.pass.then(|| wanted.pass(signing)).transpose()?;
        Ok((link, pass))
    }

    async fn add(
        &self,
        company: &Company,
        names: Vec<String>,
    ) -> anyhow::Result<(Vec<Line>, Option<Stop>)> {
        let mut existing: HashMap<String, OperatorId> = HashMap::new();
        for operator in company.operators_of(self.organization).await? {
            existing
                .entry(folded(&operator.name))
                .or_insert(operator.id);
        }
        let mut lines = Vec::new();
        let mut new = Vec::new();
        let mut given = HashSet::new();
        for name in names {
            let id = existing.get(&folded(&name)).copied();
            let is_first = given.insert(folded(&name));
            match (id, is_first) {
                (Some(_), _) => lines.push(self.line(name, id, "exists")),
                (None, false) => lines.push(self.line(name, None, "duplicate")),
                (None, true) => new.push(name),
            }
        }
        let mut adding = Adding {
            chathub: &company.chathub,
            interrupt: Interrupt::listen(|| output::say(FINISHING)),
            first_wait: FIRST_WAIT,
            say: &output::say,
        };
        let mut stop = None;
        for chunk in new.chunks(CHUNK) {
            let fates;
            (fates, stop) = adding.add(self.organization, chunk).await;
            lines.extend(chunk.iter().zip(fates).filter_map(|(name, fate)| {
                Some(match fate {
                    Fate::Added { id, .. } => self.line(name.clone(), Some(id), "added"),
                    Fate::Refused(_) => self.line(name.clone(), None, "failed"),
                    Fate::Unknown => self.line(name.clone(), None, "unknown"),
                    Fate::Left => return None,
                })
            }));
            if stop.is_some() {
                break;
            }
        }
        Ok((lines, stop))
    }

    const fn line(&self, name: String, id: Option<OperatorId>, outcome: &'static str) -> Line {
        Line {
            name,
            organization_id: self.organization,
            id,
            outcome,
            link: None,
            pass: None,
        }
    }

    fn print(&self, lines: &[Line]) -> anyhow::Result<()> {
        if self.form.json {
            return output::json(&lines);
        }
        let id = |line: &Line| line.id.map(|id| id.to_string()).unwrap_or_default();
        output::table(
            ["ID", "NAME", "OUTCOME"],
            lines
                .iter()
                .map(|line| [id(line), line.name.clone(), line.outcome.to_owned()]),
        )?;
        for line in lines {
            for made in [&line.link, &line.pass].into_iter().flatten() {
                output::line(&format!("\n{} {}:\n{made}", id(line), shown(&line.name)))?;
            }
        }
        Ok(())
    }
}
