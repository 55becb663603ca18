//! `open-chat pass mint` and `open-chat link`: a pass, and a button's URL, from a shell.

use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use crate::access::{Bound, NewPass};
use crate::button_url;
use crate::config::SigningConfig;

#[derive(Subcommand)]
pub(super) enum Pass {
    /// Sign a pass with PASS_SECRET, or the first plain HS key of PASS_KEYS_FILE
    #[command(after_help = "Example: open-chat pass mint --operator 101 --ttl 8h")]
    Mint(Wanted),
}

/// What a pass or a link is to say.
#[derive(Args)]
pub(super) struct Wanted {
    /// Whose panel opens: a ChatHub operator id, or an alias of the operator map
    #[arg(long)]
    operator: String,

    /// The client's phone; left out, the link's `phone=` says it
    #[arg(long, allow_hyphen_values = true)]
    phone: Option<String>,

    /// The channel: 0 to 7, or its name
    #[arg(long)]
    source: Option<String>,

    /// The alpha name
    #[arg(long)]
    from: Option<String>,

    /// The chat's id, instead of a phone
    #[arg(long)]
    chat_raw_id: Option<String>,

    /// How long it is good for
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    ttl: Duration,

    /// It opens a panel once only
    #[arg(long)]
    once: bool,
}

impl Wanted {
    fn bound(&self) -> Bound {
        Bound {
            phone: self.phone.clone(),
            source: self.source.clone(),
            from: self.from.clone(),
            chat_raw_id: self.chat_raw_id.clone(),
        }
    }

    /// What is said of an operator alone: the CRM's button adds the client.
    pub(super) const fn for_operator(operator: String, ttl: Duration) -> Self {
        Self {
            operator,
            phone: None,
            source: None,
            from: None,
            chat_raw_id: None,
            ttl,
            once: false,
        }
    }

    /// A pass that says it.
    pub(super) fn pass(&self, config: &SigningConfig) -> anyhow::Result<String> {
        let (pass, _) = config.door.mint(&NewPass {
            operator: self.operator.clone(),
            bound: self.bound(),
            ttl: self.ttl,
            once: self.once,
        })?;
        Ok(pass)
    }

    /// A button's URL that says it: signed where a key is set, plain for `ACCESS=open` or a login in front.
    pub(super) fn url(&self, config: &SigningConfig) -> anyhow::Result<String> {
        let public_url = config
            .public_url
            .as_ref()
            .context("PUBLIC_URL must be set: where open-chat is to its callers")?;
        Ok(if config.has_keys {
            button_url::with_pass(public_url, &self.pass(config)?)
        } else {
            button_url::plain(public_url, &self.operator, &self.bound())
        })
    }
}

impl Pass {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Mint(wanted) = self;
        println!("{}", wanted.pass(&SigningConfig::from_env()?)?);
        Ok(())
    }
}

/// Prints a button's URL.
pub(super) fn link(wanted: &Wanted) -> anyhow::Result<()> {
    println!("{}", wanted.url(&SigningConfig::from_env()?)?);
    Ok(())
}
