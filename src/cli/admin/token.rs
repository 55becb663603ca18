//! `open-chat token mint` and `open-chat token validate`: operator tokens from a shell.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::{
    Company, Exit, OutputFormat, done, find_operator, organization_id, output, sanitized,
    with_company,
};
use crate::operators::name::folded;
use chathub::{OperatorId, OperatorStatus, OrganizationId, SecretString, TokenCheck};

/// The longest token, in bytes; real ones are much shorter.
const MAX_TOKEN: u64 = 8192;

/// ChatHub's bound is 24 hours; five minutes of it are left for clocks that differ, as `TOKEN_TTL`
/// does.
const MAX_TTL: Duration = Duration::from_mins(24 * 60 - 5);

#[derive(Subcommand)]
pub(in crate::cli) enum Token {
    /// Mint an operator token and print it
    Mint(Mint),
    /// Ask ChatHub whether the panel would take a token, which is read from standard input; exit 1
    /// where it would not
    Validate(Validate),
}

#[derive(Args)]
#[command(after_help = "Example: open-chat token mint --operator 'John Smith' --ttl 10m")]
pub(in crate::cli) struct Mint {
    /// Whose token: the operator's id, or its exact name
    #[arg(long, value_name = "ID-OR-NAME")]
    operator: String,

    /// Look the name up in this organization alone
    #[arg(long, value_name = "ID", value_parser = organization_id)]
    organization: Option<OrganizationId>,

    /// How long it lives, 23h55m at most. Its end also ends the operator's session in the panel
    #[arg(long, default_value = "1h", value_parser = ttl)]
    ttl: Duration,

    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Args)]
#[command(after_help = "Example: open-chat token mint --operator 101 | open-chat token validate")]
pub(in crate::cli) struct Validate {
    /// Read the token from this file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    #[command(flatten)]
    format: OutputFormat,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Minted<'a> {
    id: OperatorId,
    token: &'a str,
    expires_at: String,
}

impl Token {
    pub(in crate::cli) fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Mint(mint) => with_company(async |company| mint.run(company).await).map(done),
            Self::Validate(validate) => validate.run(),
        }
    }
}

impl Mint {
    async fn run(&self, company: &Company) -> anyhow::Result<()> {
        // The first answer has ChatHub's time, which decides when the token expires.
        company.chathub.log_in().await?;
        let operator = match OperatorId::parse(&self.operator) {
            Some(id) => id,
            None => self.find(company).await?,
        };
        let ttl = TimeDelta::from_std(self.ttl)?;
        let token = company
            .chathub
            .mint_operator_token_for(operator, ttl)
            .await?;
        if self.format.json {
            let expires_at = token.expires_at;
            return output::json(&Minted {
                id: operator,
                token: token.expose(),
                expires_at: expires_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            });
        }
        output::line(token.expose())
    }

    /// Only an active operator can have a token, so active operators win over others of the same
    /// name.
    async fn find(&self, company: &Company) -> anyhow::Result<OperatorId> {
        let operators = company.operators(self.organization).await?;
        let (active, others): (Vec<_>, Vec<_>) = operators
            .into_iter()
            .partition(|operator| operator.status == OperatorStatus::Active);
        let name = folded(&self.operator);
        if active.iter().any(|operator| folded(&operator.name) == name) {
            return Ok(find_operator(&active, &self.operator)?.id);
        }
        let other = find_operator(&others, &self.operator)?;
        bail!(
            "operator {} is {}: only an active one gets a token; `open-chat operators status {0} --set active` makes it one",
            other.id,
            other.status
        )
    }
}

impl Validate {
    fn run(&self) -> anyhow::Result<Exit> {
        let token = self.token()?;
        let check = with_company(async |company| {
            Ok(company.chathub.validate_operator_token(&token).await?)
        })?;
        if self.format.json {
            output::json(&check)?;
        } else {
            output::line(&sentence(&check))?;
        }
        Ok(if check.is_valid {
            Exit::Done
        } else {
            Exit::Failed
        })
    }

    fn token(&self) -> anyhow::Result<SecretString> {
        if let Some(path) = &self.token_file {
            let file = File::open(path)
                .with_context(|| format!("the file {} cannot be opened", path.display()))?;
            return read_token(file);
        }
        if io::stdin().is_terminal() {
            eprintln!("Paste the token, then Enter and Ctrl-D.");
        }
        read_token(io::stdin().lock())
    }
}

fn read_token(source: impl Read) -> anyhow::Result<SecretString> {
    let mut text = String::new();
    // With a line end, and one byte more to detect a token that is too long.
    source.take(MAX_TOKEN + 3).read_to_string(&mut text)?;
    let token = text.trim();
    let is_token = !token.is_empty()
        && token.len() as u64 <= MAX_TOKEN
        && token.bytes().all(|byte| byte.is_ascii_graphic());
    ensure!(
        is_token,
        "this is no token: one line of visible characters is expected"
    );
    Ok(SecretString::from(token))
}

fn sentence(check: &TokenCheck) -> String {
    if !check.is_valid {
        let why = check.error.as_deref().unwrap_or("ChatHub does not say why");
        return format!("not valid: {}", sanitized(why));
    }
    let end = |end: DateTime<Utc>| end.to_rfc3339_opts(SecondsFormat::Secs, true);
    let client = check.client_id.filter(|client| *client != 0);
    let parts = [
        Some("valid".to_owned()),
        check.operator_id.map(|id| format!("operator {id}")),
        client.map(|id| format!("client {id}")),
        check.expires_at.map(|at| format!("until {}", end(at))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn ttl(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text)
        .ok()
        .filter(|ttl| (Duration::from_secs(1)..=MAX_TTL).contains(ttl))
        .ok_or("not a duration of at most 23h55m, such as 10m")
}
