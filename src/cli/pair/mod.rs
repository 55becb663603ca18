//! `open-chat pair` invites browsers to be paired with operators.

mod file;
mod operators;

use std::path::PathBuf;
use std::time::Duration;

use chrono::SecondsFormat;
use clap::Args;

#[cfg(fuzzing)]
pub(super) use self::file::{cell_of, read as read_file};
use self::operators::Operators;
use super::pass::ttl;
use super::{Usage, output, say};
use crate::access::{Invitation, MAX_INVITATION_TTL};
use crate::button_url;
use crate::config::PairingConfig;
use crate::secret::Secret;
use chathub::OperatorId;

/// A colleague who is off today opens it tomorrow.
const TTL: &str = "24h";

#[derive(Args)]
#[command(
    after_help = "Examples: open-chat pair --operator 101\n          open-chat pair --csv agents.csv --out invitations.csv --ttl 3d\n\n\
                  The first browser that uses an invitation opens that operator's chats: send each to its agent alone.\n\
                  The CSV file has a column `operator`; what is written has operator,url,expires_at."
)]
pub(super) struct Pair {
    /// Whose chats the browser will open: an alias of the operator map, a ChatHub id or a name
    #[arg(long, required_unless_present = "csv", conflicts_with = "csv")]
    operator: Option<String>,

    /// A CSV file with a column `operator`, a row a browser; `-` reads standard input
    #[arg(long, value_name = "FILE", requires = "out")]
    csv: Option<PathBuf>,

    /// Where to write their invitations: a new file, which only its owner may read
    #[arg(
        long,
        value_name = "FILE",
        requires = "csv",
        conflicts_with = "operator"
    )]
    out: Option<PathBuf>,

    /// How long an invitation is good for, at most 7 days
    #[arg(long, value_parser = ttl, default_value = TTL)]
    ttl: Duration,
}

impl Pair {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        if self.ttl > MAX_INVITATION_TTL {
            let sentence = "`--ttl` is too long: an invitation is good for 7 days at most";
            return Err(Usage(sentence.into()).into());
        }
        let inviter = Inviter::new(self.ttl)?;
        match (&self.csv, &self.out) {
            (Some(file), Some(out)) => file::invite(&inviter, file, out),
            _ => inviter.print(self.operator.as_deref().unwrap_or_default()),
        }
    }
}

/// Makes invitations.
struct Inviter {
    config: PairingConfig,
    operators: Operators,
    ttl: Duration,
}

/// An invitation, for people and spreadsheets.
struct Invited {
    url: Secret,
    expires_at: String,
    invitation: Invitation,
}

impl Inviter {
    fn new(ttl: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            config: PairingConfig::from_env()?,
            operators: Operators::read()?,
            ttl,
        })
    }

    fn find(&self, operator: &str) -> anyhow::Result<OperatorId> {
        self.operators.find(operator, &self.config.authenticator)
    }

    fn invite(&self, operator: OperatorId) -> anyhow::Result<Invited> {
        let invitation = self.config.authenticator.invite(operator, self.ttl, None)?;
        let ends = invitation.expires_at;
        Ok(Invited {
            url: button_url::with_invitation(&self.config.public_url, &invitation.text),
            expires_at: ends.to_rfc3339_opts(SecondsFormat::Secs, true),
            invitation,
        })
    }

    /// Prints the URL alone on standard output, for a program that sends it on.
    fn print(&self, operator: &str) -> anyhow::Result<()> {
        let operator = self.find(operator)?;
        let invited = self.invite(operator)?;
        say(&format!(
            "for the chats of {}, in one browser, until {}; the device will be {}",
            self.operators.describe(operator),
            invited.expires_at,
            invited.invitation.id
        ));
        output::line(invited.url.expose())
    }
}
